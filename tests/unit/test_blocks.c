// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_blocks.c - blocks that joined are what they would have been from the start
 */
#include <criterion/criterion.h>
#include <string.h>

#include "src/map/blocks.h"

enum { NR_STEPS = 3 };

static uint64_t state = 88172645463325252ULL;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void add_item(struct block_sums *sums, struct grid *grid, uint64_t at_ns, uint64_t lead_ns)
{
	uint64_t *row;

	cr_assert_eq(block_sums_add(sums, grid_index(grid, at_ns), lead_ns, &row), 0);
	for (int s = 0; s < NR_STEPS; s++)
		row[s] += lead_ns / (s + 1);
}

static void assert_same(const struct blocks *a, const struct blocks *b)
{
	size_t bytes = a->nr * sizeof(uint64_t);

	cr_assert_eq(a->nr, b->nr);
	cr_assert_eq(a->width_ns, b->width_ns);
	cr_assert_arr_eq(a->items, b->items, bytes);
	cr_assert_arr_eq(a->lead_sum_ns, b->lead_sum_ns, bytes);
	cr_assert_arr_eq(a->lead_p50_ns, b->lead_p50_ns, bytes);
	cr_assert_arr_eq(a->lead_p99_ns, b->lead_p99_ns, bytes);
	cr_assert_arr_eq(a->in_flight_max, b->in_flight_max, bytes);
	cr_assert_arr_eq(a->sum_ns, b->sum_ns, NR_STEPS * bytes);
}

static void blocks_fini(struct blocks *self)
{
	free(self->items);
	free(self->lead_sum_ns);
	free(self->lead_p50_ns);
	free(self->lead_p99_ns);
	free(self->in_flight_max);
	free(self->sum_ns);
}

Test(blocks, an_instant_is_in_the_block_that_begins_at_or_before_it)
{
	struct grid grid;

	grid_init(&grid, 1000);
	cr_assert_eq(grid_index(&grid, 999), 0);
	cr_assert_eq(grid_index(&grid, 1000), 0);
	cr_assert_eq(grid_index(&grid, 1000 + GRID_FIRST_WIDTH_NS - 1), 0);
	cr_assert_eq(grid_index(&grid, 1000 + GRID_FIRST_WIDTH_NS), 1);
	cr_assert_eq(grid_index(&grid, 1000), 0, "and back");
	cr_assert(grid_covers(&grid, 1000 + 240 * GRID_FIRST_WIDTH_NS - 1));
	cr_assert_not(grid_covers(&grid, 1000 + 240 * GRID_FIRST_WIDTH_NS));
	grid_double(&grid);
	cr_assert_eq(grid_index(&grid, 1000 + GRID_FIRST_WIDTH_NS), 0);
}

Test(blocks, doubling_the_width_is_as_if_it_had_been_double)
{
	struct grid narrow, wide;
	struct block_sums *a = block_sums_new(NR_STEPS), *b = block_sums_new(NR_STEPS);
	struct blocks x = { 0 }, y = { 0 };
	uint64_t depth = 0, at_ns = 0;

	grid_init(&narrow, 0);
	grid_init(&wide, 0);
	grid_double(&wide);
	for (int i = 0; i < 20000; i++) {
		uint64_t lead_ns = draw(100000), after;

		at_ns += draw(300);
		after = depth && draw(2) ? depth - 1 : depth + 1;
		add_item(a, &narrow, at_ns, lead_ns);
		add_item(b, &wide, at_ns, lead_ns);
		block_sums_in_flight(a, &narrow, at_ns, depth, after);
		block_sums_in_flight(b, &wide, at_ns, depth, after);
		depth = after;
		cr_assert(grid_covers(&narrow, at_ns));
		if (i == 10000) {
			grid_double(&narrow);
			cr_assert_eq(block_sums_halve(a), 0);
		}
	}
	cr_assert_eq(block_sums_finish(a, &narrow, 120, &x), 0);
	cr_assert_eq(block_sums_finish(b, &wide, 120, &y), 0);
	assert_same(&x, &y);
	cr_assert_neq(x.lead_p50_ns[1], UINT64_MAX);
	cr_assert_eq(x.lead_p99_ns[1], UINT64_MAX, "a hundred items have no p99");
	blocks_fini(&x);
	blocks_fini(&y);
	block_sums_free(a);
	block_sums_free(b);
}

Test(blocks, what_is_in_flight_stays_so_through_empty_blocks)
{
	struct grid grid;
	struct block_sums *sums = block_sums_new(0);

	grid_init(&grid, 0);
	block_sums_in_flight(sums, &grid, 10, 0, 1);
	block_sums_in_flight(sums, &grid, 20, 1, 2);
	block_sums_in_flight(sums, &grid, 30, 2, 1);
	block_sums_in_flight(sums, &grid, 3 * GRID_FIRST_WIDTH_NS, 1, 0);
	block_sums_in_flight(sums, &grid, 5 * GRID_FIRST_WIDTH_NS, 0, 1);
	cr_assert_eq(sums->in_flight_max[0], 2);
	cr_assert_eq(sums->in_flight_max[1], 1);
	cr_assert_eq(sums->in_flight_max[2], 1);
	cr_assert_eq(sums->in_flight_max[3], 0, "it left as the block began");
	cr_assert_eq(sums->in_flight_max[4], 0);
	cr_assert_eq(sums->in_flight_max[5], 1);
	block_sums_free(sums);
}

Test(blocks, given_up_lead_times_leave_counts_and_sums)
{
	struct grid grid;
	struct block_sums *sums = block_sums_new(NR_STEPS);
	struct blocks blocks = { 0 };

	grid_init(&grid, 0);
	for (int i = 0; i < 1000; i++)
		add_item(sums, &grid, 0, 10);
	cr_assert_gt(sums->leads_bytes, 0);
	block_sums_drop_leads(sums);
	add_item(sums, &grid, 0, 10);
	cr_assert_eq(block_sums_halve(sums), 0);
	cr_assert_eq(block_sums_finish(sums, &grid, 1, &blocks), 0);
	cr_assert_eq(blocks.items[0], 1001);
	cr_assert_eq(blocks.lead_sum_ns[0], 10010);
	cr_assert_eq(blocks.lead_p50_ns[0], UINT64_MAX);
	blocks_fini(&blocks);
	block_sums_free(sums);
}
