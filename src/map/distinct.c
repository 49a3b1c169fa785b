// SPDX-License-Identifier: BSD-2-Clause
/*
 * distinct.c - a small set: open addressing, at most half full, at most DISTINCT_MAX members
 */
#include "src/map/distinct.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 8

void distinct_fini(struct distinct *self)
{
	free(self->slots);
	*self = (struct distinct){ 0 };
}

/* The slot that holds the member, or the free one where it belongs. */
static uint32_t *slot_of(uint32_t *slots, uint32_t room, uint32_t member)
{
	uint32_t i = (member * 2654435769U >> 16) & (room - 1);

	while (slots[i] && slots[i] != member)
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static int grow(struct distinct *self)
{
	uint32_t room = self->room ? 2 * self->room : FIRST_ROOM;
	uint32_t *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < self->room; i++)
		if (self->slots[i])
			*slot_of(slots, room, self->slots[i]) = self->slots[i];
	free(self->slots);
	self->slots = slots;
	self->room = room;
	return 0;
}

int distinct_add_slowly(struct distinct *self, uint32_t number)
{
	uint32_t *slot;

	if (2 * self->nr >= self->room && self->nr < DISTINCT_MAX && grow(self) < 0)
		return -ENOMEM;
	slot = slot_of(self->slots, self->room, number + 1);
	if (*slot || self->nr == DISTINCT_MAX)
		return 0;
	if (number < 64)
		self->small |= 1ULL << number;
	*slot = number + 1;
	self->nr++;
	return 0;
}
