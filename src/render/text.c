// SPDX-License-Identifier: BSD-2-Clause
/*
 * text.c - the map for people, in a terminal or a ticket
 *
 * As a value stream map is drawn on paper: who supplies and who is supplied on top, the stream
 * of steps with their data below, the time ladder under it; then how far it can be believed.
 * The first families with outputs are drawn in full, the others have a line each. No line is
 * wider than asked for, and every string of foreign origin passes escape_text().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/figure.h"
#include "src/render/render.h"
#include "src/render/text.h"

#define DEFAULT_COLUMNS 80
#define MIN_COLUMNS 40
#define MAX_COLUMNS 1000
#define MAX_IN_FULL 3
#define INSTANT_COLUMNS 23 /* to the millisecond */

struct flow text_flow(const struct text *self)
{
	return (struct flow){
		.out = self->out,
		.columns = self->columns,
		.is_utf8 = self->is_utf8,
		.is_coloured = self->is_coloured,
	};
}

const char *text_name(const struct vsm *vsm)
{
	const struct capture *capture = &vsm->capture;

	if (capture->name && *capture->name)
		return capture->name;
	if (capture->nr_targets && capture->targets[0].comm)
		return capture->targets[0].comm;
	return "unnamed";
}

static void put_targets(struct flow *flow, const struct vsm *vsm)
{
	const struct capture *capture = &vsm->capture;

	flow_begin(flow, NULL);
	flow_add(flow, STYLE_STRONG, "%s", text_name(vsm));
	for (size_t i = 0; i < capture->nr_targets && i < MAX_IN_FULL; i++) {
		const struct target_info *target = &capture->targets[i];
		bool is_named = target->comm && strcmp(target->comm, text_name(vsm));

		flow_add(flow, STYLE_PLAIN, "%s%spid %u", is_named ? target->comm : "",
			 is_named ? " " : "", target->pid);
		if (target->has_exited)
			flow_add(flow, STYLE_WARN, "exited %d", target->exit_status);
	}
	if (capture->nr_targets > MAX_IN_FULL)
		flow_add(flow, STYLE_PLAIN, "and %zu more", capture->nr_targets - MAX_IN_FULL);
	if (capture->host)
		flow_add(flow, STYLE_PLAIN, "on %s", capture->host);
	if (capture->kernel)
		flow_add(flow, STYLE_PLAIN, "Linux %s %s", capture->kernel,
			 capture->arch ? capture->arch : "");
	flow_end(flow);
}

static void put_window(struct flow *flow, const struct vsm *vsm)
{
	const struct capture *capture = &vsm->capture;
	uint64_t wall_ns = capture->start_wall_ns + (vsm->window_start_ns - capture->start_ns);
	uint64_t window_ns = vsm->window_end_ns - vsm->window_start_ns;
	struct figure start = figure_instant(wall_ns);

	flow_begin(flow, NULL);
	if (capture->start_wall_ns) {
		start.s[INSTANT_COLUMNS] = '\0';
		*strchr(start.s, 'T') = ' ';
		flow_add(flow, STYLE_PLAIN, "%s UTC", start.s);
	}
	flow_add(flow, STYLE_PLAIN, "for %s", figure_time(window_ns).s);
	if (!capture->end_ns)
		flow_add(flow, STYLE_WARN, "cut short");
	flow_add(flow, STYLE_PLAIN, "%s items in", figure_count(vsm->account.in).s);
	if (window_ns)
		flow_add(flow, STYLE_PLAIN, "%s",
			 figure_rate((double)vsm->account.in * 1e9 / (double)window_ns).s);
	flow_add(flow, STYLE_PLAIN, "%s out", figure_count(vsm->account.by_outcome[OUTCOME_OUT]).s);
	flow_end(flow);
}

/* The first of several pairs of one key counts, as in pairs_get(). */
static void put_tags(struct flow *flow, const struct vsm *vsm)
{
	const struct pairs *tags = &vsm->capture.tags;

	if (!tags->nr && !vsm->capture.owner && !vsm->nr_merged_from)
		return;
	flow_begin(flow, NULL);
	if (vsm->capture.owner)
		flow_add(flow, STYLE_PLAIN, "owner %s", vsm->capture.owner);
	if (vsm->nr_merged_from)
		flow_add(flow, STYLE_PLAIN, "merged from %zu maps", vsm->nr_merged_from);
	for (size_t i = 0; i < tags->nr; i++)
		if (pairs_get(tags, tags->items[i].key) == tags->items[i].value)
			flow_add(flow, STYLE_PLAIN, "%s=%s", tags->items[i].key,
				 tags->items[i].value);
	flow_end(flow);
}

static void put_head(const struct text *self)
{
	struct flow flow = text_flow(self);

	put_targets(&flow, self->vsm);
	put_window(&flow, self->vsm);
	put_tags(&flow, self->vsm);
}

static bool has_output(const struct family *family)
{
	return !family->is_other && family->nr_steps && family->outcome &&
	       !strcmp(family->outcome, outcome_name(OUTCOME_OUT));
}

/* Too few for a median say little in a picture; a line is enough for them. */
static bool has_median(const struct family *family)
{
	uint64_t ns;

	return family->lead_time.count && hist_quantile(&family->lead_time, 0.5, &ns);
}

/* Those to be drawn in full: the first with outputs and a median; if none has both, the first
 * with outputs; if none has any, the first with steps. */
static void choose(const struct vsm *vsm, bool *is_in_full)
{
	size_t nr = 0;

	for (size_t i = 0; i < vsm->nr_families && nr < MAX_IN_FULL; i++) {
		is_in_full[i] = has_output(&vsm->families[i]) && has_median(&vsm->families[i]);
		nr += is_in_full[i];
	}
	for (size_t i = 0; i < vsm->nr_families && !nr; i++)
		nr += is_in_full[i] = has_output(&vsm->families[i]);
	for (size_t i = 0; i < vsm->nr_families && !nr; i++)
		nr += is_in_full[i] = vsm->families[i].nr_steps;
}

static int put_families(const struct text *self)
{
	const struct vsm *vsm = self->vsm;
	const struct family *others[VSM_MAX_FAMILIES + 1];
	bool is_in_full[VSM_MAX_FAMILIES + 1] = { false };
	size_t nr_others = 0;
	int err = 0;

	choose(vsm, is_in_full);
	for (size_t i = 0; i < vsm->nr_families && !err; i++) {
		if (!is_in_full[i]) {
			others[nr_others++] = &vsm->families[i];
			continue;
		}
		err = text_family(self, &vsm->families[i]);
		putc('\n', self->out);
	}
	if (err || !nr_others)
		return err;
	err = text_others(self, others, nr_others);
	putc('\n', self->out);
	return err;
}

static unsigned int clamp_columns(unsigned int columns)
{
	if (!columns)
		return DEFAULT_COLUMNS;
	if (columns < MIN_COLUMNS)
		return MIN_COLUMNS;
	return columns < MAX_COLUMNS ? columns : MAX_COLUMNS;
}

static bool is_empty(const struct vsm *vsm)
{
	for (size_t i = 0; i < vsm->nr_families; i++)
		if (vsm->families[i].items)
			return false;
	return true;
}

int render_text(const struct vsm *vsm, const struct render_opts *opts, FILE *out)
{
	struct text text = {
		.vsm = vsm,
		.out = out,
		.columns = clamp_columns(opts->columns),
		.is_utf8 = opts->is_utf8,
		.is_coloured = opts->is_coloured,
	};
	int err = 0;

	put_head(&text);
	putc('\n', out);
	if (is_empty(vsm)) {
		text_empty(&text);
	} else {
		err = text_ends(&text);
		putc('\n', out);
		err = err ? err : put_families(&text);
	}
	text_quality(&text);
	if (err)
		return err;
	return ferror(out) ? -EIO : 0;
}
