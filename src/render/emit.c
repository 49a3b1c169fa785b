// SPDX-License-Identifier: BSD-2-Clause
/*
 * emit.c - JSON, written as it comes
 *
 * Written by hand and not through a tree, because a tree of a large map takes a hundred times
 * its size, because jansson's integers end at 2^63 and because a distribution on one line and
 * a step on many makes a file that people can read and diff(1) can compare. Whether the stream
 * took it all is the caller's last question: ferror().
 */
#include "src/render/emit.h"

#include <inttypes.h>
#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"

static void emit_string(struct emit *self, const char *text)
{
	static const char escapes[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";

	putc('"', self->out);
	while (*text) {
		const char *from = text;
		const char *escape;
		uint32_t code;

		if (!utf8_next(&text, &code))
			fprintf(self->out, "\\\\x%02x", code);
		else if ((escape = code < 128 ? strchr(escapes, (int)code) : NULL))
			fprintf(self->out, "\\%c", names[escape - escapes]);
		else if (code < ' ' || code == 0x7f)
			fprintf(self->out, "\\u%04x", code);
		else
			fwrite(from, 1, (size_t)(text - from), self->out);
	}
	putc('"', self->out);
}

static void emit_line(struct emit *self)
{
	fprintf(self->out, "\n%*s", (int)self->depth, "");
}

/* All that stands before a value. */
static void emit_key(struct emit *self, const char *key)
{
	if (self->is_begun)
		putc(',', self->out);
	if (self->flat_depth && self->is_begun)
		putc(' ', self->out);
	if (!self->flat_depth && self->depth)
		emit_line(self);
	self->is_begun = true;
	if (!key)
		return;
	emit_string(self, key);
	fputs(": ", self->out);
}

void emit_open(struct emit *self, const char *key, char bracket)
{
	emit_key(self, key);
	putc(bracket, self->out);
	self->depth++;
	self->is_begun = false;
}

void emit_open_flat(struct emit *self, const char *key, char bracket)
{
	emit_open(self, key, bracket);
	if (!self->flat_depth)
		self->flat_depth = self->depth;
}

void emit_close(struct emit *self, char bracket)
{
	self->depth--;
	if (!self->flat_depth && self->is_begun)
		emit_line(self);
	if (self->depth < self->flat_depth)
		self->flat_depth = 0;
	putc(bracket, self->out);
	self->is_begun = true;
}

void emit_null(struct emit *self, const char *key)
{
	emit_key(self, key);
	fputs("null", self->out);
}

void emit_bool(struct emit *self, const char *key, bool value)
{
	emit_key(self, key);
	fputs(value ? "true" : "false", self->out);
}

void emit_u64(struct emit *self, const char *key, uint64_t value)
{
	emit_key(self, key);
	fprintf(self->out, "%" PRIu64, value);
}

void emit_u64_or_null(struct emit *self, const char *key, uint64_t value, uint64_t null)
{
	if (value == null)
		emit_null(self, key);
	else
		emit_u64(self, key, value);
}

void emit_real(struct emit *self, const char *key, double value)
{
	emit_key(self, key);
	fputs(figure_real(value).s, self->out);
}

void emit_text(struct emit *self, const char *key, const char *text)
{
	if (!text) {
		emit_null(self, key);
		return;
	}
	emit_key(self, key);
	emit_string(self, text);
}

void emit_u64s(struct emit *self, const char *key, const uint64_t *values, size_t nr)
{
	emit_open_flat(self, key, '[');
	for (size_t i = 0; i < nr; i++)
		emit_u64(self, NULL, values[i]);
	emit_close(self, ']');
}
