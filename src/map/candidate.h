/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * candidate.h - a family while it grows, item by item
 */
#ifndef GEMBA_MAP_CANDIDATE_H
#define GEMBA_MAP_CANDIDATE_H

#include "src/map/blocks.h"
#include "src/map/by_lead.h"
#include "src/map/distinct.h"
#include "src/map/inventory.h"
#include "src/map/passage.h"
#include "src/map/ran.h"
#include "src/map/slowest.h"
#include "src/map/takt.h"

/* What all families of a map share. */
struct common {
	struct grid grid; /* begins where the window does */
	struct inventory_pool pool;
	uint64_t latest_ns; /* the latest stamp of any journey */
	uint64_t late;	    /* intervals told of too late for a maximum; counted at the end */
};

struct candidate_step {
	struct inventory inventory;
	struct distinct threads;
	struct distinct cpus;
	struct ran *ran; /* NULL: nobody yet */
	uint64_t single_visits;
	uint64_t known_parts; /* items; of their parts only those above 0 are in histograms */
	uint64_t error_sum_ns;
	uint64_t defective; /* items with a retransmit */
};

struct candidate {
	struct route_key key;
	uint64_t hash;
	uint64_t weight; /* items, and those of whom it took the place: see families.c */
	uint64_t unmapped_ns;
	struct family family; /* sums as they grow; names and ratios come at the end */
	struct candidate_step *extras;
	struct lead_matrix by_lead;
	struct block_sums *blocks;
	struct inventory in_flight;
	struct slowest slowest;
	struct takt takt;
};

/* Refers to `common` until it is freed. NULL: no memory. */
struct candidate *candidate_new(const struct route_key *key, struct common *common);
void candidate_free(struct candidate *self, struct common *common);
/* The grid must cover the passage. 0 or -ENOMEM. */
int candidate_add(struct candidate *self, struct common *common, const struct passage *passage);
/* What needs no route: lead time, classes, outputs. 0 or -ENOMEM. */
int family_add_totals(struct family *family, const struct passage *passage);
int family_merge_totals(struct family *family, const struct family *other);
/*
 * Moves everything into the family: steps described, inventories, blocks, ladders, slowest;
 * ratios are the next one's work (figures.h). The candidate is spent. 0 or -ENOMEM.
 */
int candidate_finish(struct candidate *self, struct common *common, const struct stage_names *names,
		     uint64_t window_ns, size_t nr_blocks, struct family *out);

#endif
