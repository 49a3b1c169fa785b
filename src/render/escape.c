// SPDX-License-Identifier: BSD-2-Clause
/*
 * escape.c - text of unknown origin made fit to be shown
 *
 * A process chooses its own name, and whoever reads the map reads it in a terminal: no byte of
 * it may move the cursor, change a colour or turn the direction of writing. What is printable
 * is decided here from the code point alone, never by the locale, so that the same map gives
 * the same text everywhere.
 */
#include "src/render/escape.h"

#include <stdio.h>
#include <string.h>

struct range {
	uint32_t first;
	uint32_t last;
	unsigned int columns;
};

/*
 * What is shown as it is: the scripts that put one character after the other, from left to
 * right, and of whose width all terminals agree. Everything else is shown by its number.
 */
static const struct range visible[] = {
	{ 0x0020, 0x007e, 1 },	 { 0x00a1, 0x00ac, 1 },	  { 0x00ae, 0x02ff, 1 },
	{ 0x03a3, 0x0482, 1 },	 { 0x048a, 0x052f, 1 },	  { 0x1e00, 0x1eff, 1 },
	{ 0x2010, 0x2027, 1 },	 { 0x2030, 0x205e, 1 },	  { 0x20a0, 0x20bf, 1 },
	{ 0x2100, 0x218b, 1 },	 { 0x2190, 0x2319, 1 },	  { 0x2500, 0x25fc, 1 },
	{ 0x3001, 0x3029, 2 },	 { 0x3041, 0x3096, 2 },	  { 0x309b, 0x30ff, 2 },
	{ 0x3131, 0x318e, 2 },	 { 0x3400, 0x4dbf, 2 },	  { 0x4e00, 0x9ffc, 2 },
	{ 0xac00, 0xd7a3, 2 },	 { 0xff01, 0xff60, 2 },	  { 0xffe0, 0xffe6, 2 },
	{ 0x1f600, 0x1f64f, 2 }, { 0x20000, 0x2a6df, 2 },
};

bool utf8_next(const char **text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)*text;
	unsigned int more = *at < 0xc0 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
	uint32_t value = *at;

	*code = *at;
	(*text)++;
	if (*at < 0x80)
		return true;
	if (*at < 0xc2 || *at > 0xf4)
		return false;
	value &= 0x3fU >> more;
	for (unsigned int i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return false;
		value = value << 6 | (at[i] & 0x3f);
	}
	if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return false;
	*code = value;
	*text += more;
	return true;
}

unsigned int utf8_columns(uint32_t code)
{
	for (size_t i = 0; i < sizeof(visible) / sizeof(visible[0]); i++)
		if (code >= visible[i].first && code <= visible[i].last)
			return visible[i].columns;
	return 0;
}

/* What has been written of a text, and the last place where an ellipsis would still fit. */
struct clip {
	char *out;
	unsigned int columns;
	unsigned int width;
	unsigned int cut_width;
	size_t at;
	size_t cut;
};

static bool clip_add(struct clip *self, const char *bytes, size_t nr_bytes, unsigned int columns)
{
	if (self->width + columns > self->columns)
		return false;
	memcpy(self->out + self->at, bytes, nr_bytes);
	self->at += nr_bytes;
	self->width += columns;
	if (self->width < self->columns) {
		self->cut = self->at;
		self->cut_width = self->width;
	}
	return true;
}

/* Byte by byte: a map read back has these escapes as plain text and must be cut alike. */
static bool clip_add_escape(struct clip *self, const char *format, uint32_t code)
{
	char text[16];

	snprintf(text, sizeof(text), format, code);
	for (const char *at = text; *at; at++)
		if (!clip_add(self, at, 1, 1))
			return false;
	return true;
}

static bool clip_next(struct clip *self, const char **text, bool is_utf8)
{
	const char *from = *text;
	uint32_t code;
	bool is_valid = utf8_next(text, &code);
	unsigned int columns = is_valid ? utf8_columns(code) : 0;

	if (!is_valid || (!columns && code < 0x80))
		return clip_add_escape(self, "\\x%02x", code);
	if (!columns)
		return clip_add_escape(self, "\\u{%x}", code);
	if (code >= 0x80 && !is_utf8)
		return clip_add(self, "?", 1, 1);
	return clip_add(self, from, (size_t)(*text - from), columns);
}

unsigned int escape_text(char *out, const char *text, unsigned int columns, bool is_utf8)
{
	struct clip clip = { .out = out, .columns = columns };

	if (!text)
		text = "-";
	while (*text) {
		if (clip_next(&clip, &text, is_utf8))
			continue;
		strcpy(out + clip.cut, !columns ? "" : is_utf8 ? "\u2026" : "~");
		return columns ? clip.cut_width + 1 : 0;
	}
	out[clip.at] = '\0';
	return clip.width;
}
