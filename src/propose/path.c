// SPDX-License-Identifier: BSD-2-Clause
/*
 * path.c - events by thread and time, and the windows that they make
 *
 * A read that finds nothing ends no window: those who read until there is nothing more only then
 * begin to work.
 */
#include "src/propose/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MERGE_NS 1000000
#define MERGE_MAX 8
#define ENOUGH_CLOSED 20

int path_add(struct path *self, const struct path_event *event)
{
	if (self->nr == PATH_MAX_EVENTS)
		return -ENOSPC;
	if (self->nr == self->room) {
		size_t room = self->room ? 2 * self->room : 4096;
		struct path_event *rows = reallocarray(self->rows, room, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		self->rows = rows;
		self->room = room;
	}
	self->rows[self->nr++] = *event;
	self->is_sorted = false;
	return 0;
}

void path_fini(struct path *self)
{
	free(self->rows);
	memset(self, 0, sizeof(*self));
}

static int by_thread_and_time(const void *a, const void *b)
{
	const struct path_event *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

static void sort(struct path *self)
{
	if (!self->is_sorted && self->nr)
		qsort(self->rows, self->nr, sizeof(*self->rows), by_thread_and_time);
	self->is_sorted = true;
}

/* The first event of the thread after an instant, or where it would stand. */
static size_t first_after(const struct path *self, uint32_t tid, uint64_t ts_ns)
{
	const struct path_event key = { .tid = tid, .ts_ns = ts_ns };
	size_t low = 0, high = self->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_thread_and_time(&self->rows[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct path_spot path_at(struct path *self, uint32_t tid, uint64_t ts_ns)
{
	struct path_spot spot = { 0 };
	const struct path_event *row;
	size_t next;

	sort(self);
	next = first_after(self, tid, ts_ns);
	row = next ? &self->rows[next - 1] : NULL;
	spot.is_in_window = row && row->tid == tid && row->kind == PATH_RECV;
	spot.group = spot.is_in_window ? row->group : 0;
	row = next < self->nr ? &self->rows[next] : NULL;
	spot.has_output = spot.is_in_window && row && row->tid == tid && row->kind == PATH_SEND;
	return spot;
}

/* Row i goes on with the item that the row before it began. */
static bool is_merged(const struct path *self, size_t i, unsigned int merges)
{
	const struct path_event *row = &self->rows[i], *before = row - 1;

	return i && before->kind == PATH_RECV && before->tid == row->tid && before->sk == row->sk &&
	       row->ts_ns - before->ts_ns <= MERGE_NS && merges + 1 < MERGE_MAX;
}

void path_count(struct path *self, uint32_t group, uint64_t from_ns, uint64_t to_ns,
		uint64_t *reads, uint64_t *items)
{
	unsigned int merges = 0;

	sort(self);
	*reads = *items = 0;
	for (size_t i = 0; i < self->nr; i++) {
		const struct path_event *row = &self->rows[i];

		if (row->kind != PATH_RECV)
			continue;
		merges = is_merged(self, i, merges) ? merges + 1 : 0;
		if (row->group != group || row->ts_ns < from_ns || row->ts_ns >= to_ns)
			continue;
		*reads += 1;
		*items += !merges;
	}
}

/* How long windows last, or hits lie behind their begin, and what is too long to be typical. */
struct typical {
	uint64_t *ns;
	size_t nr, room;
	uint64_t max_ns; /* from typical_measure on */
};

/* Sums over windows, of those of typical length; means are taken at the end. */
struct sums {
	struct typical hits, windows_all, windows_closed; /* closed: by no receive */
	uint64_t length_ns, closed_length_ns;
	uint64_t timed, closed;
	uint64_t windows;
	bool is_measured;
};

/* An interrupt or another process in between makes ten of a window; that is no length of a stage. */
#define STALLED 8

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static int by_ns(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Without memory for it, it is not counted: the others stand for it. */
static void typical_add(struct typical *self, uint64_t ns)
{
	if (self->nr == self->room) {
		size_t room = self->room ? 2 * self->room : 1024;
		uint64_t *grown = realloc(self->ns, room * sizeof(*grown));

		if (!grown)
			return;
		self->ns = grown;
		self->room = room;
	}
	self->ns[self->nr++] = ns;
}

static void typical_measure(struct typical *self)
{
	self->max_ns = UINT64_MAX;
	if (self->nr) {
		qsort(self->ns, self->nr, sizeof(*self->ns), by_ns);
		self->max_ns = STALLED * self->ns[self->nr / 2];
	}
	free(self->ns);
	self->ns = NULL;
}

/* Before the probe: a stamp is taken halfway through. */
static uint64_t instant_of(const struct path_event *row, const uint32_t *cost_ns)
{
	return row->kind == PATH_STAGE ? less(row->ts_ns, cost_ns[row->stage] / 2) : row->ts_ns;
}

static void add_length(struct sums *sums, uint64_t length_ns, bool is_closed)
{
	if (!sums->is_measured) {
		typical_add(&sums->windows_all, length_ns);
		if (is_closed)
			typical_add(&sums->windows_closed, length_ns);
		return;
	}
	sums->windows++;
	if (length_ns <= sums->windows_all.max_ns) {
		sums->timed++;
		sums->length_ns += length_ns;
	}
	if (is_closed && length_ns <= sums->windows_closed.max_ns) {
		sums->closed++;
		sums->closed_length_ns += length_ns;
	}
}

/* Where the hits [from, to) of a window lie, that begins at begin_ns. */
static void add_hits(const struct path *self, size_t from, size_t to, uint64_t begin_ns,
		     const uint32_t *cost_ns, struct path_stage *stages, const struct sums *sums)
{
	bool is_stalled = self->rows[to - 1].ts_ns - begin_ns > sums->hits.max_ns;
	uint64_t probes_ns = 0;

	for (size_t i = from; i < to; i++) {
		const struct path_event *row = &self->rows[i];
		struct path_stage *stage = &stages[row->stage];
		bool is_first = true;

		for (size_t j = from; j < i && is_first; j++)
			is_first = self->rows[j].stage != row->stage;
		stage->hits_in++;
		stage->windows += is_first;
		if (is_first && !is_stalled) {
			stage->timed++;
			stage->order_ns += row->ts_ns - begin_ns;
			stage->offset_ns +=
				less(row->ts_ns - begin_ns, probes_ns + cost_ns[row->stage] / 2);
		}
		probes_ns += cost_ns[row->stage];
	}
}

/* The stage hits [from, to) follow begin_ns; end: what ends the window, or NULL. */
static void add_window(const struct path *self, size_t from, size_t to, uint64_t begin_ns,
		       const struct path_event *end, const uint32_t *cost_ns,
		       struct path_stage *stages, struct sums *sums)
{
	uint64_t probes_ns = 0;

	if (!end || (from == to && is_merged(self, end - self->rows, 0)))
		return;
	for (size_t i = from; i < to; i++)
		probes_ns += cost_ns[self->rows[i].stage];
	if (from < to && sums->is_measured)
		add_hits(self, from, to, begin_ns, cost_ns, stages, sums);
	else if (from < to)
		typical_add(&sums->hits, self->rows[to - 1].ts_ns - begin_ns);
	add_length(sums, less(instant_of(end, cost_ns), begin_ns + probes_ns),
		   end->kind != PATH_RECV);
}

static bool is_hit_of(const struct path_event *row, uint32_t unit)
{
	return row->kind == PATH_STAGE && row->stage == unit;
}

/* The row after the hits that follow row i without another thread's or the unit's among them. */
static size_t end_of_hits(const struct path *self, size_t i, uint32_t unit)
{
	size_t to = i + 1;

	while (to < self->nr && self->rows[to].kind == PATH_STAGE &&
	       self->rows[to].tid == self->rows[i].tid && !is_hit_of(&self->rows[to], unit))
		to++;
	return to;
}

#define WINDOW_MAX_HITS 256

static void sum_windows(const struct path *self, uint32_t group, uint32_t unit,
			const uint32_t *cost_ns, struct path_stage *stages, struct sums *sums)
{
	bool is_of_group = false;

	for (size_t i = 0; i < self->nr; i++) {
		const struct path_event *row = &self->rows[i], *end;
		size_t from = row->kind == PATH_RECV ? i + 1 : i, to;

		if (!i || row->tid != row[-1].tid)
			is_of_group = false;
		if (row->kind == PATH_RECV)
			is_of_group = row->group == group;
		if (unit == PATH_RECEIVED ? row->kind != PATH_RECV : !is_hit_of(row, unit))
			continue;
		to = end_of_hits(self, i, unit);
		end = to < self->nr && self->rows[to].tid == row->tid ? &self->rows[to] : NULL;
		for (size_t j = from; j < to && !is_of_group; j++)
			stages[self->rows[j].stage].hits_other += sums->is_measured;
		if (is_of_group && to - from <= WINDOW_MAX_HITS)
			add_window(self, from, to, instant_of(row, cost_ns), end, cost_ns, stages,
				   sums);
	}
}

static void measure(struct sums *self)
{
	typical_measure(&self->hits);
	typical_measure(&self->windows_all);
	typical_measure(&self->windows_closed);
	self->is_measured = true;
}

struct path_total path_stages(struct path *self, uint32_t group, uint32_t unit,
			      const uint32_t *cost_ns, struct path_stage *stages, size_t nr)
{
	struct path_total total = { 0 };
	struct sums sums = { 0 };

	sort(self);
	memset(stages, 0, nr * sizeof(*stages));
	for (size_t i = 0; i < self->nr; i++)
		if (self->rows[i].kind == PATH_STAGE)
			stages[self->rows[i].stage].hits++;
	sum_windows(self, group, unit, cost_ns, stages, &sums);
	measure(&sums);
	sum_windows(self, group, unit, cost_ns, stages, &sums);
	for (size_t s = 0; s < nr; s++)
		if (stages[s].timed) {
			stages[s].offset_ns /= stages[s].timed;
			stages[s].order_ns /= stages[s].timed;
		}
	total.windows = sums.windows;
	if (sums.closed >= ENOUGH_CLOSED)
		total.length_ns = sums.closed_length_ns / sums.closed;
	else if (sums.timed)
		total.length_ns = sums.length_ns / sums.timed;
	return total;
}
