/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idmap.h - numbers to pointers: open addressing, no order, no key 0
 */
#ifndef GEMBA_UTIL_IDMAP_H
#define GEMBA_UTIL_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct idmap {
	struct idmap_slot {
		uint64_t key; /* 0: free */
		void *value;
	} * slots;
	size_t room; /* a power of two, or 0 */
	size_t nr;
};

/* Where a key would like to be: high bits count as well, keys may be multiples of a page. */
static inline size_t idmap_home(const struct idmap *self, uint64_t key)
{
	uint64_t hash = key * 0x9e3779b97f4a7c15u;

	return hash >> 32 & (self->room - 1);
}

/* The value of a key, or NULL. */
static inline void *idmap_get(const struct idmap *self, uint64_t key)
{
	size_t mask = self->room - 1;

	if (!self->room || !key)
		return NULL;
	for (size_t i = idmap_home(self, key); self->slots[i].key; i = (i + 1) & mask)
		if (self->slots[i].key == key)
			return self->slots[i].value;
	return NULL;
}

/* Sets a key that is not there yet. 0, -ENOMEM, -EINVAL for key 0. */
int idmap_put(struct idmap *self, uint64_t key, void *value);
/* Takes a key out; its value, or NULL. */
void *idmap_del(struct idmap *self, uint64_t key);
void idmap_fini(struct idmap *self);

#endif
