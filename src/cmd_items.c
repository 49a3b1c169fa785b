// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_items.c - gemba items: the single items of a trace, one row each
 *
 * Rows go out as the items finish, so that the length of the trace does not matter; with
 * --slowest the N with the longest lead time are kept and shown, the longest first.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/items_row.h"
#include "src/load.h"
#include "src/output.h"

struct items {
	const struct opts *opts;
	const struct items_format *format;
	FILE *out;
	struct items_names names;
	struct journey *kept; /* a heap, the shortest first */
	size_t nr_kept;
	uint64_t nr_rows;
	uint64_t nr_asked;  /* items that --where was asked of, */
	uint64_t nr_valued; /* and those that have such a figure */
	bool has_begun;
};

/* Not before the trace has shown to be one: an error leaves no head and empties no file. */
static void begin(struct items *self)
{
	if (self->has_begun)
		return;
	self->has_begun = true;
	if (self->opts->output)
		output_empty(fileno(self->out));
	self->format->head(&self->names, self->out);
}

static void write_row(struct items *self, const struct journey *journey)
{
	begin(self);
	self->format->row(&self->names, journey, self->nr_rows++, self->out);
}

static bool is_longer(const struct journey *a, const struct journey *b)
{
	uint64_t x = items_lead_ns(a), y = items_lead_ns(b);

	return x != y ? x > y : a->id < b->id;
}

static void swap(struct journey *a, struct journey *b)
{
	struct journey c = *a;

	*a = *b;
	*b = c;
}

/* Insertion from the end: N is small, and most items are no candidates. */
static void keep(struct items *self, const struct journey *journey)
{
	size_t i = self->nr_kept;

	if (items_lead_ns(journey) == 0)
		return;
	if (i == self->opts->nr_slowest) {
		if (!is_longer(journey, &self->kept[--i]))
			return;
	} else {
		self->nr_kept++;
	}
	self->kept[i] = *journey;
	for (; i > 0 && is_longer(&self->kept[i], &self->kept[i - 1]); i--)
		swap(&self->kept[i], &self->kept[i - 1]);
}

static bool is_so(struct items *self, const struct journey *journey)
{
	double value = items_value(&self->names, journey, &self->opts->where);

	self->nr_asked++;
	self->nr_valued += !isnan(value);
	return expr_compare(&self->opts->where, value);
}

static void take(void *ctx, const struct journey *journey)
{
	struct items *self = ctx;

	if (self->opts->where.metric && !is_so(self, journey))
		return;
	if (self->opts->has_item_key && (!journey->has_key || journey->key != self->opts->item_key))
		return;
	if (self->opts->nr_slowest)
		keep(self, journey);
	else
		write_row(self, journey);
}

static int take_names(void *ctx, const struct capture *capture)
{
	struct items *self = ctx;

	return items_names_read(&self->names, capture);
}

static int show(struct items *self)
{
	const struct load_tee tee = {
		.sink = { .ctx = self, .journey = take },
		.begin = take_names,
	};
	struct vsm *vsm = NULL;
	int status;

	status = load_trace(self->opts, &tee, &vsm);
	for (size_t i = 0; i < self->nr_kept; i++)
		write_row(self, &self->kept[i]);
	vsm_free(vsm);
	if (!status && self->nr_asked && !self->nr_valued) {
		log_error("no item has what --where asks for; gemba map shows the steps there are, "
			  "gemba(1) the figures under CONDITIONS");
		return 2;
	}
	if (!status)
		begin(self);
	if (self->has_begun)
		self->format->tail(self->out);
	if (!status && !self->nr_rows)
		log_info("no item%s; gemba map says what was seen",
			 self->opts->where.metric ? " is so" :
			 self->opts->has_item_key ? " has this key" :
						    " in this trace");
	return status;
}

int cmd_items(const struct opts *opts)
{
	struct items self = { .opts = opts, .format = items_format(opts->format) };
	int status;

	self.kept = calloc(opts->nr_slowest ?: 1, sizeof(*self.kept));
	if (!self.kept)
		return log_error("out of memory: %llu items cannot be kept; give a smaller "
				 "--slowest",
				 (unsigned long long)opts->nr_slowest);
	self.out = output_open(opts->output, opts->is_forced);
	if (!self.out) {
		free(self.kept);
		return 1;
	}
	status = show(&self);
	status = output_close(self.out, opts->output) ?: status;
	if (status && opts->output)
		output_discard(opts->output);
	items_names_fini(&self.names);
	free(self.kept);
	return status;
}
