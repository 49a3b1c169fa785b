// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_family.c - one family in full: its title, the stream, and the totals in words; and the
 * table of those that have one line each
 */
#include <math.h>
#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"
#include "src/render/text.h"

#define NAME_BYTES 512
#define MAX_NAME (NAME_BYTES / 4 - 1) /* columns */
#define MAX_NAMED 3 /* of who ran instead, per step */
#define MIN_WIDE 64 /* columns for the long form of the table */

static const char *quantile(const struct hist *hist, double q, struct figure *figure)
{
	uint64_t ns;

	if (!hist->count || !hist_quantile(hist, q, &ns))
		return "-";
	*figure = figure_time(ns);
	return figure->s;
}

static int put_title(const struct text *self, const struct family *family)
{
	char words[NAME_BYTES];
	char name[NAME_BYTES];
	struct canvas *canvas;
	unsigned int end = self->columns;
	int err = canvas_new(&canvas, self->columns, 1, self->is_utf8);

	if (err)
		return err;
	canvas_line(canvas, 0, 0, end - 1, 0);
	snprintf(words, sizeof(words), " %s items  %s ", figure_count(family->items).s,
		 figure_rate(family->rate_hz).s);
	canvas_text_right(canvas, end - 2, 0, STYLE_PLAIN, words);
	end -= 2 + text_columns(words) + 2;
	snprintf(words, sizeof(words), "%s  %.200s%s%.200s", family->id ? family->id : "",
		 family->name ? family->name : "", family->class ? "  class " : "",
		 family->class ? family->class : "");
	end = end < MAX_NAME ? end : MAX_NAME;
	escape_text(name, words, end > 5 ? end - 5 : 0, self->is_utf8);
	end = canvas_text(canvas, 3, 0, STYLE_STRONG, name);
	canvas_text(canvas, 2, 0, STYLE_PLAIN, " ");
	canvas_text(canvas, end, 0, STYLE_PLAIN, " ");
	canvas_print(canvas, 1, self->out, self->is_coloured);
	canvas_free(canvas);
	return 0;
}

static void put_lead_time(struct flow *flow, const struct hist *lead)
{
	struct figure figure;

	flow_begin(flow, "lead time");
	if (!lead->count) {
		flow_add(flow, STYLE_PLAIN, "no item with a known arrival");
		flow_end(flow);
		return;
	}
	flow_add(flow, STYLE_STRONG, "mean %s", figure_time(hist_mean_ns(lead)).s);
	flow_add(flow, STYLE_PLAIN, "p50 %s", quantile(lead, 0.5, &figure));
	flow_add(flow, STYLE_PLAIN, "p90 %s", quantile(lead, 0.9, &figure));
	flow_add(flow, STYLE_STRONG, "p99 %s", quantile(lead, 0.99, &figure));
	flow_add(flow, STYLE_PLAIN, "p99.9 %s", quantile(lead, 0.999, &figure));
	flow_add(flow, STYLE_PLAIN, "p99.99 %s", quantile(lead, 0.9999, &figure));
	flow_add(flow, STYLE_PLAIN, "max %s", figure_time(lead->max_ns).s);
	flow_end(flow);
}

static void add_class(struct flow *flow, const char *name, const struct hist *hist,
		      const struct hist *lead)
{
	if (hist->count && lead->sum_ns)
		flow_add(flow, STYLE_PLAIN, "%s %s (%s)", name,
			 figure_time(hist_mean_ns(hist)).s,
			 figure_ratio((double)hist->sum_ns / (double)lead->sum_ns).s);
	else
		flow_add(flow, STYLE_PLAIN, "%s -", name);
}

static void put_classes(struct flow *flow, const struct family *family)
{
	const struct hist *lead = &family->lead_time;

	flow_begin(flow, "of it");
	add_class(flow, "process", &family->process_time, lead);
	add_class(flow, "transport", &family->transport_time, lead);
	add_class(flow, "wait", &family->wait_time, lead);
	flow_add(flow, STYLE_PLAIN, "activity %s", figure_ratio(family->activity_ratio).s);
	if (!isnan(family->pce_ratio))
		flow_add(flow, STYLE_PLAIN, "pce %s", figure_ratio(family->pce_ratio).s);
	flow_end(flow);
}

static void put_pace(struct flow *flow, const struct family *family)
{
	flow_begin(flow, "takt");
	if (family->takt_declared_ns)
		flow_add(flow, STYLE_PLAIN, "declared %s",
			 figure_time(family->takt_declared_ns).s);
	flow_add(flow, STYLE_PLAIN, "mean %s",
		 family->takt_mean_ns ? figure_time(family->takt_mean_ns).s : "-");
	flow_add(flow, STYLE_PLAIN, "peak %s",
		 family->takt_peak_1ms_ns ? figure_time(family->takt_peak_1ms_ns).s : "-");
	if (family->constraint >= 0 && (size_t)family->constraint < family->nr_steps) {
		const struct step *step = &family->steps[family->constraint];

		flow_add(flow, STYLE_PLAIN, "constraint %s, %s utilised", step->name,
			 figure_ratio(step->utilisation_ratio).s);
		if (step->cycle_time.count)
			flow_add(flow, STYLE_PLAIN, "its cycle %s",
				 figure_time(hist_mean_ns(&step->cycle_time)).s);
	}
	flow_end(flow);
}

static void put_outputs(struct flow *flow, const struct family *family)
{
	const struct hist *outputs = &family->outputs;
	const struct hist *last = &family->time_to_last_output;

	if (!outputs->count || outputs->max_ns <= 1)
		return;
	flow_begin(flow, "outputs");
	flow_add(flow, STYLE_PLAIN, "%s an item",
		 figure_level((double)outputs->sum_ns / (double)outputs->count).s);
	flow_add(flow, STYLE_PLAIN, "at most %s", figure_count(outputs->max_ns).s);
	if (last->count)
		flow_add(flow, STYLE_PLAIN, "the last after %s on average",
			 figure_time(hist_mean_ns(last)).s);
	flow_end(flow);
}

static void put_ran(struct flow *flow, const struct family *family)
{
	for (size_t i = 0; i < family->nr_steps; i++) {
		const struct step *step = &family->steps[i];

		if (!step->nr_ran)
			continue;
		flow_begin(flow, "ran");
		flow_add(flow, STYLE_PLAIN, "instead of %s:", step->name);
		for (size_t r = 0; r < step->nr_ran && r < MAX_NAMED; r++)
			flow_add(flow, STYLE_PLAIN, "%.16s (%u) %s", step->ran[r].comm,
				 step->ran[r].pid, figure_time(step->ran[r].sum_ns).s);
		if (step->nr_ran > MAX_NAMED)
			flow_add(flow, STYLE_PLAIN, "and %zu more", step->nr_ran - MAX_NAMED);
		flow_end(flow);
	}
}

static void put_findings(struct flow *flow, const struct family *family)
{
	for (size_t i = 0; i < family->nr_findings; i++) {
		const struct finding *finding = &family->findings[i];

		flow_begin(flow, "waste");
		flow_add(flow, STYLE_WARN, "%s%s%s", finding->waste, finding->step ? " at " : "",
			 finding->step ? finding->step : "");
		flow_add(flow, STYLE_PLAIN, "%s an item (%s)",
			 figure_time(finding->cost_ns_per_item).s,
			 figure_ratio(finding->lead_time_share_ratio).s);
		if (finding->evidence)
			flow_words(flow, STYLE_PLAIN, finding->evidence);
		flow_end(flow);
	}
}

/* The slowest item, and the longest of its intervals. */
static void put_slowest(const struct text *self, struct flow *flow, const struct family *family)
{
	const struct slow_item *item = &family->slowest[0];
	uint32_t most = 0;

	if (!family->nr_slowest)
		return;
	flow_begin(flow, "slowest");
	flow_add(flow, STYLE_PLAIN, "item %llu: %s", (unsigned long long)item->id,
		 figure_time(item->lead_time_ns).s);
	for (uint32_t i = 1; i < item->nr_stamps; i++)
		if (!most || item->stamps[i].at_ns - item->stamps[i - 1].at_ns >
				     item->stamps[most].at_ns - item->stamps[most - 1].at_ns)
			most = i;
	if (most)
		flow_add(flow, STYLE_PLAIN, "%s of it in %s>%s",
			 figure_time(item->stamps[most].at_ns - item->stamps[most - 1].at_ns).s,
			 item->stamps[most - 1].name, item->stamps[most].name);
	if (item->nr_stamps && item->stamps[0].at_ns >= self->vsm->window_start_ns)
		flow_add(flow, STYLE_PLAIN, "at +%s",
			 figure_time(item->stamps[0].at_ns - self->vsm->window_start_ns).s);
	flow_end(flow);
}

int text_family(const struct text *self, const struct family *family)
{
	struct flow flow = text_flow(self);
	int err = put_title(self, family);

	putc('\n', self->out);
	err = err ? err : text_stream(self, family);
	putc('\n', self->out);
	put_lead_time(&flow, &family->lead_time);
	put_classes(&flow, family);
	put_pace(&flow, family);
	put_outputs(&flow, family);
	text_tail(self, family);
	put_ran(&flow, family);
	put_findings(&flow, family);
	put_slowest(self, &flow, family);
	return err;
}

/* The columns of the table end here, counted from the right. */
enum { END_P99 = 0, END_P50 = 8, END_RATE = 16, END_ITEMS = 27, END_NARROW_ITEMS = 16 };

static void put_route(const struct text *self, struct canvas *canvas, unsigned int y,
		      const struct family *family, unsigned int room)
{
	char route[NAME_BYTES];
	char shown[NAME_BYTES];
	size_t at = 0;

	snprintf(route, sizeof(route), "%s", family->name ? family->name : "");
	for (size_t i = 0; i < family->nr_route && at + 1 < sizeof(route) / 2; i++)
		at += (size_t)snprintf(route + at, sizeof(route) - at, "%s%.60s", i ? ">" : "",
				       family->route[i] ? family->route[i] : "");
	if (at && family->outcome && strcmp(family->outcome, outcome_name(OUTCOME_OUT)))
		snprintf(route + at, sizeof(route) - at, "  %s", family->outcome);
	escape_text(shown, route, room < MAX_NAME ? room : MAX_NAME, self->is_utf8);
	canvas_text(canvas, FLOW_INDENT, y, STYLE_PLAIN, shown);
}

static void put_line(const struct text *self, struct canvas *canvas, unsigned int y,
		     const struct family *family)
{
	bool is_wide = self->columns >= MIN_WIDE;
	unsigned int end = self->columns;
	unsigned int items_end = end - (is_wide ? END_ITEMS : END_NARROW_ITEMS);
	char id[4 * FLOW_INDENT];
	struct figure figure;

	escape_text(id, family->id, FLOW_INDENT - 1, self->is_utf8);
	canvas_text(canvas, 0, y, STYLE_STRONG, id);
	put_route(self, canvas, y, family, items_end - FLOW_INDENT - (is_wide ? 12 : 6));
	if (is_wide)
		canvas_text_right(canvas, end - END_RATE, y, STYLE_PLAIN,
				  figure_rate(family->rate_hz).s);
	canvas_text_right(canvas, items_end, y, STYLE_PLAIN,
			  (is_wide ? figure_count(family->items) : figure_short(family->items)).s);
	canvas_text_right(canvas, end - END_P50, y, STYLE_PLAIN,
			  quantile(&family->lead_time, 0.5, &figure));
	canvas_text_right(canvas, end - END_P99, y, STYLE_PLAIN,
			  quantile(&family->lead_time, 0.99, &figure));
}

static void put_heads(const struct text *self, struct canvas *canvas)
{
	bool is_wide = self->columns >= MIN_WIDE;
	unsigned int end = self->columns;

	canvas_text(canvas, 0, 0, STYLE_FAINT, "family");
	canvas_text(canvas, FLOW_INDENT, 0, STYLE_FAINT, "route");
	if (is_wide)
		canvas_text_right(canvas, end - END_RATE, 0, STYLE_FAINT, "rate");
	canvas_text_right(canvas, end - (is_wide ? END_ITEMS : END_NARROW_ITEMS), 0, STYLE_FAINT,
			  "items");
	canvas_text_right(canvas, end - END_P50, 0, STYLE_FAINT, is_wide ? "lead p50" : "p50");
	canvas_text_right(canvas, end - END_P99, 0, STYLE_FAINT, "p99");
}

int text_others(const struct text *self, const struct family *const *families, size_t nr)
{
	struct canvas *canvas;
	int err = canvas_new(&canvas, self->columns, (unsigned int)nr + 1, self->is_utf8);

	if (err)
		return err;
	put_heads(self, canvas);
	for (size_t i = 0; i < nr; i++)
		put_line(self, canvas, (unsigned int)i + 1, families[i]);
	canvas_print(canvas, (unsigned int)nr + 1, self->out, self->is_coloured);
	canvas_free(canvas);
	return 0;
}
