/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h - what the parts of correlate/ share: open items, sockets, threads, the account
 */
#ifndef GEMBA_CORRELATE_STATE_H
#define GEMBA_CORRELATE_STATE_H

#include "src/correlate/conn.h"
#include "src/correlate/correlate.h"
#include "src/correlate/item.h"
#include "src/correlate/thread.h"
#include "src/util/idmap.h"

#define MAX_ENDPOINTS 1024
#define MAX_LOSSY 64

struct correlate {
	struct correlate_opts opts;
	struct journey_sink sink;
	struct account account;
	struct idmap conns;
	struct idmap threads;
	struct idmap keys; /* open items by what names them, see join.c */
	struct list conns_by_time;
	struct list items; /* open or waiting for their tx, by last station */
	struct item *free_items;
	size_t nr_items;
	uint64_t next_id;
	uint64_t serial; /* of the last station stamped in a thread's context */
	uint64_t now_ns;
	uint64_t warm_ns; /* the warm-up ends */
	struct lossy {
		uint64_t from_ns;
		uint64_t until_ns;
	} lossy[MAX_LOSSY]; /* ring of the latest times in which events were lost */
	uint32_t nr_lossy;  /* ever */
	struct lost datagrams_lost;
	bool is_warm;
	bool has_send; /* the stream has send calls before their packets */
	int error;
	struct conn *last_conn;
	struct thread *last_thread;
	struct idmap ports; /* local ports listened on: port + 1 */
	struct idmap peers; /* IPv6 addresses by their fold */
	struct endpoint *endpoints;
	size_t nr_endpoints;
	uint8_t **peer_ports;	/* of each endpoint: a bit per remote port of datagrams, or NULL */
	struct journey journey; /* scratch for the sink */
};

/* conns.c */
struct conn *state_conn(struct correlate *self, uint32_t id);
void state_conn_told(struct correlate *self, const struct gemba_conn *is);
void state_conn_closed(struct correlate *self, struct conn *conn);
void state_peer_told(struct correlate *self, const struct gemba_peer *is);
uint32_t state_supplier(struct correlate *self, struct conn *conn, const struct arrival *arrival);
uint32_t state_customer(struct correlate *self, struct conn *conn, uint32_t raddr, uint16_t rport,
			bool is_v6);
void state_depth(struct correlate *self, struct conn *conn, uint32_t depth);
void state_fini_conns(struct correlate *self);

/* items.c */
struct item *item_new(struct correlate *self);
void item_touch(struct correlate *self, struct item *item);
/* Its thread works on it no more. */
void item_leave_thread(struct correlate *self, struct item *item);
/* No more outputs: finished now, or once its packet has left and arrived. */
void item_close(struct correlate *self, struct item *item);
/* Something that it waited for is there: finished if it was closed and waits for nothing else. */
void item_settle(struct correlate *self, struct item *item);
void item_finish(struct correlate *self, struct item *item, enum outcome outcome);
enum outcome item_outcome(const struct item *item);
void state_expire(struct correlate *self);

/* own.c */
void own_recv(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct arrival *arrival, uint64_t waits, unsigned int cpu);
void own_late_arrival(struct correlate *self, struct conn *conn, uint64_t number,
		      const struct arrival *arrival);
void own_empty(struct correlate *self, struct conn *conn, struct thread *thread);
/* Items of a socket that its last send has answered as well; thread: the one that sent it. */
void own_share(struct correlate *self, struct conn *conn, struct thread *thread);
void own_slept(struct correlate *self, struct thread *thread);
void own_exited(struct correlate *self, struct thread *thread);
void own_drop(struct correlate *self, struct conn *conn, const struct arrival *arrival);

/* answer.c */
/* Send calls of this connection were lost: its items without an output may be theirs. */
void answer_lost_sends(struct correlate *self, struct conn *conn);
/* Whose output a send is; never NULL unless memory ran out. *is_first: its first one. */
struct item *answer_send(struct correlate *self, struct conn *conn, struct thread *thread,
			 const struct gemba_event *ev, bool *is_first);

/* entry.c */
/* The item that a hit of the entry stage begins; NULL: none can be. */
struct item *entry_begin(struct correlate *self, struct thread *thread);
/* One of which nothing was received on this thread: it begins with the stage. NULL: no memory. */
struct item *entry_originate(struct correlate *self, struct thread *thread);
/* What it learns from: an item was read, its thread sleeps, an item gets no more outputs. */
void entry_read(const struct conn *conn, struct thread *thread);
void entry_slept(struct thread *thread);
void entry_left(struct correlate *self, const struct item *item);

/* join.c */
/* From now on this value names the item, and no other. */
void join_name(struct correlate *self, struct item *item, uint64_t key);
/* The open item of that name, or NULL. */
struct item *join_find(const struct correlate *self, uint64_t key);
/* The thread goes on with it: what another one did is over, and their hand-off is a station. */
void join_take_over(struct correlate *self, struct item *item, struct thread *thread);
/* It is gone: its name is free. */
void join_forget(struct correlate *self, struct item *item);

/* stage.c */
/* A thread has entered the function of a stage, ev->seq, counted from 0, the entry stage. */
void stage_hit(struct correlate *self, struct thread *thread, const struct gemba_event *ev);
/* The thread reads, or sleeps again: what it slept in the middle of, if that was so, is over. */
void stage_settle(struct correlate *self, struct thread *thread);
/* True: it sleeps in the middle of an item, as far as can be told; its items stay as they are. */
bool stage_suspend(struct thread *thread, uint64_t now_ns);

/* out.c */
void out_send(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct gemba_event *ev);
void out_sent(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct gemba_event *ev);
void out_tcp_packet(struct correlate *self, struct conn *conn, const struct gemba_event *ev);
void out_udp_packet(struct correlate *self, struct conn *conn, const struct gemba_event *ev);
/* The item leaves with the packet of the call that answered another, which is still to leave. */
void out_share(struct conn *conn, const struct item *answered, struct item *item);
/* The socket is gone: nothing waits for its packets any more. */
void out_give_up(struct correlate *self, struct conn *conn);
/* The peer has everything up to `ack`; [seq, seq + len) is sent again. */
void out_acked(struct correlate *self, struct conn *conn, uint32_t ack);
void out_resent(struct conn *conn, uint32_t seq, uint32_t len);

#endif
