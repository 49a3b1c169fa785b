/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * items_row.h - one item as a row of text, csv or json, and its figures by name
 */
#ifndef GEMBA_ITEMS_ROW_H
#define GEMBA_ITEMS_ROW_H

#include <stdio.h>

#include "src/correlate/journey.h"
#include "src/reason/expr.h"

struct items_format {
	const char *name;
	void (*head)(FILE *out);
	void (*row)(const struct journey *journey, uint64_t number, FILE *out);
	void (*tail)(FILE *out);
};

/* By the name -f takes; never NULL for one the option table has let through. */
const struct items_format *items_format(const char *name);
/* First to last station, 0: there is none (partial, dropped, one station). */
uint64_t items_lead_ns(const struct journey *journey);
/* The figure that an EXPR_OF_ITEM names; NAN: this item has none. */
double items_value(const struct journey *journey, const struct expr *expr);

#endif
