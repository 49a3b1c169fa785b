/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inventory.h - how many items were inside a step, at any instant; and its busy periods
 *
 * Intervals come in no order of time, sorted they are swept once. They wait in two arrays,
 * beginnings and ends; what bounds the arrays is said in inventory.c.
 */
#ifndef GEMBA_MAP_INVENTORY_H
#define GEMBA_MAP_INVENTORY_H

#include "src/map/blocks.h"

#define INVENTORY_MAX_ROOM 65536
/* How far behind the latest event an interval may begin and still be counted at its instant:
 * twice the time after which a silent item is closed. */
#define INVENTORY_SLACK_NS 2000000000ULL

/* Memory shared by all inventories of a map. */
struct inventory_pool {
	size_t left; /* array elements that may still be allocated */
	uint64_t *scratch;
};

/* What a sweep feeds beside the maximum; each may be NULL. */
struct inventory_out {
	struct hist *cycle_time;
	struct block_sums *in_flight;
	const struct grid *grid;
};

struct inventory {
	struct inventory_out out;
	uint64_t *begins; /* ns << 1 */
	uint64_t *ends;	  /* ns << 1 | it completed here */
	uint32_t nr_begins;
	uint32_t nr_ends;
	uint32_t room; /* of each */
	bool is_begins_shuffled;
	bool is_ends_shuffled;
	uint32_t sorted_begins; /* this many are in order, and whatever follows ... */
	uint32_t sorted_ends;
	uint64_t last_begin; /* ... unless shuffled: told to come after this one */
	uint64_t last_end;
	uint64_t swept_ns; /* everything before has been counted */
	uint64_t sum_ns;
	uint64_t depth;
	uint64_t max;
	uint64_t late;	       /* intervals that began before swept_ns: max may be short of them */
	uint64_t completed_ns; /* the last completion, while busy */
	bool is_busy;	       /* never empty since then */
};

int inventory_pool_init(struct inventory_pool *self, size_t elements);
void inventory_pool_fini(struct inventory_pool *self);
void inventory_fini(struct inventory *self, struct inventory_pool *pool);
/* For what does not simply go to the ends of the arrays: full ones, late ones. 0 or -ENOMEM. */
int inventory_add_slowly(struct inventory *self, struct inventory_pool *pool, uint64_t latest_ns,
			 uint64_t from_ns, uint64_t to_ns, bool is_completed);
/* Counts all that still waits. 0 or -ENOMEM. */
int inventory_finish(struct inventory *self, struct inventory_pool *pool);

static inline void inventory_append(struct inventory *self, uint64_t begin, uint64_t end)
{
	self->is_begins_shuffled |= begin < self->last_begin;
	self->is_ends_shuffled |= end < self->last_end;
	self->begins[self->nr_begins++] = self->last_begin = begin;
	self->ends[self->nr_ends++] = self->last_end = end;
}

/*
 * An item was inside during [from_ns, to_ns), and is through with the step if `is_completed`.
 * An empty interval counts nowhere. latest_ns: of all events so far. 0 or -ENOMEM.
 */
static inline int inventory_add(struct inventory *self, struct inventory_pool *pool,
				uint64_t latest_ns, uint64_t from_ns, uint64_t to_ns,
				bool is_completed)
{
	if (from_ns >= to_ns)
		return 0;
	self->sum_ns += to_ns - from_ns;
	if (self->nr_begins == self->room || self->nr_ends == self->room ||
	    from_ns < self->swept_ns)
		return inventory_add_slowly(self, pool, latest_ns, from_ns, to_ns, is_completed);
	inventory_append(self, from_ns << 1, to_ns << 1 | is_completed);
	return 0;
}

#endif
