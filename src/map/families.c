// SPDX-License-Identifier: BSD-2-Clause
/*
 * families.c - a bounded table of routes
 *
 * Routes may be without number, memory is not: at most FAMILIES_MAX_CANDIDATES grow at a
 * time. A new route takes the place of the one of least weight, which is folded into `other`,
 * and inherits that weight (Space-Saving, Metwally 2005): a route that has more than
 * 1 / FAMILIES_MAX_CANDIDATES of all items is in the table at the end, however late it came.
 * The slots are only a way to find a candidate; no result depends on their order.
 */
#define XXH_INLINE_ALL
#include "src/map/families.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

_Static_assert(FAMILIES_MAX_CANDIDATES < 256, "slots hold an index plus one in a byte");

int families_init(struct families *self, uint64_t window_start_ns)
{
	memset(self, 0, sizeof(*self));
	grid_init(&self->common.grid, window_start_ns);
	hist_init(&self->other.lead_time);
	hist_init(&self->other.process_time);
	hist_init(&self->other.transport_time);
	hist_init(&self->other.wait_time);
	hist_init(&self->other.time_to_last_output);
	hist_init(&self->other.outputs);
	self->other.is_other = true;
	return inventory_pool_init(&self->common.pool, FAMILIES_POOL_ELEMENTS);
}

void families_fini(struct families *self)
{
	for (unsigned int i = 0; i < self->nr; i++)
		candidate_free(self->candidates[i], &self->common);
	self->nr = 0;
	vsm_family_fini(&self->other);
	inventory_pool_fini(&self->common.pool);
}

/* The slot of the route, or the free one where it belongs. */
static uint8_t *slot_of(struct families *self, const struct route_key *key, uint64_t hash)
{
	unsigned int i = hash % FAMILIES_NR_SLOTS;

	for (; self->slots[i]; i = (i + 1) % FAMILIES_NR_SLOTS) {
		const struct candidate *candidate = self->candidates[self->slots[i] - 1];

		if (candidate->hash == hash && !memcmp(&candidate->key, key, route_key_bytes(key)))
			break;
	}
	return &self->slots[i];
}

static void index_again(struct families *self)
{
	memset(self->slots, 0, sizeof(self->slots));
	for (unsigned int i = 0; i < self->nr; i++)
		*slot_of(self, &self->candidates[i]->key, self->candidates[i]->hash) = i + 1;
}

int families_fold(struct families *self, const struct candidate *candidate)
{
	self->other_unmapped_ns += candidate->unmapped_ns;
	return family_merge_totals(&self->other, &candidate->family);
}

/* The candidate of least weight makes way; its weight. */
static int evict(struct families *self, uint64_t *weight)
{
	struct candidate *candidate;
	unsigned int least = 0;
	int err;

	for (unsigned int i = 1; i < self->nr; i++)
		if (self->candidates[i]->weight < self->candidates[least]->weight)
			least = i;
	candidate = self->candidates[least];
	err = families_fold(self, candidate);
	*weight = candidate->weight;
	self->folded += candidate->family.items;
	self->nr_steps -= candidate->family.nr_steps;
	self->leads_bytes -= candidate->blocks->leads_bytes;
	candidate_free(candidate, &self->common);
	self->candidates[least] = self->candidates[--self->nr];
	self->latest = NULL;
	return err;
}

static int insert(struct families *self, const struct route_key *key, uint64_t hash)
{
	struct candidate *candidate = candidate_new(key, &self->common);
	uint64_t weight = 0;
	int err = candidate ? 0 : -ENOMEM;

	while (!err && (self->nr == FAMILIES_MAX_CANDIDATES ||
			self->nr_steps + candidate->family.nr_steps > FAMILIES_MAX_STEPS))
		err = evict(self, &weight);
	if (err < 0) {
		candidate_free(candidate, &self->common);
		return err;
	}
	candidate->hash = hash;
	candidate->weight = weight;
	self->nr_steps += candidate->family.nr_steps;
	self->candidates[self->nr++] = candidate;
	self->latest = candidate;
	index_again(self);
	return 0;
}

static int find(struct families *self, const struct route_key *key)
{
	uint64_t hash;
	uint8_t *slot;

	if (self->latest && self->latest->key.nr == key->nr &&
	    !memcmp(&self->latest->key, key, route_key_bytes(key)))
		return 0;
	hash = XXH3_64bits(key, route_key_bytes(key));
	slot = slot_of(self, key, hash);
	if (!*slot)
		return insert(self, key, hash);
	self->latest = self->candidates[*slot - 1];
	return 0;
}

/* The family with the fewest items gives up its percentiles per block. */
static void shed_leads(struct families *self)
{
	struct candidate *least = NULL;

	for (unsigned int i = 0; i < self->nr; i++) {
		struct candidate *candidate = self->candidates[i];

		if (candidate->blocks->leads_bytes &&
		    (!least || candidate->family.items < least->family.items))
			least = candidate;
	}
	assert(least); /* the bytes are somebody's */
	self->leads_bytes -= least->blocks->leads_bytes;
	block_sums_drop_leads(least->blocks);
}

int families_cover(struct families *self, uint64_t at_ns)
{
	while (!grid_covers(&self->common.grid, at_ns)) {
		grid_double(&self->common.grid);
		self->leads_bytes = 0;
		for (unsigned int i = 0; i < self->nr; i++) {
			if (block_sums_halve(self->candidates[i]->blocks) < 0)
				return -ENOMEM;
			self->leads_bytes += self->candidates[i]->blocks->leads_bytes;
		}
	}
	return 0;
}

static int add_to_other(struct families *self, const struct passage *passage)
{
	self->other_unmapped_ns += passage->unmapped_ns;
	self->folded++;
	return family_add_totals(&self->other, passage);
}

int families_add(struct families *self, const struct passage *passage)
{
	size_t leads_bytes;

	if (passage->key.nr == 0)
		return add_to_other(self, passage);
	if (families_cover(self, self->common.latest_ns) < 0 || find(self, &passage->key) < 0)
		return -ENOMEM;
	leads_bytes = self->latest->blocks->leads_bytes;
	if (candidate_add(self->latest, &self->common, passage) < 0)
		return -ENOMEM;
	self->leads_bytes += self->latest->blocks->leads_bytes - leads_bytes;
	while (self->leads_bytes > FAMILIES_MAX_LEADS_BYTES)
		shed_leads(self);
	return 0;
}
