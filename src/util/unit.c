// SPDX-License-Identifier: BSD-2-Clause
/*
 * unit.c - TIME and SIZE, from words to numbers and back
 *
 * A number is read as an integer part and up to 18 digits of fraction, each multiplied by the
 * unit apart, in 128 bits, so that neither precision nor an overflow can be lost on the way.
 */
#include "src/util/unit.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_FRACTION_DIGITS 18

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", NS_PER_US },
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", NS_PER_M },
	{ "h", NS_PER_H },
	{ 0 },
};

#define KIB UINT64_C(1024)

static const struct unit size_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", KIB },
	{ "KiB", KIB },
	{ "M", KIB *KIB },
	{ "MiB", KIB *KIB },
	{ "G", KIB *KIB *KIB },
	{ "GiB", KIB *KIB *KIB },
	{ "T", KIB *KIB *KIB *KIB },
	{ "TiB", KIB *KIB *KIB *KIB },
	{ 0 },
};

struct decimal {
	uint64_t whole;
	uint64_t fraction; /* / divisor */
	uint64_t divisor;
};

/* Leaves *text behind the number. Digits beyond the 18th of the fraction are cut. */
static int read_decimal(const char **text, struct decimal *out)
{
	const char *at = *text;
	struct decimal number = { .divisor = 1 };
	int nr_digits = 0;

	if (!isdigit((unsigned char)*at))
		return -EINVAL;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(number.whole, 10, &number.whole) ||
		    __builtin_add_overflow(number.whole, *at - '0', &number.whole))
			return -ERANGE;
	if (*at == '.') {
		if (!isdigit((unsigned char)*++at))
			return -EINVAL;
		for (; isdigit((unsigned char)*at); at++) {
			if (nr_digits++ >= MAX_FRACTION_DIGITS)
				continue;
			number.fraction = number.fraction * 10 + (uint64_t)(*at - '0');
			number.divisor *= 10;
		}
	}
	*text = at;
	*out = number;
	return 0;
}

static int scale(const struct decimal *number, uint64_t factor, uint64_t *out)
{
	unsigned __int128 value = (unsigned __int128)number->whole * factor +
				  (unsigned __int128)number->fraction * factor / number->divisor;

	if (value > UINT64_MAX)
		return -ERANGE;
	*out = (uint64_t)value;
	return 0;
}

static int parse(const char *text, const struct unit *units, uint64_t *out)
{
	struct decimal number;
	int err = read_decimal(&text, &number);

	if (err)
		return err;
	if (*text == ' ' && text[1])
		text++;
	for (; units->name; units++)
		if (!strcmp(units->name, text))
			return scale(&number, units->factor, out);
	return *text ? -EINVAL : -EDOM;
}

int unit_parse_time(const char *text, uint64_t *ns)
{
	return parse(text, time_units, ns);
}

int unit_parse_size(const char *text, uint64_t *bytes)
{
	return parse(text, size_units, bytes);
}

int unit_parse_count(const char *text, uint64_t *count)
{
	struct decimal number;
	int err = read_decimal(&text, &number);

	if (err)
		return err;
	if (*text || number.divisor != 1)
		return -EINVAL;
	*count = number.whole;
	return 0;
}

/* Thousandths of the unit, without the zeros at their end; from 100 units on one digit less
 * for each figure before the point. */
static const char *format_in(uint64_t value, uint64_t factor, const char *name,
			     char out[UNIT_TEXT_BYTES])
{
	uint64_t whole = value / factor;
	int nr_digits = whole >= 1000 ? 0 : whole >= 100 ? 1 : whole >= 10 ? 2 : 3;
	unsigned __int128 power = nr_digits == 3 ? 1000 : nr_digits == 2 ? 100 : nr_digits ? 10 : 1;
	uint64_t rounded = (uint64_t)((value * power + factor / 2) / factor);
	uint64_t fraction = rounded % (uint64_t)power;

	for (; nr_digits && fraction % 10 == 0; nr_digits--)
		fraction /= 10;
	if (nr_digits)
		snprintf(out, UNIT_TEXT_BYTES, "%" PRIu64 ".%0*" PRIu64 "%s",
			 rounded / (uint64_t)power, nr_digits, fraction, name);
	else
		snprintf(out, UNIT_TEXT_BYTES, "%" PRIu64 "%s", rounded / (uint64_t)power, name);
	return out;
}

static const char *format(uint64_t value, const struct unit *units, char out[UNIT_TEXT_BYTES])
{
	const struct unit *best = units;

	for (; units->name; units++)
		if (value >= units->factor && units->factor > best->factor)
			best = units;
	return format_in(value, best->factor, best->name, out);
}

const char *unit_format_time(uint64_t ns, char out[UNIT_TEXT_BYTES])
{
	return ns ? format(ns, time_units, out) : strcpy(out, "0s");
}

const char *unit_format_size(uint64_t bytes, char out[UNIT_TEXT_BYTES])
{
	return format(bytes, size_units + 1, out);
}
