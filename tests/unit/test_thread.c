/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_thread.c - any interval of a thread's past splits as a second-by-second log would
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "src/correlate/item.h"
#include "src/correlate/thread.h"
#include "tests/unit/events.h"

enum { NR_STEPS = 3000, NR_ITEMS = 4, TID = 7 };

static struct parts split(struct thread *thread, struct item *item, uint64_t from_ns,
			  uint64_t to_ns)
{
	struct parts parts;

	thread_split(thread, item, from_ns, to_ns, &parts);
	if (parts.is_known)
		cr_assert_eq(parts_sum_ns(&parts), to_ns - from_ns);
	return parts;
}

Test(thread, a_new_one_is_unknown_until_it_is_seen)
{
	struct thread *thread = thread_new(TID, 100);
	struct item item = { .worker = TID };

	cr_assert(!split(thread, &item, 100, 150).is_known);
	thread_seen_running(thread, 200);
	cr_assert(!split(thread, &item, 150, 250).is_known);
	cr_assert(split(thread, &item, 200, 250).is_known);
	cr_assert_eq(split(thread, &item, 200, 250).busy_other_ns, 50);
	thread_free(thread);
}

Test(thread, an_interval_that_runs_backwards_is_unknown)
{
	struct thread *thread = thread_new(TID, 100);
	struct item item = { .worker = TID };

	thread_seen_running(thread, 100);
	cr_assert(!split(thread, &item, 150, 149).is_known);
	thread_free(thread);
}

Test(thread, a_wake_up_before_the_sleep_is_as_old_as_the_sleep)
{
	struct thread *thread = thread_new(TID, 0);
	struct item item = { 0 };
	struct parts parts;

	thread_seen_running(thread, 100);
	thread_set_state(thread, 200, THREAD_BLOCKED, 0);
	thread_switched_in(thread, 300, 150, 9);
	parts = split(thread, &item, 100, 300);
	cr_assert(parts.is_known);
	cr_assert_eq(parts.run_queue_ns, 100);
	cr_assert_eq(parts.blocked_ns, 0);
	cr_assert_eq(parts.ran[0].pid, 9);
	thread_free(thread);
}

Test(thread, a_past_too_long_ago_is_forgotten_not_invented)
{
	struct thread *thread = thread_new(TID, 0);
	struct item item = { 0 };

	thread_seen_running(thread, 1);
	for (uint64_t i = 1; i < 20000; i++)
		thread_set_state(thread, i * 10, i % 2 ? THREAD_RUNNABLE : THREAD_RUNNING, 5);
	cr_assert(!split(thread, &item, 5, 200000).is_known);
	cr_assert(split(thread, &item, 199000, 200000).is_known);
	thread_free(thread);
}

struct model {
	uint8_t state[NR_STEPS * 20]; /* per nanosecond */
	uint8_t item[NR_STEPS * 20];
	uint64_t now;
};

static void lasts(struct model *model, uint64_t until, enum thread_state state, unsigned int item)
{
	for (; model->now < until; model->now++) {
		model->state[model->now] = state;
		model->item[model->now] = item;
	}
}

static void assert_split(const struct model *model, struct thread *thread, struct item *items,
			 uint64_t from, uint64_t to)
{
	uint64_t of[5] = { 0 }; /* unknown, other, item, queue, blocked */
	struct item asks = { 0 };
	struct parts parts;

	(void)items;
	for (uint64_t i = from; i < to; i++) {
		if (model->state[i] == THREAD_UNKNOWN)
			of[0]++;
		else if (model->state[i] == THREAD_RUNNING)
			of[model->item[i] ? 2 : 1]++;
		else
			of[model->state[i] == THREAD_RUNNABLE ? 3 : 4]++;
	}
	parts = split(thread, &asks, from, to);
	cr_assert_eq(parts.is_known, of[0] == 0);
	if (!parts.is_known)
		return;
	cr_assert_eq(parts.busy_other_ns, of[1]);
	cr_assert_eq(parts.busy_item_ns, of[2]);
	cr_assert_eq(parts.run_queue_ns, of[3]);
	cr_assert_eq(parts.blocked_ns, of[4]);
}

Test(thread, random_pasts_split_like_a_log_of_every_nanosecond)
{
	static struct model model;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct thread *thread = thread_new(TID, 0);
		struct item items[NR_ITEMS + 1] = { 0 };
		unsigned int item = 0;
		uint64_t rest = seed;

		model.now = 0;
		thread_seen_running(thread, 10);
		lasts(&model, 10, THREAD_UNKNOWN, 0);
		for (int i = 0; i < NR_STEPS / 2; i++) {
			uint64_t at = model.now + 1 + draw(&rest, 9), wake, in;

			lasts(&model, at, THREAD_RUNNING, item);
			switch (draw(&rest, 5)) {
			case 0: /* preempted */
				thread_set_state(thread, at, THREAD_RUNNABLE, 5);
				in = at + 1 + draw(&rest, 9);
				thread_switched_in(thread, in, 0, 5);
				lasts(&model, in, THREAD_RUNNABLE, 0);
				break;
			case 1: /* slept, woken; its item may go meanwhile */
				thread_set_state(thread, at, THREAD_BLOCKED, 0);
				wake = at + 1 + draw(&rest, 9);
				in = wake + draw(&rest, 9);
				if (draw(&rest, 2))
					thread_set_current(thread, in, NULL), item = 0;
				thread_switched_in(thread, in, wake, 5);
				lasts(&model, wake, THREAD_BLOCKED, 0);
				lasts(&model, in, THREAD_RUNNABLE, 0);
				break;
			case 2: /* slept, and the wake-up or the switch was not seen */
				thread_set_state(thread, at, THREAD_BLOCKED, 0);
				in = at + 1 + draw(&rest, 9);
				if (draw(&rest, 2))
					thread_switched_in(thread, in, 0, 5);
				else
					thread_seen_running(thread, in);
				lasts(&model, in, THREAD_UNKNOWN, 0);
				break;
			default:
				item = draw(&rest, NR_ITEMS + 1);
				thread_set_current(thread, at, item ? &items[item] : NULL);
			}
			for (int k = 0; k < 3; k++) {
				uint64_t to = model.now - draw(&rest, 3) % model.now;
				uint64_t from = to - draw(&rest, to < 200 ? to + 1 : 200);

				thread_advance(thread, model.now);
				assert_split(&model, thread, items, from, to);
			}
		}
		thread_free(thread);
	}
}
