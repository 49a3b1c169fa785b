// SPDX-License-Identifier: BSD-2-Clause
/*
 * metric.c - where each figure of the JSON map lives in struct vsm
 *
 * One row per name and level; a condition can ask for every row, and only for those. A figure
 * that the map does not have is NAN with a reason, never 0.
 */
#include "src/reason/metric.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROW(n, l, t, place) .name = n, .level = l, .type = METRIC_##t, .offset = place
#define MAP(name, type, field) ROW(name, METRIC_OF_MAP, type, offsetof(struct vsm, field))
#define FAMILY(name, type, field) ROW(name, METRIC_OF_FAMILY, type, offsetof(struct family, field))
#define STEP(name, type, field) ROW(name, METRIC_OF_STEP, type, offsetof(struct step, field))
#define ITEM(name) ROW(name, METRIC_OF_ITEM, NOWHERE, 0)
#define TIME .is_time = true
#define PART .is_time = true, .needs_parts = true
#define NULL_WHEN .null_when =

static const struct metric metrics[] = {
	{ MAP("in_flight_start", U64, account.in_flight_start) },
	{ MAP("items_in", U64, account.in) },
	{ MAP("items_originated", U64, account.originated) },
	{ MAP("items_out", U64, account.by_outcome[OUTCOME_OUT]) },
	{ MAP("items_ended", U64, account.by_outcome[OUTCOME_ENDED]) },
	{ MAP("items_merged", U64, account.by_outcome[OUTCOME_MERGED]) },
	{ MAP("items_dropped", U64, account.by_outcome[OUTCOME_DROPPED]) },
	{ MAP("items_unobserved", U64, account.by_outcome[OUTCOME_UNOBSERVED]) },
	{ MAP("in_flight_end", U64, account.by_outcome[OUTCOME_IN_FLIGHT]) },
	{ MAP("items_partial", U64, account.partial) },
	{ MAP("items_warmup", U64, account.warmup) },
	{ MAP("attributed.key", U64, account.attributed[ATTRIBUTED_KEY]) },
	{ MAP("attributed.connection", U64, account.attributed[ATTRIBUTED_CONNECTION]) },
	{ MAP("attributed.thread", U64, account.attributed[ATTRIBUTED_THREAD]) },
	{ MAP("attributed.guessed", U64, account.attributed[ATTRIBUTED_GUESSED]) },
	{ MAP("events", U64, account.events) },
	{ MAP("events_lost", U64, account.lost) },
	{ MAP("unmapped", U64, unmapped_ns), TIME },
	{ MAP("observer.path_ns_per_item", U64, observer_path_ns_per_item), TIME,
	  NULL_WHEN "it was not measured" },
	{ MAP("observer.cpu_ratio", DOUBLE, observer_cpu_ratio), NULL_WHEN "it was not measured" },
	{ MAP("observer.rss_bytes", U64, capture.observer_rss_bytes) },

	{ FAMILY("items", U64, items) },
	{ FAMILY("rate_hz", DOUBLE, rate_hz), NULL_WHEN "the window has no length" },
	{ FAMILY("takt_declared", U64, takt_declared_ns), TIME, NULL_WHEN "none is declared" },
	{ FAMILY("takt_mean", U64, takt_mean_ns), TIME, NULL_WHEN "no items came in" },
	{ FAMILY("takt_peak_1ms", U64, takt_peak_1ms_ns), TIME, NULL_WHEN "no items came in" },
	{ FAMILY("lead_time", HIST, lead_time), TIME },
	{ FAMILY("process_time", HIST, process_time), TIME },
	{ FAMILY("transport_time", HIST, transport_time), TIME },
	{ FAMILY("wait_time", HIST, wait_time), TIME },
	{ FAMILY("time_to_last_output", HIST, time_to_last_output), TIME },
	{ FAMILY("outputs", HIST, outputs) },
	{ FAMILY("activity_ratio", DOUBLE, activity_ratio), NULL_WHEN "no process time is known" },
	{ FAMILY("pce_ratio", DOUBLE, pce_ratio), NULL_WHEN "the stages' value is not declared" },
	{ FAMILY("pce_min_ratio", DOUBLE, pce_min_ratio),
	  NULL_WHEN "the stages' value is not declared" },
	{ FAMILY("pce_max_ratio", DOUBLE, pce_max_ratio),
	  NULL_WHEN "the stages' value is not declared" },
	{ FAMILY("rolled_complete_and_accurate_ratio", DOUBLE, rolled_complete_and_accurate_ratio),
	  NULL_WHEN "nothing here can tell defects" },

	{ STEP("items", U64, items) },
	{ STEP("time", HIST, time), TIME },
	{ STEP("on_cpu", HIST, on_cpu), PART },
	{ STEP("run_queue", HIST, run_queue), PART },
	{ STEP("blocked", HIST, blocked), PART },
	{ STEP("busy_item", HIST, busy_item), PART },
	{ STEP("busy_other", HIST, busy_other), PART },
	{ STEP("visits", HIST, visits) },
	{ STEP("threads", U32, threads) },
	{ STEP("cpus", U32, cpus) },
	{ STEP("preemptions", U64, preemptions), .needs_parts = true },
	{ STEP("utilisation_ratio", DOUBLE, utilisation_ratio),
	  NULL_WHEN "its thread's time is not known" },
	{ STEP("cycle_time", HIST, cycle_time), TIME },
	{ STEP("inventory.mean", DOUBLE, inventory_mean), NULL_WHEN "the window has no length" },
	{ STEP("inventory.max", U64, inventory_max) },
	{ STEP("inventory.counted_mean", DOUBLE, inventory_counted_mean),
	  NULL_WHEN "nothing counted it independently" },
	{ STEP("lead_time_share_ratio", DOUBLE, lead_time_share_ratio),
	  NULL_WHEN "there is no lead time" },
	{ STEP("complete_and_accurate_ratio", DOUBLE, complete_and_accurate_ratio),
	  NULL_WHEN "nothing here can tell defects" },
	{ STEP("defects.drops", U64, drops) },
	{ STEP("defects.retransmits", U64, retransmits) },

	{ ITEM("lead_time"), TIME },
	{ ITEM("time_to_last_output"), TIME },
	{ ITEM("outputs") },
	{ ITEM("bytes_in") },
	{ ITEM("bytes_out") },
	{ ITEM("merges") },
	{ ITEM("retransmits") },
	{ ITEM("time"), TIME },
	{ ITEM("on_cpu"), TIME },
	{ ITEM("run_queue"), TIME },
	{ ITEM("blocked"), TIME },
	{ ITEM("busy_item"), TIME },
	{ ITEM("busy_other"), TIME },
};

static const struct {
	const char *name;
	double q;
	uint64_t nr_needed;
} stats[STAT_NR] = {
	[STAT_NONE] = { "", 0, 0 },
	[STAT_COUNT] = { "count", 0, 0 },
	[STAT_SUM] = { "sum", 0, 0 },
	[STAT_MIN] = { "min", 0, 1 },
	[STAT_MEAN] = { "mean", 0, 1 },
	[STAT_STDDEV] = { "stddev", 0, 1 },
	[STAT_P50] = { "p50", 0.5, 20 },
	[STAT_P90] = { "p90", 0.9, 100 },
	[STAT_P99] = { "p99", 0.99, 1000 },
	[STAT_P99_9] = { "p99_9", 0.999, 10000 },
	[STAT_P99_99] = { "p99_99", 0.9999, 100000 },
	[STAT_MAX] = { "max", 0, 1 },
};

/* A name as given is this one, or this one and its unit. */
static bool is_named(const char *given, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(given, name, length) && (!given[length] || !strcmp(given + length, "_ns"));
}

const struct metric *metric_nth(unsigned int levels, size_t n)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		if ((metrics[i].level & levels) && n-- == 0)
			return &metrics[i];
	return NULL;
}

const struct metric *metric_find(const char *name, unsigned int levels)
{
	const struct metric *metric;

	for (size_t n = 0; (metric = metric_nth(levels, n)); n++)
		if (metric->is_time ? is_named(name, metric->name) : !strcmp(name, metric->name))
			return metric;
	return NULL;
}

bool metric_is_of_step(const char *name, unsigned int levels)
{
	return (levels & METRIC_OF_STEP) && !metric_find(name, levels & ~METRIC_OF_STEP);
}

const char *stat_name(enum expr_stat stat)
{
	return stats[stat].name;
}

enum expr_stat stat_find(const char *name)
{
	for (enum expr_stat stat = STAT_COUNT; stat < STAT_NR; stat++)
		if (is_named(name, stats[stat].name))
			return stat;
	return STAT_NONE;
}

static double quantile(const struct hist *hist, enum expr_stat stat)
{
	uint64_t value_ns;

	return hist_quantile(hist, stats[stat].q, &value_ns) ? (double)value_ns : NAN;
}

static double hist_get(const struct hist *hist, enum expr_stat stat, char *why, size_t why_bytes)
{
	if (hist->count < stats[stat].nr_needed) {
		snprintf(why, why_bytes, "it needs %" PRIu64 " items and has %" PRIu64,
			 stats[stat].nr_needed, hist->count);
		return NAN;
	}
	switch (stat) {
	case STAT_COUNT:
		return (double)hist->count;
	case STAT_SUM:
		return (double)hist->sum_ns;
	case STAT_MIN:
		return (double)hist->min_ns;
	case STAT_MEAN:
		return (double)hist_mean_ns(hist);
	case STAT_STDDEV:
		return (double)hist_stddev_ns(hist);
	case STAT_MAX:
		return (double)hist->max_ns;
	default:
		return quantile(hist, stat);
	}
}

static double u64_get(const struct metric *self, uint64_t value)
{
	bool is_null = value == UINT64_MAX || (self->level == METRIC_OF_FAMILY && !value);

	return self->null_when && is_null ? NAN : (double)value;
}

double metric_get(const struct metric *self, enum expr_stat stat, const void *of, char *why,
		  size_t why_bytes)
{
	const void *field = (const char *)of + self->offset;

	if (self->needs_parts && !((const struct step *)of)->has_parts) {
		snprintf(why, why_bytes, "its thread's time is not known");
		return NAN;
	}
	snprintf(why, why_bytes, "%s", self->null_when ?: "");
	switch (self->type) {
	case METRIC_HIST:
		return hist_get(field, stat, why, why_bytes);
	case METRIC_U64:
		return u64_get(self, *(const uint64_t *)field);
	case METRIC_U32:
		return *(const uint32_t *)field;
	case METRIC_DOUBLE:
		return *(const double *)field;
	case METRIC_NOWHERE:
		break;
	}
	return NAN;
}
