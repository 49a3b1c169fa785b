// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_by_lead.c - the matrix, and ladders against items sorted by lead time
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/by_lead.h"

enum { NR_STEPS = 2 };

static uint64_t state = 88172645463325252ULL;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void begin(struct family *family, struct lead_matrix *matrix)
{
	memset(family, 0, sizeof(*family));
	memset(matrix, 0, sizeof(*matrix));
	family->nr_steps = matrix->nr_steps = NR_STEPS;
	hist_init(&family->lead_time);
}

/* A third of the lead time is the first step's. */
static void add_item(struct family *family, struct lead_matrix *matrix, uint64_t lead_ns)
{
	uint64_t *row;

	hist_add(&family->lead_time, lead_ns);
	cr_assert_eq(lead_matrix_add(matrix, lead_ns, &row), 0);
	if (!row)
		return;
	row[0] += lead_ns / 3;
	row[1] += lead_ns - lead_ns / 3;
}

static void end(struct family *family, struct lead_matrix *matrix)
{
	cr_assert_eq(lead_matrix_finish(matrix, &family->by_lead), 0);
	ladders_read(family);
	lead_matrix_fini(matrix);
}

static void fini(struct family *family)
{
	family->nr_steps = 0;
	vsm_family_fini(family);
}

static void assert_means(const struct ladder *ladder, uint64_t items, uint64_t lead_ns)
{
	uint64_t sum_ns = ladder->step_mean_ns[0] + ladder->step_mean_ns[1];

	cr_assert(ladder->is_known);
	cr_assert_eq(ladder->items, items, "%lu items", ladder->items);
	cr_assert_eq(ladder->lead_mean_ns, lead_ns, "mean %lu", ladder->lead_mean_ns);
	cr_assert(lead_ns - sum_ns < NR_STEPS, "closes but for rounding");
}

Test(by_lead, rows_are_in_order_of_lead_time_and_add_up)
{
	struct lead_matrix matrix;
	struct family family;
	uint64_t items = 0, lead_ns = 0, sum_ns = 0;

	begin(&family, &matrix);
	for (int i = 0; i < 10000; i++)
		add_item(&family, &matrix, 1 + draw(1ULL << draw(40)));
	end(&family, &matrix);
	for (size_t row = 0; row < family.by_lead.nr; row++) {
		if (row > 0)
			cr_assert_gt(family.by_lead.lead_bucket[row],
				     family.by_lead.lead_bucket[row - 1]);
		items += family.by_lead.items[row];
		lead_ns += family.by_lead.lead_sum_ns[row];
		sum_ns += family.by_lead.sum_ns[row * NR_STEPS] +
			  family.by_lead.sum_ns[row * NR_STEPS + 1];
	}
	cr_assert_eq(items, 10000);
	cr_assert_eq(lead_ns, family.lead_time.sum_ns);
	cr_assert_eq(sum_ns, lead_ns);
	fini(&family);
}

Test(ladder, norm_is_the_mean_over_the_middle_half)
{
	struct lead_matrix matrix;
	struct family family;

	begin(&family, &matrix);
	for (int i = 0; i < 10; i++) {
		add_item(&family, &matrix, 1000);
		add_item(&family, &matrix, 1000000);
	}
	for (int i = 0; i < 20; i++)
		add_item(&family, &matrix, 30000);
	end(&family, &matrix);
	assert_means(&family.ladders[LADDER_NORM], 20, 30000);
	cr_assert_not(family.ladders[LADDER_P99].is_known);
	fini(&family);
}

Test(ladder, a_bucket_that_holds_one_rank_of_the_band_belongs_to_it_whole)
{
	struct lead_matrix matrix;
	struct family family;

	begin(&family, &matrix);
	for (int i = 0; i < 11; i++)
		add_item(&family, &matrix, 1000);
	for (int i = 0; i < 29; i++)
		add_item(&family, &matrix, 30000);
	end(&family, &matrix);
	assert_means(&family.ladders[LADDER_NORM], 40, (11 * 1000 + 29 * 30000) / 40);
	fini(&family);
}

static void assert_bands(uint64_t n, bool norm, bool p99, bool p99_99)
{
	struct lead_matrix matrix;
	struct family family;

	begin(&family, &matrix);
	for (uint64_t i = 0; i < n; i++)
		add_item(&family, &matrix, 1000);
	end(&family, &matrix);
	cr_assert_eq(family.ladders[LADDER_NORM].is_known, norm, "norm of %lu", n);
	cr_assert_eq(family.ladders[LADDER_P99].is_known, p99, "p99 of %lu", n);
	cr_assert_eq(family.ladders[LADDER_P99_99].is_known, p99_99, "p99.99 of %lu", n);
	fini(&family);
}

Test(ladder, a_band_needs_ten_ranks)
{
	assert_bands(0, false, false, false);
	assert_bands(18, false, false, false);
	assert_bands(20, true, false, false);
	assert_bands(900, true, false, false);
	assert_bands(1000, true, true, false);
	assert_bands(90000, true, true, false);
	assert_bands(100000, true, true, true);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(ladder, is_what_sorting_the_items_gives)
{
	static uint64_t leads[100000];
	struct lead_matrix matrix;
	struct family family;
	uint64_t items = 0, sum_ns = 0;
	unsigned int first, last;

	begin(&family, &matrix);
	for (size_t i = 0; i < 100000; i++) {
		leads[i] = 1000 + draw(1ULL << draw(24));
		add_item(&family, &matrix, leads[i]);
	}
	end(&family, &matrix);
	qsort(leads, 100000, sizeof(leads[0]), by_value);
	first = hist_bucket(leads[98500]);
	last = hist_bucket(leads[99499]);
	for (size_t i = 0; i < 100000; i++) {
		unsigned int k = hist_bucket(leads[i]);

		if (k < first || k > last)
			continue;
		items++;
		sum_ns += leads[i];
	}
	assert_means(&family.ladders[LADDER_P99], items, sum_ns / items);
	fini(&family);
}

Test(ladder, items_without_duration_have_no_row_and_count)
{
	struct lead_matrix matrix;
	struct family family;

	begin(&family, &matrix);
	for (int i = 0; i < 30; i++)
		add_item(&family, &matrix, 0);
	for (int i = 0; i < 10; i++)
		add_item(&family, &matrix, 4000);
	end(&family, &matrix);
	cr_assert_eq(family.by_lead.nr, 1);
	assert_means(&family.ladders[LADDER_NORM], 30, 0);
	fini(&family);
}
