// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_ladder.c - the castellated time ladder beneath the boxes, and where the tail's time goes
 *
 * Means per step: what threads worked on the item on the lower rung, all else (transport,
 * waits, the part of a stage in which nobody ran) on the upper, with a question mark where it
 * is not known of some items which it was. Beneath, the same for the items of a band of lead
 * time: those rows add up to the band's mean lead time, quantiles of steps would not.
 */
#include "src/render/figure.h"
#include "src/render/text_grid.h"

#define NR_NAMED 3 /* steps in the sentence on the tail */

static const struct {
	const char *label;
	const char *name;
} bands[LADDER_NR] = {
	[LADDER_NORM] = { "at norm", "norm" },
	[LADDER_P99] = { "at p99", "p99" },
	[LADDER_P99_99] = { "at p99.99", "p99.99" },
};

static bool is_of_process(const struct step *step)
{
	return step->kind == STEP_STAGE || step->kind == STEP_PROCESS;
}

static uint64_t nr_known(const struct step *step)
{
	return step->has_parts ? step->on_cpu.count : 0;
}

/* Time of which it is known of no item whether it was worked or waited is unmapped, no work. */
static bool is_work(const struct step *step)
{
	return is_of_process(step) && (nr_known(step) || !step->time.count);
}

/* More than one item in a hundred. */
static bool is_partly_unmapped(const struct step *step)
{
	return is_of_process(step) && (step->time.count - nr_known(step)) * 100 > step->time.count;
}

/* What stands on the lower rung. */
static uint64_t work_ns(const struct step *step)
{
	return hist_mean_ns(&step->on_cpu);
}

/* What stands on the upper rung. */
static uint64_t rest_ns(const struct step *step)
{
	uint64_t work = is_work(step) ? work_ns(step) : 0;
	uint64_t time = hist_mean_ns(&step->time);

	return time > work ? time - work : 0;
}

static void draw_rung(struct grid *self, size_t cell)
{
	bool is_low = is_work(grid_step(self, cell));
	unsigned int from = grid_left(self, cell);
	bool is_end = cell + 1 == self->nr;
	unsigned int to = is_end ? grid_right(self, cell) : grid_left(self, cell + 1);
	unsigned int y = self->y + is_low;

	canvas_line(self->canvas, from, y, to, y);
	if (!is_end && is_work(grid_step(self, cell + 1)) != is_low)
		canvas_line(self->canvas, to, self->y, to, self->y + 1);
}

static void put_mean(struct grid *self, size_t cell, uint64_t ns, const char *mark)
{
	bool is_known = grid_step(self, cell)->time.count;
	char text[sizeof(struct figure) + 4];

	snprintf(text, sizeof(text), " %s%s ", is_known ? figure_time(ns).s : "-", mark);
	canvas_text_right(self->canvas, grid_right(self, cell), self->y, STYLE_STRONG, text);
}

static void put_totals(struct grid *self)
{
	const struct family *family = self->family;
	uint64_t lead = hist_mean_ns(&family->lead_time);
	uint64_t work = hist_mean_ns(&family->process_time);
	bool is_known = family->lead_time.count && family->process_time.count;

	grid_lead(self, STYLE_PLAIN, is_known && lead >= work ? figure_time(lead - work).s : "-");
	self->y++;
	grid_lead(self, STYLE_PLAIN, is_known ? figure_time(work).s : "-");
	self->y--;
}

static void castle(struct grid *self)
{
	for (size_t cell = 0; cell < self->nr; cell++)
		draw_rung(self, cell);
	grid_label(self, "wait+move");
	put_totals(self);
	for (size_t cell = 0; cell < self->nr; cell++) {
		const struct step *step = grid_step(self, cell);

		if (!is_work(step) || (step->has_parts && rest_ns(step)))
			put_mean(self, cell, rest_ns(step), is_partly_unmapped(step) ? "?" : "");
	}
	self->y++;
	grid_label(self, "process");
	for (size_t cell = 0; cell < self->nr; cell++)
		if (is_work(grid_step(self, cell)))
			put_mean(self, cell, work_ns(grid_step(self, cell)), "");
	self->y++;
}

static uint64_t growth(const struct family *family, unsigned int band, size_t step)
{
	uint64_t norm = family->ladders[LADDER_NORM].step_mean_ns[step];
	uint64_t tail = family->ladders[band].step_mean_ns[step];

	return family->ladders[LADDER_NORM].is_known && tail > norm ? tail - norm : 0;
}

/* The step that grew most, among those whose bit is not in `done`; -1: none did. */
static int grown_most(const struct family *family, unsigned int band, const bool *done)
{
	int most = -1;

	for (size_t i = 0; i < family->nr_steps; i++)
		if (!done[i] && growth(family, band, i) &&
		    (most < 0 || growth(family, band, i) > growth(family, band, (size_t)most)))
			most = (int)i;
	return most;
}

static void put_band(struct grid *self, unsigned int band)
{
	const struct ladder *ladder = &self->family->ladders[band];
	bool none[VSM_MAX_STEPS] = { false };
	int most = band == LADDER_NORM ? -1 : grown_most(self->family, band, none);

	if (!ladder->is_known)
		return;
	grid_label(self, bands[band].label);
	for (size_t cell = 0; cell < self->nr; cell++) {
		enum style style = (int)(self->first + cell) == most ? STYLE_WARN : STYLE_PLAIN;

		grid_value(self, cell, style,
			   figure_time(ladder->step_mean_ns[self->first + cell]).s);
	}
	grid_lead(self, STYLE_STRONG, figure_time(ladder->lead_mean_ns).s);
	self->y++;
}

void grid_ladder(struct grid *self)
{
	castle(self);
	for (unsigned int band = 0; band < LADDER_NR; band++)
		put_band(self, band);
}

static void name_grown(struct flow *flow, const struct family *family, unsigned int band,
		       uint64_t total)
{
	bool done[VSM_MAX_STEPS] = { false };

	for (int i = 0; i < NR_NAMED; i++) {
		int step = grown_most(family, band, done);
		uint64_t ns = step < 0 ? 0 : growth(family, band, (size_t)step);

		if (ns < total / 20 || !ns)
			break;
		done[step] = true;
		flow_add(flow, i ? STYLE_PLAIN : STYLE_WARN, "%s %s (%s)", family->steps[step].name,
			 figure_time(ns).s, figure_ratio((double)ns / (double)total).s);
	}
}

void text_tail(const struct text *self, const struct family *family)
{
	const struct ladder *ladders = family->ladders;
	struct flow flow = text_flow(self);

	for (unsigned int band = LADDER_P99; band < LADDER_NR; band++) {
		uint64_t norm = ladders[LADDER_NORM].lead_mean_ns;
		uint64_t tail = ladders[band].lead_mean_ns;

		if (!ladders[LADDER_NORM].is_known || !ladders[band].is_known || tail <= norm)
			continue;
		flow_begin(&flow, "tail");
		flow_add(&flow, STYLE_PLAIN, "%s is norm + %s:", bands[band].name,
			 figure_time(tail - norm).s);
		name_grown(&flow, family, band, tail - norm);
		flow_end(&flow);
	}
}
