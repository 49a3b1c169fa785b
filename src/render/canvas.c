// SPDX-License-Identifier: BSD-2-Clause
/*
 * canvas.c - character cells with lines and text on them
 *
 * A cell knows towards which of its four neighbours a line leaves it; the sixteen sets of
 * directions are the sixteen box-drawing characters. Text covers lines. A wide character takes
 * its cell and leaves the next one empty.
 */
#include "src/render/canvas.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/escape.h"

enum { LEFT = 1, RIGHT = 2, UP = 4, DOWN = 8, NR_SETS = 16 };

struct cell {
	char text[5];
	uint8_t lines;
	uint8_t style;
	bool is_covered; /* by the wide character before it */
};

struct canvas {
	unsigned int columns;
	unsigned int rows;
	bool is_utf8;
	struct cell cells[];
};

static const char *const sets_utf8[NR_SETS] = {
	" ", "─", "─", "─", "│", "┘", "└", "┴", "│", "┐", "┌", "┬", "│", "┤", "├", "┼",
};

static const char *const sets_ascii[NR_SETS] = {
	" ", "-", "-", "-", "|", "+", "+", "+", "|", "+", "+", "+", "|", "+", "+", "+",
};

static const char *const styles[STYLE_NR] = {
	[STYLE_PLAIN] = "",	    [STYLE_STRONG] = "\033[1m", [STYLE_FAINT] = "\033[2m",
	[STYLE_KEY] = "\033[1;36m", [STYLE_WARN] = "\033[33m",	[STYLE_BAD] = "\033[1;31m",
};

static const char *const glyphs[GLYPH_NR][2] = {
	[GLYPH_ARROW] = { ">", "►" },
	[GLYPH_TRIANGLE] = { "^", "△" },
};

const char *style_on(enum style style, bool is_coloured)
{
	return is_coloured ? styles[style] : "";
}

const char *style_off(enum style style, bool is_coloured)
{
	return is_coloured && style != STYLE_PLAIN ? "\033[0m" : "";
}

const char *glyph_text(enum glyph glyph, bool is_utf8)
{
	return glyphs[glyph][is_utf8];
}

unsigned int text_columns(const char *text)
{
	unsigned int columns = 0;
	uint32_t code;

	while (*text)
		columns += utf8_next(&text, &code) ? utf8_columns(code) : 1;
	return columns;
}

int canvas_new(struct canvas **out, unsigned int columns, unsigned int rows, bool is_utf8)
{
	size_t nr = (size_t)columns * rows;
	struct canvas *self = calloc(1, sizeof(*self) + nr * sizeof(self->cells[0]));

	if (!self)
		return -ENOMEM;
	self->columns = columns;
	self->rows = rows;
	self->is_utf8 = is_utf8;
	*out = self;
	return 0;
}

void canvas_free(struct canvas *self)
{
	free(self);
}

static struct cell *cell_at(struct canvas *self, unsigned int x, unsigned int y)
{
	return x < self->columns && y < self->rows ? &self->cells[y * self->columns + x] : NULL;
}

static void add_lines(struct canvas *self, unsigned int x, unsigned int y, unsigned int lines)
{
	struct cell *cell = cell_at(self, x, y);

	if (cell)
		cell->lines |= (uint8_t)lines;
}

void canvas_line(struct canvas *self, unsigned int x0, unsigned int y0, unsigned int x1,
		 unsigned int y1)
{
	for (unsigned int x = x0; x < x1; x++) {
		add_lines(self, x, y0, RIGHT);
		add_lines(self, x + 1, y0, LEFT);
	}
	for (unsigned int y = y0; y < y1; y++) {
		add_lines(self, x0, y, DOWN);
		add_lines(self, x0, y + 1, UP);
	}
}

void canvas_box(struct canvas *self, unsigned int x0, unsigned int y0, unsigned int x1,
		unsigned int y1)
{
	canvas_line(self, x0, y0, x1, y0);
	canvas_line(self, x0, y1, x1, y1);
	canvas_line(self, x0, y0, x0, y1);
	canvas_line(self, x1, y0, x1, y1);
}

void canvas_glyph(struct canvas *self, unsigned int x, unsigned int y, enum glyph glyph)
{
	canvas_text(self, x, y, STYLE_PLAIN, glyph_text(glyph, self->is_utf8));
}

unsigned int canvas_text(struct canvas *self, unsigned int x, unsigned int y, enum style style,
			 const char *text)
{
	while (*text) {
		const char *from = text;
		uint32_t code;
		unsigned int width = utf8_next(&text, &code) ? utf8_columns(code) : 1;
		struct cell *cell = cell_at(self, x, y);
		struct cell *next = width == 2 ? cell_at(self, x + 1, y) : NULL;

		x += width;
		if (!cell || (width == 2 && !next))
			continue;
		memset(cell->text, 0, sizeof(cell->text));
		memcpy(cell->text, from, (size_t)(text - from));
		cell->style = (uint8_t)style;
		if (next)
			next->is_covered = true;
	}
	return x;
}

void canvas_text_right(struct canvas *self, unsigned int end, unsigned int y, enum style style,
		       const char *text)
{
	unsigned int columns = text_columns(text);

	canvas_text(self, end > columns ? end - columns : 0, y, style, text);
}

void canvas_text_centred(struct canvas *self, unsigned int x, unsigned int columns, unsigned int y,
			 enum style style, const char *text)
{
	unsigned int own = text_columns(text);

	canvas_text(self, x + (columns > own ? (columns - own) / 2 : 0), y, style, text);
}

static const char *shown(const struct canvas *self, const struct cell *cell)
{
	if (cell->text[0])
		return cell->text;
	return self->is_utf8 ? sets_utf8[cell->lines] : sets_ascii[cell->lines];
}

static enum style style_of(const struct cell *cell)
{
	if (cell->text[0])
		return (enum style)cell->style;
	return cell->lines ? STYLE_FAINT : STYLE_PLAIN;
}

static void print_row(const struct canvas *self, const struct cell *row, FILE *out,
		      bool is_coloured)
{
	enum style style = STYLE_PLAIN;
	unsigned int end = self->columns;

	while (end && !row[end - 1].is_covered && !strcmp(shown(self, &row[end - 1]), " "))
		end--;
	for (unsigned int x = 0; x < end; x++) {
		if (row[x].is_covered)
			continue;
		if (style_of(&row[x]) != style) {
			fputs(style_off(style, is_coloured), out);
			style = style_of(&row[x]);
			fputs(style_on(style, is_coloured), out);
		}
		fputs(shown(self, &row[x]), out);
	}
	fputs(style_off(style, is_coloured), out);
	putc('\n', out);
}

void canvas_print(const struct canvas *self, unsigned int rows, FILE *out, bool is_coloured)
{
	for (unsigned int y = 0; y < rows && y < self->rows; y++)
		print_row(self, &self->cells[y * self->columns], out, is_coloured);
}
