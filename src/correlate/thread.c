// SPDX-License-Identifier: BSD-2-Clause
/*
 * thread.c - timelines of threads and their splitting
 *
 * In: switches (with the wake-up that led to them) and signs of life. Out: for an interval, how
 * much of it the thread ran for this item, for others, for none, stood in the run queue, slept;
 * the five add up to the interval exactly or are not told.
 *
 * A segment begins where state or item changes and holds the totals up to there; an interval
 * is the difference of the totals at its ends. The past is bounded by MAX_SEGMENTS.
 */
#include "src/correlate/thread.h"

#include <stdlib.h>
#include <string.h>

#include "src/correlate/item.h"

#define FIRST_SEGMENTS 16u
#define MAX_SEGMENTS 4096u

struct thread *thread_new(uint32_t tid, uint64_t now_ns)
{
	struct thread *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->tid = tid;
	self->since_ns = now_ns;
	list_init(&self->items);
	return self;
}

void thread_free(struct thread *self)
{
	if (!self)
		return;
	free(self->segments);
	free(self->queued);
	free(self->last_begun);
	free(self);
}

/* What a stretch in a state adds to the totals. */
static void add_stretch(struct totals *totals, uint8_t state, bool has_item, uint64_t ns)
{
	switch (state) {
	case THREAD_RUNNING:
		*(has_item ? &totals->run_item_ns : &totals->run_other_ns) += ns;
		break;
	case THREAD_RUNNABLE:
		totals->run_queue_ns += ns;
		break;
	case THREAD_BLOCKED:
		totals->blocked_ns += ns;
		break;
	default:
		totals->unknown_ns += ns;
	}
}

void thread_advance(struct thread *self, uint64_t now_ns)
{
	uint64_t ns = now_ns - self->since_ns;

	if (now_ns <= self->since_ns)
		return;
	add_stretch(&self->totals, self->state, self->current, ns);
	if (self->state == THREAD_RUNNING && self->current)
		self->current->on_cpu_ns += ns;
	self->since_ns = now_ns;
}

static struct segment *segment_at(const struct thread *self, uint32_t i)
{
	return &self->segments[(self->first_segment + i) & (self->room_segments - 1)];
}

static bool grow(struct thread *self)
{
	uint32_t room = self->room_segments ? self->room_segments * 2 : FIRST_SEGMENTS;
	struct segment *segments = room <= MAX_SEGMENTS ? malloc(room * sizeof(*segments)) : NULL;

	if (!segments)
		return false;
	for (uint32_t i = 0; i < self->nr_segments; i++)
		segments[i] = *segment_at(self, i);
	free(self->segments);
	self->segments = segments;
	self->first_segment = 0;
	self->room_segments = room;
	return true;
}

/* A segment begins where the totals stand now. */
static void begin_segment(struct thread *self)
{
	struct segment *segment;

	if (self->nr_segments && segment_at(self, self->nr_segments - 1)->from_ns == self->since_ns)
		self->nr_segments--; /* an empty one: replace it */
	if (self->nr_segments == self->room_segments && !grow(self)) {
		if (!self->room_segments)
			return;
		self->first_segment = (self->first_segment + 1) & (self->room_segments - 1);
		self->nr_segments--;
	}
	segment = segment_at(self, self->nr_segments++);
	*segment = (struct segment){
		.from_ns = self->since_ns,
		.totals = self->totals,
		.state = self->state,
		.has_item = self->current != NULL,
	};
}

/* The time in the run queue that ends now; without memory, who ran is not told. */
static void note_queued(struct thread *self)
{
	const struct segment *segment;

	if (!self->queued)
		self->queued = malloc(THREAD_MAX_QUEUED * sizeof(*self->queued));
	if (!self->queued || !self->nr_segments)
		return;
	segment = segment_at(self, self->nr_segments - 1);
	self->queued[self->nr_queued++ % THREAD_MAX_QUEUED] =
		(struct queued){ segment->from_ns, self->since_ns, self->ran_instead };
}

void thread_set_state(struct thread *self, uint64_t now_ns, enum thread_state state,
		      uint32_t ran_instead)
{
	thread_advance(self, now_ns);
	if (self->state == THREAD_RUNNABLE)
		note_queued(self);
	self->state = state;
	self->ran_instead = ran_instead;
	begin_segment(self);
}

/* While it does not run, whose it is makes no difference, and its wake-up is still to be told. */
void thread_set_current(struct thread *self, uint64_t now_ns, struct item *item)
{
	if (self->current == item)
		return;
	if (self->state == THREAD_RUNNING)
		thread_advance(self, now_ns);
	if (self->current)
		self->current->left_ns = now_ns;
	self->current = item;
	if (self->state == THREAD_RUNNING)
		begin_segment(self);
}

/* What it did since it was last heard of cannot be known. */
static void become_unknown(struct thread *self)
{
	if (self->state == THREAD_UNKNOWN)
		return;
	self->state = THREAD_UNKNOWN;
	begin_segment(self);
}

void thread_seen_running(struct thread *self, uint64_t now_ns)
{
	if (self->state == THREAD_RUNNING)
		return;
	/* a switch was lost, or there are none: what lies between is anyone's guess */
	become_unknown(self);
	thread_set_state(self, now_ns, THREAD_RUNNING, 0);
}

void thread_switched_in(struct thread *self, uint64_t now_ns, uint64_t wake_ns, uint32_t instead)
{
	bool was_preempted = self->state == THREAD_RUNNABLE;

	if (self->state == THREAD_RUNNING || (!was_preempted && !wake_ns)) {
		/* its leaving was not seen, or its wake-up: asleep and runnable look the same */
		become_unknown(self);
	} else if (!was_preempted) {
		if (wake_ns < self->since_ns)
			wake_ns = self->since_ns;
		if (wake_ns < now_ns)
			thread_set_state(self, wake_ns, THREAD_RUNNABLE, instead);
	}
	thread_set_state(self, now_ns, THREAD_RUNNING, 0);
}

/*
 * The last segment that begins at or before a time; false: that past is forgotten. Most
 * intervals are short, so the search widens from the newest.
 */
static bool find_segment(const struct thread *self, uint64_t at_ns, uint32_t *index)
{
	uint32_t high = self->nr_segments, low = high, width = 1;

	while (low > 0) {
		low = low > width ? low - width : 0;
		if (segment_at(self, low)->from_ns <= at_ns)
			break;
		high = low;
		width *= 2;
	}
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (segment_at(self, mid)->from_ns <= at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	*index = low - 1;
	return low > 0;
}

static void note_ran(struct parts *parts, uint32_t pid, uint64_t ns)
{
	for (size_t i = 0; i < JOURNEY_MAX_RAN; i++) {
		if (!parts->ran[i].ns || parts->ran[i].pid == pid) {
			parts->ran[i].pid = pid;
			parts->ran[i].ns += ns;
			return;
		}
	}
}

/* Who had the CPU while this one could have run: of the newest THREAD_MAX_QUEUED times. */
static void find_ran(const struct thread *self, uint64_t from_ns, uint64_t now_ns,
		     struct parts *parts)
{
	uint32_t nr = self->nr_queued < THREAD_MAX_QUEUED ? self->nr_queued : THREAD_MAX_QUEUED;

	for (uint32_t n = 1; n <= nr; n++) {
		const struct queued *queued =
			&self->queued[(self->nr_queued - n) % THREAD_MAX_QUEUED];
		uint64_t from = queued->from_ns < from_ns ? from_ns : queued->from_ns;
		uint64_t to = queued->to_ns > now_ns ? now_ns : queued->to_ns;

		if (queued->to_ns <= from_ns)
			return;
		if (to > from)
			note_ran(parts, queued->ran_instead, to - from);
	}
}

/* The totals as they stood at a time; false: that past is forgotten. */
static bool totals_at(const struct thread *self, uint64_t at_ns, struct totals *totals)
{
	const struct segment *segment;
	uint32_t i;

	if (at_ns >= self->since_ns) {
		*totals = self->totals;
		return self->nr_segments > 0;
	}
	if (!find_segment(self, at_ns, &i))
		return false;
	segment = segment_at(self, i);
	*totals = segment->totals;
	add_stretch(totals, segment->state, segment->has_item, at_ns - segment->from_ns);
	return true;
}

/* What it ran for the item since the item's last stamp, up to where run_item_ns stood so. */
static bool find_own(const struct thread *self, struct item *item, uint64_t to_ns,
		     uint64_t run_item_ns, uint64_t *on_cpu_ns)
{
	uint64_t later_ns = self->totals.run_item_ns - run_item_ns;

	*on_cpu_ns = 0;
	if (item->worker != self->tid)
		return true;
	*on_cpu_ns = item->on_cpu_ns - item->on_cpu_at_stamp_ns;
	if (self->current != item && item->left_ns <= to_ns)
		later_ns = 0; /* what the thread ran since then was for others */
	if (later_ns && (self->current != item || later_ns > *on_cpu_ns))
		return false;
	*on_cpu_ns -= later_ns;
	item->on_cpu_at_stamp_ns += *on_cpu_ns;
	return true;
}

/* What lies between two totals; on_cpu_ns of the time with an item was for this one. */
static void subtract(const struct thread *self, const struct totals *then, const struct totals *end,
		     uint64_t on_cpu_ns, uint64_t from_ns, uint64_t to_ns, struct parts *parts)
{
	uint64_t run_item = end->run_item_ns - then->run_item_ns;

	if (end->unknown_ns != then->unknown_ns || on_cpu_ns > run_item)
		return;
	parts->is_known = true;
	parts->on_cpu_ns = on_cpu_ns;
	parts->busy_item_ns = run_item - on_cpu_ns;
	parts->busy_other_ns = end->run_other_ns - then->run_other_ns;
	parts->run_queue_ns = end->run_queue_ns - then->run_queue_ns;
	parts->blocked_ns = end->blocked_ns - then->blocked_ns;
	parts->preemptions = end->preemptions - then->preemptions;
	if (parts->run_queue_ns)
		find_ran(self, from_ns, to_ns, parts);
}

void thread_split(struct thread *self, struct item *item, uint64_t from_ns, uint64_t to_ns,
		  struct parts *parts)
{
	struct totals then, end;
	uint64_t on_cpu_ns;

	*parts = (struct parts){ 0 };
	thread_advance(self, to_ns);
	if (from_ns > to_ns || !totals_at(self, from_ns, &then) || !totals_at(self, to_ns, &end) ||
	    !find_own(self, item, to_ns, end.run_item_ns, &on_cpu_ns))
		return;
	subtract(self, &then, &end, on_cpu_ns, from_ns, to_ns, parts);
}

void thread_split_whole(struct thread *self, uint64_t from_ns, uint64_t to_ns, struct parts *parts)
{
	struct totals then, end;

	*parts = (struct parts){ 0 };
	thread_advance(self, to_ns);
	if (from_ns <= to_ns && totals_at(self, from_ns, &then) && totals_at(self, to_ns, &end))
		subtract(self, &then, &end, end.run_item_ns - then.run_item_ns, from_ns, to_ns,
			 parts);
}

uint64_t thread_on_cpu_ns(const struct thread *self)
{
	return self->totals.run_item_ns + self->totals.run_other_ns;
}
