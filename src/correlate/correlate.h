/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * correlate.h - from events in time order to journeys: whose packet, whose send, whose time
 *
 * The rules are those of gemba(1), DEFINITIONS. Nothing depends on anything but the events:
 * the same ones give the same journeys, in the same order.
 */
#ifndef GEMBA_CORRELATE_CORRELATE_H
#define GEMBA_CORRELATE_CORRELATE_H

#include <stddef.h>

#include "src/correlate/journey.h"

enum own_by { OWN_BY_RULES, OWN_BY_KEY, OWN_BY_CONNECTION, OWN_BY_THREAD };

struct correlate_opts {
	uint64_t start_ns;	  /* everything was attached; the warm-up begins */
	uint64_t item_timeout_ns; /* 0: 1 s */
	enum own_by own;
	bool is_go;	  /* thread context is not to be believed; COMM can say so later */
	bool has_sched;	  /* scheduler events are in the stream */
	size_t max_items; /* open at a time, 0: 32 768 */
};

struct correlate;

int correlate_new(struct correlate **out, const struct correlate_opts *opts,
		  struct journey_sink sink);
void correlate_free(struct correlate *self);
/* The next record; its time must not be before the last one's. Memory that runs out is kept
 * for correlate_finish to tell. */
void correlate_event(struct correlate *self, const union gemba_record *record);
/* Ends everything that is open. 0, or -ENOMEM if it ran out on the way. */
int correlate_finish(struct correlate *self);

/* Valid until correlate_free; complete after correlate_finish. */
struct account *correlate_account(struct correlate *self);
const struct endpoint *correlate_endpoints(const struct correlate *self, size_t *nr);
/* The name of a thread as the trace has it, or "". */
const char *correlate_comm(const struct correlate *self, uint32_t tid);

#endif
