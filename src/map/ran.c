// SPDX-License-Identifier: BSD-2-Clause
/*
 * ran.c - a table of RAN_ROOM rows, searched from the front
 *
 * Those who get in the way of one step are few; the table is wide enough that a row that
 * matters is never the one of least time.
 */
#include "src/map/ran.h"

#include <string.h>

void ran_add(struct ran *self, uint32_t pid, uint64_t ns)
{
	unsigned int least = 0;

	for (unsigned int i = 0; i < self->nr; i++) {
		if (self->rows[i].pid == pid) {
			self->rows[i].ns += ns;
			return;
		}
		if (self->rows[i].ns < self->rows[least].ns)
			least = i;
	}
	if (self->nr < RAN_ROOM)
		least = self->nr++;
	self->rows[least].pid = pid;
	self->rows[least].ns = ns;
}

static bool is_busier(const struct ran *self, unsigned int a, unsigned int b)
{
	if (self->rows[a].ns != self->rows[b].ns)
		return self->rows[a].ns > self->rows[b].ns;
	return self->rows[a].pid < self->rows[b].pid;
}

size_t ran_top(const struct ran *self, struct ran_instead out[VSM_MAX_RAN])
{
	bool is_taken[RAN_ROOM] = { false };
	size_t nr = 0;

	while (nr < VSM_MAX_RAN && nr < self->nr) {
		int best = -1;

		for (unsigned int i = 0; i < self->nr; i++)
			if (!is_taken[i] && (best < 0 || is_busier(self, i, best)))
				best = i;
		is_taken[best] = true;
		memset(&out[nr], 0, sizeof(out[nr]));
		out[nr].pid = self->rows[best].pid;
		out[nr++].sum_ns = self->rows[best].ns;
	}
	return nr;
}
