/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - event streams that read like the story they tell, and what correlate makes of them
 *
 * A stream has a clock and a CPU, set with at() and on_cpu(); every other builder adds one
 * record there. Times are microseconds after EVENTS_START_NS, TCP positions count from the
 * first byte of each direction. Results stand in the order of arrival.
 */
#ifndef GEMBA_TESTS_UNIT_EVENTS_H
#define GEMBA_TESTS_UNIT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "src/correlate/correlate.h"

#define EVENTS_START_NS 1000000000ull /* the warm-up of 100 ms from 0 is long over */

struct stream {
	union gemba_record *records;
	size_t nr;
	size_t room;
	uint64_t now_ns;
	uint16_t cpu;
	uint32_t in_base; /* sequence number of the first byte, in and out */
	uint32_t out_base;
};

struct stream stream_new(void);
void stream_free(struct stream *self);
/* A record as it is, at the stream's clock and CPU; for what has no builder. */
union gemba_record *stream_add(struct stream *self, struct gemba_event ev);

void at(struct stream *self, double us);
void on_cpu(struct stream *self, unsigned int cpu);

/* sockets and threads */
void listens(struct stream *self, uint16_t port);
void tcp_accepted(struct stream *self, uint32_t sk, uint16_t lport, uint16_t rport);
void tcp_opened(struct stream *self, uint32_t sk, uint16_t lport, uint16_t rport);
void udp_bound(struct stream *self, uint32_t sk, uint16_t lport, uint32_t queued);
void closes(struct stream *self, uint32_t sk);
void exits(struct stream *self, uint32_t tid);
void loses(struct stream *self, unsigned int kind, uint32_t nr, double for_us);

/* the scheduler; `instead` is the other thread of the switch */
void sleeps(struct stream *self, uint32_t tid, uint32_t instead);
void is_preempted(struct stream *self, uint32_t tid, uint32_t instead);
void runs(struct stream *self, uint32_t tid, uint32_t instead);
void wakes(struct stream *self, uint32_t tid, uint32_t instead, double woken_us_ago);

/* a thread enters the function of a stage, from 0 */
void enters(struct stream *self, uint32_t tid, uint32_t stage);

/* the same, and it has this key; or one whose memory could not be read */
void enters_for(struct stream *self, uint32_t tid, uint32_t stage, uint64_t key);
void enters_unread(struct stream *self, uint32_t tid, uint32_t stage);
/* like wakes, and by whom */
void is_woken(struct stream *self, uint32_t tid, uint32_t by, double us_ago);

/* TCP: [from, from + bytes) or up to a position */
void tcp_rx(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes);
void tcp_ready(struct stream *self, uint32_t sk, uint32_t upto);
void tcp_arrives(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes);
void tcp_acks(struct stream *self, uint32_t sk, uint32_t upto);
void tcp_reads(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes);
void finds_empty(struct stream *self, uint32_t sk, uint32_t tid);
void tcp_sends(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes);
void tcp_sent(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes);
void tcp_txq(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes);
void tcp_tx(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes);
/* txq and tx in one record: no queue lies between */
void tcp_leaves(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes);
/* send, and leaves within the call */
void tcp_answers(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes);
void tcp_retransmits(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes);

/* UDP; the tag is the skb's */
void udp_rx(struct stream *self, uint32_t sk, uint32_t raddr, uint16_t rport, uint32_t bytes,
	    uint32_t tag);
void udp_ready(struct stream *self, uint32_t sk, uint32_t bytes, uint32_t queued, uint32_t tag);
void udp_reads(struct stream *self, uint32_t sk, uint32_t tid, uint32_t bytes, uint32_t queued);
void udp_drops(struct stream *self, uint32_t sk);
void udp_leaves(struct stream *self, uint32_t sk, uint32_t tid, uint32_t raddr, uint16_t rport,
		uint32_t bytes);
void udp_txq(struct stream *self, uint32_t sk, uint32_t tid, uint32_t raddr, uint16_t rport,
	     uint32_t bytes);
void udp_tx(struct stream *self, uint32_t sk, uint32_t raddr, uint16_t rport, uint32_t bytes);

struct told_thread {
	uint32_t tid;
	uint64_t on_cpu_ns;
};

/* What came out, in the order of arrival; sums where the order says nothing. */
struct outcome_of_run {
	struct journey *journeys;
	size_t nr;
	struct account account;
	struct endpoint *endpoints;
	size_t nr_endpoints;
	struct told_thread *threads;
	size_t nr_threads;
	size_t nr_round_trips;
	uint64_t last_round_trip_ns;
	uint64_t depth_ns; /* integral of the counted queues */
};

/* Opts with has_sched and all else by default. */
struct correlate_opts default_opts(void);
struct outcome_of_run run_with(const struct stream *stream, const struct correlate_opts *opts);
struct outcome_of_run run(const struct stream *stream);
/*
 * The same by way of order, the records of each CPU in batches and with marks that depend on
 * the cut (0: one batch for each CPU, no mark). The stream need not be sorted; where it is
 * not, marks allow for what is still to come, so that nothing is late.
 */
struct outcome_of_run run_cut(const struct stream *stream, const struct correlate_opts *opts,
			      unsigned int cut);
/* By time, equal ones as they stand. */
void stream_sort(struct stream *self);
/* Journeys and accounts are the same to the last bit. */
void assert_same(const struct outcome_of_run *a, const struct outcome_of_run *b);
/* A number below, from a seed that it moves on. */
uint64_t draw(uint64_t *seed, uint64_t below);
void outcome_free(struct outcome_of_run *self);

/* Microseconds of a station, and a negative number when it is not on the route. */
double us_of(const struct journey *journey, unsigned int station);
const struct parts *parts_of(const struct journey *journey, unsigned int station);
/* "rx sock recv send txq tx" */
const char *route_of(const struct journey *journey);
uint64_t parts_sum_ns(const struct parts *parts);

/* What holds of every outcome whatever the events: the balance, exact parts, times in order. */
void assert_sound(const struct outcome_of_run *outcome);

#endif
