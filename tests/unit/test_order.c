/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_order.c - nearly sorted streams of many CPUs become one sorted stream, nothing is lost
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/correlate/order.h"

struct seen {
	struct gemba_event *events;
	size_t nr;
	size_t room;
};

static void see(void *ctx, const union gemba_record *record)
{
	struct seen *self = ctx;

	if (self->nr == self->room) {
		self->room = self->room ? self->room * 2 : 64;
		self->events = realloc(self->events, self->room * sizeof(*self->events));
		cr_assert(self->events);
	}
	self->events[self->nr++] = record->ev;
}

static struct order *order_into(struct seen *seen)
{
	struct order *order;

	*seen = (struct seen){ 0 };
	cr_assert_eq(order_new(&order, (struct order_sink){ seen, see }), 0);
	return order;
}

static void add(struct order *order, unsigned int cpu, uint64_t ts_ns, uint32_t name)
{
	const struct gemba_event ev = { .ts_ns = ts_ns, .kind = GEMBA_RX, .cpu = cpu, .seq = name };

	cr_assert_eq(order_add(order, cpu, &ev, sizeof(ev)), 0);
}

static void mark(struct order *order, uint64_t ts_ns)
{
	const struct gemba_event ev = { .ts_ns = ts_ns, .kind = GEMBA_MARK };

	cr_assert_eq(order_add(order, 0, &ev, sizeof(ev)), 0);
}

static void assert_names(const struct seen *seen, const char *names)
{
	cr_assert_eq(seen->nr, strlen(names), "%zu instead of %zu", seen->nr, strlen(names));
	for (size_t i = 0; i < seen->nr; i++)
		cr_assert_eq(seen->events[i].seq, (uint32_t)names[i], "at %zu: %c", i,
			     (char)seen->events[i].seq);
}

static void end(struct order *order, struct seen *seen)
{
	order_free(order);
	free(seen->events);
}

Test(order, a_cpu_whose_interrupts_wrote_first_is_put_right)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 0, 10, 'a');
	add(order, 0, 40, 'd');
	add(order, 0, 20, 'b');
	add(order, 0, 30, 'c');
	order_finish(order);
	assert_names(&seen, "abcd");
	cr_assert_eq(order_late(order), 0);
	end(order, &seen);
}

Test(order, cpus_are_merged_by_time_then_by_number_then_by_place)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 3, 10, 'c');
	add(order, 1, 10, 'a');
	add(order, 1, 10, 'b');
	add(order, 1, 5, '0');
	add(order, 0, 11, 'd');
	order_finish(order);
	assert_names(&seen, "0abcd");
	end(order, &seen);
}

Test(order, a_mark_lets_go_of_what_is_older_and_of_nothing_else)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 1, 10, 'b');
	add(order, 1, 11, 'c');
	mark(order, 10);
	assert_names(&seen, "");
	/* a mark allows for records of its own time, and they go by CPU */
	add(order, 0, 10, 'a');
	mark(order, 11);
	assert_names(&seen, "ab");
	order_finish(order);
	assert_names(&seen, "abc");
	cr_assert_eq(order_late(order), 0);
	end(order, &seen);
}

Test(order, what_comes_too_late_is_counted_and_given_the_time_of_its_place)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 0, 10, 'a');
	add(order, 0, 20, 'b');
	mark(order, 21);
	add(order, 0, 15, 'c');
	order_finish(order);
	assert_names(&seen, "abc");
	cr_assert_eq(seen.events[2].ts_ns, 20);
	cr_assert_eq(order_late(order), 1);
	end(order, &seen);
}

Test(order, the_end_lets_go_of_every_time_there_is)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 0, UINT64_MAX, 'b');
	add(order, 1, 0, 'a');
	order_finish(order);
	assert_names(&seen, "ab");
	end(order, &seen);
}

Test(order, a_record_that_is_cut_off_is_left_alone)
{
	struct seen seen;
	struct order *order = order_into(&seen);
	struct gemba_conn conn = { .ev = { .ts_ns = 5, .kind = GEMBA_CONN, .seq = 'a' } };

	cr_assert_eq(order_add(order, 0, &conn, sizeof(conn) - 1), 0);
	cr_assert_eq(order_add(order, 0, &conn, sizeof(conn.ev) - 1), 0);
	cr_assert_eq(order_add(order, 0, &conn, sizeof(conn)), 0);
	order_finish(order);
	assert_names(&seen, "a");
	end(order, &seen);
}

Test(order, without_marks_the_oldest_half_goes)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	for (uint32_t i = 0; i < 600000; i++)
		add(order, i % 4, 1000 + i, i);
	cr_assert_gt(seen.nr, 200000);
	order_finish(order);
	cr_assert_eq(seen.nr, 600000);
	for (uint32_t i = 0; i < 600000; i++)
		cr_assert_eq(seen.events[i].seq, i);
	end(order, &seen);
}

Test(order, a_stream_that_runs_backwards_is_sorted_in_good_time)
{
	struct seen seen;
	struct order *order = order_into(&seen);
	clock_t before = clock();

	for (uint32_t i = 0; i < 500000; i++)
		add(order, 0, 1000000 - i, i);
	order_finish(order);
	for (uint32_t i = 0; i < 500000; i++)
		cr_assert_eq(seen.events[i].seq, 499999 - i);
	cr_assert_lt((clock() - before) / CLOCKS_PER_SEC, 10);
	end(order, &seen);
}

/* The buffers are not seen from here: valgrind's massif and this loop's end in finite memory are
 * the proof that one record far in the future does not keep all others. */
Test(order, one_record_far_in_the_future_keeps_none_of_the_others)
{
	struct seen seen;
	struct order *order = order_into(&seen);
	uint32_t nr = 0;

	add(order, 0, UINT64_MAX, 'z');
	for (uint32_t i = 0; i < 20000; i++) {
		for (int k = 0; k < 20; k++)
			add(order, 0, 100 + nr, nr), nr++;
		mark(order, 100 + nr);
	}
	cr_assert_eq(seen.nr, nr);
	for (uint32_t i = 0; i < nr; i++)
		cr_assert_eq(seen.events[i].seq, i);
	order_finish(order);
	cr_assert_eq(seen.events[nr].seq, 'z');
	end(order, &seen);
}

struct made {
	unsigned int cpu;
	struct gemba_conn record;
	size_t bytes;
};

static int by_time_cpu_place(const void *a, const void *b)
{
	const struct made *x = a, *y = b;

	if (x->record.ev.ts_ns != y->record.ev.ts_ns)
		return x->record.ev.ts_ns < y->record.ev.ts_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->record.ev.seq < y->record.ev.seq ? -1 : 1;
}

/* Records of four CPUs with inversions of up to 100, equal times and three lengths. */
static size_t make(struct made *made, size_t nr)
{
	static const unsigned int kinds[] = { GEMBA_RX, GEMBA_CONN, GEMBA_PEER, GEMBA_SWITCH };

	memset(made, 0, nr * sizeof(*made));
	for (size_t i = 0; i < nr; i++) {
		struct gemba_event *ev = &made[i].record.ev;

		made[i].cpu = random() % 4;
		ev->kind = kinds[random() % 4];
		ev->cpu = made[i].cpu;
		ev->ts_ns = 1000 + i * 3 / 2 + random() % 100;
		ev->seq = i;
		made[i].bytes = gemba_record_bytes(ev->kind);
	}
	return nr;
}

/* Feeds all in random batches; a mark says what the records still to come allow. */
static void feed(struct order *order, const struct made *made, size_t nr)
{
	char batch[16 * sizeof(struct gemba_conn)];
	uint64_t oldest[4001];

	oldest[nr] = UINT64_MAX;
	for (size_t i = nr; i > 0; i--)
		oldest[i - 1] = made[i - 1].record.ev.ts_ns < oldest[i] ?
					made[i - 1].record.ev.ts_ns :
					oldest[i];
	for (size_t i = 0; i < nr;) {
		size_t bytes = 0, left = 1 + random() % 16;
		unsigned int cpu = made[i].cpu;

		for (; i < nr && left && made[i].cpu == cpu; i++, left--) {
			memcpy(batch + bytes, &made[i].record, made[i].bytes);
			bytes += made[i].bytes;
		}
		cr_assert_eq(order_add(order, cpu, batch, bytes), 0);
		if (random() % 7 == 0)
			mark(order, oldest[i]);
	}
	order_finish(order);
}

Test(order, random_streams_come_out_sorted_however_they_are_cut_and_marked)
{
	static struct made made[4000];

	for (unsigned int seed = 1; seed <= 200; seed++) {
		size_t nr = 0;

		srandom(seed);
		nr = make(made, 100 + random() % 3900);
		for (int again = 0; again < 3; again++) {
			struct seen seen;
			struct order *order = order_into(&seen);
			static struct made sorted[4000];

			feed(order, made, nr);
			memcpy(sorted, made, nr * sizeof(*made));
			qsort(sorted, nr, sizeof(*sorted), by_time_cpu_place);
			cr_assert_eq(seen.nr, nr);
			for (size_t i = 0; i < nr; i++)
				cr_assert_eq(seen.events[i].seq, sorted[i].record.ev.seq,
					     "seed %u at %zu", seed, i);
			cr_assert_eq(order_late(order), 0);
			end(order, &seen);
		}
	}
}

Test(order, a_stream_that_broke_off_gives_nothing_that_is_newer_than_its_last_mark)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 0, 10, 1), add(order, 1, 20, 2);
	mark(order, 30);
	add(order, 0, 40, 3), add(order, 0, 50, 4);
	cr_assert_eq(order_cut(order), 2);
	order_finish(order);
	cr_assert_eq(seen.nr, 2);
	end(order, &seen);
}

Test(order, a_stream_without_marks_that_broke_off_is_given_whole)
{
	struct seen seen;
	struct order *order = order_into(&seen);

	add(order, 0, 10, 1), add(order, 1, 20, 2);
	cr_assert_eq(order_cut(order), 0);
	cr_assert_eq(seen.nr, 2);
	end(order, &seen);
}
