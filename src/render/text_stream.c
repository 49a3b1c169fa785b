// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_stream.c - the stream of one family: a box per step, its data box, the ladder below
 *
 * One canvas per row of boxes.
 */
#include <math.h>
#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"
#include "src/render/text_grid.h"

#define MAX_ROWS 32 /* of a canvas: 1 + 2 names + 3 borders + data + ladder */

static bool has_inventory(const struct family *family)
{
	for (size_t i = 0; i < family->nr_steps; i++)
		if (!isnan(family->steps[i].inventory_mean))
			return true;
	return false;
}

static void put_inventory(struct grid *self)
{
	const char *triangle = glyph_text(GLYPH_TRIANGLE, self->text->is_utf8);
	char text[2 * sizeof(struct figure) + 16];

	if (!has_inventory(self->family))
		return;
	grid_label(self, "inventory");
	for (size_t cell = 0; cell < self->nr; cell++) {
		const struct step *step = grid_step(self, cell);
		const char *format = self->inner >= 16 ? "%s %s max %s" : "%s %s/%s";

		if (isnan(step->inventory_mean))
			continue;
		snprintf(text, sizeof(text), format, triangle, figure_level(step->inventory_mean).s,
			 figure_short(step->inventory_max).s);
		canvas_text(self->canvas, grid_left(self, cell) + 1, self->y, STYLE_PLAIN, text);
	}
	self->y++;
}

static bool is_joint(char c)
{
	return strchr("_-.>: ", c);
}

/* A name on one line or two, broken after a joint where there is one. True: two. */
static bool split_name(const struct grid *self, const struct step *step,
		       char first[GRID_NAME_BYTES], char second[GRID_NAME_BYTES])
{
	bool is_utf8 = self->text->is_utf8;
	unsigned int columns = escape_text(first, step->name, GRID_NAME_BYTES / 4 - 1, is_utf8);
	const char *at = first;
	const char *cut = NULL;
	unsigned int width = 0;
	uint32_t code;

	second[0] = '\0';
	if (columns <= self->inner)
		return false;
	while (*at) {
		const char *from = at;

		width += utf8_next(&at, &code) ? utf8_columns(code) : 1;
		if (width > self->inner) {
			cut = cut ? cut : from;
			break;
		}
		if (is_joint(*from))
			cut = at;
	}
	escape_text(second, cut, self->inner, is_utf8);
	first[cut - first] = '\0';
	return true;
}

static bool has_two_lines(const struct grid *self)
{
	char first[GRID_NAME_BYTES];
	char second[GRID_NAME_BYTES];

	for (size_t cell = 0; cell < self->nr; cell++)
		if (split_name(self, grid_step(self, cell), first, second))
			return true;
	return false;
}

static void put_names(struct grid *self)
{
	char first[GRID_NAME_BYTES];
	char second[GRID_NAME_BYTES];

	for (size_t cell = 0; cell < self->nr; cell++) {
		bool is_constraint = (int)(self->first + cell) == self->family->constraint;
		enum style style = is_constraint ? STYLE_KEY : STYLE_STRONG;
		unsigned int x = grid_left(self, cell) + 1;

		split_name(self, grid_step(self, cell), first, second);
		canvas_text_centred(self->canvas, x, self->inner, self->y, style, first);
		canvas_text_centred(self->canvas, x, self->inner, self->y + 1, style, second);
	}
}

static void put_arrow(struct grid *self, unsigned int from, unsigned int wall)
{
	/* A wall that two boxes share gives way to the arrow's head. */
	unsigned int head = wall - !!self->gap;

	if (from < head)
		canvas_line(self->canvas, from, self->y, head, self->y);
	canvas_glyph(self->canvas, head, self->y, GLYPH_ARROW);
}

/* Into the first box, from box to box, out of the last one: to the next row, or to the end. */
static void put_arrows(struct grid *self)
{
	unsigned int end = grid_right(self, self->nr - 1);

	if (!self->first)
		canvas_text(self->canvas, 0, self->y, STYLE_PLAIN,
			    self->family->is_udp ? "udp" : "tcp");
	put_arrow(self, FLOW_INDENT - 6, FLOW_INDENT);
	for (size_t cell = 1; cell < self->nr; cell++)
		put_arrow(self, self->gap ? grid_right(self, cell - 1) : grid_left(self, cell),
			  grid_left(self, cell));
	if (grid_is_last(self))
		canvas_glyph(self->canvas, end, self->y, GLYPH_ARROW);
	else
		put_arrow(self, end, end + 4 + !!self->gap);
	grid_lead(self, STYLE_FAINT, "lead");
}

static void put_boxes(struct grid *self)
{
	unsigned int top = self->y;
	unsigned int middle = top + 2 + has_two_lines(self);

	self->y++;
	put_names(self);
	put_arrows(self);
	self->y = middle + 1;
	grid_data(self);
	for (size_t cell = 0; cell < self->nr; cell++) {
		canvas_box(self->canvas, grid_left(self, cell), top, grid_right(self, cell),
			   middle);
		canvas_box(self->canvas, grid_left(self, cell), middle, grid_right(self, cell),
			   self->y);
	}
	self->y++;
}

static int put_row(struct grid *self)
{
	int err = canvas_new(&self->canvas, self->text->columns, MAX_ROWS, self->text->is_utf8);

	if (err)
		return err;
	self->y = 0;
	put_inventory(self);
	put_boxes(self);
	grid_ladder(self);
	canvas_print(self->canvas, self->y, self->text->out, self->text->is_coloured);
	canvas_free(self->canvas);
	return 0;
}

int text_stream(const struct text *self, const struct family *family)
{
	struct grid grid = { .text = self, .family = family };
	int err = 0;

	if (!family->nr_steps)
		return 0;
	grid_measure(&grid);
	for (; !err && grid.first < family->nr_steps; grid.first += grid.nr) {
		size_t left = family->nr_steps - grid.first;

		if (grid.first)
			putc('\n', self->out);
		grid.nr = left < grid.nr_per_row ? left : grid.nr_per_row;
		err = put_row(&grid);
	}
	return err;
}
