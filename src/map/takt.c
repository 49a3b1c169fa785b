// SPDX-License-Identifier: BSD-2-Clause
/*
 * takt.c - a ring of counters, one per millisecond of event time
 *
 * Items are told of when they close, their entry may lie a second or two back. A slot belongs
 * to the newest millisecond that claimed it; an item older than that is not counted, so the
 * peak can only be understated, by items that lived longer than the ring.
 */
#include "src/map/takt.h"

#define NS_PER_MS 1000000ULL

void takt_add(struct takt *self, uint64_t at_ns)
{
	uint64_t ms = at_ns / NS_PER_MS;
	unsigned int i = ms % TAKT_NR_MS;

	if (self->slots[i].ms != (uint32_t)ms) {
		if (self->slots[i].items && (int32_t)((uint32_t)ms - self->slots[i].ms) < 0)
			return;
		self->slots[i].ms = (uint32_t)ms;
		self->slots[i].items = 0;
	}
	if (++self->slots[i].items > self->most)
		self->most = self->slots[i].items;
}

uint64_t takt_peak_ns(const struct takt *self)
{
	return self->most ? NS_PER_MS / self->most : 0;
}
