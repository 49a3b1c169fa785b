// SPDX-License-Identifier: BSD-2-Clause
/*
 * pipeline.c - ties order to correlate to the map builder
 */
#include "src/pipeline.h"

#include <errno.h>
#include <stdlib.h>

#include "src/correlate/order.h"
#include "src/map/vsm_build.h"

#define SCHED_PARTS "on_cpu, run_queue, blocked"

struct pipeline {
	struct order *order;
	struct correlate *correlate;
	struct vsm_builder *builder;
	struct journey_sink tee;
	struct journey_sink map;
};

static void tee_journey(void *ctx, const struct journey *journey)
{
	struct pipeline *self = ctx;

	self->tee.journey(self->tee.ctx, journey);
	self->map.journey(self->map.ctx, journey);
}

static void tee_round_trip(void *ctx, uint32_t endpoint, uint64_t rtt_ns)
{
	struct pipeline *self = ctx;

	self->map.round_trip(self->map.ctx, endpoint, rtt_ns);
}

static void tee_queue_depth(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t depth)
{
	struct pipeline *self = ctx;

	self->map.queue_depth(self->map.ctx, from_ns, to_ns, depth);
}

static void tee_thread_time(void *ctx, uint32_t tid, const char *comm, uint64_t on_cpu_ns)
{
	struct pipeline *self = ctx;

	self->map.thread_time(self->map.ctx, tid, comm, on_cpu_ns);
	if (self->tee.thread_time)
		self->tee.thread_time(self->tee.ctx, tid, comm, on_cpu_ns);
}

static struct journey_sink sink_of(struct pipeline *self, const struct pipeline_opts *opts)
{
	self->map = vsm_builder_sink(self->builder);
	if (!opts->has_tee)
		return self->map;
	self->tee = opts->tee;
	return (struct journey_sink){ self, tee_journey, tee_round_trip, tee_queue_depth,
				      tee_thread_time };
}

static bool is_go(const struct capture *capture)
{
	for (size_t i = 0; i < capture->nr_targets; i++)
		if (capture->targets[i].is_go)
			return true;
	return false;
}

static int tell_stage(struct vsm_builder *builder, size_t i, const struct stage_info *stage)
{
	const struct probe_cost cost = {
		.before_ns = stage->before_ns,
		.after_ns = stage->cost_ns - stage->before_ns,
		.spread_ns = stage->spread_ns,
		.cold_before_ns = stage->cold_before_ns,
		.cold_after_ns = stage->cold_after_ns,
	};

	if (stage->cost_ns && stage->before_ns <= stage->cost_ns)
		vsm_builder_cost_stage(builder, i, cost);
	return stage->name ? vsm_builder_name_stage(builder, i, stage->name,
						    step_value_by_name(stage->value)) :
			     0;
}

static int make_parts(struct pipeline *self, const struct pipeline_opts *opts,
		      const struct capture *capture)
{
	const struct correlate_opts correlate_opts = {
		.start_ns = capture->start_ns,
		.item_timeout_ns = opts->item_timeout_ns,
		.own = opts->own,
		.is_go = is_go(capture),
		.has_sched = !pairs_get(&capture->missing, SCHED_PARTS),
	};
	int err = vsm_builder_new(&self->builder, capture->start_ns);

	for (size_t i = 0; i < capture->nr_stages && !err; i++)
		err = tell_stage(self->builder, i, &capture->stages[i]);
	err = err ?: correlate_new(&self->correlate, &correlate_opts, sink_of(self, opts));
	if (err)
		return err;
	return order_new(&self->order,
			 (struct order_sink){
				 self->correlate,
				 (void (*)(void *, const union gemba_record *))correlate_event });
}

int pipeline_new(struct pipeline **out, const struct pipeline_opts *opts,
		 const struct capture *capture)
{
	struct pipeline *self = calloc(1, sizeof(*self));
	int err = self ? make_parts(self, opts, capture) : -ENOMEM;

	if (err) {
		pipeline_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void pipeline_free(struct pipeline *self)
{
	if (!self)
		return;
	order_free(self->order);
	correlate_free(self->correlate);
	vsm_builder_free(self->builder);
	free(self);
}

int pipeline_feed(struct pipeline *self, const struct batch *batch)
{
	return order_add(self->order, batch->cpu, batch->records, batch->bytes);
}

const struct account *pipeline_account(const struct pipeline *self)
{
	return correlate_account(self->correlate);
}

const struct endpoint *pipeline_endpoints(const struct pipeline *self, size_t *nr)
{
	return correlate_endpoints(self->correlate, nr);
}

uint64_t pipeline_cut(struct pipeline *self)
{
	return order_cut(self->order);
}

/* The kernel's own count is written at the end; a recording that was killed has its events. */
static void count_hits(struct capture *capture, const struct account *account)
{
	for (size_t i = 0; i < capture->nr_stages && !capture->end_ns; i++)
		capture->stages[i].hits = account->keys[i].hits;
}

int pipeline_finish(struct pipeline *self, struct capture *capture, struct vsm **out)
{
	struct account *account = correlate_account(self->correlate);
	const struct endpoint *endpoints;
	size_t nr;
	int err;

	order_finish(self->order);
	err = correlate_finish(self->correlate);
	if (err)
		return err;
	account->late = order_late(self->order);
	account->lost += capture->recursion_misses;
	count_hits(capture, account);
	endpoints = correlate_endpoints(self->correlate, &nr);
	return vsm_builder_finish(self->builder, out, capture, account, endpoints, nr);
}
