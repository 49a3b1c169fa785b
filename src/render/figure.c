// SPDX-License-Identifier: BSD-2-Clause
/*
 * figure.c - numbers as the text map and the JSON print them
 *
 * Integers are divided as integers, half up; a double is first brought to six significant
 * decimal digits, which is what the JSON says, and everything else is made of those. So both
 * formats agree, and neither a locale's decimal point nor a second rounding can part them.
 */
#include "src/render/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGNIFICANT 6
#define NS_PER_SECOND UINT64_C(1000000000)
#define MAX_DOUBLE 1e15 /* of a rate or a level: what is more is shown as this */

struct scale {
	uint64_t unit;
	uint64_t limit; /* from so many units on the next row is used */
	const char *suffix;
};

static const struct scale times[] = {
	{ 1, 1000, "ns" },
	{ 1000, 1000, "us" },
	{ 1000000, 1000, "ms" },
	{ NS_PER_SECOND, 3600, "s" },
	{ 3600 * NS_PER_SECOND, 100, "h" },
	{ 86400 * NS_PER_SECOND, UINT64_MAX, "d" },
};

static const struct scale counts[] = {
	{ 1, 1000, "" },
	{ 1000, 1000, "k" },
	{ 1000000, 1000, "M" },
	{ 1000000000, 1000, "G" },
	{ UINT64_C(1000000000000), 1000, "T" },
	{ UINT64_C(1000000000000000), UINT64_MAX, "P" },
};

/* Of thousandths. */
static const struct scale fractions[] = {
	{ 1000, 1000, "" },
	{ 1000000, 1000, "k" },
	{ 1000000000, 1000, "M" },
	{ UINT64_C(1000000000000), 1000, "G" },
	{ UINT64_C(1000000000000000), UINT64_MAX, "T" },
};

static struct figure words(const char *text)
{
	struct figure figure;

	snprintf(figure.s, sizeof(figure.s), "%s", text);
	return figure;
}

static struct figure with_decimals(uint64_t value, int decimals, const char *suffix)
{
	struct figure figure;

	if (decimals == 2)
		snprintf(figure.s, sizeof(figure.s), "%" PRIu64 ".%02u%s", value / 100,
			 (unsigned int)(value % 100), suffix);
	else if (decimals == 1)
		snprintf(figure.s, sizeof(figure.s), "%" PRIu64 ".%u%s", value / 10,
			 (unsigned int)(value % 10), suffix);
	else
		snprintf(figure.s, sizeof(figure.s), "%" PRIu64 "%s", value, suffix);
	return figure;
}

/* Three digits of value in the first unit in which they suffice. */
static struct figure scaled(uint64_t value, const struct scale *scale)
{
	static const uint64_t powers[] = { 1, 10, 100 };

	for (;; scale++) {
		for (int decimals = scale->unit == 1 ? 0 : 2; decimals >= 0; decimals--) {
			unsigned __int128 wide = (unsigned __int128)value * powers[decimals];
			uint64_t rounded = (uint64_t)((wide + scale->unit / 2) / scale->unit);

			if (rounded < (decimals ? 1000 : scale->limit))
				return with_decimals(rounded, decimals, scale->suffix);
		}
	}
}

struct figure figure_time(uint64_t ns)
{
	return ns ? scaled(ns, times) : words("0");
}

struct figure figure_short(uint64_t count)
{
	return scaled(count, counts);
}

struct figure figure_bytes(uint64_t bytes)
{
	struct figure figure = scaled(bytes, counts);

	strcat(figure.s, "B");
	return figure;
}

struct figure figure_count(uint64_t count)
{
	char digits[24];
	struct figure figure;
	size_t nr = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t at = 0;

	for (size_t i = 0; i < nr; i++) {
		if (i && (nr - i) % 3 == 0)
			figure.s[at++] = ' ';
		figure.s[at++] = digits[i];
	}
	figure.s[at] = '\0';
	return figure;
}

static uint64_t milli(double value)
{
	return (uint64_t)(fmin(value, MAX_DOUBLE) * 1000 + 0.5);
}

struct figure figure_level(double mean)
{
	mean = figure_round(mean);
	if (!(mean >= 0))
		return words("-");
	if (mean > 0 && mean < 0.005)
		return words("<0.01");
	return milli(mean) ? scaled(milli(mean), fractions) : words("0");
}

struct figure figure_short_rate(double hz)
{
	struct figure figure = figure_level(hz);

	if (hz >= 0)
		strcat(figure.s, "/s");
	return figure;
}

struct figure figure_rate(double hz)
{
	struct figure figure;

	hz = figure_round(hz);
	if (!(hz >= 1000 && hz < 1e6))
		return figure_short_rate(hz);
	figure = figure_count((milli(hz) + 500) / 1000);
	strcat(figure.s, "/s");
	return figure;
}

struct figure figure_ratio(double ratio)
{
	double percent = figure_round(ratio) * 100;
	struct figure figure;

	if (!(percent >= 0))
		return words("-");
	if (percent == 0)
		return words("0 %");
	if (percent < 0.005)
		return words("<0.01 %");
	if (percent < 100 && percent >= 99.95)
		return words(">99.9 %");
	figure = percent == 100 ? words("100") : scaled(milli(percent), fractions);
	strcat(figure.s, " %");
	return figure;
}

/* The six digits of a positive value and the decimal exponent of the first. */
static int decimal(double value, char digits[SIGNIFICANT + 1])
{
	char text[40];
	const char *at = text;
	int nr = 0;

	snprintf(text, sizeof(text), "%.*e", SIGNIFICANT - 1, value);
	for (; *at != 'e'; at++)
		if (*at >= '0' && *at <= '9' && nr < SIGNIFICANT)
			digits[nr++] = *at;
	digits[nr] = '\0';
	return atoi(at + 1);
}

double figure_round(double value)
{
	char digits[SIGNIFICANT + 1];
	char text[40];
	int exponent;

	if (!isfinite(value))
		return NAN;
	if (value == 0)
		return 0;
	exponent = decimal(fabs(value), digits);
	snprintf(text, sizeof(text), "%se%d", digits, exponent - SIGNIFICANT + 1);
	return copysign(strtod(text, NULL), value);
}

/* digits[0 .. nr) x 10^(exponent - nr + 1), without an exponent. */
static void print_plain(char *out, size_t size, const char *digits, int nr, int exponent)
{
	if (exponent < 0)
		snprintf(out, size, "0.%.*s%s", -exponent - 1, "0000", digits);
	else if (exponent >= nr - 1)
		snprintf(out, size, "%s%.*s", digits, exponent - nr + 1, "000000000000000");
	else
		snprintf(out, size, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

struct figure figure_real(double value)
{
	char digits[SIGNIFICANT + 1] = "";
	struct figure figure = words(signbit(value) ? "-" : "");
	size_t at = strlen(figure.s);
	int exponent;
	int nr = SIGNIFICANT;

	if (!isfinite(value))
		return words("null");
	if (value == 0)
		return words("0");
	exponent = decimal(fabs(value), digits);
	while (nr > 1 && digits[nr - 1] == '0')
		digits[--nr] = '\0';
	if (exponent >= -5 && exponent < 15)
		print_plain(figure.s + at, sizeof(figure.s) - at, digits, nr, exponent);
	else
		snprintf(figure.s + at, sizeof(figure.s) - at, "%.1s%s%se%d", digits,
			 nr > 1 ? "." : "", digits + 1, exponent);
	return figure;
}

struct figure figure_instant(uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
	struct figure figure;
	struct tm tm;
	size_t at;

	gmtime_r(&seconds, &tm);
	at = strftime(figure.s, sizeof(figure.s), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(figure.s + at, sizeof(figure.s) - at, ".%09" PRIu64 "Z", wall_ns % NS_PER_SECOND);
	return figure;
}

bool figure_parse_instant(const char *text, uint64_t *wall_ns)
{
	struct tm tm = { 0 };
	int used = 0;
	unsigned int ns;
	time_t seconds;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9uZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ns, &used) != 7)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	if (text[used] || !used || seconds < 0 ||
	    (uint64_t)seconds > UINT64_MAX / NS_PER_SECOND - 1)
		return false;
	*wall_ns = (uint64_t)seconds * NS_PER_SECOND + ns;
	return !strcmp(figure_instant(*wall_ns).s, text);
}
