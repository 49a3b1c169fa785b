/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * items_row.h - one item as a row of text, csv or json, and its figures by name
 */
#ifndef GEMBA_ITEMS_ROW_H
#define GEMBA_ITEMS_ROW_H

#include <stdio.h>

#include "src/collect/capture.h"
#include "src/correlate/journey.h"
#include "src/reason/expr.h"

/* What the trace calls its stages. */
struct items_names {
	char *stages[GEMBA_MAX_STAGES];
	size_t nr_stages;
};

struct items_format {
	const char *name;
	void (*head)(const struct items_names *names, FILE *out);
	void (*row)(const struct items_names *names, const struct journey *journey, uint64_t number,
		    FILE *out);
	void (*tail)(FILE *out);
};

/* Copies them. 0 or -ENOMEM; items_names_fini either way. */
int items_names_read(struct items_names *self, const struct capture *capture);
void items_names_fini(struct items_names *self);
/* Of a built-in station or a stage; never NULL. */
const char *items_station(const struct items_names *self, unsigned int station);

/* By the name -f takes; never NULL for one the option table has let through. */
const struct items_format *items_format(const char *name);
/* First to last station, 0: there is none (partial, dropped, one station). */
uint64_t items_lead_ns(const struct journey *journey);
/* The figure that an EXPR_OF_ITEM names; NAN: this item has none. */
double items_value(const struct items_names *names, const struct journey *journey,
		   const struct expr *expr);

#endif
