// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_distinct.c - how many different numbers
 */
#include <criterion/criterion.h>

#include "src/map/distinct.h"

Test(distinct, each_counts_once_in_any_order)
{
	struct distinct set = { 0 };

	for (unsigned int round = 0; round < 3; round++)
		for (uint32_t i = 0; i < 500; i++)
			cr_assert_eq(distinct_add(&set, i * 7919 % 500 * 64), 0);
	cr_assert_eq(set.nr, 500);
	distinct_fini(&set);
}

Test(distinct, zero_is_a_number)
{
	struct distinct set = { 0 };

	distinct_add(&set, 0);
	distinct_add(&set, 0);
	cr_assert_eq(set.nr, 1);
	distinct_fini(&set);
}

Test(distinct, counts_no_further_than_its_bound)
{
	struct distinct set = { 0 };

	for (uint32_t i = 0; i < 10000; i++)
		cr_assert_eq(distinct_add(&set, i), 0);
	cr_assert_eq(set.nr, DISTINCT_MAX);
	cr_assert_leq(set.room, 2 * DISTINCT_MAX);
	distinct_fini(&set);
}
