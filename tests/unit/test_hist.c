// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_hist.c - buckets against powl(), quantiles against sorted arrays
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "src/map/hist.h"

static uint64_t state = 88172645463325252ULL;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Values of all magnitudes. */
static uint64_t draw_wide(void)
{
	uint64_t value = draw() >> draw() % 64;

	return value ? value : 1;
}

static long double bound(unsigned int k)
{
	return powl(2.0L, (long double)k / 32);
}

static void assert_in_bucket(uint64_t value, unsigned int k)
{
	/* The value just below a bound is told from it by long double's 64 bits or not at all. */
	cr_assert((long double)value <= bound(k) * (1 + 1e-18L), "%lu is above %u", value, k);
	if (k > 0)
		cr_assert((long double)value > bound(k - 1) * (1 - 1e-18L), "%lu is below %u",
			  value, k);
}

static void fill(struct hist *hist, uint64_t *values, size_t nr, uint64_t (*next)(void))
{
	hist_init(hist);
	for (size_t i = 0; i < nr; i++) {
		values[i] = next();
		cr_assert_eq(hist_add(hist, values[i]), 0);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(hist, one_is_in_bucket_0_and_a_power_of_two_tops_its_bucket)
{
	for (unsigned int e = 0; e < 64; e++) {
		cr_assert_eq(hist_bucket(1ULL << e), 32 * e);
		cr_assert_eq(hist_bucket_top_ns(32 * e), 1ULL << e);
	}
	for (unsigned int e = 6; e < 64; e++)
		cr_assert_eq(hist_bucket((1ULL << e) + 1), 32 * e + 1);
	cr_assert_eq(hist_bucket(UINT64_MAX), HIST_NR_BUCKETS - 1);
	cr_assert_eq(hist_bucket_top_ns(HIST_NR_BUCKETS - 1), UINT64_MAX);
}

Test(hist, a_bound_belongs_to_the_bucket_below_it)
{
	for (unsigned int k = 200; k + 1 < HIST_NR_BUCKETS; k++) {
		uint64_t top = hist_bucket_top_ns(k);

		cr_assert_eq(hist_bucket(top), k);
		cr_assert_eq(hist_bucket(top + 1), k + 1);
	}
}

Test(hist, every_value_is_between_the_bounds_of_its_bucket)
{
	for (uint64_t value = 1; value < 100000; value++)
		assert_in_bucket(value, hist_bucket(value));
	for (int i = 0; i < 1000000; i++) {
		uint64_t value = draw_wide();

		assert_in_bucket(value, hist_bucket(value));
	}
}

Test(hist, the_midpoint_is_off_by_1_1_percent_at_most)
{
	for (int i = 0; i < 1000000; i++) {
		uint64_t value = draw_wide();
		long double mid = hist_bucket_mid_ns(hist_bucket(value));

		/* Half a nanosecond is lost to the integer. */
		cr_assert(fabsl(mid - value) <= 0.011L * value + 0.5L, "%lu -> %Lf", value, mid);
	}
}

Test(hist, small_values_have_a_bucket_of_their_own)
{
	for (uint64_t value = 1; value <= 44; value++)
		cr_assert_eq(hist_bucket_mid_ns(hist_bucket(value)), value);
}

Test(hist, sums_are_exact_and_zeros_are_counted_apart)
{
	struct hist hist;

	hist_init(&hist);
	hist_add(&hist, 0);
	hist_add_n(&hist, 0, 2);
	hist_add(&hist, 10);
	hist_add_n(&hist, 20, 3);
	hist_add_n(&hist, 5, 0);
	cr_assert_eq(hist.count, 7);
	cr_assert_eq(hist.zero_count, 3);
	cr_assert_eq(hist.sum_ns, 70);
	cr_assert_eq(hist.min_ns, 0);
	cr_assert_eq(hist.max_ns, 20);
	cr_assert_eq(hist_mean_ns(&hist), 10);
	cr_assert_eq(hist_stddev_ns(&hist), 9, "population deviation of 0 0 0 10 20 20 20 is 9.3");
	hist_fini(&hist);
}

Test(hist, an_empty_one_has_no_mean_and_no_quantile)
{
	struct hist hist;
	uint64_t value = 7;

	hist_init(&hist);
	cr_assert_eq(hist_mean_ns(&hist), 0);
	cr_assert_eq(hist_stddev_ns(&hist), 0);
	cr_assert_not(hist_quantile(&hist, 0.5, &value));
	cr_assert_eq(value, 7);
}

Test(hist, only_the_span_in_use_is_kept)
{
	struct hist hist;

	hist_init(&hist);
	hist_add(&hist, 1 << 20);
	cr_assert_eq(hist.nr, 1);
	hist_add(&hist, 1 << 22);
	hist_add(&hist, 1 << 19);
	cr_assert_eq(hist.offset, 19 * 32);
	cr_assert_eq(hist.nr, 3 * 32 + 1);
	cr_assert_eq(hist.counts[0], 1);
	cr_assert_eq(hist.counts[32], 1);
	cr_assert_eq(hist.counts[96], 1);
	hist_fini(&hist);
}

static bool has_quantile(size_t nr, double q)
{
	struct hist hist;
	uint64_t value;
	bool has;

	hist_init(&hist);
	hist_add_n(&hist, 1000, nr);
	has = hist_quantile(&hist, q, &value);
	hist_fini(&hist);
	return has;
}

Test(hist, a_quantile_needs_ten_values_beyond_it)
{
	static const struct {
		double q;
		size_t nr;
	} rows[] = { { 0.5, 20 },    { 0.25, 20 },     { 0.9, 100 },
		     { 0.99, 1000 }, { 0.999, 10000 }, { 0.9999, 100000 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert(has_quantile(rows[i].nr, rows[i].q), "%f", rows[i].q);
		cr_assert_not(has_quantile(rows[i].nr - 1, rows[i].q), "%f", rows[i].q);
	}
}

Test(hist, a_quantile_is_the_nearest_rank_within_1_1_percent)
{
	static const double qs[] = { 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999 };
	static uint64_t values[12345];
	const size_t nr = sizeof(values) / sizeof(values[0]);
	struct hist hist;

	fill(&hist, values, nr, draw_wide);
	qsort(values, nr, sizeof(values[0]), by_value);
	for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		uint64_t want = values[(size_t)ceil(qs[i] * nr) - 1], got;

		cr_assert(hist_quantile(&hist, qs[i], &got));
		cr_assert(fabsl((long double)got - want) <= 0.011L * want + 0.5L, "%f: %lu for %lu",
			  qs[i], got, want);
	}
	hist_fini(&hist);
}

Test(hist, a_quantile_stays_between_minimum_and_maximum)
{
	struct hist hist;
	uint64_t value;

	hist_init(&hist);
	hist_add_n(&hist, 1000001, 1000);
	cr_assert(hist_quantile(&hist, 0.99, &value));
	cr_assert_eq(value, 1000001);
	hist_add_n(&hist, 0, 3000);
	cr_assert(hist_quantile(&hist, 0.5, &value));
	cr_assert_eq(value, 0);
	hist_fini(&hist);
}

static void assert_same(const struct hist *a, const struct hist *b)
{
	cr_assert_eq(a->count, b->count);
	cr_assert_eq(a->zero_count, b->zero_count);
	cr_assert_eq(a->sum_ns, b->sum_ns);
	cr_assert_eq(a->min_ns, b->min_ns);
	cr_assert_eq(a->max_ns, b->max_ns);
	cr_assert_eq(a->offset, b->offset);
	cr_assert_eq(a->nr, b->nr);
	cr_assert_arr_eq(a->counts, b->counts, a->nr * sizeof(*a->counts));
	cr_assert_float_eq(a->sum_squares, b->sum_squares, 1e-12 * a->sum_squares);
}

static uint64_t draw_latency(void)
{
	return draw() % 8 ? 1000 + draw() % 100000 : draw() % 3;
}

Test(hist, merging_is_adding)
{
	static uint64_t left[3000], right[2000];
	struct hist a, b, all;

	fill(&a, left, 3000, draw_latency);
	fill(&b, right, 2000, draw_wide);
	hist_init(&all);
	for (size_t i = 0; i < 3000; i++)
		hist_add(&all, left[i]);
	for (size_t i = 0; i < 2000; i++)
		hist_add(&all, right[i]);
	cr_assert_eq(hist_merge(&a, &b), 0);
	assert_same(&a, &all);
	hist_fini(&a);
	hist_fini(&b);
	hist_fini(&all);
}

Test(hist, merging_with_an_empty_one_changes_nothing)
{
	static uint64_t values[100];
	struct hist a, b, empty;

	fill(&a, values, 100, draw_latency);
	hist_init(&b);
	hist_init(&empty);
	cr_assert_eq(hist_merge(&b, &a), 0);
	cr_assert_eq(hist_merge(&b, &empty), 0);
	assert_same(&a, &b);
	hist_fini(&a);
	hist_fini(&b);
}
