/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distinct.h - how many different numbers came: exact up to DISTINCT_MAX, then no more counted
 */
#ifndef GEMBA_MAP_DISTINCT_H
#define GEMBA_MAP_DISTINCT_H

#include <stdint.h>

#define DISTINCT_MAX 1024

struct distinct {
	uint32_t nr;
	uint32_t room;	 /* a power of two, or 0 */
	uint64_t last;	 /* the latest, plus one */
	uint64_t small;	 /* those below 64 that are members, as most CPUs are */
	uint32_t *slots; /* number plus one, 0: free; so UINT32_MAX itself is not for this */
};

void distinct_fini(struct distinct *self);
/* 0 or -ENOMEM. */
int distinct_add_slowly(struct distinct *self, uint32_t number);

static inline int distinct_add(struct distinct *self, uint32_t number)
{
	if (self->last == number + 1ULL || (number < 64 && self->small >> number & 1))
		return 0;
	self->last = number + 1ULL;
	return distinct_add_slowly(self, number);
}

#endif
