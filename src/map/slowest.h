/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slowest.h - the items of longest lead time, kept whole
 */
#ifndef GEMBA_MAP_SLOWEST_H
#define GEMBA_MAP_SLOWEST_H

#include "src/map/passage.h"

struct slowest {
	unsigned int nr;
	struct slowest_item {
		uint64_t id;
		uint64_t key;
		uint64_t lead_ns;
		bool has_key;
		uint32_t nr_stamps;
		struct slowest_stamp {
			uint64_t at_ns;
			uint32_t tid;
			uint16_t cpu;
			uint16_t station;
		} * stamps;
	} items[VSM_NR_SLOWEST]; /* the slowest first; of equals, the one that arrived first */
};

void slowest_fini(struct slowest *self);
/* 0 or -ENOMEM. */
int slowest_add(struct slowest *self, const struct passage *passage);
/* Into the family's slowest[], with names. 0 or -ENOMEM. */
int slowest_finish(const struct slowest *self, const struct stage_names *names,
		   struct family *family);

#endif
