// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_units.c - functions grouped by how often an item enters them
 */
#include <criterion/criterion.h>

#include "src/propose/units.h"

static struct unit units[4];

Test(units, what_is_entered_once_per_item_is_no_unit)
{
	struct unit_row rows[] = { { 0, 1 }, { 1, 1.2 }, { 2, 0.3 } };

	cr_assert_eq(units_group(rows, 3, units, 4), 0);
	cr_assert_eq(units_group(NULL, 0, units, 4), 0);
}

Test(units, what_is_entered_equally_often_is_one)
{
	struct unit_row rows[] = { { 0, 3.01 }, { 1, 1 }, { 2, 11 }, { 3, 2.99 }, { 4, 3 } };

	cr_assert_eq(units_group(rows, 5, units, 4), 2);
	cr_assert_eq(units[0].nr, 3);
	cr_assert_float_eq(units[0].per_item, 3, 0.001);
	cr_assert_eq(rows[units[0].from].row, 3);
	cr_assert_eq(rows[units[0].from + 1].row, 4);
	cr_assert_eq(rows[units[0].from + 2].row, 0);
	cr_assert_eq(units[1].nr, 1);
	cr_assert_eq(rows[units[1].from].row, 2);
}

Test(units, what_is_entered_hundreds_of_times_is_none)
{
	struct unit_row rows[] = { { 0, 300 }, { 1, 65 }, { 2, 64 } };

	cr_assert_eq(units_group(rows, 3, units, 4), 1);
	cr_assert_float_eq(units[0].per_item, 64.5, 0.001);
}

Test(units, no_more_are_given_than_there_is_room_for)
{
	struct unit_row rows[] = { { 0, 2 }, { 1, 4 }, { 2, 8 } };

	cr_assert_eq(units_group(rows, 3, units, 2), 2);
	cr_assert_float_eq(units[1].per_item, 4, 0.001);
}
