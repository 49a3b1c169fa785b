// SPDX-License-Identifier: BSD-2-Clause
/*
 * candidate_finish.c - the end of a candidate: what waited is counted, what grew is moved
 *
 * Inventories are swept before the blocks are read, since the sweep fills the number in
 * flight per block and the cycle times.
 */
#include "src/map/candidate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int finish_inventory(struct inventory *self, struct common *common, uint64_t window_ns,
			    struct step *step)
{
	int err = inventory_finish(self, &common->pool);

	common->late += self->late;
	step->inventory_mean = window_ns ? (double)self->sum_ns / (double)window_ns : NAN;
	step->inventory_max = self->max;
	step->inventory_counted_mean = NAN;
	return err;
}

static int add_zeros(struct hist *part, uint64_t items)
{
	return hist_add_n(part, 0, items - part->count);
}

static int finish_parts(struct step *step, uint64_t items)
{
	step->has_parts = items > 0;
	if (add_zeros(&step->on_cpu, items) < 0 || add_zeros(&step->run_queue, items) < 0 ||
	    add_zeros(&step->blocked, items) < 0 || add_zeros(&step->busy_item, items) < 0 ||
	    add_zeros(&step->busy_other, items) < 0)
		return -ENOMEM;
	return 0;
}

static int finish_step(struct candidate *self, size_t s, struct common *common,
		       const struct stage_names *names, uint64_t window_ns)
{
	struct step *step = &self->family.steps[s];
	struct candidate_step *extra = &self->extras[s];
	const uint8_t *stations = self->key.stations;

	step->threads = extra->threads.nr;
	step->cpus = extra->cpus.nr;
	step->error_ns = step->items ? extra->error_sum_ns / step->items : 0;
	if (extra->ran)
		step->nr_ran = ran_top(extra->ran, step->ran);
	if (hist_add_n(&step->visits, 1, extra->single_visits) < 0 ||
	    finish_parts(step, extra->known_parts) < 0 ||
	    step_describe(step, names, stations[s], stations[s + 1]) < 0)
		return -ENOMEM;
	return finish_inventory(&extra->inventory, common, window_ns, step);
}

/* Of the steps' defects only retransmits are known here; a datagram cannot have one. */
static void finish_defects(struct candidate *self)
{
	struct family *family = &self->family;

	for (size_t s = 0; s < family->nr_steps; s++) {
		bool is_told = !family->is_udp && self->key.stations[s + 1] == STATION_TX;

		family->steps[s].complete_and_accurate_ratio =
			is_told ? 1 - (double)self->extras[s].defective /
						  (double)family->steps[s].items :
				  NAN;
	}
}

static int finish_route(struct candidate *self, const struct stage_names *names)
{
	struct family *family = &self->family;

	family->route = calloc(self->key.nr, sizeof(*family->route));
	if (!family->route)
		return -ENOMEM;
	family->nr_route = self->key.nr;
	for (size_t i = 0; i < family->nr_route; i++) {
		family->route[i] = stage_names_station(names, self->key.stations[i]);
		if (!family->route[i])
			return -ENOMEM;
	}
	return 0;
}

int candidate_finish(struct candidate *self, struct common *common, const struct stage_names *names,
		     uint64_t window_ns, size_t nr_blocks, struct family *out)
{
	struct family *family = &self->family;

	for (size_t s = 0; s < family->nr_steps; s++)
		if (finish_step(self, s, common, names, window_ns) < 0)
			return -ENOMEM;
	family->takt_peak_1ms_ns = takt_peak_ns(&self->takt);
	if (finish_route(self, names) < 0 ||
	    inventory_finish(&self->in_flight, &common->pool) < 0 ||
	    block_sums_finish(self->blocks, &common->grid, nr_blocks, &family->blocks) < 0 ||
	    lead_matrix_finish(&self->by_lead, &family->by_lead) < 0 ||
	    slowest_finish(&self->slowest, names, family) < 0)
		return -ENOMEM;
	finish_defects(self);
	ladders_read(family);
	*out = *family;
	memset(family, 0, sizeof(*family));
	return 0;
}
