// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_inventory.c - batches, late intervals and busy periods against a plain sweep
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/inventory.h"

#define BASE_NS 10000000000ULL

struct stay {
	uint64_t from_ns;
	uint64_t to_ns;
};

static uint64_t state = 88172645463325252ULL;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

struct edge {
	uint64_t at_ns;
	int by;
};

static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->by - y->by;
}

/* The definition, all at once; cycle times if wanted. */
static uint64_t plain_max(const struct stay *stays, size_t nr, struct hist *cycle_time)
{
	struct edge *edges = calloc(2 * nr, sizeof(*edges));
	uint64_t depth = 0, max = 0, completed_ns = 0;
	bool is_busy = false;
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		if (stays[i].from_ns == stays[i].to_ns)
			continue;
		edges[n++] = (struct edge){ stays[i].from_ns, 1 };
		edges[n++] = (struct edge){ stays[i].to_ns, -1 };
	}
	qsort(edges, n, sizeof(*edges), by_time);
	for (size_t i = 0; i < n; i++) {
		depth += edges[i].by;
		max = depth > max ? depth : max;
		if (edges[i].by > 0)
			continue;
		if (is_busy)
			hist_add(cycle_time, edges[i].at_ns - completed_ns);
		completed_ns = edges[i].at_ns;
		is_busy = depth > 0;
	}
	free(edges);
	return max;
}

static void add_all(struct inventory *self, struct inventory_pool *pool, const struct stay *stays,
		    size_t nr)
{
	uint64_t latest_ns = 0;

	for (size_t i = 0; i < nr; i++) {
		latest_ns = stays[i].to_ns > latest_ns ? stays[i].to_ns : latest_ns;
		cr_assert_eq(inventory_add(self, pool, latest_ns, stays[i].from_ns, stays[i].to_ns,
					   true),
			     0);
	}
	cr_assert_eq(inventory_finish(self, pool), 0);
}

static void assert_as_plain(const struct stay *stays, size_t nr, size_t pool_elements)
{
	struct hist cycle_time, want_cycle;
	struct inventory self = { .out.cycle_time = &cycle_time };
	struct inventory_pool pool;
	uint64_t sum_ns = 0;

	hist_init(&cycle_time);
	hist_init(&want_cycle);
	inventory_pool_init(&pool, pool_elements);
	add_all(&self, &pool, stays, nr);
	for (size_t i = 0; i < nr; i++)
		sum_ns += stays[i].to_ns - stays[i].from_ns;
	cr_assert_eq(self.late, 0);
	cr_assert_eq(self.max, plain_max(stays, nr, &want_cycle));
	cr_assert_eq(self.sum_ns, sum_ns);
	cr_assert_eq(self.depth, 0);
	cr_assert_eq(cycle_time.count, want_cycle.count);
	cr_assert_eq(cycle_time.sum_ns, want_cycle.sum_ns);
	inventory_fini(&self, &pool);
	cr_assert_eq(pool.left, pool_elements, "everything is given back");
	inventory_pool_fini(&pool);
	hist_fini(&cycle_time);
	hist_fini(&want_cycle);
}

Test(inventory, counts_what_is_inside_at_once)
{
	const struct stay stays[] = { { BASE_NS, BASE_NS + 10 },
				      { BASE_NS + 5, BASE_NS + 20 },
				      { BASE_NS + 9, BASE_NS + 12 } };

	assert_as_plain(stays, 3, 1 << 20);
}

Test(inventory, one_that_leaves_makes_room_for_one_that_comes)
{
	struct inventory_pool pool;
	struct inventory self = { 0 };
	const struct stay stays[] = { { BASE_NS, BASE_NS + 10 }, { BASE_NS + 10, BASE_NS + 20 } };

	inventory_pool_init(&pool, 1 << 20);
	add_all(&self, &pool, stays, 2);
	cr_assert_eq(self.max, 1);
	inventory_fini(&self, &pool);
	inventory_pool_fini(&pool);
}

Test(inventory, no_time_inside_is_not_inside)
{
	struct inventory_pool pool;
	struct inventory self = { 0 };
	const struct stay stays[] = { { BASE_NS, BASE_NS } };

	inventory_pool_init(&pool, 1 << 20);
	add_all(&self, &pool, stays, 1);
	cr_assert_eq(self.max, 0);
	inventory_fini(&self, &pool);
	inventory_pool_fini(&pool);
}

/* Arrivals at a rate, stays of any length, told of in order of their end or somewhat later. */
static void random_stays(struct stay *stays, size_t nr, uint64_t every_ns, uint64_t longest_ns)
{
	uint64_t at_ns = BASE_NS;

	for (size_t i = 0; i < nr; i++) {
		at_ns += draw(2 * every_ns);
		stays[i].from_ns = at_ns;
		stays[i].to_ns = at_ns + draw(longest_ns);
	}
}

Test(inventory, any_order_within_the_slack_gives_the_plain_result)
{
	static struct stay stays[20000];

	for (int round = 0; round < 20; round++) {
		random_stays(stays, 20000, 1 + draw(100000), 1 + draw(1000000));
		for (size_t i = 0; i + 300 < 20000; i++) {
			size_t j = i + draw(300);
			struct stay other = stays[i];

			stays[i] = stays[j];
			stays[j] = other;
		}
		assert_as_plain(stays, 20000, 1 << 20);
	}
}

Test(inventory, a_second_late_is_in_time)
{
	static struct stay stays[30000];
	static struct stay told[30000];
	size_t n = 0;

	/* Every tenth is told of a second after the others: 10 000 items later. */
	random_stays(stays, 30000, 100000, 500000);
	for (size_t i = 0; i < 40000; i++) {
		if (i < 30000 && i % 10)
			told[n++] = stays[i];
		if (i >= 10000 && i % 10 == 0)
			told[n++] = stays[i - 10000];
	}
	cr_assert_eq(n, 30000);
	assert_as_plain(told, n, 1 << 20);
}

Test(inventory, without_memory_for_the_slack_in_order_is_still_exact)
{
	static struct stay stays[50000];

	random_stays(stays, 50000, 100, 1000);
	assert_as_plain(stays, 50000, 0);
}

Test(inventory, what_comes_too_late_is_counted_and_never_adds_to_the_maximum)
{
	static struct stay stays[5000];
	struct inventory_pool pool;
	struct inventory self = { 0 };
	struct hist nothing;

	hist_init(&nothing);
	inventory_pool_init(&pool, 0);
	random_stays(stays, 5000, 100, 1000);
	stays[4999] = (struct stay){ BASE_NS, stays[4998].from_ns + 1 };
	add_all(&self, &pool, stays, 5000);
	cr_assert_eq(self.late, 1);
	cr_assert_leq(self.max, plain_max(stays, 5000, &nothing));
	cr_assert_eq(self.depth, 0);
	inventory_fini(&self, &pool);
	inventory_pool_fini(&pool);
	hist_fini(&nothing);
}

Test(inventory, many_at_one_instant_do_not_stop_it)
{
	static struct stay stays[1000];
	struct inventory_pool pool;
	struct inventory self = { 0 };

	for (size_t i = 0; i < 1000; i++)
		stays[i] = (struct stay){ BASE_NS, BASE_NS + 1 };
	assert_as_plain(stays, 1000, 1 << 20);
	inventory_pool_init(&pool, 0);
	add_all(&self, &pool, stays, 1000);
	cr_assert_gt(self.late, 0);
	cr_assert_leq(self.max, 1000);
	cr_assert_eq(self.depth, 0);
	inventory_fini(&self, &pool);
	inventory_pool_fini(&pool);
}

Test(inventory, cycle_time_is_between_completions_of_a_busy_period)
{
	struct hist cycle_time;
	struct inventory_pool pool;
	struct inventory self = { .out.cycle_time = &cycle_time };
	const struct stay stays[] = { { BASE_NS, BASE_NS + 10 },
				      { BASE_NS + 5, BASE_NS + 17 },
				      { BASE_NS + 17, BASE_NS + 20 },
				      { BASE_NS + 100, BASE_NS + 110 } };

	hist_init(&cycle_time);
	inventory_pool_init(&pool, 1 << 20);
	add_all(&self, &pool, stays, 4);
	cr_assert_eq(cycle_time.count, 1);
	cr_assert_eq(cycle_time.sum_ns, 7);
	inventory_fini(&self, &pool);
	inventory_pool_fini(&pool);
	hist_fini(&cycle_time);
}

Test(inventory, a_stay_that_does_not_complete_is_no_completion)
{
	struct hist cycle_time;
	struct inventory_pool pool;
	struct inventory self = { .out.cycle_time = &cycle_time };

	hist_init(&cycle_time);
	inventory_pool_init(&pool, 1 << 20);
	inventory_add(&self, &pool, BASE_NS, BASE_NS, BASE_NS + 10, true);
	inventory_add(&self, &pool, BASE_NS, BASE_NS + 1, BASE_NS + 13, false);
	inventory_add(&self, &pool, BASE_NS, BASE_NS + 2, BASE_NS + 15, true);
	inventory_finish(&self, &pool);
	cr_assert_eq(cycle_time.count, 1);
	cr_assert_eq(cycle_time.sum_ns, 5);
	inventory_fini(&self, &pool);
	inventory_pool_fini(&pool);
	hist_fini(&cycle_time);
}
