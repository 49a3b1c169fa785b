// SPDX-License-Identifier: BSD-2-Clause
/*
 * idmap.c - linear probing with deletion by moving back, at most 70 % full
 *
 * Keys are small numbers that the kernel gave (thread ids, socket ids): a multiplication
 * spreads them. Used on every event, so the look-up is inline in the header.
 */
#include "src/util/idmap.h"

#include <errno.h>
#include <stdlib.h>

static void place(struct idmap *self, uint64_t key, void *value)
{
	size_t i = idmap_home(self, key);

	while (self->slots[i].key)
		i = (i + 1) & (self->room - 1);
	self->slots[i].key = key;
	self->slots[i].value = value;
}

static int grow(struct idmap *self)
{
	struct idmap old = *self;
	size_t room = old.room ? old.room * 2 : 64;
	struct idmap_slot *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	self->slots = slots;
	self->room = room;
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].key)
			place(self, old.slots[i].key, old.slots[i].value);
	free(old.slots);
	return 0;
}

int idmap_put(struct idmap *self, uint64_t key, void *value)
{
	if (!key)
		return -EINVAL;
	if (self->nr * 10 >= self->room * 7 && grow(self))
		return -ENOMEM;
	place(self, key, value);
	self->nr++;
	return 0;
}

void *idmap_del(struct idmap *self, uint64_t key)
{
	size_t mask = self->room - 1, hole, i;
	void *value;

	if (!self->room || !key)
		return NULL;
	for (hole = idmap_home(self, key); self->slots[hole].key != key; hole = (hole + 1) & mask)
		if (!self->slots[hole].key)
			return NULL;
	value = self->slots[hole].value;
	for (i = (hole + 1) & mask; self->slots[i].key; i = (i + 1) & mask) {
		/* move back what would not be found past the hole */
		if (((i - idmap_home(self, self->slots[i].key)) & mask) >= ((i - hole) & mask)) {
			self->slots[hole] = self->slots[i];
			hole = i;
		}
	}
	self->slots[hole].key = 0;
	self->nr--;
	return value;
}

void idmap_fini(struct idmap *self)
{
	free(self->slots);
	*self = (struct idmap){ 0 };
}
