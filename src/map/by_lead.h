/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by_lead.h - the matrix lead-time bucket x step while it grows, and the ladders read off it
 */
#ifndef GEMBA_MAP_BY_LEAD_H
#define GEMBA_MAP_BY_LEAD_H

#include "src/map/vsm.h"

struct lead_matrix {
	struct by_lead rows; /* in order of first use */
	size_t nr_steps;
	size_t room;
	uint16_t row_of[HIST_NR_BUCKETS]; /* plus one; 0: no row */
};

void lead_matrix_fini(struct lead_matrix *self);
/*
 * An item of this lead time; its steps' sums go to the row returned through the last
 * parameter, NULL for a lead time of 0, which has no bucket. 0 or -ENOMEM.
 */
int lead_matrix_add(struct lead_matrix *self, uint64_t lead_ns, uint64_t **row);
/* The rows in ascending order of lead time. 0 or -ENOMEM. */
int lead_matrix_finish(const struct lead_matrix *self, struct by_lead *out);

/*
 * Fills the family's ladders from by_lead and lead_time: the means over the items of a band
 * of lead-time rank, whole buckets, null where the band itself has fewer than 10 ranks.
 */
void ladders_read(struct family *family);

#endif
