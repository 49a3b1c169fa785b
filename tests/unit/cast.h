/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cast.h - who plays in the stories about correlate, and how they begin and end
 */
#ifndef GEMBA_TESTS_UNIT_CAST_H
#define GEMBA_TESTS_UNIT_CAST_H

#include <criterion/criterion.h>
#include <math.h>

#include "tests/unit/events.h"

/* Sockets: four accepted on port 80, two that the target opened (a session, a feed), datagrams. */
enum { A = 1, B, C, D, S, F, U, V };
/* Threads: two of the target's, somebody else's, the idle task. */
enum { T = 101, W = 102, X = 900, IDLE = 0 };
/* Remote addresses */
enum { FEED = 0x0a000002, OTHER = 0x0a000003 };

#define assert_us(journey, station, us)                                                            \
	cr_assert(fabs(us_of(&(journey), station) - (us)) < 0.0006, "%s at %.3f", #station,        \
		  us_of(&(journey), station))
#define assert_route(journey, route) cr_assert_str_eq(route_of(&(journey)), route)

/* All sockets are told. */
struct stream server(void);
/* The outcome; the stream is freed. */
struct outcome_of_run ends(struct stream *s);
struct outcome_of_run ends_with(struct stream *s, struct correlate_opts opts);
/* The item that came in at this byte of a connection; where its first output begins. */
const struct journey *item_at(const struct outcome_of_run *o, uint32_t sk, uint32_t byte);
uint32_t out_byte(const struct journey *journey);

/* A request of 100 bytes on A, at 10, read by T at 20. */
void asked(struct stream *s);
/* k requests on A, each a read of its own: a read of B parts them. */
void pipeline(struct stream *s, int k);
/* A datagram of FEED arrives and is queued, the tag is its time; the same of anybody on U. */
void tick_arrives(struct stream *s, uint32_t sk, uint32_t bytes, uint32_t queued);
void asks(struct stream *s, uint32_t raddr, uint16_t rport, uint32_t tag, uint32_t queued);

#endif
