// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_dist.c - a distribution as JSON, and back
 *
 * The buckets, count, sum and extremes are the distribution; the other figures are said for
 * those who do not want to compute, and are computed anew when it is read. Only the sum of
 * squares is not in the file. The reader takes one that gives the deviation which is: bisection
 * finds it, since the deviation never falls as the sum of squares grows.
 */
#include <math.h>
#include <string.h>

#include "src/render/figure.h"
#include "src/render/json_part.h"

#define HIST_SCHEMA 5

struct quantile_field {
	const char *names[2]; /* by enum dist_unit */
	double q;
};

static const struct quantile_field quantiles[] = {
	{ { "p50_ns", "p50" }, 0.5 },	       { { "p90_ns", "p90" }, 0.9 },
	{ { "p99_ns", "p99" }, 0.99 },	       { { "p99_9_ns", "p99_9" }, 0.999 },
	{ { "p99_99_ns", "p99_99" }, 0.9999 },
};

struct dist_fields {
	const char *sum, *min, *mean, *stddev, *max;
};

static const struct dist_fields fields[] = {
	[DIST_NS] = { "sum_ns", "min_ns", "mean_ns", "stddev_ns", "max_ns" },
	[DIST_COUNT] = { "sum", "min", "mean", "stddev", "max" },
};

/* Of small counts whole numbers say too little. */
static double stddev_of(const struct hist *hist, enum dist_unit unit)
{
	double n = (double)hist->count;
	double mean = (double)hist->sum_ns / n;
	double variance;

	if (unit == DIST_NS)
		return (double)hist_stddev_ns(hist);
	if (hist->min_ns == hist->max_ns)
		return 0;
	variance = hist->sum_squares / n - mean * mean;
	return variance > 0 ? figure_round(sqrt(variance)) : 0;
}

static void emit_if(struct emit *emit, bool is_known, const char *key, uint64_t value)
{
	if (is_known)
		emit_u64(emit, key, value);
	else
		emit_null(emit, key);
}

static void emit_moments(struct emit *emit, const struct hist *hist, enum dist_unit unit)
{
	double mean = (double)hist->sum_ns / (double)hist->count;

	if (unit == DIST_NS) {
		emit_if(emit, hist->count, fields[unit].mean, hist_mean_ns(hist));
		emit_if(emit, hist->count, fields[unit].stddev, hist_stddev_ns(hist));
		return;
	}
	emit_real(emit, fields[unit].mean, hist->count ? mean : NAN);
	emit_real(emit, fields[unit].stddev, hist->count ? stddev_of(hist, unit) : NAN);
}

static void emit_quantiles(struct emit *emit, const struct hist *hist, enum dist_unit unit)
{
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t value = 0;
		bool is_known = hist->count && hist_quantile(hist, quantiles[i].q, &value);

		emit_if(emit, is_known, quantiles[i].names[unit], value);
	}
}

static void emit_buckets(struct emit *emit, const struct hist *hist)
{
	size_t first = 0;
	size_t end = hist->nr;

	while (first < end && !hist->counts[first])
		first++;
	while (end > first && !hist->counts[end - 1])
		end--;
	emit_open(emit, "histogram", '{');
	emit_u64(emit, "schema", HIST_SCHEMA);
	emit_u64(emit, "zero_count", hist->zero_count);
	emit_u64(emit, "offset", end > first ? hist->offset + first : 0);
	emit_u64s(emit, "counts", end > first ? &hist->counts[first] : NULL, end - first);
	emit_close(emit, '}');
}

void emit_dist(struct emit *emit, const char *key, const struct hist *hist, enum dist_unit unit)
{
	emit_open_flat(emit, key, '{');
	emit_u64(emit, "count", hist->count);
	emit_u64(emit, fields[unit].sum, hist->sum_ns);
	emit_if(emit, hist->count, fields[unit].min, hist->min_ns);
	emit_moments(emit, hist, unit);
	emit_quantiles(emit, hist, unit);
	emit_if(emit, hist->count, fields[unit].max, hist->max_ns);
	emit_buckets(emit, hist);
	emit_null(emit, "doubt");
	emit_close(emit, '}');
}

static void get_buckets(struct get *get, struct hist *hist)
{
	size_t nr;

	if (!get_enter(get, "histogram"))
		return;
	if (get_u64(get, "schema") != HIST_SCHEMA)
		get_fail(get, "schema", "not 5");
	hist->zero_count = get_u64(get, "zero_count");
	hist->offset = (uint16_t)get_u64_max(get, "offset", HIST_NR_BUCKETS - 1);
	if (get_enter_array(get, "counts", HIST_NR_BUCKETS - hist->offset, &nr)) {
		get_leave(get);
		hist->counts = get_allocate(get, nr, sizeof(*hist->counts));
		hist->nr = hist->room = hist->counts ? (uint16_t)nr : 0;
		get_u64s(get, "counts", hist->counts, hist->nr, 0);
	}
	get_leave(get);
}

/* The least double for which the deviation is at least `wanted`; positive doubles have the
 * order of their bits. */
static void find_squares(struct hist *hist, enum dist_unit unit, double wanted)
{
	uint64_t low = 0;
	uint64_t high;
	double top = (double)hist->count * 0x1.ffffffp127; /* a deviation just below 2^64 */

	memcpy(&high, &top, sizeof(high));
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		memcpy(&hist->sum_squares, &middle, sizeof(middle));
		if (stddev_of(hist, unit) >= wanted)
			high = middle;
		else
			low = middle + 1;
	}
	memcpy(&hist->sum_squares, &high, sizeof(high));
}

static bool is_consistent(const struct hist *hist)
{
	uint64_t count = hist->zero_count;

	for (unsigned int i = 0; i < hist->nr; i++)
		if (__builtin_add_overflow(count, hist->counts[i], &count))
			return false;
	return count == hist->count && (!count || hist->min_ns <= hist->max_ns);
}

void get_dist(struct get *get, const char *key, struct hist *hist, enum dist_unit unit)
{
	double stddev;

	hist_init(hist);
	if (!get_enter(get, key))
		return;
	hist->count = get_u64(get, "count");
	hist->sum_ns = get_u64(get, fields[unit].sum);
	hist->min_ns = get_u64_or(get, fields[unit].min, UINT64_MAX);
	hist->max_ns = get_u64(get, fields[unit].max);
	stddev = unit == DIST_NS ? (double)get_u64(get, fields[unit].stddev) :
				   get_real(get, fields[unit].stddev);
	get_buckets(get, hist);
	if (!get->err && !is_consistent(hist))
		get_fail(get, NULL, "its counts do not make its count");
	if (!get->err && hist->count && stddev > 0)
		find_squares(hist, unit, stddev);
	get_leave(get);
}
