// SPDX-License-Identifier: BSD-2-Clause
/*
 * flow.c - labelled lines, wrapped
 *
 * What begins a line is the label or as many blanks; chunks follow until one does not fit. A
 * number with its unit and its word is one chunk, so that no line ends within a figure.
 */
#include "src/render/flow.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "src/render/escape.h"

void flow_begin(struct flow *self, const char *label)
{
	self->indent = label ? FLOW_INDENT : 0;
	self->at = self->indent;
	self->gap = 2;
	self->is_begun = false;
	if (!label)
		return;
	fprintf(self->out, "%s%s%s%*s", style_on(STYLE_FAINT, self->is_coloured), label,
		style_off(STYLE_FAINT, self->is_coloured), FLOW_INDENT - (int)strlen(label), "");
}

static void new_line(struct flow *self)
{
	fprintf(self->out, "\n%*s", (int)self->indent, "");
	self->at = self->indent;
	self->is_begun = false;
}

/* Text that has been escaped, of one line at most, or broken where lines end. */
static void put_piece(struct flow *self, const char *text, size_t nr_bytes, unsigned int gap)
{
	const char *end = text + nr_bytes;

	fprintf(self->out, "%*s", (int)gap, "");
	self->at += gap;
	while (text < end) {
		const char *from = text;
		uint32_t code;
		unsigned int width = utf8_next(&text, &code) ? utf8_columns(code) : 1;

		if (self->at + width > self->columns)
			new_line(self);
		fwrite(from, 1, (size_t)(text - from), self->out);
		self->at += width;
	}
	self->is_begun = true;
}

/* The columns of the next nr_bytes, all of it or a word of it. */
static unsigned int columns_of(const char *text, size_t nr_bytes)
{
	unsigned int columns = 0;
	uint32_t code;

	for (const char *end = text + nr_bytes; text < end;)
		columns += utf8_next(&text, &code) ? utf8_columns(code) : 1;
	return columns;
}

static void put_chunk(struct flow *self, enum style style, const char *text)
{
	bool is_whole = text_columns(text) <= self->columns - self->indent;
	unsigned int gap = self->gap;

	while (*text) {
		size_t nr = is_whole ? strlen(text) : strcspn(text, " ");

		if (self->is_begun && self->at + gap + columns_of(text, nr) > self->columns)
			new_line(self);
		if (!self->is_begun)
			gap = 0;
		fputs(style_on(style, self->is_coloured), self->out);
		put_piece(self, text, nr, gap);
		fputs(style_off(style, self->is_coloured), self->out);
		text += nr + (text[nr] == ' ');
		gap = 1;
	}
}

void flow_add(struct flow *self, enum style style, const char *format, ...)
{
	char text[FLOW_BYTES];
	char shown[4 * FLOW_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	escape_text(shown, text, FLOW_BYTES - 1, self->is_utf8);
	put_chunk(self, style, shown);
}

void flow_words(struct flow *self, enum style style, const char *text)
{
	self->gap = 1;
	while (*text) {
		size_t nr = strcspn(text, " ");

		if (nr)
			flow_add(self, style, "%.*s", (int)(nr < FLOW_BYTES ? nr : FLOW_BYTES - 1),
				 text);
		text += nr + (text[nr] == ' ');
	}
	self->gap = 2;
}

void flow_end(struct flow *self)
{
	putc('\n', self->out);
	self->is_begun = false;
}
