/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks.h - the window in equal time blocks, the same for all families
 *
 * A block begins inclusively. An item counts in the block of its first station.
 */
#ifndef GEMBA_MAP_BLOCKS_H
#define GEMBA_MAP_BLOCKS_H

#include "src/map/vsm.h"

/* 1 ms / 64: a capture of a millisecond has its 60 blocks, and doubling meets round numbers. */
#define GRID_FIRST_WIDTH_NS 15625

struct grid {
	uint64_t start_ns;
	uint64_t width_ns;
	uint64_t block_ns; /* where the block asked for last begins: most often it is asked again */
	unsigned int block;
};

/* One family's blocks while they grow. */
struct block_sums {
	size_t nr_steps;
	uint64_t items[VSM_MAX_BLOCKS];
	uint64_t lead_sum_ns[VSM_MAX_BLOCKS];
	uint64_t in_flight_max[VSM_MAX_BLOCKS];
	struct hist *leads; /* [block], NULL: given up for want of memory */
	uint64_t *sum_ns;   /* [block * nr_steps + step] */
	size_t leads_bytes;
	unsigned int carried; /* blocks whose beginning in_flight has reached */
};

void grid_init(struct grid *self, uint64_t start_ns);
void grid_double(struct grid *self);
unsigned int grid_look_up(struct grid *self, uint64_t at_ns);

static inline unsigned int grid_index(struct grid *self, uint64_t at_ns)
{
	return at_ns - self->block_ns < self->width_ns ? self->block : grid_look_up(self, at_ns);
}

static inline bool grid_covers(const struct grid *self, uint64_t at_ns)
{
	return at_ns < self->start_ns + self->width_ns * VSM_MAX_BLOCKS;
}

struct block_sums *block_sums_new(size_t nr_steps);
void block_sums_free(struct block_sums *self);
/* An item of the block; its steps' sums go to the row that is returned through the last
 * parameter. 0 or -ENOMEM. */
int block_sums_add(struct block_sums *self, unsigned int block, uint64_t lead_ns, uint64_t **row);
/* The number in flight was `before` until at_ns and is `after` from there; in order of time. */
void block_sums_in_flight(struct block_sums *self, const struct grid *grid, uint64_t at_ns,
			  uint64_t before, uint64_t after);
void block_sums_drop_leads(struct block_sums *self);
/* The width doubles: two blocks become one. 0 or -ENOMEM. */
int block_sums_halve(struct block_sums *self);
/* The first `nr` blocks as the map has them. 0 or -ENOMEM. */
int block_sums_finish(const struct block_sums *self, const struct grid *grid, size_t nr,
		      struct blocks *out);

#endif
