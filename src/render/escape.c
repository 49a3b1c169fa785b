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
};

/* Controls, combining marks, format characters, private use: nothing one can see or count. */
static const struct range invisible[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },	  { 0x0300, 0x036f },
	{ 0x0483, 0x0489 },   { 0x0591, 0x05c7 },   { 0x0600, 0x0605 },	  { 0x0610, 0x061c },
	{ 0x064b, 0x065f },   { 0x0670, 0x0670 },   { 0x06d6, 0x070f },	  { 0x0711, 0x0711 },
	{ 0x0730, 0x089f },   { 0x08ca, 0x0903 },   { 0x093a, 0x0dff },	  { 0x0e31, 0x0e31 },
	{ 0x0e34, 0x0e3e },   { 0x0e47, 0x0e4e },   { 0x0e80, 0x10ff },	  { 0x1160, 0x11ff },
	{ 0x135d, 0x135f },   { 0x1680, 0x1cff },   { 0x1dc0, 0x1dff },	  { 0x2000, 0x200f },
	{ 0x2028, 0x202f },   { 0x205f, 0x206f },   { 0x20d0, 0x20ff },	  { 0x2cef, 0x2cf1 },
	{ 0x2de0, 0x2dff },   { 0x302a, 0x302f },   { 0x3099, 0x309a },	  { 0xa66f, 0xabff },
	{ 0xd7b0, 0xf8ff },   { 0xfb1e, 0xfb1e },   { 0xfe00, 0xfe2f },	  { 0xfeff, 0xfeff },
	{ 0xfff0, 0xfffb },   { 0xfffe, 0x1f2ff },  { 0x1f3fb, 0x1f3ff }, { 0x1fb00, 0x1ffff },
	{ 0x2fffe, 0x2ffff }, { 0x3fffe, 0x10ffff },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2329, 0x232a },   { 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 }, { 0x23f3, 0x23f3 }, { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 }, { 0x267f, 0x267f }, { 0x2693, 0x2693 },   { 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab }, { 0x26bd, 0x26be }, { 0x26c4, 0x26c5 },   { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 }, { 0x26ea, 0x26ea }, { 0x26f2, 0x26f3 },   { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa }, { 0x26fd, 0x26fd }, { 0x2705, 0x2705 },   { 0x270a, 0x270b },
	{ 0x2728, 0x2728 }, { 0x274c, 0x274c }, { 0x274e, 0x274e },   { 0x2753, 0x2755 },
	{ 0x2757, 0x2757 }, { 0x2795, 0x2797 }, { 0x27b0, 0x27b0 },   { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b50 }, { 0x2b55, 0x2b55 },   { 0x2e80, 0x303e },
	{ 0x3041, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff01, 0xff60 },   { 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool is_in(uint32_t code, const struct range *ranges, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

#define IS_IN(code, ranges) is_in(code, ranges, sizeof(ranges) / sizeof((ranges)[0]))

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
	if (code >= 0x20 && code < 0x7f)
		return 1;
	if (IS_IN(code, invisible))
		return 0;
	return IS_IN(code, wide) ? 2 : 1;
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
