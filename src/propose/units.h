/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * units.h - functions that an item enters more than once, and all of them equally often. Pure
 *
 * Three messages in a packet: what works on each of them is entered three times as often as what
 * works on the packet.
 */
#ifndef GEMBA_PROPOSE_UNITS_H
#define GEMBA_PROPOSE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_MIN_PER_ITEM 1.5
#define UNITS_MAX_PER_ITEM 64

struct unit_row {
	uint32_t row; /* the caller's */
	double per_item;
};

struct unit {
	double per_item; /* mean of its rows */
	size_t from, nr; /* of the sorted rows */
};

/*
 * Sorts rows by per_item and groups those that differ by no more than a fifth. Returns how many
 * units there are, the least entered first, at most max.
 */
size_t units_group(struct unit_row *rows, size_t nr, struct unit *units, size_t max);

#endif
