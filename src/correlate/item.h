/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * item.h - an item while it is open: its stamps so far, and the lists that know it
 */
#ifndef GEMBA_CORRELATE_ITEM_H
#define GEMBA_CORRELATE_ITEM_H

#include "src/correlate/journey.h"
#include "src/correlate/list.h"

#define ITEM_LAST_STAMPS 4 /* room that stages leave for send, txq, tx */

struct item {
	struct list by_time;   /* all open items, by their last station */
	struct list by_conn;   /* those of its connection, in order of arrival */
	struct list by_thread; /* those of the thread that touched it last */
	uint64_t id;
	uint64_t on_cpu_ns;	     /* while it was some thread's current */
	uint64_t on_cpu_at_stamp_ns; /* of that, up to its last stamp */
	uint64_t left_ns;	     /* when it was no thread's current any more */
	uint64_t polled_ns;	     /* when that thread then found nothing to read, 0: never */
	uint64_t last_ns;
	uint64_t first_recv_ns;
	uint64_t bytes_out;
	uint64_t last_output_ns;
	uint64_t waits_for;    /* UDP: number of the ready it was read before, 0: none */
	uint64_t read_station; /* serial of its last read */
	uint64_t key;
	uint32_t conn_id; /* the way in, 0: originated */
	uint32_t in_seq;
	uint32_t out_sk;
	uint32_t reader; /* tid */
	uint32_t worker; /* tid on which it was current: whose run time on_cpu_ns is */
	uint32_t epoch;	 /* of the thread that touched it last, then */
	uint32_t supplier;
	uint32_t customer;
	uint32_t bytes_in;
	uint32_t raddr; /* UDP, as in events */
	uint32_t outputs;
	uint32_t outputs_shared;
	uint32_t merges;
	uint32_t retransmits;
	uint32_t out_seq;
	uint16_t rport; /* UDP: its sender's */
	uint16_t in_lport;
	uint16_t in_rport;
	uint16_t out_lport;
	uint16_t out_rport;
	uint8_t attribution;
	uint8_t nr_stamps;
	uint8_t room_stamps;
	bool is_udp : 1;
	bool is_originated : 1;
	bool is_partial : 1;
	bool is_warmup : 1;
	bool is_counted : 1; /* within the window: part of the balance */
	bool is_doubtful : 1;
	bool is_dropped : 1;
	bool is_unseen : 1; /* its packet was queued, and another left in its place */
	bool is_closed : 1; /* gets no more outputs, waits for its tx */
	bool waits_for_tx : 1;
	bool waits_for_ack : 1;	   /* its packet may still be sent again */
	bool is_queued : 1;	   /* its packet stood in a qdisc */
	bool is_deferred_send : 1; /* its packet was queued outside the send call */
	bool is_begun : 1;	   /* the entry stage was hit for it */
	bool is_suspended : 1;	   /* its thread slept in the middle of it, or so it seems */
	bool is_resumed : 1;	   /* and went on */
	bool is_guess : 1;	   /* that it was its turn to be begun */
	bool has_key : 1;	   /* equal keys join it, whatever thread works on it */
	struct stamp *stamps;	   /* kept when the item is used again */
};

/* Its journey is complete, but for what may still happen to its packet. */
static inline bool item_is_settled(const struct item *self)
{
	return self->is_closed && !self->waits_for_tx;
}

/* Room for one more stamp, up to those of a journey; false: there is none. */
bool item_grow(struct item *self);

/* Adds a station behind the ones there are; times that would go back are clamped. */
static inline struct stamp *item_stamp(struct item *self, unsigned int station, uint64_t at_ns,
				       uint32_t tid, unsigned int cpu)
{
	struct stamp *stamp;

	if ((!self->stamps || self->nr_stamps == self->room_stamps) && !item_grow(self))
		return NULL;
	stamp = &self->stamps[self->nr_stamps];
	if (self->nr_stamps && at_ns < stamp[-1].at_ns)
		at_ns = stamp[-1].at_ns;
	stamp->station = station;
	stamp->cpu = cpu;
	stamp->tid = tid;
	stamp->at_ns = at_ns;
	stamp->more_visits = 0;
	stamp->parts.is_known = false;
	self->nr_stamps++;
	return stamp;
}

#endif
