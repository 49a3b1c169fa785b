// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_grid.c - where the columns of a row of steps stand
 *
 * Six steps fit 80 columns. A longer route is broken into rows as equal as can be.
 */
#include "src/render/text_grid.h"

#include "src/render/escape.h"

#define MIN_INNER 9
#define COMFORTABLE_INNER 11
#define MAX_INNER 20
#define GAP 3

static unsigned int longest_name(const struct family *family)
{
	char name[GRID_NAME_BYTES];
	unsigned int longest = 0;

	for (size_t i = 0; i < family->nr_steps; i++) {
		unsigned int columns = escape_text(name, family->steps[i].name, MAX_INNER, true);

		longest = columns > longest ? columns : longest;
	}
	return longest;
}

void grid_measure(struct grid *self)
{
	unsigned int room = self->text->columns - FLOW_INDENT - GRID_LEAD_COLUMNS;
	unsigned int want = longest_name(self->family) + 2;
	size_t most = room / (MIN_INNER + 1);
	size_t nr = self->family->nr_steps;
	size_t nr_rows = (nr + most - 1) / most;

	if (want < COMFORTABLE_INNER)
		want = COMFORTABLE_INNER;
	if (want > MAX_INNER)
		want = MAX_INNER;
	self->nr_per_row = (nr + nr_rows - 1) / nr_rows;
	self->inner = room / (unsigned int)self->nr_per_row - 1;
	self->gap = 0;
	if (self->nr_per_row * (want + 2 + GAP) - GAP <= room)
		self->gap = GAP;
	if (self->inner > want)
		self->inner = want;
}

bool grid_is_last(const struct grid *self)
{
	return self->first + self->nr == self->family->nr_steps;
}

unsigned int grid_left(const struct grid *self, size_t cell)
{
	unsigned int stride = self->inner + 1 + (self->gap ? self->gap + 1 : 0);

	return FLOW_INDENT + (unsigned int)cell * stride;
}

unsigned int grid_right(const struct grid *self, size_t cell)
{
	return grid_left(self, cell) + self->inner + 1;
}

const struct step *grid_step(const struct grid *self, size_t cell)
{
	return &self->family->steps[self->first + cell];
}

void grid_label(struct grid *self, const char *label)
{
	canvas_text(self->canvas, 0, self->y, STYLE_FAINT, label);
}

void grid_value(struct grid *self, size_t cell, enum style style, const char *text)
{
	canvas_text_right(self->canvas, grid_right(self, cell) - 1, self->y, style, text);
}

void grid_lead(struct grid *self, enum style style, const char *text)
{
	if (grid_is_last(self))
		canvas_text_right(self->canvas, grid_right(self, self->nr - 1) + GRID_LEAD_COLUMNS,
				  self->y, style, text);
}
