// SPDX-License-Identifier: BSD-2-Clause
/*
 * units.c - groups by rate
 *
 * Counts of one round are of the same moments, so what is entered in turn differs by no more than
 * the items at its ends; counts of different rounds by what changed meanwhile.
 */
#include "src/propose/units.h"

#include <stdlib.h>

#define SPREAD 1.2 /* as much as a stage may be entered more than once, see choose.c */

static int by_rate(const void *a, const void *b)
{
	const struct unit_row *x = a, *y = b;

	if (x->per_item != y->per_item)
		return x->per_item < y->per_item ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

size_t units_group(struct unit_row *rows, size_t nr, struct unit *units, size_t max)
{
	size_t nr_units = 0;

	if (nr)
		qsort(rows, nr, sizeof(*rows), by_rate);
	for (size_t i = 0, next; i < nr && nr_units < max; i = next) {
		double sum = 0;

		for (next = i; next < nr && rows[next].per_item <= SPREAD * rows[i].per_item;
		     next++)
			sum += rows[next].per_item;
		if (rows[i].per_item >= UNITS_MIN_PER_ITEM &&
		    rows[i].per_item <= UNITS_MAX_PER_ITEM)
			units[nr_units++] = (struct unit){ sum / (double)(next - i), i, next - i };
	}
	return nr_units;
}
