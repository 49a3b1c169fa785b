// SPDX-License-Identifier: BSD-2-Clause
/*
 * families_finish.c - from candidates to the families of the map, named and in order
 *
 * The VSM_MAX_FAMILIES with the most items stay, the rest is folded into `other`. Those with
 * an output come first, then the larger, then by route, so that the order is total.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/families.h"
#include "src/map/figures.h"

static int by_items(const void *left, const void *right)
{
	const struct candidate *a = *(struct candidate *const *)left;
	const struct candidate *b = *(struct candidate *const *)right;

	if (a->family.items != b->family.items)
		return a->family.items > b->family.items ? -1 : 1;
	return route_key_compare(&a->key, &b->key);
}

static int by_rank(const void *left, const void *right)
{
	const struct candidate *a = *(struct candidate *const *)left;
	const struct candidate *b = *(struct candidate *const *)right;
	bool a_is_out = a->key.outcome == OUTCOME_OUT, b_is_out = b->key.outcome == OUTCOME_OUT;

	return a_is_out != b_is_out ? b_is_out - a_is_out : by_items(left, right);
}

/* tcp rx-decode-tx, udp rx-recv ended, tcp send-tx originated; all stations if `is_full`. */
static int name_family(struct family *family, const struct route_key *key, bool is_full)
{
	size_t bytes, last = family->nr_route - 1;
	char *name = NULL;
	FILE *text = open_memstream(&name, &bytes);

	if (!text)
		return -ENOMEM;
	if (key->stations[0] < STATION_STAGE) /* else nothing of it was received */
		fputs(family->is_udp ? "udp " : "tcp ", text);
	fputs(family->route[0], text);
	for (size_t i = 1; i < last; i++)
		if (is_full ||
		    (key->stations[i] >= STATION_STAGE && key->stations[i] < STATION_HANDOFF))
			fprintf(text, "-%s", family->route[i]);
	if (last > 0)
		fprintf(text, "-%s", family->route[last]);
	if (key->is_originated)
		fputs(" originated", text);
	if (key->outcome != OUTCOME_OUT)
		fprintf(text, " %s", family->outcome);
	if (fclose(text) != 0 || !name) {
		free(name);
		return -ENOMEM;
	}
	free(family->name);
	family->name = name;
	return 0;
}

static bool is_ambiguous(const struct vsm *vsm, size_t i)
{
	for (size_t j = 0; j < vsm->nr_families; j++)
		if (j != i && !strcmp(vsm->families[i].name, vsm->families[j].name))
			return true;
	return false;
}

static int name_families(struct families *self, struct vsm *vsm)
{
	bool is_full[VSM_MAX_FAMILIES] = { false };

	for (size_t i = 0; i < vsm->nr_families; i++) {
		if (asprintf(&vsm->families[i].id, "f%zu", i + 1) < 0) {
			vsm->families[i].id = NULL;
			return -ENOMEM;
		}
		if (name_family(&vsm->families[i], &self->candidates[i]->key, false) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < vsm->nr_families; i++)
		is_full[i] = is_ambiguous(vsm, i);
	for (size_t i = 0; i < vsm->nr_families; i++)
		if (is_full[i] &&
		    name_family(&vsm->families[i], &self->candidates[i]->key, true) < 0)
			return -ENOMEM;
	return 0;
}

static int fold_the_rest(struct families *self)
{
	qsort(self->candidates, self->nr, sizeof(*self->candidates), by_items);
	while (self->nr > VSM_MAX_FAMILIES) {
		struct candidate *candidate = self->candidates[--self->nr];

		if (families_fold(self, candidate) < 0) {
			self->nr++;
			return -ENOMEM;
		}
		candidate_free(candidate, &self->common);
	}
	qsort(self->candidates, self->nr, sizeof(*self->candidates), by_rank);
	return 0;
}

static int finish_other(struct families *self, struct vsm *vsm, uint64_t window_ns)
{
	struct family *other = &vsm->families[vsm->nr_families];

	if (!self->other.items)
		return 0;
	*other = self->other;
	memset(&self->other, 0, sizeof(self->other));
	vsm->nr_families++;
	vsm->unmapped_ns += self->other_unmapped_ns;
	other->id = strdup("other");
	other->name = strdup("other");
	other->outcome = "mixed";
	other->rolled_complete_and_accurate_ratio = NAN;
	family_figures(other, window_ns);
	other->pce_min_ratio = other->pce_max_ratio = NAN;
	return other->id && other->name ? 0 : -ENOMEM;
}

static size_t nr_blocks(struct families *self, const struct vsm *vsm)
{
	uint64_t width_ns = self->common.grid.width_ns;
	uint64_t end_ns = vsm->window_end_ns;
	size_t nr = (end_ns - vsm->window_start_ns + width_ns - 1) / width_ns;

	/* An item of no duration may stand on the very end. */
	if (self->common.latest_ns >= vsm->window_start_ns + nr * width_ns)
		nr = grid_index(&self->common.grid, self->common.latest_ns) + 1;
	return nr;
}

int families_finish(struct families *self, const struct stage_names *names, struct vsm *vsm)
{
	uint64_t window_ns = vsm->window_end_ns - vsm->window_start_ns;

	if (fold_the_rest(self) < 0 || families_cover(self, vsm->window_end_ns) < 0)
		return -ENOMEM;
	vsm->families = calloc(self->nr + 1, sizeof(*vsm->families));
	if (!vsm->families)
		return -ENOMEM;
	for (unsigned int i = 0; i < self->nr; i++) {
		struct family *family = &vsm->families[i];

		if (candidate_finish(self->candidates[i], &self->common, names, window_ns,
				     nr_blocks(self, vsm), family) < 0)
			return -ENOMEM;
		vsm->nr_families++;
		vsm->unmapped_ns += self->candidates[i]->unmapped_ns;
		family_figures(family, window_ns);
	}
	if (name_families(self, vsm) < 0)
		return -ENOMEM;
	return finish_other(self, vsm, window_ns);
}
