/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metric.h - the figures of a map by the names they have in its JSON, as a table
 */
#ifndef GEMBA_REASON_METRIC_H
#define GEMBA_REASON_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "src/reason/expr.h"

enum metric_level {
	METRIC_OF_MAP = 1,
	METRIC_OF_FAMILY = 2,
	METRIC_OF_STEP = 4,
	METRIC_OF_ITEM = 8,
};

enum metric_type { METRIC_HIST, METRIC_U64, METRIC_U32, METRIC_DOUBLE, METRIC_NOWHERE };

struct metric {
	const char *name; /* without a unit suffix */
	enum metric_level level;
	enum metric_type type;
	bool is_time;
	size_t offset;	       /* into struct vsm, family or step */
	const char *null_when; /* for a value that means null: says why */
	bool needs_parts;      /* of a step: null when its parts are not known */
};

/* By name ("_ns" may follow a time's) among the levels given; NULL: none. */
const struct metric *metric_find(const char *name, unsigned int levels);
/* Whether it says nothing without a step. */
bool metric_is_of_step(const char *name, unsigned int levels);
/* The nth metric of these levels, NULL at the end. */
const struct metric *metric_nth(unsigned int levels, size_t n);
/* The figure in `of`, a struct vsm, family or step as its level says. NAN: null, and why says so. */
double metric_get(const struct metric *self, enum expr_stat stat, const void *of, char *why,
		  size_t why_bytes);
const char *stat_name(enum expr_stat stat);
/* By name, "_ns" may follow. STAT_NONE: none. */
enum expr_stat stat_find(const char *name);

#endif
