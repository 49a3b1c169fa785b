// SPDX-License-Identifier: BSD-2-Clause
/*
 * blocks.c - counts and sums per time block, and how blocks join
 *
 * Everything in a block adds (or, for the number in flight, takes the larger), so a block of
 * double width is exactly what it would have been had the width been double from the start.
 * The lead times of each block are a histogram of their own; those are what costs memory, so
 * a family can give them up and then has no percentiles per block.
 */
#include "src/map/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void grid_init(struct grid *self, uint64_t start_ns)
{
	self->start_ns = self->block_ns = start_ns;
	self->width_ns = GRID_FIRST_WIDTH_NS;
	self->block = 0;
}

void grid_double(struct grid *self)
{
	self->width_ns *= 2;
	self->block_ns = self->start_ns;
	self->block = 0;
}

unsigned int grid_look_up(struct grid *self, uint64_t at_ns)
{
	if (at_ns < self->start_ns)
		return 0;
	self->block = (at_ns - self->start_ns) / self->width_ns;
	self->block_ns = self->start_ns + self->block * self->width_ns;
	return self->block;
}

struct block_sums *block_sums_new(size_t nr_steps)
{
	struct block_sums *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->nr_steps = nr_steps;
	self->leads = calloc(VSM_MAX_BLOCKS, sizeof(*self->leads));
	self->sum_ns = calloc(VSM_MAX_BLOCKS * nr_steps + 1, sizeof(*self->sum_ns));
	if (!self->leads || !self->sum_ns) {
		block_sums_free(self);
		return NULL;
	}
	for (size_t i = 0; i < VSM_MAX_BLOCKS; i++)
		hist_init(&self->leads[i]);
	return self;
}

void block_sums_free(struct block_sums *self)
{
	if (!self)
		return;
	block_sums_drop_leads(self);
	free(self->sum_ns);
	free(self);
}

void block_sums_drop_leads(struct block_sums *self)
{
	for (size_t i = 0; self->leads && i < VSM_MAX_BLOCKS; i++)
		hist_fini(&self->leads[i]);
	free(self->leads);
	self->leads = NULL;
	self->leads_bytes = 0;
}

int block_sums_add(struct block_sums *self, unsigned int block, uint64_t lead_ns, uint64_t **row)
{
	if (self->leads) {
		struct hist *leads = &self->leads[block];
		unsigned int room = leads->room;

		if (hist_add(leads, lead_ns) < 0)
			return -ENOMEM;
		self->leads_bytes += (leads->room - room) * sizeof(*leads->counts);
	}
	self->items[block]++;
	self->lead_sum_ns[block] += lead_ns;
	*row = self->sum_ns + block * self->nr_steps;
	return 0;
}

static void raise_to(uint64_t *max, uint64_t value)
{
	if (*max < value)
		*max = value;
}

void block_sums_in_flight(struct block_sums *self, const struct grid *grid, uint64_t at_ns,
			  uint64_t before, uint64_t after)
{
	uint64_t next_ns = grid->start_ns + self->carried * grid->width_ns;

	while (next_ns < at_ns && self->carried < VSM_MAX_BLOCKS) {
		raise_to(&self->in_flight_max[self->carried++], before);
		next_ns += grid->width_ns;
	}
	if (after > before) {
		unsigned int block = next_ns <= at_ns ? self->carried : self->carried - 1;

		raise_to(&self->in_flight_max[block], after);
	}
}

static int halve_leads(struct block_sums *self)
{
	self->leads_bytes = 0;
	for (size_t i = 0; i < VSM_MAX_BLOCKS / 2; i++) {
		struct hist joined = self->leads[2 * i];

		hist_init(&self->leads[2 * i]);
		if (hist_merge(&joined, &self->leads[2 * i + 1]) < 0) {
			self->leads[2 * i] = joined;
			return -ENOMEM;
		}
		hist_fini(&self->leads[2 * i + 1]);
		self->leads[i] = joined;
		self->leads_bytes += joined.room * sizeof(*joined.counts);
	}
	return 0;
}

int block_sums_halve(struct block_sums *self)
{
	const size_t half = VSM_MAX_BLOCKS / 2, nr_steps = self->nr_steps;

	if (self->leads && halve_leads(self) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < half; i++) {
		self->items[i] = self->items[2 * i] + self->items[2 * i + 1];
		self->lead_sum_ns[i] = self->lead_sum_ns[2 * i] + self->lead_sum_ns[2 * i + 1];
		self->in_flight_max[i] = self->in_flight_max[2 * i];
		raise_to(&self->in_flight_max[i], self->in_flight_max[2 * i + 1]);
		for (size_t s = 0; s < nr_steps; s++)
			self->sum_ns[i * nr_steps + s] = self->sum_ns[2 * i * nr_steps + s] +
							 self->sum_ns[(2 * i + 1) * nr_steps + s];
	}
	memset(self->items + half, 0, half * sizeof(*self->items));
	memset(self->lead_sum_ns + half, 0, half * sizeof(*self->items));
	memset(self->in_flight_max + half, 0, half * sizeof(*self->items));
	memset(self->sum_ns + half * nr_steps, 0, half * nr_steps * sizeof(*self->items));
	self->carried = (self->carried + 1) / 2;
	return 0;
}

static uint64_t quantile_or_null(const struct block_sums *self, size_t block, double q)
{
	uint64_t value_ns = UINT64_MAX;

	if (self->leads)
		hist_quantile(&self->leads[block], q, &value_ns);
	return value_ns;
}

static uint64_t *copy(const uint64_t *from, size_t nr)
{
	uint64_t *to = malloc((nr + 1) * sizeof(*to));

	return to ? memcpy(to, from, nr * sizeof(*to)) : NULL;
}

int block_sums_finish(const struct block_sums *self, const struct grid *grid, size_t nr,
		      struct blocks *out)
{
	out->width_ns = grid->width_ns;
	out->nr = nr;
	out->items = copy(self->items, nr);
	out->lead_sum_ns = copy(self->lead_sum_ns, nr);
	out->in_flight_max = copy(self->in_flight_max, nr);
	out->lead_p50_ns = calloc(nr + 1, sizeof(*out->lead_p50_ns));
	out->lead_p99_ns = calloc(nr + 1, sizeof(*out->lead_p99_ns));
	out->sum_ns = calloc(nr * self->nr_steps + 1, sizeof(*out->sum_ns));
	if (!out->items || !out->lead_sum_ns || !out->in_flight_max || !out->lead_p50_ns ||
	    !out->lead_p99_ns || !out->sum_ns)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		out->lead_p50_ns[i] = quantile_or_null(self, i, 0.5);
		out->lead_p99_ns[i] = quantile_or_null(self, i, 0.99);
		for (size_t s = 0; s < self->nr_steps; s++)
			out->sum_ns[s * nr + i] = self->sum_ns[i * self->nr_steps + s];
	}
	return 0;
}
