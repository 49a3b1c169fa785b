/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takt.h - the most items that entered in one aligned millisecond
 */
#ifndef GEMBA_MAP_TAKT_H
#define GEMBA_MAP_TAKT_H

#include <stdint.h>

#define TAKT_NR_MS 2048 /* how late, in ms, an item may be told of and still be counted */

struct takt {
	uint32_t most;
	struct {
		uint32_t ms; /* modulo 2^32 */
		uint32_t items;
	} slots[TAKT_NR_MS];
};

void takt_add(struct takt *self, uint64_t at_ns);
/* The peak takt, 1 ms / most items in one; 0: no item. */
uint64_t takt_peak_ns(const struct takt *self);

#endif
