/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipeline.h - order, correlate and map in one: batches in, a map out
 *
 * What a live capture and a trace file have in common. Nothing here reads a clock.
 */
#ifndef GEMBA_PIPELINE_H
#define GEMBA_PIPELINE_H

#include "src/collect/source.h"
#include "src/correlate/correlate.h"
#include "src/map/vsm.h"

struct pipeline;

struct pipeline_opts {
	uint64_t item_timeout_ns;
	enum own_by own;
	/* Also told of every journey, before the map is; its other functions are not called. */
	struct journey_sink tee;
	bool has_tee;
};

/* `capture` says when it began, whose it is and what is missing; read now only. */
int pipeline_new(struct pipeline **out, const struct pipeline_opts *opts,
		 const struct capture *capture);
void pipeline_free(struct pipeline *self);
int pipeline_feed(struct pipeline *self, const struct batch *batch);
/* The account so far: items, events, lost. */
const struct account *pipeline_account(const struct pipeline *self);
const struct endpoint *pipeline_endpoints(const struct pipeline *self, size_t *nr);
/* Before finish, when the stream broke off: what is not there of all CPUs, how many records. */
uint64_t pipeline_cut(struct pipeline *self);
/* No more comes: the map. `capture` as it is known now is moved into it. */
int pipeline_finish(struct pipeline *self, struct capture *capture, struct vsm **out);

#endif
