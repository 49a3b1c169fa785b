// SPDX-License-Identifier: BSD-2-Clause
/*
 * stage.c - functions of the target: which item a thread works on, and where it is in it
 *
 * The entry stage begins an item (entry.c). Further stages are stations of the thread's current item
 * until its first output. What DEFINITIONS leaves open, and this decides:
 *
 * - A thread that sleeps in an item, waiting for a lock, looks like one that is done with it.
 *   A further stage, with no read between, tells that it was in the middle: the item goes on, and
 *   its output is called guessed, as a timer's function could have come the same way.
 */
#include "src/correlate/state.h"

/* The one it works on; after a sleep in the middle of it, it goes on. */
static struct item *go_on(struct thread *thread)
{
	struct item *item = thread->current;

	if (!item || item->outputs || item->is_closed)
		return NULL;
	if (item->is_suspended) {
		item->is_suspended = false;
		item->is_resumed = true;
	}
	return item;
}

static void stamp(struct correlate *self, struct thread *thread, struct item *item,
		  unsigned int station, unsigned int cpu)
{
	struct stamp *last = item->nr_stamps ? &item->stamps[item->nr_stamps - 1] : NULL, *now;

	if (last && last->station == station) {
		last->more_visits++;
		return;
	}
	if (item->nr_stamps + ITEM_LAST_STAMPS >= JOURNEY_MAX_STATIONS) {
		self->account.stage_hits_skipped += self->is_warm;
		return;
	}
	now = item_stamp(item, station, self->now_ns, thread->tid, cpu);
	if (!now || now == item->stamps || !self->opts.has_sched)
		return;
	thread_split(thread, item, now[-1].at_ns, now->at_ns, &now->parts);
}

void stage_hit(struct correlate *self, struct thread *thread, uint32_t stage, unsigned int cpu)
{
	struct item *item = NULL;

	self->account.stage_hits += self->is_warm;
	if (!self->opts.is_go && stage < GEMBA_MAX_STAGES)
		item = stage == 0 ? entry_begin(self, thread) : go_on(thread);
	if (!item) {
		self->account.stage_hits_unowned += self->is_warm;
		return;
	}
	stamp(self, thread, item, STATION_STAGE + stage, cpu);
	thread->last_station = ++self->serial;
	item_touch(self, item);
}

bool stage_suspend(struct thread *thread)
{
	struct item *item = thread->current;

	if (!item || !item->is_begun || item->outputs || item->is_closed)
		return false;
	item->is_suspended = true;
	return true;
}

void stage_settle(struct correlate *self, struct thread *thread)
{
	struct item *item = thread->current;

	if (!item || !item->is_suspended)
		return;
	item->is_suspended = false;
	own_slept(self, thread);
}
