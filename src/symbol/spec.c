// SPDX-License-Identifier: BSD-2-Clause
/*
 * spec.c - PROBE in, its parts out
 *
 * Only syntax: whether BINARY is mapped and SYMBOL exists is not known here. A name may itself
 * hold colons, blanks, parentheses and plus signs (operator+), so as little as possible is
 * forbidden.
 */
#include "src/symbol/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbol/place.h"

static int fail(char *why, int err, const char *text, const char *sentence)
{
	snprintf(why, PLACE_WHY_BYTES, "'%.200s': %s", text, sentence);
	return err;
}

const char *spec_colon(const char *text)
{
	const char *at = text;

	while ((at = strchr(at, ':'))) {
		size_t run = strspn(at, ":");

		if (run != 2)
			return at;
		at += run;
	}
	return NULL;
}

/* Digits, or 0x and hexadecimal ones, and nothing else. 0, -EINVAL, -ERANGE. */
static int parse_number(const char *text, uint64_t *number)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = text + (is_hex ? 2 : 0);
	char *end;

	if (!isxdigit((unsigned char)*digits))
		return -EINVAL;
	errno = 0;
	*number = strtoull(digits, &end, is_hex ? 16 : 10);
	if (*end)
		return -EINVAL;
	return errno ? -ERANGE : 0;
}

/* Cuts +OFFSET off a symbol. What follows the sign of operator+ is no offset. */
static int take_offset(struct spec *self)
{
	char *plus = strrchr(self->symbol, '+');
	int err;

	if (!plus || plus == self->symbol || !isdigit((unsigned char)plus[1]))
		return 0;
	err = parse_number(plus + 1, &self->offset);
	if (!err)
		*plus = 0;
	return err;
}

static int split(struct spec *self, const char *text)
{
	const char *colon = spec_colon(text), *symbol = colon ? colon + 1 : text;

	if (!strncmp(symbol, "::", 2)) /* the global scope of C++ */
		symbol += 2;
	self->binary = colon ? strndup(text, colon - text) : NULL;
	self->symbol = strdup(symbol);
	return !self->symbol || (colon && !self->binary) ? -ENOMEM : 0;
}

static int check(const struct spec *self, int err, const char *text, char *why)
{
	if (err == -ERANGE)
		return fail(why, err, text, "the offset is too large a number");
	if (err == -EINVAL)
		return fail(why, err, text, "after + comes an offset in bytes, 12 or 0xc");
	if (err)
		return fail(why, err, text, strerror(-err));
	if (self->binary && !*self->binary)
		return fail(why, -EINVAL, text, "no BINARY before the colon; give BINARY:SYMBOL");
	if (!*self->symbol)
		return fail(why, -EINVAL, text, "no SYMBOL; give SYMBOL or BINARY:SYMBOL[+OFFSET]");
	return 0;
}

int spec_parse(struct spec *self, const char *text, char *why)
{
	int err;

	memset(self, 0, sizeof(*self));
	if (!strncmp(text, "usdt:", 5))
		return fail(why, -ENOTSUP, text,
			    "USDT probes are not in this version; give the function around it");
	err = split(self, text);
	if (!err)
		err = take_offset(self);
	err = check(self, err, text, why);
	if (err)
		spec_fini(self);
	else if (self->binary && self->symbol[0] == '0' && self->symbol[1] == 'x')
		self->is_address = !parse_number(self->symbol, &self->address);
	return err;
}

void spec_fini(struct spec *self)
{
	free(self->binary);
	free(self->symbol);
	memset(self, 0, sizeof(*self));
}
