// SPDX-License-Identifier: BSD-2-Clause
/*
 * candidate.c - one passage into the sums of its family
 *
 * Every item of a family passes every step of it, so that the steps' sums, the rows of
 * by_lead and the blocks all add up to the same. Threads and CPUs are those that ended a
 * step. This is the path every item takes: no allocation once the histograms have their span.
 */
#include "src/map/candidate.h"

#include <errno.h>
#include <stdlib.h>

struct candidate *candidate_new(const struct route_key *key, struct common *common)
{
	size_t nr_steps = key->nr - 1U;
	struct candidate *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->key = *key;
	self->family.is_udp = key->is_udp;
	self->family.outcome = outcome_name(key->outcome);
	self->family.steps = calloc(nr_steps + 1, sizeof(*self->family.steps));
	self->extras = calloc(nr_steps + 1, sizeof(*self->extras));
	self->blocks = block_sums_new(nr_steps);
	if (!self->family.steps || !self->extras || !self->blocks) {
		candidate_free(self, common);
		return NULL;
	}
	self->family.nr_steps = nr_steps;
	self->by_lead.nr_steps = nr_steps;
	hist_init(&self->family.lead_time);
	hist_init(&self->family.process_time);
	hist_init(&self->family.transport_time);
	hist_init(&self->family.wait_time);
	hist_init(&self->family.time_to_last_output);
	hist_init(&self->family.outputs);
	for (size_t s = 0; s < nr_steps; s++) {
		struct step *step = &self->family.steps[s];

		hist_init(&step->time);
		hist_init(&step->time_raw);
		hist_init(&step->on_cpu);
		hist_init(&step->run_queue);
		hist_init(&step->blocked);
		hist_init(&step->busy_item);
		hist_init(&step->busy_other);
		hist_init(&step->visits);
		hist_init(&step->cycle_time);
		self->extras[s].inventory.out.cycle_time = &step->cycle_time;
	}
	self->in_flight.out.in_flight = self->blocks;
	self->in_flight.out.grid = &common->grid;
	return self;
}

void candidate_free(struct candidate *self, struct common *common)
{
	if (!self)
		return;
	for (size_t s = 0; self->extras && s + 1 < self->key.nr; s++) {
		inventory_fini(&self->extras[s].inventory, &common->pool);
		distinct_fini(&self->extras[s].threads);
		distinct_fini(&self->extras[s].cpus);
		free(self->extras[s].ran);
	}
	vsm_family_fini(&self->family);
	free(self->extras);
	lead_matrix_fini(&self->by_lead);
	block_sums_free(self->blocks);
	inventory_fini(&self->in_flight, &common->pool);
	slowest_fini(&self->slowest);
	free(self);
}

/* What was seen at one station only (a datagram that was dropped) has no times, not times of 0. */
static bool add_times(struct family *family, const struct passage *passage)
{
	return hist_add(&family->lead_time, passage->lead_ns) == 0 &&
	       hist_add(&family->transport_time, passage->transport_ns) == 0 &&
	       hist_add(&family->wait_time, passage->wait_ns) == 0 &&
	       (!passage->has_process || hist_add(&family->process_time, passage->process_ns) == 0);
}

int family_add_totals(struct family *family, const struct passage *passage)
{
	const struct journey *journey = passage->journey;
	uint64_t first_ns = journey->stamps[0].at_ns;
	bool failed = passage->nr_stamps > 1 && !add_times(family, passage);

	family->items++;
	if (journey->outcome == OUTCOME_OUT) {
		failed |= hist_add(&family->outputs, journey->outputs) < 0;
		if (journey->last_output_ns >= first_ns)
			failed |= hist_add(&family->time_to_last_output,
					   journey->last_output_ns - first_ns - passage->bias_ns) <
				  0;
	}
	return failed ? -ENOMEM : 0;
}

int family_merge_totals(struct family *family, const struct family *other)
{
	family->items += other->items;
	if (hist_merge(&family->lead_time, &other->lead_time) < 0 ||
	    hist_merge(&family->process_time, &other->process_time) < 0 ||
	    hist_merge(&family->transport_time, &other->transport_time) < 0 ||
	    hist_merge(&family->wait_time, &other->wait_time) < 0 ||
	    hist_merge(&family->time_to_last_output, &other->time_to_last_output) < 0 ||
	    hist_merge(&family->outputs, &other->outputs) < 0)
		return -ENOMEM;
	return 0;
}

/* Most parts of most steps are 0: those are added all at once, at the end. */
static inline bool add_part(struct hist *part, uint64_t ns)
{
	return ns == 0 || hist_add(part, ns) == 0;
}

static bool add_parts(struct step *step, const struct passage_step *from)
{
	step->preemptions += from->preemptions;
	return add_part(&step->on_cpu, from->on_cpu_ns) &&
	       add_part(&step->run_queue, from->run_queue_ns) &&
	       add_part(&step->blocked, from->blocked_ns) &&
	       add_part(&step->busy_item, from->busy_item_ns) &&
	       add_part(&step->busy_other, from->busy_other_ns);
}

static int add_step(struct step *step, struct candidate_step *extra,
		    const struct passage_step *from)
{
	bool failed = hist_add(&step->time, from->time_ns) < 0;

	step->items++;
	if (from->error_ns) {
		failed |= hist_add(&step->time_raw, from->time_ns + from->bias_ns) < 0;
		extra->error_sum_ns += from->error_ns;
	}
	if (from->visits == 1)
		extra->single_visits++;
	else
		failed |= hist_add(&step->visits, from->visits) < 0;
	if (from->has_parts) {
		extra->known_parts++;
		failed |= !add_parts(step, from);
	}
	return failed ? -ENOMEM : 0;
}

static int add_steps(struct candidate *self, const struct passage *passage, uint64_t *block_row,
		     uint64_t *lead_row)
{
	bool failed = false;

	for (size_t s = 0; s < self->family.nr_steps; s++) {
		const struct passage_step *step = &passage->steps[s];

		failed |= add_step(&self->family.steps[s], &self->extras[s], step) < 0;
		block_row[s] += step->time_ns;
		if (lead_row)
			lead_row[s] += step->time_ns;
	}
	return failed ? -ENOMEM : 0;
}

static int add_ran(struct candidate_step *extra, uint32_t pid, uint64_t ns)
{
	if (!extra->ran)
		extra->ran = calloc(1, sizeof(*extra->ran));
	if (!extra->ran)
		return -ENOMEM;
	ran_add(extra->ran, pid, ns);
	return 0;
}

/* Who ended the step, where, and who ran instead. */
static int add_end(struct candidate_step *extra, const struct stamp *end)
{
	bool failed = distinct_add(&extra->cpus, end->cpu) < 0;

	if (end->tid)
		failed |= distinct_add(&extra->threads, end->tid) < 0;
	if (!end->parts.is_known)
		return failed ? -ENOMEM : 0;
	for (unsigned int i = 0; i < JOURNEY_MAX_RAN; i++)
		if (end->parts.ran[i].ns)
			failed |= add_ran(extra, end->parts.ran[i].pid, end->parts.ran[i].ns) < 0;
	return failed ? -ENOMEM : 0;
}

static uint64_t in_window(const struct common *common, uint64_t at_ns)
{
	return at_ns > common->grid.start_ns ? at_ns : common->grid.start_ns;
}

static int add_stay(struct candidate_step *extra, struct common *common, const struct stamp *from,
		    const struct stamp *to, bool is_completed)
{
	return inventory_add(&extra->inventory, &common->pool, common->latest_ns,
			     in_window(common, from->at_ns), to->at_ns, is_completed);
}

/* Every station once: each interval is a step of its own. */
static int add_simple(struct candidate *self, struct common *common, const struct passage *passage)
{
	const struct stamp *stamp = passage->journey->stamps;
	bool failed = false;

	for (size_t s = 0; s < self->family.nr_steps; s++, stamp++) {
		failed |= add_end(&self->extras[s], stamp + 1) < 0;
		failed |= add_stay(&self->extras[s], common, stamp, stamp + 1, true) < 0;
	}
	return failed ? -ENOMEM : 0;
}

/* Visits that follow each other at once are one stay; the last stay completes the step. */
static int add_repeated(struct candidate *self, struct common *common,
			const struct passage *passage)
{
	const struct stamp *stamps = passage->journey->stamps;
	const uint32_t last = passage->nr_stamps - 1;
	uint8_t last_stay[VSM_MAX_STEPS + 1];
	bool failed = false;
	uint32_t next;

	for (uint32_t i = 0; i < last; i++)
		last_stay[passage->position[i]] = i;
	for (uint32_t i = 0; i < last; i = next) {
		unsigned int s = passage->position[i];

		for (next = i + 1; next < last && passage->position[next] == s; next++)
			;
		if (s == self->family.nr_steps)
			continue;
		for (uint32_t end = i + 1; end <= next; end++)
			failed |= add_end(&self->extras[s], &stamps[end]) < 0;
		failed |= add_stay(&self->extras[s], common, &stamps[i], &stamps[next],
				   last_stay[s] < next) < 0;
	}
	return failed ? -ENOMEM : 0;
}

static int add_intervals(struct candidate *self, struct common *common,
			 const struct passage *passage)
{
	return passage->nr_stamps == self->key.nr ? add_simple(self, common, passage) :
						    add_repeated(self, common, passage);
}

static int add_in_flight(struct candidate *self, struct common *common,
			 const struct passage *passage)
{
	const struct stamp *stamps = passage->journey->stamps;

	return inventory_add(&self->in_flight, &common->pool, common->latest_ns,
			     in_window(common, stamps[0].at_ns),
			     stamps[passage->nr_stamps - 1].at_ns, true);
}

static void add_defects(struct candidate *self, const struct journey *journey)
{
	size_t nr_steps = self->family.nr_steps;

	if (!journey->retransmits || !nr_steps || self->key.stations[nr_steps] != STATION_TX)
		return;
	self->family.steps[nr_steps - 1].retransmits += journey->retransmits;
	self->extras[nr_steps - 1].defective++;
}

int candidate_add(struct candidate *self, struct common *common, const struct passage *passage)
{
	uint64_t first_ns = passage->journey->stamps[0].at_ns;
	unsigned int block = grid_index(&common->grid, first_ns);
	uint64_t *block_row, *lead_row;

	self->weight++;
	self->unmapped_ns += passage->unmapped_ns;
	takt_add(&self->takt, first_ns);
	add_defects(self, passage->journey);
	if (family_add_totals(&self->family, passage) < 0 ||
	    block_sums_add(self->blocks, block, passage->lead_ns, &block_row) < 0 ||
	    lead_matrix_add(&self->by_lead, passage->lead_ns, &lead_row) < 0 ||
	    add_steps(self, passage, block_row, lead_row) < 0 ||
	    add_intervals(self, common, passage) < 0 || add_in_flight(self, common, passage) < 0)
		return -ENOMEM;
	return slowest_add(&self->slowest, passage);
}
