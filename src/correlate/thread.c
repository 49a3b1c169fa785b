// SPDX-License-Identifier: BSD-2-Clause
/*
 * thread.c - timelines of threads and their splitting
 *
 * In: switches (with the wake-up that led to them) and signs of life. Out: for an interval that
 * ends now, how much of it the thread ran for this item, for others, for none, stood in the
 * run queue, slept; the five add up to the interval exactly or are not told.
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
#define MAX_WALK 64

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
		.ran_instead = self->ran_instead,
	};
}

void thread_set_state(struct thread *self, uint64_t now_ns, enum thread_state state,
		      uint32_t ran_instead)
{
	thread_advance(self, now_ns);
	self->state = state;
	self->ran_instead = ran_instead;
	begin_segment(self);
}

void thread_set_current(struct thread *self, uint64_t now_ns, struct item *item)
{
	thread_advance(self, now_ns);
	if (self->current == item)
		return;
	self->current = item;
	begin_segment(self);
}

void thread_seen_running(struct thread *self, uint64_t now_ns)
{
	if (self->state == THREAD_RUNNING)
		return;
	/* a switch was lost, or there are none: what lies between is anyone's guess */
	self->state = THREAD_UNKNOWN;
	if (self->nr_segments)
		segment_at(self, self->nr_segments - 1)->state = THREAD_UNKNOWN;
	thread_set_state(self, now_ns, THREAD_RUNNING, 0);
}

void thread_switched_in(struct thread *self, uint64_t now_ns, uint64_t wake_ns, uint32_t instead)
{
	if (self->state == THREAD_RUNNING) {
		thread_advance(self, now_ns);
		return;
	}
	if (self->state == THREAD_BLOCKED && !wake_ns) {
		/* its wake-up was not seen: asleep and runnable cannot be told apart */
		self->state = THREAD_UNKNOWN;
		if (self->nr_segments)
			segment_at(self, self->nr_segments - 1)->state = THREAD_UNKNOWN;
	} else if (self->state == THREAD_BLOCKED || self->state == THREAD_UNKNOWN) {
		if (wake_ns < self->since_ns)
			wake_ns = self->since_ns;
		if (wake_ns < now_ns)
			thread_set_state(self, wake_ns, THREAD_RUNNABLE, instead);
	}
	thread_set_state(self, now_ns, THREAD_RUNNING, 0);
}

/* The last segment that begins at or before a time; false: that past is forgotten. */
static bool find_segment(const struct thread *self, uint64_t at_ns, uint32_t *index)
{
	uint32_t low = 0, high = self->nr_segments;

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

/* Who had the CPU while this one could have run; walks the newest MAX_WALK segments only. */
static void find_ran(const struct thread *self, uint64_t from_ns, uint64_t now_ns,
		     struct parts *parts)
{
	uint64_t end = now_ns;

	for (uint32_t n = 0; n < self->nr_segments && n < MAX_WALK && end > from_ns; n++) {
		const struct segment *segment = segment_at(self, self->nr_segments - 1 - n);
		uint64_t begin = segment->from_ns < from_ns ? from_ns : segment->from_ns;

		if (segment->state == THREAD_RUNNABLE && end > begin)
			note_ran(parts, segment->ran_instead, end - begin);
		end = segment->from_ns;
	}
}

void thread_split(struct thread *self, uint64_t from_ns, uint64_t now_ns, uint64_t on_cpu_ns,
		  struct parts *parts)
{
	const struct segment *segment;
	struct totals then, *now = &self->totals;
	uint64_t run_item;
	uint32_t i;

	*parts = (struct parts){0};
	thread_advance(self, now_ns);
	if (from_ns > now_ns || !find_segment(self, from_ns, &i))
		return;
	segment = segment_at(self, i);
	then = segment->totals;
	add_stretch(&then, segment->state, segment->has_item, from_ns - segment->from_ns);
	run_item = now->run_item_ns - then.run_item_ns;
	if (now->unknown_ns != then.unknown_ns || on_cpu_ns > run_item)
		return;
	parts->is_known = true;
	parts->on_cpu_ns = on_cpu_ns;
	parts->busy_item_ns = run_item - on_cpu_ns;
	parts->busy_other_ns = now->run_other_ns - then.run_other_ns;
	parts->run_queue_ns = now->run_queue_ns - then.run_queue_ns;
	parts->blocked_ns = now->blocked_ns - then.blocked_ns;
	parts->preemptions = now->preemptions - then.preemptions;
	if (parts->run_queue_ns)
		find_ran(self, from_ns, now_ns, parts);
}
