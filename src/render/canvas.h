/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canvas.h - a rectangle of character cells to draw lines and text on
 *
 * Lines that meet join: corners, tees and crosses come of themselves. Whatever lies outside
 * the rectangle is cut off. Text must have passed escape_text().
 */
#ifndef GEMBA_RENDER_CANVAS_H
#define GEMBA_RENDER_CANVAS_H

#include <stdbool.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_STRONG, STYLE_FAINT, STYLE_KEY, STYLE_WARN, STYLE_BAD, STYLE_NR };
enum glyph { GLYPH_ARROW, GLYPH_TRIANGLE, GLYPH_NR };

struct canvas;

int canvas_new(struct canvas **out, unsigned int columns, unsigned int rows, bool is_utf8);
void canvas_free(struct canvas *self);

/* From (x0, y0) to (x1, y1), both included; horizontal or vertical. */
void canvas_line(struct canvas *self, unsigned int x0, unsigned int y0, unsigned int x1,
		 unsigned int y1);
void canvas_box(struct canvas *self, unsigned int x0, unsigned int y0, unsigned int x1,
		unsigned int y1);
void canvas_glyph(struct canvas *self, unsigned int x, unsigned int y, enum glyph glyph);
/* Return the column after the text. */
unsigned int canvas_text(struct canvas *self, unsigned int x, unsigned int y, enum style style,
			 const char *text);
/* The text ends before column `end`. */
void canvas_text_right(struct canvas *self, unsigned int end, unsigned int y, enum style style,
		       const char *text);
void canvas_text_centred(struct canvas *self, unsigned int x, unsigned int columns, unsigned int y,
			 enum style style, const char *text);

/* The first rows, without blanks at their ends. */
void canvas_print(const struct canvas *self, unsigned int rows, FILE *out, bool is_coloured);

/* What switches a style on; "" when not coloured. style_off() ends every one. */
const char *style_on(enum style style, bool is_coloured);
const char *style_off(enum style style, bool is_coloured);
const char *glyph_text(enum glyph glyph, bool is_utf8);
/* Columns of a text that has passed escape_text(). */
unsigned int text_columns(const char *text);

#endif
