// SPDX-License-Identifier: BSD-2-Clause
/*
 * trial.c - captures with stages: one read event by event, one as the map
 */
#include "src/propose/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/pipeline.h"
#include "src/propose/flows.h"
#include "src/propose/watch.h"

#define ENOUGH_ITEMS 1000
#define MIN_NS 100000000ull
#define RING_BYTES (16u << 20)

static int want_stages(struct capture *capture, const struct trial_stage *stages, size_t nr)
{
	capture->stages = calloc(nr ?: 1, sizeof(*capture->stages));
	if (!capture->stages)
		return -ENOMEM;
	for (; capture->nr_stages < nr; capture->nr_stages++) {
		struct stage_info *info = &capture->stages[capture->nr_stages];

		info->name = strdup(stages[capture->nr_stages].name);
		info->probe = strdup(stages[capture->nr_stages].probe);
		if (!info->name || !info->probe)
			return -ENOMEM;
	}
	return 0;
}

static void take_costs(const struct capture *capture, struct trial_stage *stages)
{
	for (size_t i = 0; i < capture->nr_stages; i++) {
		stages[i].cost_ns = capture->stages[i].cost_ns;
		stages[i].is_braked = capture->stages[i].note &&
				      !strncmp(capture->stages[i].note, "braked", 6);
	}
}

struct stamping {
	const struct capture *capture;
	struct flows flows;
	struct path path;
	uint64_t begin_ns, for_ns;
	uint64_t nr_recv;
	int err;
};

static void take_record(void *ctx, const union gemba_record *record)
{
	struct stamping *self = ctx;
	int err;

	/* Stages are attached one after the other: what was before the last is not whole. */
	if (record->ev.ts_ns < self->capture->start_ns)
		err = flows_take(&self->flows, record);
	else
		err = flows_follow(&self->flows, &self->path, record);
	self->err = self->err ?: err;
	self->nr_recv += record->ev.kind == GEMBA_RECV;
}

static bool tick(void *ctx, uint64_t now_ns)
{
	struct stamping *self = ctx;

	if (!self->begin_ns)
		self->begin_ns = now_ns;
	return self->err || now_ns - self->begin_ns >= self->for_ns ||
	       (self->nr_recv >= ENOUGH_ITEMS && now_ns - self->begin_ns >= MIN_NS);
}

/*
 * On a busy host a proof finds its probe dearer than it is here: of two stages that follow one
 * another the first cannot have cost more than what lay between.
 */
static bool lower_costs(const struct path_stage *found, uint32_t *costs, size_t nr,
			uint64_t windows)
{
	uint64_t least_ns = UINT64_MAX;
	bool is_lower = false;

	for (size_t i = 0; i < nr; i++) {
		uint64_t next_ns = UINT64_MAX;

		for (size_t j = 0; j < nr; j++)
			if (2 * found[j].windows > windows && j != i &&
			    found[j].order_ns >= found[i].order_ns && found[j].order_ns < next_ns)
				next_ns = found[j].order_ns;
		if (2 * found[i].windows > windows && next_ns != UINT64_MAX &&
		    next_ns - found[i].order_ns < least_ns)
			least_ns = next_ns - found[i].order_ns;
	}
	for (size_t i = 0; i < nr; i++) {
		is_lower |= costs[i] > least_ns;
		if (costs[i] > least_ns)
			costs[i] = least_ns;
	}
	return is_lower;
}

/* Of those that most items enter. */
static uint32_t first_entered(const struct path_stage *found, size_t nr, uint64_t windows)
{
	uint32_t first = PATH_RECEIVED;

	for (size_t i = 0; i < nr; i++)
		if (2 * found[i].windows > windows &&
		    (first == PATH_RECEIVED || found[i].order_ns < found[first].order_ns))
			first = i;
	return first;
}

static void find_stages(struct stamping *self, uint32_t group, bool is_unit,
			struct trial_stage *stages, size_t nr, struct path_stage *found,
			struct path_total *total)
{
	uint32_t costs[TRIAL_MAX_STAGES], unit = PATH_RECEIVED;

	for (size_t i = 0; i < nr; i++)
		costs[i] = stages[i].cost_ns;
	flows_assign(&self->flows, &self->path);
	*total = path_stages(&self->path, group, unit, costs, found, nr);
	if (is_unit) {
		unit = first_entered(found, nr, total->windows);
		*total = path_stages(&self->path, group, unit, costs, found, nr);
	}
	if (lower_costs(found, costs, nr, total->windows))
		*total = path_stages(&self->path, group, unit, costs, found, nr);
	for (size_t i = 0; i < nr; i++)
		stages[i].real_ns = costs[i];
}

int trial_stamp(const struct target *target, struct trial_stage *stages, size_t nr, uint32_t group,
		bool is_unit, uint64_t for_ns, struct path_stage *found, struct path_total *total,
		char *why)
{
	struct target copy = *target;
	struct capture capture = { 0 };
	struct stamping stamping = { .capture = &capture, .for_ns = for_ns };
	const struct watcher watcher = { &stamping, take_record, tick };
	int err = want_stages(&capture, stages, nr);

	err = err ?: watch_run(&copy, &capture, for_ns, &watcher, why);
	err = err ?: stamping.err == -ENOSPC ? 0 : stamping.err;
	if (!err) {
		take_costs(&capture, stages);
		find_stages(&stamping, group, is_unit, stages, nr, found, total);
	}
	path_fini(&stamping.path);
	flows_fini(&stamping.flows);
	capture_fini(&capture);
	return err;
}

static int pump(struct session *session, struct pipeline *pipeline)
{
	struct source *source = session_source(session);
	struct batch batch;
	int err = 0, n;

	while ((n = source->read(source, &batch)) == 1) {
		if (!err)
			err = pipeline_feed(pipeline, &batch);
		if (err)
			session_stop(session);
	}
	return err ?: n;
}

static void add_step(const struct step *step, struct trial_stage *stages, size_t nr,
		     struct trial_map *map)
{
	if (!step->has_parts || (step->kind != STEP_STAGE && step->kind != STEP_PROCESS))
		return;
	map->process_ns += step->on_cpu.sum_ns;
	if (step->kind != STEP_STAGE)
		return;
	map->stages_ns += step->on_cpu.sum_ns;
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(step->from, stages[i].name))
			stages[i].on_cpu_share += (double)step->on_cpu.sum_ns;
}

static void read_map(const struct vsm *vsm, struct trial_stage *stages, size_t nr,
		     struct trial_map *map)
{
	for (size_t f = 0; f < vsm->nr_families; f++)
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++)
			add_step(&vsm->families[f].steps[s], stages, nr, map);
	map->items = vsm->account.by_outcome[OUTCOME_OUT] + vsm->account.by_outcome[OUTCOME_ENDED];
	map->lost = vsm->account.lost;
	map->guessed = vsm->account.attributed[ATTRIBUTED_GUESSED];
	for (size_t i = 0; i < nr; i++) {
		if (map->process_ns)
			stages[i].on_cpu_share /= (double)map->process_ns;
		stages[i].hits = vsm->capture.stages[i].hits;
	}
}

int trial_run(const struct target *target, struct trial_stage *stages, size_t nr, uint64_t for_ns,
	      struct trial_map *out, char *why)
{
	const struct session_opts opts = { .for_ns = for_ns,
					   .ring_bytes = RING_BYTES,
					   .is_quiet = true };
	const struct pipeline_opts pipeline_opts = { .item_timeout_ns = 0 };
	struct target copy = *target;
	struct capture capture = { 0 };
	struct session *session = NULL;
	struct pipeline *pipeline = NULL;
	struct vsm *vsm = NULL;
	int err = want_stages(&capture, stages, nr);

	memset(out, 0, sizeof(*out));
	why[0] = 0;
	for (size_t i = 0; i < nr; i++)
		stages[i].on_cpu_share = 0;
	err = err ?: session_open(&session, &copy, &opts, &capture, why);
	err = err ?: pipeline_new(&pipeline, &pipeline_opts, &capture);
	err = err ?: pump(session, pipeline);
	if (!err) {
		session_finish(session);
		take_costs(&capture, stages);
		session_close(session); /* before the capture moves on */
		session = NULL;
		err = pipeline_finish(pipeline, &capture, &vsm);
	}
	if (!err)
		read_map(vsm, stages, nr, out);
	if (err && !why[0])
		snprintf(why, PROBE_WHY_BYTES, "cannot make a map: %s", strerror(-err));
	vsm_free(vsm);
	pipeline_free(pipeline);
	session_close(session);
	capture_fini(&capture);
	return err;
}
