// SPDX-License-Identifier: BSD-2-Clause
/*
 * ladder.c - the ladders norm, p99 and p99.99: a mean per step over a band of lead-time rank
 *
 * A band is of ranks (lo n, hi n]; every bucket that holds one of them belongs to it whole.
 * Integer arithmetic in parts per 100 000, so that 100 000 items are enough for p99.99.
 */
#include "src/map/by_lead.h"

#include <string.h>

#define PARTS 100000
#define MIN_RANKS 10

static const struct band {
	uint32_t lo;
	uint32_t hi;
} bands[] = {
	[LADDER_NORM] = { 25000, 75000 },
	[LADDER_P99] = { 98500, 99500 },
	[LADDER_P99_99] = { 99985, 99995 },
};
_Static_assert(sizeof(bands) / sizeof(bands[0]) == LADDER_NR, "a band is missing");

static uint64_t rank(uint64_t n, uint32_t parts)
{
	return (uint64_t)((unsigned __int128)n * parts / PARTS);
}

struct sums {
	uint64_t items;
	uint64_t lead_ns;
	uint64_t step_ns[VSM_MAX_STEPS];
};

static void add_row(struct sums *sums, const struct family *family, size_t row)
{
	const struct by_lead *by_lead = &family->by_lead;

	sums->items += by_lead->items[row];
	sums->lead_ns += by_lead->lead_sum_ns[row];
	for (size_t s = 0; s < family->nr_steps; s++)
		sums->step_ns[s] += by_lead->sum_ns[row * family->nr_steps + s];
}

static void read_ladder(struct ladder *self, const struct family *family, const struct band *band)
{
	uint64_t n = family->lead_time.count;
	uint64_t first = rank(n, band->lo) + 1, last = rank(n, band->hi);
	uint64_t seen = family->lead_time.zero_count;
	struct sums sums = { 0 };

	memset(self, 0, sizeof(*self));
	if (last + 1 < first + MIN_RANKS)
		return;
	if (first <= seen)
		sums.items = seen;
	for (size_t row = 0; row < family->by_lead.nr && seen < last; row++) {
		seen += family->by_lead.items[row];
		if (seen >= first)
			add_row(&sums, family, row);
	}
	if (sums.items == 0)
		return;
	self->is_known = true;
	self->items = sums.items;
	self->lead_mean_ns = sums.lead_ns / sums.items;
	for (size_t s = 0; s < family->nr_steps; s++)
		self->step_mean_ns[s] = sums.step_ns[s] / sums.items;
}

void ladders_read(struct family *family)
{
	for (unsigned int i = 0; i < LADDER_NR; i++)
		read_ladder(&family->ladders[i], family, &bands[i]);
}
