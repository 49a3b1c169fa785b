/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - made-up events of one CPU of a server in the manner of redis
 *
 * Packets of a few sockets arrive in softirq, the one thread wakes, reads and answers each, and
 * sleeps again. Times, lengths and the order of sockets are random, from a seed: the same seed
 * gives the same events.
 */
#ifndef TESTS_BENCH_STREAM_H
#define TESTS_BENCH_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

enum { STREAM_NR_SOCKETS = 50, STREAM_TURN_EVENTS = 48 /* in one turn at most */ };

struct stream {
	uint64_t seed;
	uint64_t now_ns;
	uint32_t cpu;
	uint32_t tid;
	struct stream_socket {
		uint32_t sk; /* its id, as in events */
		uint32_t rx_next;
		uint32_t rx_bytes;
		uint32_t tx_next;
	} sockets[STREAM_NR_SOCKETS];
	struct gemba_event *at; /* being filled */
	struct gemba_event *end;
};

/* The CPU decides the seed and the thread; its sockets have the ids from first_sk on. */
void stream_init(struct stream *self, uint32_t cpu, uint64_t start_ns, uint32_t first_sk);
/* Turns until all of events[] is used: the last one may be cut off. */
void stream_fill(struct stream *self, struct gemba_event events[], size_t nr);
/*
 * Whole turns until a time is reached or no other one fits, which takes STREAM_TURN_EVENTS.
 * Returns the events made; none that follows is older than now_ns.
 */
size_t stream_run(struct stream *self, struct gemba_event events[], size_t nr, uint64_t until_ns);
/* Socket i, 0..STREAM_NR_SOCKETS - 1, as the kernel tells it, at now_ns. */
struct gemba_conn stream_conn(const struct stream *self, uint32_t i);

#endif
