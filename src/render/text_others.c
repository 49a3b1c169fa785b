// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_others.c - the families that have one line each
 */
#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"
#include "src/render/text.h"

#define MIN_WIDE 64   /* columns for the long form */
#define MAX_TABLE 120 /* columns: figures should stand near what they are of */
#define ROUTE_BYTES 1024
#define END_BYTES 64
#define MIN_ROUTE 5 /* columns: the protocol and an ellipsis */

/* The columns of the table end here, counted from the right. */
enum { END_P99 = 0, END_P50 = 8, END_RATE = 19, END_ITEMS = 30, END_NARROW_ITEMS = 16 };

static unsigned int table_columns(const struct text *self)
{
	return self->columns < MAX_TABLE ? self->columns : MAX_TABLE;
}

/* What stands behind the route, and is not cut with it but left out if it takes too much. */
static void print_end(const struct text *self, const struct family *family, char end[END_BYTES])
{
	bool is_out = !family->outcome || !strcmp(family->outcome, outcome_name(OUTCOME_OUT));
	char words[END_BYTES / 4];

	snprintf(words, sizeof(words), "%s%.10s", is_out ? "" : "  ",
		 is_out ? "" : family->outcome);
	escape_text(end, family->is_other ? "" : words, sizeof(words) - 1, self->is_utf8);
}

static void put_route(const struct text *self, struct canvas *canvas, unsigned int y,
		      const struct family *family, unsigned int room)
{
	char route[ROUTE_BYTES];
	char shown[ROUTE_BYTES];
	char end[END_BYTES];
	size_t at = 0;
	unsigned int x;

	snprintf(route, sizeof(route), "%s", family->is_other ? "mixed routes" : "-");
	for (size_t i = 0; i < family->nr_route && at + 1 < sizeof(route) / 2; i++)
		at += (size_t)snprintf(route + at, sizeof(route) - at, "%s%.60s",
				       i	      ? ">" :
				       family->is_udp ? "udp " :
							"tcp ",
				       family->route[i] ? family->route[i] : "");
	print_end(self, family, end);
	if (at && room < MIN_ROUTE + text_columns(end))
		end[0] = '\0';
	escape_text(shown, route, room - text_columns(end), self->is_utf8);
	x = canvas_text(canvas, FLOW_INDENT, y, STYLE_PLAIN, shown);
	canvas_text(canvas, x, y, STYLE_PLAIN, end);
}

static struct figure lead_quantile(const struct family *family, double q)
{
	uint64_t ns;

	if (!family->lead_time.count || !hist_quantile(&family->lead_time, q, &ns))
		return (struct figure){ "-" };
	return figure_time(ns);
}

static void put_line(const struct text *self, struct canvas *canvas, unsigned int y,
		     const struct family *family)
{
	bool is_wide = self->columns >= MIN_WIDE;
	unsigned int end = table_columns(self);
	unsigned int items_end = end - (is_wide ? END_ITEMS : END_NARROW_ITEMS);
	char id[4 * FLOW_INDENT];

	escape_text(id, family->id, FLOW_INDENT - 1, self->is_utf8);
	canvas_text(canvas, 0, y, STYLE_STRONG, id);
	put_route(self, canvas, y, family, items_end - FLOW_INDENT - (is_wide ? 12 : 6));
	if (is_wide)
		canvas_text_right(canvas, end - END_RATE, y, STYLE_PLAIN,
				  figure_rate(family->rate_hz).s);
	canvas_text_right(canvas, items_end, y, STYLE_PLAIN,
			  (is_wide ? figure_count(family->items) : figure_short(family->items)).s);
	canvas_text_right(canvas, end - END_P50, y, STYLE_PLAIN, lead_quantile(family, 0.5).s);
	canvas_text_right(canvas, end - END_P99, y, STYLE_PLAIN, lead_quantile(family, 0.99).s);
}

static void put_heads(const struct text *self, struct canvas *canvas)
{
	bool is_wide = self->columns >= MIN_WIDE;
	unsigned int end = table_columns(self);

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
