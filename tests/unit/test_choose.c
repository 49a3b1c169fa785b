// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_choose.c - cuts of made-up ways
 */
#include <criterion/criterion.h>

#include "src/propose/choose.h"

static struct choice at(uint64_t offset_ns)
{
	return (struct choice){ .offset_ns = offset_ns,
				.order_ns = offset_ns,
				.presence = 1,
				.per_item = 1,
				.inside = 1,
				.cost_ns = 100 };
}

static size_t picked[CHOOSE_MAX];

Test(choose, of_nothing_nothing_is_chosen)
{
	cr_assert_eq(choose(NULL, 0, 1000, 2, picked), 0);
}

Test(choose, one_function_alone_is_the_entry_stage_however_short)
{
	const struct choice rows[] = { at(990) };

	cr_assert_eq(choose(rows, 1, 1000, 2, picked), 1);
	cr_assert_eq(picked[0], 0);
}

Test(choose, the_first_entered_is_the_entry_stage)
{
	const struct choice rows[] = { at(5000), at(100), at(3000) };

	cr_assert_eq(choose(rows, 3, 8000, 2, picked), 3);
	cr_assert_eq(picked[0], 1);
	cr_assert_eq(picked[1], 2);
	cr_assert_eq(picked[2], 0);
}

Test(choose, what_is_shorter_than_its_probe_allows_is_left_out)
{
	const struct choice rows[] = { at(100), at(150), at(5000), at(5100) };

	cr_assert_eq(choose(rows, 4, 8000, 2, picked), 2);
	cr_assert_eq(picked[0], 0);
	cr_assert_eq(picked[1], 2); /* 4 900 and 3 000 are more alike than 5 000 and 2 900 */
}

Test(choose, a_finer_cut_takes_shorter_stages)
{
	const struct choice rows[] = { at(100), at(250), at(400) };

	cr_assert_eq(choose(rows, 3, 1000, 2, picked), 2);
	cr_assert_eq(choose(rows, 3, 1000, 1, picked), 3);
}

Test(choose, of_many_functions_eight_cut_the_way_evenly)
{
	struct choice rows[33];

	for (size_t i = 0; i < 33; i++)
		rows[i] = at(1000 * i);
	cr_assert_eq(choose(rows, 33, 32000, 2, picked), 8);
	for (size_t i = 0; i < 8; i++)
		cr_assert_eq(picked[i], 4 * i);
}

Test(choose, more_candidates_than_there_is_room_for_are_cut_off)
{
	static struct choice rows[200];

	for (size_t i = 0; i < 200; i++)
		rows[i] = at(1000 * i);
	cr_assert_eq(choose(rows, 200, 200000, 2, picked), 8);
}

Test(choose, what_lies_deeper_on_the_stack_wins_between_equals)
{
	struct choice rows[] = { at(100), at(4000), at(4000), at(4000) };

	rows[2].weight = 7;
	cr_assert_eq(choose(rows, 4, 8000, 2, picked), 2);
	cr_assert_eq(picked[1], 2);
}

Test(choose, order_goes_by_what_was_seen_and_not_by_what_was_taken_off)
{
	struct choice rows[] = { at(100), at(50) };

	rows[1].order_ns = 5000; /* its offset is what is left of it when probes are taken off */
	cr_assert_eq(choose(rows, 2, 1000, 0, picked), 1);
	cr_assert_eq(picked[0], 0);
}

Test(choose, a_function_that_not_every_item_enters_once_is_no_stage)
{
	struct choice rows[] = { at(0), at(100), at(200), at(300) };

	rows[0].presence = 0.5;
	rows[1].per_item = 3;
	rows[2].inside = 0.4;
	cr_assert_not_null(choice_refuse(&rows[0]));
	cr_assert_not_null(choice_refuse(&rows[1]));
	cr_assert_not_null(choice_refuse(&rows[2]));
	cr_assert_null(choice_refuse(&rows[3]));
	cr_assert_eq(choose(rows, 4, 8000, 2, picked), 1);
	cr_assert_eq(picked[0], 3);
}

Test(choose, an_end_before_the_last_function_does_no_harm)
{
	const struct choice rows[] = { at(100), at(5000) };

	cr_assert_geq(choose(rows, 2, 50, 2, picked), 1);
	cr_assert_eq(picked[0], 0);
}

Test(choose, stages_are_worth_as_many_as_equal_ones_would_be)
{
	const struct choice rows[] = { at(0), at(1000), at(2000), at(2900) };
	const size_t even[] = { 0, 1, 2 }, uneven[] = { 0, 3 }, one[] = { 3 };

	cr_assert_float_eq(choose_worth(rows, even, 3, 3000), 3, 0.001);
	cr_assert_float_eq(choose_worth(rows, uneven, 2, 3000), 9e6 / (2900. * 2900 + 1e4), 0.001);
	cr_assert_float_eq(choose_worth(rows, one, 1, 3000), 1, 0.001);
	cr_assert_float_eq(choose_worth(rows, one, 1, 10), 1, 0.001);
	cr_assert_float_eq(choose_worth(rows, one, 0, 3000), 0, 0.001);
}

enum { LANE, DECODE, CHECK, STRATEGY, NR_ROWS };

/* A lane that calls one after the other; a check is all that DECODE begins with. */
static const struct choice lane[] = {
	[LANE] = { 0, 50, 1, 1, 1, 100, 0 },
	[DECODE] = { 20, 60, 1, 1, 1, 100, 0 },
	[CHECK] = { 30, 120, 1, 1, 1, 100, 0 },
	[STRATEGY] = { 2000, 2100, 1, 1, 1, 100, 0 },
};

#define OF_DECODE DECODE, LANE, CHOOSE_END
#define OF_STRATEGY STRATEGY, LANE, CHOOSE_END
#define STACKS(...)                                                                                \
	{                                                                                          \
		.rows = (uint32_t[]){ __VA_ARGS__ },                                               \
		.nr = sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t)                       \
	}

Test(choose, a_loop_leaves_the_stage_to_what_begins_and_ends_with_it)
{
	struct choose_stacks stacks = STACKS(OF_DECODE, OF_DECODE, OF_STRATEGY, OF_STRATEGY,
					     OF_DECODE, OF_DECODE, CHECK, OF_DECODE, OF_STRATEGY);
	size_t two[] = { LANE, STRATEGY };

	choose_inner(lane, NR_ROWS, &stacks, two, 2);
	cr_assert_eq(two[0], DECODE);
	cr_assert_eq(two[1], STRATEGY);
}

Test(choose, what_is_on_the_stack_of_its_own_stage_alone_stays)
{
	struct choose_stacks stacks = STACKS(STRATEGY, CHOOSE_END, OF_DECODE, OF_DECODE, STRATEGY,
					     CHOOSE_END, OF_DECODE, OF_DECODE, OF_DECODE);
	size_t two[] = { LANE, STRATEGY };

	choose_inner(lane, NR_ROWS, &stacks, two, 2);
	cr_assert_eq(two[0], LANE);
	cr_assert_eq(two[1], STRATEGY);
}

Test(choose, what_goes_on_after_the_inner_one_has_ended_is_the_stage)
{
	struct choose_stacks stacks = STACKS(OF_DECODE, OF_DECODE, OF_STRATEGY, OF_STRATEGY,
					     OF_DECODE, OF_STRATEGY, OF_STRATEGY, OF_STRATEGY);
	size_t one[] = { LANE };

	choose_inner(lane, NR_ROWS, &stacks, one, 1);
	cr_assert_eq(one[0], LANE);
}

Test(choose, of_few_stacks_nothing_is_concluded)
{
	struct choose_stacks stacks = STACKS(OF_DECODE, OF_DECODE), none = { NULL, 0 };
	size_t one[] = { LANE };

	choose_inner(lane, NR_ROWS, &stacks, one, 1);
	cr_assert_eq(one[0], LANE);
	choose_inner(lane, NR_ROWS, &none, one, 1);
	cr_assert_eq(one[0], LANE);
}
