/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.h - one socket of the target: what arrived, what was read, what was sent
 *
 * TCP pairs by byte position, UDP by count with the queue's depth as a check. Nothing here
 * knows items: it answers "when did the byte that was just read arrive?" and "whose first
 * byte is in this packet?".
 */
#ifndef GEMBA_CORRELATE_CONN_H
#define GEMBA_CORRELATE_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"
#include "src/correlate/fifo.h"
#include "src/correlate/list.h"

/* Where and when the packet of an item's first byte was seen. */
struct arrival {
	bool has_rx;
	bool has_sock;
	bool is_doubtful;
	uint16_t rx_cpu;
	uint16_t sock_cpu;
	uint16_t rport;
	bool is_v6;
	uint32_t raddr;
	uint32_t first_seq;
	uint32_t bytes;
	uint64_t rx_ns;
	uint64_t sock_ns;
};

/* A send call whose first byte has not been seen on its way yet. */
struct sending {
	uint64_t item_id;
	void *item;
	uint64_t txq_ns;   /* 0: not yet */
	uint64_t station;  /* serial of the sender's, 0: the call had ended when it was told */
	uint32_t switches; /* of the sender, then */
	uint32_t seq;	   /* UDP: the remote address */
	uint32_t len;	   /* UDP: payload | rport << 16 */
	uint32_t tag;	   /* UDP: of the skb */
	uint32_t tid;
	uint16_t cpu;
	bool is_first; /* the item's first output */
	bool is_queued;
	bool is_deferred; /* queued outside the call */
};

/* The bytes of an item's first output, until the peer has them. */
struct owed {
	uint64_t item_id;
	void *item;
	uint32_t seq;
	uint32_t end;
};

#define CONN_MAX_GIVEN_UP 16

/* No event of this kind was lost from then on; 0: none ever was. */
struct lost {
	uint64_t arrivals_until_ns;
	uint64_t reads_until_ns;
};

struct conn {
	struct list by_time;  /* all, by last use */
	struct list items;    /* open ones that came this way, in order */
	struct gemba_conn is; /* as the kernel told it */
	uint32_t id;
	bool is_udp;
	bool is_accepted; /* its local port is one the target listens on */
	bool has_copied;
	bool has_rx_high;
	bool has_tx_high;
	bool has_next_send;
	bool is_answered_late; /* UDP: by other threads, or after its reader has slept */
	bool is_flow_counted;  /* at its endpoint */
	uint32_t peer_pid;
	char peer_comm[16];
	uint32_t supplier; /* endpoint, or ENDPOINT_NONE: not looked up yet */
	uint32_t copied;
	uint32_t rx_high;
	uint32_t ready_high;
	uint32_t tx_high;
	uint32_t next_send;	  /* where the last send call will have ended */
	uint32_t last_sender;	  /* of the last send call */
	uint32_t last_send_epoch; /* of that thread, then */
	uint64_t last_send_ns;
	uint64_t last_send_item;
	void *last_send_ptr;
	uint64_t last_used_ns;
	uint64_t depth_since_ns; /* counted queue */
	uint32_t depth;
	uint64_t nr_ready; /* UDP: datagrams queued, and read, so far */
	uint64_t nr_read;
	uint64_t last_read_ns;
	uint64_t last_ready_ns;	 /* UDP: the newest one, */
	uint64_t other_ready_ns; /* and the newest one that another CPU told than it */
	uint16_t last_ready_cpu;
	uint64_t nr_missing; /* queued but not in `ready`: their readies were lost */
	uint64_t sure_ns;    /* UDP: the queue was known to be as we count it */
	struct lost lost;    /* UDP: since when nothing was lost that matters here */
	uint32_t last_reader;
	uint32_t deep;	  /* readies in a row at which our count was above the kernel's */
	uint32_t lean;	  /* the same, below, */
	uint32_t lean_by; /* and by how many at least */
	uint32_t over;	  /* reads in a row at which it was above */
	uint32_t over_by;
	struct conn *group;	 /* UDP: the socket whose id the rx events carry; may be itself */
	struct fifo rx;		 /* struct rx_range, or struct rx_datagram of a group */
	struct fifo ready;	 /* struct ready_mark, or struct ready_datagram */
	struct fifo sends;	 /* struct sending */
	struct fifo sent;	 /* struct sent_segment, waiting for its ack */
	struct fifo owed;	 /* struct owed: items whose packet waits for it */
	struct fifo loose;	 /* struct loose_tx: packets before their send call was told */
	uint32_t nr_entered;	 /* items of it that began at the entry stage, as far as is sure, */
	uint32_t nr_not_entered; /* and that did not */
	uint32_t nr_given_up;
	struct given_up {
		uint64_t at_ns;
		uint32_t raddr;
		uint16_t rport;
	} given_up[CONN_MAX_GIVEN_UP]; /* UDP: the last ones that were closed with no answer */
};

struct conn *conn_new(const struct gemba_conn *is, uint64_t now_ns);
void conn_free(struct conn *self);

/* true: a > b in the circle of 32-bit sequence numbers. */
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* TCP in. take: the bytes up to `copied` were read by one call (bytes 0: of unknown length);
 * false: nothing new was taken. *unseen: bytes that other ways took since the last read. */
void conn_tcp_arrived(struct conn *self, const struct gemba_event *ev);
void conn_tcp_ready(struct conn *self, const struct gemba_event *ev);
bool conn_tcp_take(struct conn *self, uint32_t copied, uint32_t bytes, struct arrival *arrival,
		   uint32_t *unseen);
bool conn_tcp_has_unread(const struct conn *self);

/* UDP in. rx is told to the group's socket; ready and take to the socket itself. */
void conn_udp_arrived(struct conn *self, const struct gemba_event *ev);
/* The number of this datagram among the readies, from 1; *arrival says where it came from. */
uint64_t conn_udp_ready(struct conn *self, const struct gemba_event *ev, struct arrival *arrival);
/* The datagram just read: true, and *arrival; false: its ready is not seen yet, number *waits. */
bool conn_udp_take(struct conn *self, const struct gemba_event *ev, struct arrival *arrival,
		   uint64_t *waits);
/* The reader found the queue empty: what we still hold was read by other ways or lost. */
void conn_udp_empty(struct conn *self, uint64_t now_ns);
/* The datagram that has just arrived on this CPU was dropped. */
bool conn_udp_drop(struct conn *self, const struct gemba_event *ev, struct arrival *arrival);

/* Round trips: sent segments wait for the ack that covers them. */
void conn_tcp_left(struct conn *self, uint32_t end, uint64_t now_ns);
void conn_tcp_resent(struct conn *self, uint32_t seq);
/* One covered segment a call: its tx time, or 0 when no more are covered. */
uint64_t conn_tcp_acked(struct conn *self, uint32_t ack);

/* A packet that no send call seen so far owns: kept for a call that is told after its packets. */
struct loose_tx {
	uint32_t seq;
	uint32_t end;
	uint64_t txq_ns; /* 0: unknown */
	uint64_t tx_ns;	 /* 0: still queued */
	uint16_t cpu;
	bool is_queued;
};

#endif
