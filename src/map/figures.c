// SPDX-License-Identifier: BSD-2-Clause
/*
 * figures.c - sums in, ratios out
 *
 * Every division is here, and every case in which there is nothing to divide by.
 */
#include "src/map/figures.h"

#include <math.h>

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

/* Of a message that the target sends by itself the work before is not on the map. */
static bool has_work(const struct family *self)
{
	for (size_t s = 0; s < self->nr_steps; s++)
		if (self->steps[s].kind == STEP_STAGE || self->steps[s].kind == STEP_PROCESS)
			return true;
	return false;
}

static bool has_stages(const struct family *self)
{
	for (size_t s = 0; s < self->nr_steps; s++)
		if (self->steps[s].kind == STEP_STAGE)
			return true;
	return false;
}

static void efficiency(struct family *self)
{
	uint64_t added_ns = 0, open_ns = 0;
	bool is_declared = false, is_open = false, is_known = true;
	/* Without stages all of `process` may be of value, and nobody can declare it. */
	enum step_kind kind = has_stages(self) ? STEP_STAGE : STEP_PROCESS;
	double lead_ns = (double)self->lead_time.sum_ns;

	for (size_t s = 0; s < self->nr_steps; s++) {
		const struct step *step = &self->steps[s];

		if (step->kind != kind)
			continue;
		is_declared = true;
		is_known &= step->has_parts;
		if (step->value == VALUE_ADDED)
			added_ns += step->on_cpu.sum_ns;
		if (step->value == VALUE_UNKNOWN) {
			is_open = true;
			open_ns += step->on_cpu.sum_ns;
		}
	}
	self->pce_min_ratio = is_known ? ratio((double)added_ns, lead_ns) : NAN;
	self->pce_max_ratio = is_known ? ratio((double)(added_ns + open_ns), lead_ns) : NAN;
	self->pce_ratio = is_declared && !is_open ? self->pce_min_ratio : NAN;
}

static void utilisation(struct step *step, uint64_t window_ns)
{
	double room_ns = (double)step->threads * (double)window_ns;

	step->utilisation_ratio = step->has_parts ? ratio((double)step->on_cpu.sum_ns, room_ns) :
						    NAN;
}

static void constraint(struct family *self)
{
	double highest = 0;

	self->constraint = -1;
	for (size_t s = 0; s < self->nr_steps; s++) {
		if (!(self->steps[s].utilisation_ratio > highest))
			continue;
		highest = self->steps[s].utilisation_ratio;
		self->constraint = (int)s;
	}
}

void family_figures(struct family *self, uint64_t window_ns)
{
	double lead_ns = (double)self->lead_time.sum_ns;

	self->rate_hz = ratio((double)self->items * 1e9, (double)window_ns);
	self->takt_mean_ns = self->items ? window_ns / self->items : 0;
	self->activity_ratio = self->process_time.count && has_work(self) ?
				       ratio((double)self->process_time.sum_ns, lead_ns) :
				       NAN;
	for (size_t s = 0; s < self->nr_steps; s++) {
		struct step *step = &self->steps[s];

		step->lead_time_share_ratio = ratio((double)step->time.sum_ns, lead_ns);
		utilisation(step, window_ns);
	}
	efficiency(self);
	constraint(self);
}

void family_roll(struct family *self)
{
	double product = NAN;

	for (size_t s = 0; s < self->nr_steps; s++) {
		double step = self->steps[s].complete_and_accurate_ratio;

		if (!isnan(step))
			product = isnan(product) ? step : product * step;
	}
	self->rolled_complete_and_accurate_ratio = product;
}
