// SPDX-License-Identifier: BSD-2-Clause
/*
 * look.c - one capture in which a thread is sampled from its first receive on, and then counted
 *
 * Which samples lie on an item's way is known only when the events around them are; so stacks are
 * kept as addresses, and judged together when sampling is over. The captured events go on while
 * functions are counted: how many items came meanwhile is the other half of "once per item".
 */
#include "src/propose/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/attach/sample.h"
#include "src/attach/unwind.h"
#include "src/propose/tally.h"
#include "src/propose/watch.h"

#define SAMPLE_HZ 1997
#define MAX_STACKS ((size_t)1 << 16)
#define IDLE_SHARE 0.1 /* of a core: few samples, and room to count whatever there is */
#define MAX_WIDENED 5000
#define GRACE_NS 20000000000ull
#define MAX_GROUPS 16

struct stack {
	uint64_t ts_ns;
	uint32_t tid;
	uint32_t from; /* in the pool */
	uint16_t nr;
	bool is_kernel;
};

struct looking {
	struct look *look;
	const struct target *target;
	uint64_t sample_ns, count_ns;
	uint64_t begin_ns;
	struct sampler *sampler;
	struct unwinder *unwinder;
	struct stack *stacks;
	size_t nr_stacks;
	uint64_t *pool;
	size_t nr_pool, room_pool;
	size_t room_stacks; /* of look->stacks */
	struct counter *counter;
	struct tally tally;
	bool is_counting;
	int err;
	char *why;
};

static void take_record(void *ctx, const union gemba_record *record)
{
	struct looking *self = ctx;
	int err = flows_follow(&self->look->flows, &self->look->path, record);

	if (err && !self->err)
		self->err = err == -ENOSPC ? 0 : err;
	if (record->ev.kind == GEMBA_RECV && record->ev.tid && !self->is_counting)
		sampler_add(self->sampler, record->ev.tid);
}

static void take_sample(void *ctx, const struct sample *sample)
{
	struct looking *self = ctx;
	struct stack *stack = &self->stacks[self->nr_stacks];

	if (self->nr_stacks == MAX_STACKS)
		return;
	if (self->nr_pool + UNWIND_MAX_FRAMES > self->room_pool) {
		size_t room = self->room_pool ? 2 * self->room_pool : 65536;
		uint64_t *pool = reallocarray(self->pool, room, sizeof(*pool));

		if (!pool)
			return;
		self->pool = pool;
		self->room_pool = room;
	}
	stack->ts_ns = sample->ts_ns;
	stack->tid = sample->tid;
	stack->is_kernel = sample->is_kernel;
	stack->from = self->nr_pool;
	stack->nr = unwind(self->unwinder, sample, self->pool + self->nr_pool);
	self->nr_pool += stack->nr;
	self->nr_stacks++;
}

/* The group with most samples on the way to an output; if nothing is sent, on the way at all. */
static uint32_t busiest_group(struct looking *self)
{
	uint32_t groups[MAX_GROUPS];
	uint64_t nr[MAX_GROUPS] = { 0 }, nr_sent[MAX_GROUPS] = { 0 };
	size_t nr_groups = 0, best = 0;

	for (size_t i = 0; i < self->look->path.nr; i++) {
		const struct path_event *row = &self->look->path.rows[i];
		size_t g = 0;

		if (row->kind != PATH_RECV)
			continue;
		while (g < nr_groups && groups[g] != row->group)
			g++;
		if (g == nr_groups && nr_groups < MAX_GROUPS)
			groups[nr_groups++] = row->group;
	}
	for (size_t i = 0; i < self->nr_stacks; i++) {
		struct path_spot spot =
			path_at(&self->look->path, self->stacks[i].tid, self->stacks[i].ts_ns);

		for (size_t g = 0; g < nr_groups; g++) {
			nr[g] += spot.is_in_window && spot.group == groups[g];
			nr_sent[g] += spot.has_output && spot.group == groups[g];
		}
	}
	for (size_t g = 1; g < nr_groups; g++)
		if (nr_sent[g] > nr_sent[best] || (nr_sent[g] == nr_sent[best] && nr[g] > nr[best]))
			best = g;
	return nr_groups ? groups[best] : 0;
}

/* In the kernel, called by a function of the C library that is named after receiving. */
static bool is_of_receive(struct looking *self, const struct stack *stack)
{
	uint32_t row = stack->is_kernel ?
			       functions_at(&self->look->functions, self->pool[stack->from]) :
			       FUNCTIONS_NONE;
	const char *name;

	if (row == FUNCTIONS_NONE || !self->look->functions.rows[row].is_library)
		return false;
	name = self->look->functions.rows[row].symbol;
	return strstr(name, "recv") || !strncmp(name, "read", 4) || strstr(name, "_read");
}

static void keep_row(struct looking *self, uint32_t row)
{
	struct choose_stacks *stacks = &self->look->stacks;

	if (stacks->nr == self->room_stacks) {
		size_t room = self->room_stacks ? 2 * self->room_stacks : 4096;
		uint32_t *rows = reallocarray(stacks->rows, room, sizeof(*rows));

		if (!rows) {
			self->err = -ENOMEM;
			return;
		}
		stacks->rows = rows;
		self->room_stacks = room;
	}
	stacks->rows[stacks->nr++] = row;
}

/* Each function of the stack once, by the caller's last call; false: none of the target's own. */
static bool judge_frames(struct looking *self, const struct stack *stack, bool is_on_way,
			 bool is_receiving)
{
	struct functions *functions = &self->look->functions;
	uint32_t rows[UNWIND_MAX_FRAMES];
	bool has_own = false;

	for (size_t i = 0; i < stack->nr; i++) {
		bool is_again = false;

		rows[i] = functions_at(functions, self->pool[stack->from + i]);
		if (rows[i] == FUNCTIONS_NONE)
			continue;
		for (size_t j = 0; j < i && !is_again; j++)
			is_again = rows[j] == rows[i];
		has_own |= !functions->rows[rows[i]].is_library;
		functions->rows[rows[i]].twice += is_again;
		functions->rows[rows[i]].inclusive += is_on_way && !is_again;
		functions->rows[rows[i]].receiving += is_receiving && !is_again;
		if (is_on_way && !is_again)
			keep_row(self, rows[i]);
	}
	if (is_on_way)
		keep_row(self, CHOOSE_END);
	return has_own;
}

static void judge_stacks(struct looking *self)
{
	struct look *look = self->look;

	for (size_t i = 0; i < self->nr_stacks; i++) {
		const struct stack *stack = &self->stacks[i];
		struct path_spot spot = path_at(&look->path, stack->tid, stack->ts_ns);
		bool is_receiving = is_of_receive(self, stack);
		bool is_on_way = spot.is_in_window && spot.group == look->group && !is_receiving;
		bool has_own = judge_frames(self, stack, is_on_way, is_receiving);

		look->nr_on_way += is_on_way;
		look->nr_unnamed += is_on_way && !has_own;
	}
}

/* Callers of the receive are no stages: they were entered before the item was there. */
static bool is_found(const struct function *row)
{
	return !row->is_library && row->inclusive && row->twice <= row->inclusive / 4 &&
	       row->receiving <= row->inclusive / 4;
}

/* What it calls once it has received may begin the item's way. */
static bool is_receiving(const struct function *row)
{
	return !row->is_library && row->receiving > row->inclusive / 4;
}

static int place_found(struct looking *self)
{
	struct look *look = self->look;
	size_t nr = look->functions.nr;
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		if (is_receiving(&look->functions.rows[i]))
			err = functions_add_callees(&look->functions, i);
		if (!is_found(&look->functions.rows[i]))
			continue;
		look->nr_found++;
		err = functions_place(&look->functions, i);
		look->nr_no_site += !look->functions.rows[i].is_placed;
		err = err ?: functions_add_callees(&look->functions, i);
	}
	return err;
}

static bool is_idle(const struct look *self)
{
	double busy_ns = (double)self->nr_samples * 1e9 / SAMPLE_HZ;

	return busy_ns < IDLE_SHARE * (double)self->sampled_ns;
}

/* Somebody sends who receives nothing: items are handed over, and that thread's work is theirs. */
static bool has_other_senders(struct look *self)
{
	const struct path_event *rows = self->path.rows;
	uint64_t nr_other = 0, nr = 0;
	bool receives = false;

	path_at(&self->path, 0, 0); /* sorts */
	for (size_t i = 0; i < self->path.nr; i++) {
		if (!i || rows[i].tid != rows[i - 1].tid) {
			receives = false;
			for (size_t j = i; j < self->path.nr && rows[j].tid == rows[i].tid; j++)
				receives |= rows[j].kind == PATH_RECV &&
					    rows[j].group == self->group;
		}
		nr += rows[i].kind == PATH_SEND;
		nr_other += rows[i].kind == PATH_SEND && !receives;
	}
	return nr_other * 2 > nr;
}

static void judge(struct looking *self)
{
	struct look *look = self->look;
	uint64_t all, reads;

	sampler_stop(self->sampler);
	sampler_drain(self->sampler, take_sample, self);
	look->nr_samples = self->nr_stacks;
	look->nr_lost = sampler_lost(self->sampler);
	unwinder_quality(self->unwinder, &look->nr_broken, &all);
	flows_assign(&look->flows, &look->path);
	look->group = busiest_group(self);
	path_count(&look->path, look->group, self->begin_ns, UINT64_MAX, &reads, &look->nr_items);
	look->is_handed_over = has_other_senders(look);
	judge_stacks(self);
	self->err = self->err ?: place_found(self);
	if (!self->err && look->nr_items && is_idle(look) && counter_is_multi(self->counter)) {
		look->is_widened = true;
		self->err = functions_add_all(&look->functions, MAX_WIDENED, self->why);
	}
}

static int begin_counting(struct looking *self)
{
	struct look *look = self->look;
	int err = functions_prove(&look->functions, self->counter, self->why);

	self->tally = (struct tally){
		.functions = &look->functions,
		.counter = self->counter,
		.path = &look->path,
		.flows = &look->flows,
		.group = look->group,
		.pid = self->target->pids[0],
		.for_ns = self->count_ns,
	};
	return err ?: tally_begin(&self->tally);
}

static bool end(struct looking *self)
{
	struct look *look = self->look;

	look->has_counts = self->is_counting && !self->err;
	look->is_braked = self->tally.is_braked;
	look->nr_counted = self->tally.nr_first;
	look->nr_rounds = self->tally.nr_rounds;
	look->attach_ns = self->tally.attach_ns;
	look->detach_ns = self->tally.detach_ns;
	look->counted_ns = self->tally.end_ns - self->tally.begin_ns;
	return true;
}

static bool tick(void *ctx, uint64_t now_ns)
{
	struct looking *self = ctx;
	int n;

	if (self->err)
		return true;
	if (!self->begin_ns)
		self->begin_ns = now_ns;
	if (self->is_counting) {
		n = tally_tick(&self->tally, now_ns);
		self->err = n < 0 ? n : 0;
		return n <= 0 ? end(self) : false;
	}
	sampler_drain(self->sampler, take_sample, self);
	if (now_ns - self->begin_ns < self->sample_ns)
		return false;
	self->look->sampled_ns = now_ns - self->begin_ns;
	judge(self);
	if (self->err || !self->look->nr_items)
		return true;
	self->is_counting = true;
	self->err = begin_counting(self);
	return self->err;
}

static int prepare(struct looking *self)
{
	uint32_t pid = self->target->pids[0];
	int err = functions_init(&self->look->functions, (pid_t)pid, self->why);

	err = err ?: sampler_new(&self->sampler, SAMPLE_HZ);
	err = err ?: unwinder_new(&self->unwinder, (pid_t)pid);
	err = err ?: counter_new(&self->counter);
	self->stacks = calloc(MAX_STACKS, sizeof(*self->stacks));
	return err ?: self->stacks ? err : -ENOMEM;
}

int look_run(struct look *self, const struct target *target, uint64_t sample_ns, uint64_t count_ns,
	     char *why)
{
	struct target copy = *target;
	struct capture capture = { 0 };
	struct looking looking = { .look = self,
				   .target = target,
				   .sample_ns = sample_ns,
				   .count_ns = count_ns,
				   .why = why };
	const struct watcher watcher = { &looking, take_record, tick };
	int err;

	memset(self, 0, sizeof(*self));
	self->sample_hz = SAMPLE_HZ;
	err = prepare(&looking);
	self->is_multi = looking.counter && counter_is_multi(looking.counter);
	err = err ?: watch_run(&copy, &capture, sample_ns + count_ns + GRACE_NS, &watcher, why);
	err = err ?: looking.err;
	if (err && !why[0])
		snprintf(why, PROBE_WHY_BYTES, "cannot sample or count: %s", strerror(-err));
	tally_fini(&looking.tally);
	counter_free(looking.counter);
	sampler_free(looking.sampler);
	unwinder_free(looking.unwinder);
	free(looking.stacks);
	free(looking.pool);
	capture_fini(&capture);
	return err;
}

void look_fini(struct look *self)
{
	path_fini(&self->path);
	flows_fini(&self->flows);
	functions_fini(&self->functions);
	free(self->stacks.rows);
}
