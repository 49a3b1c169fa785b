/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr.h - `PATH OP VALUE`: the conditions of --fail-if and --where
 *
 * PATH = [family.][step.]metric[.stat] in the words of the JSON map: lead_time.p99,
 * f1.process.time.p50, rx>sock.on_cpu.mean, activity_ratio, events_lost, observer.cpu_ratio.
 * A family or step is named by its id or its name; no family means the first one. The JSON's
 * unit suffix may be left out or stand (p99, p99_ns). OP is < <= > >= == or !=. VALUE is a
 * time with a unit (80us) or a plain number, as the metric wants; percentages compare two
 * maps, so they are refused here.
 *
 * What is an error in any map (no such metric, wrong unit) is found when parsing. What depends
 * on the map (no such family or step, too few items for a p99) makes the figure null.
 */
#ifndef GEMBA_REASON_EXPR_H
#define GEMBA_REASON_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "src/map/vsm.h"

#define EXPR_TEXT_BYTES 256
#define EXPR_WHY_BYTES 256

enum expr_op { EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE, EXPR_EQ, EXPR_NE, EXPR_NR_OPS };

enum expr_stat {
	STAT_NONE, /* the metric is one number */
	STAT_COUNT,
	STAT_SUM,
	STAT_MIN,
	STAT_MEAN,
	STAT_STDDEV,
	STAT_P50,
	STAT_P90,
	STAT_P99,
	STAT_P99_9,
	STAT_P99_99,
	STAT_MAX,
	STAT_NR,
};

/* What the path is about: a map has all of it, a single item has no distributions. */
enum expr_subject { EXPR_OF_MAP, EXPR_OF_ITEM };

struct expr {
	char text[EXPR_TEXT_BYTES];  /* as the user gave it, trimmed */
	char scope[EXPR_TEXT_BYTES]; /* what stands before the metric; "": nothing */
	const char *metric;	     /* static, without a unit suffix: "lead_time" */
	enum expr_stat stat;
	enum expr_op op;
	bool is_time; /* value is in ns */
	double value;
};

enum expr_verdict { EXPR_FALSE, EXPR_TRUE, EXPR_NULL };

struct expr_result {
	enum expr_verdict verdict;
	double value; /* the map's figure; NAN: null */
	/* "lead_time.p99 of f1 is 93.1us", or why it is null; for a message */
	char why[EXPR_WHY_BYTES];
};

/* 0; -EINVAL with one sentence in why (EXPR_WHY_BYTES) that quotes what is wrong. */
int expr_parse(struct expr *out, const char *text, enum expr_subject subject, char *why);
/*
 * The condition on a map. A null figure is never a false one: a gate counts it as failing,
 * because what cannot be told has not been shown to be good.
 */
void expr_eval(const struct expr *self, const struct vsm *vsm, struct expr_result *result);
/* `value` OP VALUE, for subjects other than a map. NAN compares false, != included. */
bool expr_compare(const struct expr *self, double value);

#endif
