// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_data.c - what stands in the data boxes under the steps
 *
 * A table: a label, what a step shows, what the whole family shows in the last column. Below
 * the quantiles, a line for which no step of this row of boxes has anything is left out.
 */
#include <stdio.h>
#include <string.h>

#include "src/render/figure.h"
#include "src/render/text_grid.h"

static struct figure none(void)
{
	return (struct figure){ "-" };
}

static struct figure quantile(const struct hist *hist, double q)
{
	uint64_t ns;

	return hist->count && hist_quantile(hist, q, &ns) ? figure_time(ns) : none();
}

static struct figure part(const struct step *step, const struct hist *hist)
{
	return step->has_parts && hist->count ? figure_time(hist_mean_ns(hist)) : none();
}

/* A stage that is shorter than its probes' error has no figure, only a bound. */
static struct figure resolved(const struct step *step, double q)
{
	struct figure figure = quantile(&step->time, q), bound;
	uint64_t ns;

	if (!step->error_ns || !hist_quantile(&step->time, q, &ns) || ns >= step->error_ns)
		return figure;
	bound = figure_time(step->error_ns);
	snprintf(figure.s, sizeof(figure.s), "<%.*s", (int)sizeof(figure.s) - 2, bound.s);
	return figure;
}

static struct figure step_p50(const struct step *step)
{
	return resolved(step, 0.5);
}

static struct figure step_p99(const struct step *step)
{
	return resolved(step, 0.99);
}

static struct figure step_on_cpu(const struct step *step)
{
	return part(step, &step->on_cpu);
}

static struct figure step_run_queue(const struct step *step)
{
	return part(step, &step->run_queue);
}

static struct figure step_blocked(const struct step *step)
{
	return part(step, &step->blocked);
}

static struct figure step_busy(const struct step *step)
{
	if (!step->has_parts || !step->busy_item.count)
		return none();
	return figure_time(hist_mean_ns(&step->busy_item) + hist_mean_ns(&step->busy_other));
}

static struct figure step_utilised(const struct step *step)
{
	return figure_ratio(step->utilisation_ratio);
}

static struct figure step_accurate(const struct step *step)
{
	return figure_ratio(step->complete_and_accurate_ratio);
}

static struct figure step_threads(const struct step *step)
{
	return step->threads ? figure_short(step->threads) : none();
}

static struct figure lead_p50(const struct family *family)
{
	return quantile(&family->lead_time, 0.5);
}

static struct figure lead_p99(const struct family *family)
{
	return quantile(&family->lead_time, 0.99);
}

static struct figure lead_accurate(const struct family *family)
{
	return figure_ratio(family->rolled_complete_and_accurate_ratio);
}

struct data_row {
	const char *label;
	struct figure (*step)(const struct step *step);
	struct figure (*lead)(const struct family *family); /* NULL: nothing */
};

static const struct data_row data_rows[] = {
	{ "p50", step_p50, lead_p50 },	     { "p99", step_p99, lead_p99 },
	{ "on cpu", step_on_cpu, NULL },     { "run queue", step_run_queue, NULL },
	{ "blocked", step_blocked, NULL },   { "busy", step_busy, NULL },
	{ "utilised", step_utilised, NULL }, { "C&A", step_accurate, lead_accurate },
	{ "threads", step_threads, NULL },
};

#define NR_DATA_ROWS (sizeof(data_rows) / sizeof(data_rows[0]))

static bool is_nothing(struct figure figure)
{
	return !strcmp(figure.s, "-");
}

static bool is_empty(const struct data_row *row, const struct grid *grid)
{
	for (size_t cell = 0; cell < grid->nr; cell++)
		if (!is_nothing(row->step(grid_step(grid, cell))))
			return false;
	return !row->lead || !grid_is_last(grid) || is_nothing(row->lead(grid->family));
}

void grid_data(struct grid *self)
{
	for (size_t i = 0; i < NR_DATA_ROWS; i++) {
		const struct data_row *row = &data_rows[i];

		if (i > 1 && is_empty(row, self))
			continue;
		grid_label(self, row->label);
		for (size_t cell = 0; cell < self->nr; cell++)
			grid_value(self, cell, STYLE_PLAIN, row->step(grid_step(self, cell)).s);
		if (row->lead)
			grid_lead(self, STYLE_STRONG, row->lead(self->family).s);
		self->y++;
	}
}
