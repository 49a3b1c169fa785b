// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_ran.c - the busiest of those who ran instead
 */
#include <criterion/criterion.h>

#include "src/map/ran.h"

Test(ran, times_of_one_thread_add_and_the_busiest_comes_first)
{
	struct ran_instead top[VSM_MAX_RAN];
	struct ran ran = { 0 };

	ran_add(&ran, 5, 10);
	ran_add(&ran, 6, 25);
	ran_add(&ran, 5, 20);
	cr_assert_eq(ran_top(&ran, top), 2);
	cr_assert_eq(top[0].pid, 5);
	cr_assert_eq(top[0].sum_ns, 30);
	cr_assert_eq(top[1].pid, 6);
}

Test(ran, equals_are_in_order_of_their_number)
{
	struct ran_instead top[VSM_MAX_RAN];
	struct ran ran = { 0 };

	ran_add(&ran, 9, 10);
	ran_add(&ran, 0, 10);
	cr_assert_eq(ran_top(&ran, top), 2);
	cr_assert_eq(top[0].pid, 0);
}

Test(ran, passers_by_do_not_push_out_the_busy)
{
	struct ran_instead top[VSM_MAX_RAN];
	struct ran ran = { 0 };

	for (uint32_t i = 0; i < 10000; i++) {
		ran_add(&ran, 1 + i % 8, 100);
		ran_add(&ran, 1000 + i, 1);
	}
	cr_assert_eq(ran_top(&ran, top), VSM_MAX_RAN);
	for (uint32_t i = 0; i < 8; i++) {
		cr_assert_eq(top[i].pid, i + 1);
		cr_assert_eq(top[i].sum_ns, 125000);
	}
}
