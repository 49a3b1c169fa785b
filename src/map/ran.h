/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ran.h - who ran while an item's thread was runnable: the busiest, in bounded memory
 */
#ifndef GEMBA_MAP_RAN_H
#define GEMBA_MAP_RAN_H

#include "src/map/vsm.h"

#define RAN_ROOM 32

struct ran {
	unsigned int nr;
	struct {
		uint32_t pid;
		uint64_t ns;
	} rows[RAN_ROOM];
};

/* When full, the row of least time makes way: what is told is never too much. */
void ran_add(struct ran *self, uint32_t pid, uint64_t ns);
/* The VSM_MAX_RAN busiest, the busiest first, into out[]; their number. comm is left empty. */
size_t ran_top(const struct ran *self, struct ran_instead out[VSM_MAX_RAN]);

#endif
