/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * families.h - the table of families: which route an item belongs to, and which are kept
 */
#ifndef GEMBA_MAP_FAMILIES_H
#define GEMBA_MAP_FAMILIES_H

#include "src/map/candidate.h"

#define FAMILIES_MAX_CANDIDATES 128
#define FAMILIES_MAX_STEPS 512 /* of all candidates together */
#define FAMILIES_MAX_LEADS_BYTES (4U << 20)
#define FAMILIES_POOL_ELEMENTS (1U << 20)
#define FAMILIES_NR_SLOTS 512

struct families {
	struct common common;
	struct candidate *candidates[FAMILIES_MAX_CANDIDATES];
	unsigned int nr;
	size_t nr_steps;
	size_t leads_bytes;
	uint8_t slots[FAMILIES_NR_SLOTS]; /* by hash: index plus one, 0: free */
	struct candidate *latest;
	struct family other; /* totals only */
	uint64_t other_unmapped_ns;
	uint64_t folded; /* items whose route lost its place while the capture ran */
};

int families_init(struct families *self, uint64_t window_start_ns);
void families_fini(struct families *self);
/* 0 or -ENOMEM. */
int families_add(struct families *self, const struct passage *passage);
/* Widens the blocks until they reach past at_ns. 0 or -ENOMEM. */
int families_cover(struct families *self, uint64_t at_ns);
/* Adds what `other` shows of a family to it. 0 or -ENOMEM. */
int families_fold(struct families *self, const struct candidate *candidate);
/* Moves them, in order, into the map, whose window must be set. Spent then. 0 or -ENOMEM. */
int families_finish(struct families *self, const struct stage_names *names, struct vsm *vsm);

#endif
