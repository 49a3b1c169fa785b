// SPDX-License-Identifier: BSD-2-Clause
/*
 * join.c - items by key, across threads and processes, and when one hands an item to another
 *
 * A key names the newest item that the entry stage began with it: ring slots, pointers and
 * counters that wrap come again, and then mean another item. What DEFINITIONS leaves open, and
 * this decides:
 *
 * - When the giver handed over is not stamped. It is when the giver turned to something else (read
 *   or found nothing to read, began another item, slept), or before that when it woke the taker, or at the latest when the
 *   taker begins. So a giver's stage holds what it does until then, as the push into a ring.
 */
#include "src/correlate/state.h"

#include <errno.h>

/* The map has no key 0. What stands in for it is told from its like by the item's own. */
static uint64_t slot_of(uint64_t key)
{
	return key ?: UINT64_MAX;
}

void join_forget(struct correlate *self, struct item *item)
{
	if (item->has_key && idmap_get(&self->keys, slot_of(item->key)) == item)
		idmap_del(&self->keys, slot_of(item->key));
}

void join_name(struct correlate *self, struct item *item, uint64_t key)
{
	const struct item *before = idmap_del(&self->keys, slot_of(key));

	if (before && before != item && !before->outputs)
		self->account.keys_reused += self->is_warm;
	join_forget(self, item);
	item->key = key;
	item->has_key = true;
	if (idmap_put(&self->keys, slot_of(key), item))
		self->error = -ENOMEM;
}

struct item *join_find(const struct correlate *self, uint64_t key)
{
	struct item *item = idmap_get(&self->keys, slot_of(key));

	return item && item->key == key ? item : NULL;
}

/* Not before `since`, when it was in the giver's hands for sure. */
static uint64_t handed_over_ns(const struct correlate *self, const struct item *item,
			       const struct thread *giver, const struct thread *taker,
			       uint64_t since_ns)
{
	uint64_t at_ns = self->now_ns;

	if (item->left_ns > since_ns)
		at_ns = item->left_ns;
	if (item->polled_ns > since_ns && item->polled_ns < at_ns)
		at_ns = item->polled_ns;
	if (giver && taker->woken_by == giver->tid && taker->woken_ns > since_ns &&
	    taker->woken_ns < at_ns)
		at_ns = taker->woken_ns;
	return at_ns < self->now_ns ? at_ns : self->now_ns;
}

static void stamp_handoff(struct correlate *self, struct item *item, struct thread *giver,
			  const struct thread *taker)
{
	const struct stamp *last = item->nr_stamps ? &item->stamps[item->nr_stamps - 1] : NULL;
	uint64_t since_ns, at_ns;
	struct stamp *stamp;

	if (!last || last->station < STATION_STAGE || last->station >= STATION_HANDOFF)
		return;
	self->account.handoffs += self->is_warm;
	if (item->nr_stamps + ITEM_LAST_STAMPS >= JOURNEY_MAX_STATIONS)
		return;
	since_ns = last->at_ns;
	at_ns = handed_over_ns(self, item, giver, taker, since_ns);
	stamp = item_stamp(item, STATION_HANDOFF + (last->station - STATION_STAGE), at_ns,
			   item->worker, last->cpu);
	if (stamp && giver && self->opts.has_sched)
		thread_split_whole(giver, since_ns, stamp->at_ns, &stamp->parts);
}

static void leave_giver(struct correlate *self, struct item *item, struct thread *giver)
{
	bool was_suspended = item->is_suspended;

	if (giver->current == item)
		thread_set_current(giver, self->now_ns, NULL);
	item->is_suspended = false;
	/* its sleep was not in the middle of this item after all */
	if (was_suspended)
		own_slept(self, giver);
}

void join_take_over(struct correlate *self, struct item *item, struct thread *thread)
{
	struct thread *giver =
		item->worker == thread->tid ? NULL : idmap_get(&self->threads, item->worker);

	if (thread->current != item)
		stage_settle(self, thread);
	if (item->worker != thread->tid) {
		stamp_handoff(self, item, giver, thread);
		list_move_tail(&thread->items, &item->by_thread);
		if (giver)
			leave_giver(self, item, giver);
		item->worker = thread->tid;
		item->on_cpu_at_stamp_ns = item->on_cpu_ns;
	} else {
		list_move_tail(&thread->items, &item->by_thread);
	}
	item->is_suspended = false;
	item->is_resumed = false;
	item->epoch = thread->epoch;
	thread_set_current(thread, self->now_ns, item);
}
