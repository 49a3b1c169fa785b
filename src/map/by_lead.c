// SPDX-License-Identifier: BSD-2-Clause
/*
 * by_lead.c - where the time went, by how long the whole took
 *
 * A row for each bucket of lead time that occurs, a column for each step. Rows are made as
 * they are needed (a family uses some two hundred of the 2 049) and put in order at the end.
 * The rows of a matrix add up to the steps' sums, so a ladder's column and the unmapped rest
 * close to the mean lead time of the very same items.
 */
#include "src/map/by_lead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 16

void lead_matrix_fini(struct lead_matrix *self)
{
	free(self->rows.lead_bucket);
	free(self->rows.items);
	free(self->rows.lead_sum_ns);
	free(self->rows.sum_ns);
	memset(&self->rows, 0, sizeof(self->rows));
}

/* Makes an array that long; false: no memory, and it is as it was. */
#define GROW(array, nr)                                                                            \
	({                                                                                         \
		void *bigger = realloc((array), (nr) * sizeof(*(array)));                          \
		(array) = bigger ? bigger : (array);                                               \
		bigger != NULL;                                                                    \
	})

static int grow(struct lead_matrix *self)
{
	size_t room = self->room ? 2 * self->room : FIRST_ROOM;
	struct by_lead *rows = &self->rows;

	if (!GROW(rows->lead_bucket, room) || !GROW(rows->items, room) ||
	    !GROW(rows->lead_sum_ns, room) || !GROW(rows->sum_ns, room * self->nr_steps + 1))
		return -ENOMEM;
	self->room = room;
	return 0;
}

static int new_row(struct lead_matrix *self, unsigned int bucket)
{
	struct by_lead *rows = &self->rows;

	if (rows->nr == self->room && grow(self) < 0)
		return -ENOMEM;
	rows->lead_bucket[rows->nr] = bucket;
	rows->items[rows->nr] = 0;
	rows->lead_sum_ns[rows->nr] = 0;
	memset(rows->sum_ns + rows->nr * self->nr_steps, 0, self->nr_steps * sizeof(*rows->sum_ns));
	self->row_of[bucket] = ++rows->nr;
	return 0;
}

int lead_matrix_add(struct lead_matrix *self, uint64_t lead_ns, uint64_t **row)
{
	unsigned int bucket, i;

	*row = NULL;
	if (lead_ns == 0)
		return 0;
	bucket = hist_bucket(lead_ns);
	if (!self->row_of[bucket] && new_row(self, bucket) < 0)
		return -ENOMEM;
	i = self->row_of[bucket] - 1;
	self->rows.items[i]++;
	self->rows.lead_sum_ns[i] += lead_ns;
	*row = self->rows.sum_ns + i * self->nr_steps;
	return 0;
}

int lead_matrix_finish(const struct lead_matrix *self, struct by_lead *out)
{
	const struct by_lead *rows = &self->rows;
	const size_t nr_steps = self->nr_steps;

	out->lead_bucket = calloc(rows->nr + 1, sizeof(*out->lead_bucket));
	out->items = calloc(rows->nr + 1, sizeof(*out->items));
	out->lead_sum_ns = calloc(rows->nr + 1, sizeof(*out->lead_sum_ns));
	out->sum_ns = calloc(rows->nr * nr_steps + 1, sizeof(*out->sum_ns));
	if (!out->lead_bucket || !out->items || !out->lead_sum_ns || !out->sum_ns)
		return -ENOMEM;
	for (unsigned int bucket = 0; bucket < HIST_NR_BUCKETS; bucket++) {
		size_t from = self->row_of[bucket], to = out->nr;

		if (!from--)
			continue;
		out->lead_bucket[to] = bucket;
		out->items[to] = rows->items[from];
		out->lead_sum_ns[to] = rows->lead_sum_ns[from];
		memcpy(out->sum_ns + to * nr_steps, rows->sum_ns + from * nr_steps,
		       nr_steps * sizeof(*out->sum_ns));
		out->nr++;
	}
	return 0;
}
