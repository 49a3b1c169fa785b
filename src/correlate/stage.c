// SPDX-License-Identifier: BSD-2-Clause
/*
 * stage.c - functions of the target: which item a thread works on, and where it is in it
 *
 * The entry stage begins an item (entry.c). Further stages are stations of the thread's current item
 * until its first output; where a stage has a key, of the item of that name (join.c), whose
 * thread this then is. What DEFINITIONS leaves open, and this decides:
 *
 * - A thread that sleeps in an item, waiting for a lock, looks like one that is done with it.
 *   A further stage, with no read between, tells that it was in the middle: the item goes on, and
 *   its output is called guessed, as a timer's function could have come the same way. So does a
 *   send where the item has a key: whoever takes the next one shows so by its key.
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

static uint64_t key_of(const struct gemba_event *ev)
{
	return ev->len | (uint64_t)ev->aux << 32;
}

/* By which value, if that can be told. */
static bool read_key(struct correlate *self, const struct gemba_event *ev, uint64_t *key)
{
	struct stage_keys *keys = &self->account.keys[ev->seq];

	if (self->is_warm && ev->flags & GEMBA_F_UNREAD)
		keys->unread++;
	if (!(ev->flags & GEMBA_F_KEY))
		return false;
	*key = key_of(ev);
	if (!self->is_warm)
		return true;
	if (!keys->nr++)
		keys->first = *key;
	keys->varies |= *key != keys->first;
	return true;
}

/* The entry stage begins an item, of which nothing may have been received on this thread. */
static struct item *begin(struct correlate *self, struct thread *thread, bool has_key, uint64_t key)
{
	struct item *item = self->opts.is_go ? NULL : entry_begin(self, thread);

	if (!item && has_key)
		item = entry_originate(self, thread);
	if (!item || !has_key)
		return item;
	/* which read it came with is a guess: what it is called from here on is none */
	item->is_doubtful |= item->is_guess;
	join_name(self, item, key);
	return item;
}

/* Another stage: whose key it is, or what the thread works on. */
static struct item *find(struct correlate *self, struct thread *thread,
			 const struct gemba_event *ev, bool has_key, uint64_t key)
{
	struct item *item;

	if (!has_key)
		return self->opts.is_go ? NULL : go_on(thread);
	item = join_find(self, key);
	if (!item || item->outputs || item->is_closed) {
		self->account.keys[ev->seq].unmatched += self->is_warm;
		return NULL;
	}
	join_take_over(self, item, thread);
	return item;
}

void stage_hit(struct correlate *self, struct thread *thread, const struct gemba_event *ev)
{
	struct item *item = NULL;

	self->account.stage_hits += self->is_warm;
	if (ev->seq < GEMBA_MAX_STAGES) {
		uint64_t key = 0;
		bool has_key = read_key(self, ev, &key);

		self->account.keys[ev->seq].hits++;
		item = ev->seq == 0 ? begin(self, thread, has_key, key) :
				      find(self, thread, ev, has_key, key);
	}
	if (!item) {
		self->account.stage_hits_unowned += self->is_warm;
		return;
	}
	stamp(self, thread, item, STATION_STAGE + ev->seq, ev->cpu);
	thread->last_station = ++self->serial;
	item_touch(self, item);
}

bool stage_suspend(struct thread *thread, uint64_t now_ns)
{
	struct item *item = thread->current;

	if (!item || !(item->is_begun || item->has_key) || item->outputs || item->is_closed)
		return false;
	item->is_suspended = true;
	item->left_ns = now_ns;
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
