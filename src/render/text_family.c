// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_family.c - one family in full: its title, the stream, and the totals in words
 */
#include <math.h>
#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"
#include "src/render/text.h"

#define NAME_BYTES 512
#define MAX_NAME (NAME_BYTES / 4 - 1) /* columns */
#define WORTH_SAYING 0.001	      /* of the lead time */
#define MAX_NAMED 3		      /* of who ran instead, per step */
#define MIN_WIDE 64		      /* columns for the rate in the title */
#define MIN_ALL_QUANTILES 100

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
	bool is_wide = end >= MIN_WIDE;
	int err = canvas_new(&canvas, self->columns, 1, self->is_utf8);

	if (err)
		return err;
	canvas_line(canvas, 0, 0, end - 1, 0);
	snprintf(words, sizeof(words), " %s item%s %s%s", figure_count(family->items).s,
		 family->items == 1 ? "" : "s", is_wide ? " " : "",
		 is_wide ? figure_rate(family->rate_hz).s : "");
	strcat(words, is_wide ? " " : "");
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
	bool is_wide = flow->columns >= MIN_ALL_QUANTILES;
	struct figure figure;

	flow_begin(flow, "lead time");
	if (!lead->count) {
		flow_add(flow, STYLE_PLAIN, "no item with a known arrival");
		flow_end(flow);
		return;
	}
	flow_add(flow, STYLE_STRONG, "mean %s", figure_time(hist_mean_ns(lead)).s);
	flow_add(flow, STYLE_PLAIN, "p50 %s", quantile(lead, 0.5, &figure));
	if (is_wide)
		flow_add(flow, STYLE_PLAIN, "p90 %s", quantile(lead, 0.9, &figure));
	flow_add(flow, STYLE_STRONG, "p99 %s", quantile(lead, 0.99, &figure));
	if (is_wide)
		flow_add(flow, STYLE_PLAIN, "p99.9 %s", quantile(lead, 0.999, &figure));
	flow_add(flow, STYLE_PLAIN, "p99.99 %s", quantile(lead, 0.9999, &figure));
	flow_add(flow, STYLE_PLAIN, "max %s", figure_time(lead->max_ns).s);
	flow_end(flow);
}

/* The parts of some items may be unknown: the class's share of the mean, so that all add up. */
static void add_class(struct flow *flow, const char *name, const struct family *family,
		      const struct hist *hist)
{
	uint64_t items = family->lead_time.count;

	flow_add(flow, STYLE_PLAIN, "%s %s", name,
		 hist->count && items ? figure_time(hist->sum_ns / items).s : "-");
}

/* Of the lead time of all items, what no class accounts for. */
static uint64_t unmapped_ns(const struct family *family)
{
	uint64_t mapped = family->process_time.sum_ns + family->transport_time.sum_ns +
			  family->wait_time.sum_ns;

	return family->lead_time.sum_ns > mapped ? family->lead_time.sum_ns - mapped : 0;
}

static void put_classes(struct flow *flow, const struct family *family)
{
	double unmapped = (double)unmapped_ns(family) / (double)family->lead_time.sum_ns;

	flow_begin(flow, "of it");
	if (!isnan(family->activity_ratio))
		add_class(flow, "process", family, &family->process_time);
	add_class(flow, "transport", family, &family->transport_time);
	add_class(flow, "wait", family, &family->wait_time);
	flow_add(flow, STYLE_PLAIN, "activity %s", figure_ratio(family->activity_ratio).s);
	if (!isnan(family->pce_ratio))
		flow_add(flow, STYLE_PLAIN, "pce %s", figure_ratio(family->pce_ratio).s);
	if (unmapped >= WORTH_SAYING)
		flow_add(flow, STYLE_WARN, "unmapped %s (%s)",
			 figure_time(unmapped_ns(family) / family->lead_time.count).s,
			 figure_ratio(unmapped).s);
	flow_end(flow);
}

static void add_constraint(struct flow *flow, const struct step *step)
{
	if (step->cycle_time.count)
		flow_add(flow, STYLE_PLAIN, "cycle %s",
			 figure_time(hist_mean_ns(&step->cycle_time)).s);
	flow_add(flow, STYLE_PLAIN, "constraint %s (%s)", step->name,
		 figure_ratio(step->utilisation_ratio).s);
}

static void put_pace(struct flow *flow, const struct family *family)
{
	flow_begin(flow, "takt");
	if (family->takt_declared_ns)
		flow_add(flow, STYLE_PLAIN, "declared %s", figure_time(family->takt_declared_ns).s);
	flow_add(flow, STYLE_PLAIN, "mean %s",
		 family->takt_mean_ns ? figure_time(family->takt_mean_ns).s : "-");
	flow_add(flow, STYLE_PLAIN, "peak %s",
		 family->takt_peak_1ms_ns ? figure_time(family->takt_peak_1ms_ns).s : "-");
	if (family->constraint >= 0 && (size_t)family->constraint < family->nr_steps)
		add_constraint(flow, &family->steps[family->constraint]);
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

/* A thread that ended before it was named has its number only. */
static void add_ran(struct flow *flow, const struct ran_instead *ran, uint64_t nr_items)
{
	struct figure time = figure_time(nr_items ? ran->sum_ns / nr_items : ran->sum_ns);

	if (ran->comm[0])
		flow_add(flow, STYLE_PLAIN, "%.16s (%u) %s", ran->comm, ran->pid, time.s);
	else
		flow_add(flow, STYLE_PLAIN, "tid %u %s", ran->pid, time.s);
}

static void put_ran(struct flow *flow, const struct family *family)
{
	for (size_t i = 0; i < family->nr_steps; i++) {
		const struct step *step = &family->steps[i];

		if (!step->nr_ran)
			continue;
		flow_begin(flow, "ran");
		flow_add(flow, STYLE_PLAIN, "instead of %s, an item:", step->name);
		for (size_t r = 0; r < step->nr_ran && r < MAX_NAMED; r++)
			add_ran(flow, &step->ran[r], family->items);
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
	flow_add(flow, STYLE_PLAIN, "item %llu took %s", (unsigned long long)item->id,
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
