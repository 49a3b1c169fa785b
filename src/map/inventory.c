// SPDX-License-Identifier: BSD-2-Clause
/*
 * inventory.c - sort and sweep, in batches
 *
 * An item is known only when it closes, which may be a second after it was done, so the
 * latest INVENTORY_SLACK_NS stay unswept while there is room. Arrays double, each up to
 * INVENTORY_MAX_ROOM and all together up to the pool; at that bound the older half is swept
 * early. An interval that begins before what has been swept is counted from there on and in
 * `late`: the maximum can then be too low, never too high. The mean does not depend on it.
 *
 * Journeys come nearly in order. What is not goes to the end as well, and a radix sort, of the
 * bits that differ and of what lies behind the first one out of place, puts it right when the
 * arrays are swept.
 */
#include "src/map/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64
#define DIGIT_BITS 11
#define NR_DIGITS (1U << DIGIT_BITS)
#define EVERYTHING_NS (UINT64_MAX >> 1)

int inventory_pool_init(struct inventory_pool *self, size_t elements)
{
	self->left = elements;
	self->scratch = malloc(INVENTORY_MAX_ROOM * sizeof(*self->scratch));
	return self->scratch ? 0 : -ENOMEM;
}

void inventory_pool_fini(struct inventory_pool *self)
{
	free(self->scratch);
	self->scratch = NULL;
}

void inventory_fini(struct inventory *self, struct inventory_pool *pool)
{
	if (self->room > FIRST_ROOM)
		pool->left += 2 * (self->room - FIRST_ROOM);
	free(self->begins);
	free(self->ends);
	self->begins = self->ends = NULL;
	self->room = self->nr_begins = self->nr_ends = 0;
}

static void insertion_sort(uint64_t *keys, uint32_t nr)
{
	for (uint32_t i = 1; i < nr; i++) {
		uint64_t key = keys[i];
		uint32_t j = i;

		for (; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static void sort_digit(uint64_t *to, const uint64_t *from, uint32_t nr, uint64_t min,
		       unsigned int shift)
{
	uint32_t at[NR_DIGITS] = { 0 };
	uint32_t sum = 0;

	for (uint32_t i = 0; i < nr; i++)
		at[(from[i] - min) >> shift & (NR_DIGITS - 1)]++;
	for (uint32_t d = 0; d < NR_DIGITS; d++) {
		uint32_t count = at[d];

		at[d] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < nr; i++)
		to[at[(from[i] - min) >> shift & (NR_DIGITS - 1)]++] = from[i];
}

static void sort(uint64_t *keys, uint32_t nr, uint64_t *scratch)
{
	uint64_t min = UINT64_MAX, max = 0;
	uint64_t *from = keys, *to = scratch;

	if (nr <= FIRST_ROOM) {
		insertion_sort(keys, nr);
		return;
	}
	for (uint32_t i = 0; i < nr; i++) {
		min = keys[i] < min ? keys[i] : min;
		max = keys[i] > max ? keys[i] : max;
	}
	for (unsigned int shift = 0; shift < 64 && (max - min) >> shift; shift += DIGIT_BITS) {
		uint64_t *other = from;

		sort_digit(to, from, nr, min, shift);
		from = to;
		to = other;
	}
	if (from != keys)
		memcpy(keys, from, nr * sizeof(*keys));
}

/* The first `nr_sorted` are in order: of them only those are moved that others go before. */
static void sort_end(uint64_t *keys, uint32_t nr, uint32_t nr_sorted, uint64_t *scratch)
{
	uint64_t min = UINT64_MAX;

	for (uint32_t i = nr_sorted; i < nr; i++)
		min = keys[i] < min ? keys[i] : min;
	while (nr_sorted > 0 && keys[nr_sorted - 1] > min)
		nr_sorted--;
	sort(keys + nr_sorted, nr - nr_sorted, scratch);
}

static int complete(struct inventory *self, uint64_t at_ns)
{
	uint64_t before_ns = self->completed_ns;
	bool was_busy = self->is_busy;

	self->completed_ns = at_ns;
	self->is_busy = true;
	if (!was_busy || !self->out.cycle_time)
		return 0;
	return hist_add(self->out.cycle_time, at_ns - before_ns);
}

static inline int leave(struct inventory *self, uint64_t key)
{
	const struct inventory_out *out = &self->out;
	int err = 0;

	if (out->in_flight)
		block_sums_in_flight(out->in_flight, out->grid, key >> 1, self->depth,
				     self->depth - 1);
	if (key & 1)
		err = complete(self, key >> 1);
	if (--self->depth == 0)
		self->is_busy = false;
	return err;
}

static inline void enter(struct inventory *self, uint64_t key)
{
	const struct inventory_out *out = &self->out;

	if (out->in_flight)
		block_sums_in_flight(out->in_flight, out->grid, key >> 1, self->depth,
				     self->depth + 1);
	if (++self->depth > self->max)
		self->max = self->depth;
}

static void keep_from(uint64_t *keys, uint32_t *nr, uint32_t from)
{
	if (from == 0)
		return;
	*nr -= from;
	memmove(keys, keys + from, *nr * sizeof(*keys));
}

/* Counts what lies before until_ns. At one instant ends come first: [from, to). */
static int sweep(struct inventory *self, uint64_t until_ns)
{
	const uint64_t limit = until_ns << 1;
	uint32_t b = 0, e = 0;
	bool failed = false;

	/* What has ended has begun before, so the ends run out last. */
	while (e < self->nr_ends && self->ends[e] < limit) {
		uint64_t end = self->ends[e++];

		for (; b < self->nr_begins && self->begins[b] >> 1 < end >> 1; b++)
			enter(self, self->begins[b]);
		failed |= leave(self, end) < 0;
	}
	for (; b < self->nr_begins && self->begins[b] < limit; b++)
		enter(self, self->begins[b]);
	keep_from(self->begins, &self->nr_begins, b);
	keep_from(self->ends, &self->nr_ends, e);
	self->sorted_begins = self->nr_begins;
	self->sorted_ends = self->nr_ends;
	if (until_ns > self->swept_ns)
		self->swept_ns = until_ns;
	return failed ? -ENOMEM : 0;
}

static void put_in_order(struct inventory *self, uint64_t *scratch)
{
	if (self->is_begins_shuffled)
		sort_end(self->begins, self->nr_begins, self->sorted_begins, scratch);
	if (self->is_ends_shuffled)
		sort_end(self->ends, self->nr_ends, self->sorted_ends, scratch);
	self->is_begins_shuffled = self->is_ends_shuffled = false;
	self->sorted_begins = self->nr_begins;
	self->sorted_ends = self->nr_ends;
	self->last_begin = self->nr_begins ? self->begins[self->nr_begins - 1] : 0;
	self->last_end = self->nr_ends ? self->ends[self->nr_ends - 1] : 0;
}

static int grow(struct inventory *self, struct inventory_pool *pool)
{
	uint32_t room = self->room ? 2 * self->room : FIRST_ROOM;
	uint64_t *begins, *ends;

	begins = realloc(self->begins, room * sizeof(*begins));
	if (begins)
		self->begins = begins;
	ends = realloc(self->ends, room * sizeof(*ends));
	if (ends)
		self->ends = ends;
	if (!begins || !ends)
		return -ENOMEM;
	if (self->room)
		pool->left -= 2 * (room - self->room);
	self->room = room;
	return 0;
}

/* The instant before which about half of the fuller array lies, at least one event. */
static uint64_t middle_ns(const struct inventory *self)
{
	bool is_begins = self->nr_begins > self->nr_ends;
	const uint64_t *keys = is_begins ? self->begins : self->ends;
	uint64_t middle = keys[(is_begins ? self->nr_begins : self->nr_ends) / 2] >> 1;

	return middle > keys[0] >> 1 ? middle : middle + 1;
}

static int make_room(struct inventory *self, struct inventory_pool *pool, uint64_t latest_ns)
{
	uint32_t half = self->room / 2;
	int err;

	if (self->room == 0)
		return grow(self, pool);
	put_in_order(self, pool->scratch);
	if (latest_ns > INVENTORY_SLACK_NS) {
		err = sweep(self, latest_ns - INVENTORY_SLACK_NS);
		if (err < 0)
			return err;
	}
	if (self->nr_begins <= half && self->nr_ends <= half)
		return 0;
	if (self->room < INVENTORY_MAX_ROOM && pool->left >= 2 * self->room)
		return grow(self, pool);
	return sweep(self, middle_ns(self));
}

int inventory_add_slowly(struct inventory *self, struct inventory_pool *pool, uint64_t latest_ns,
			 uint64_t from_ns, uint64_t to_ns, bool is_completed)
{
	int err;

	if (self->nr_begins == self->room || self->nr_ends == self->room) {
		err = make_room(self, pool, latest_ns);
		if (err < 0)
			return err;
	}
	if (from_ns < self->swept_ns) {
		self->late++;
		if (to_ns <= self->swept_ns)
			return 0;
		from_ns = self->swept_ns;
	}
	inventory_append(self, from_ns << 1, to_ns << 1 | is_completed);
	return 0;
}

int inventory_finish(struct inventory *self, struct inventory_pool *pool)
{
	put_in_order(self, pool->scratch);
	return sweep(self, EVERYTHING_NS);
}
