// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_takt.c - the fullest aligned millisecond
 */
#include <criterion/criterion.h>

#include "src/map/takt.h"

#define MS 1000000ULL

Test(takt, nothing_has_none)
{
	struct takt takt = { 0 };

	cr_assert_eq(takt_peak_ns(&takt), 0);
}

Test(takt, milliseconds_are_aligned)
{
	struct takt takt = { 0 };

	takt_add(&takt, 7 * MS - 1);
	takt_add(&takt, 7 * MS);
	takt_add(&takt, 8 * MS - 1);
	cr_assert_eq(takt_peak_ns(&takt), MS / 2);
}

Test(takt, an_item_told_of_a_second_late_is_counted)
{
	struct takt takt = { 0 };

	takt_add(&takt, 5000 * MS);
	for (uint64_t ms = 5001; ms < 6500; ms++)
		takt_add(&takt, ms * MS);
	takt_add(&takt, 5000 * MS + 3);
	cr_assert_eq(takt_peak_ns(&takt), MS / 2);
}

Test(takt, an_item_older_than_the_ring_takes_no_slot)
{
	struct takt takt = { 0 };

	takt_add(&takt, 9000 * MS);
	takt_add(&takt, (9000 - TAKT_NR_MS) * MS);
	takt_add(&takt, 9000 * MS);
	cr_assert_eq(takt_peak_ns(&takt), MS / 2);
}
