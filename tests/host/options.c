/*
 * A table of options and argv in, checked values out; the help comes from the same table.
 *
 * getopt_long would take abbreviations, so that an option added later could change the meaning of
 * a test script, and leaves every range check to its caller. Here an option is a whole name, its
 * value "--name VALUE" or "--name=VALUE", and a bad one ends the program with one line.
 */
#include "tests/host/options.h"

#include "tests/host/clock.h"
#include "tests/host/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((noreturn, format(printf, 2, 3)))
usage(const struct options *self, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", self->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(" (-h shows the options)\n", stderr);
	exit(2);
}

static void __attribute__((noreturn)) show_help(const struct options *self)
{
	printf("usage: %s [OPTION...]\n%s\n\n", self->program, self->summary);
	for (const struct option_row *row = self->rows; row->name; row++)
		printf("  %-18s %s\n", row->name, row->help);
	puts("  -h, --help         show this");
	exit(0);
}

static void read_number(const struct options *self, const struct option_row *row, const char *text)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < row->min || value > row->max)
		usage(self, "%s: '%s' is not a number from %" PRIu64 " to %" PRIu64, row->name,
		      text, row->min, row->max);
	*(uint64_t *)row->value = value;
}

static void read_seconds(const struct options *self, const struct option_row *row, const char *text)
{
	double min = (double)row->min / 1e3, max = (double)row->max / 1e3, value;
	char *end;

	value = strtod(text, &end);
	/* Negated, because every comparison with a NaN is false. */
	if (strspn(text, "0123456789.") != strlen(text) || !*text || *end ||
	    !(value >= min && value <= max))
		usage(self, "%s: '%s' is not a time from %g to %g seconds", row->name, text, min,
		      max);
	*(uint64_t *)row->value = (uint64_t)(value * (double)NS_PER_S);
}

static void read_endpoint(const struct options *self, const struct option_row *row,
			  const char *text)
{
	struct endpoint *endpoint = row->value;

	if (endpoint_parse(text, endpoint))
		usage(self, "%s: '%s' is not ADDR:PORT, as 127.0.0.1:7001 or [::1]:7001", row->name,
		      text);
	if (endpoint_port(endpoint) < row->min)
		usage(self, "%s: '%s' needs a port", row->name, text);
}

static void read_value(const struct options *self, const struct option_row *row, const char *text)
{
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->value = true;
		break;
	case OPTION_NUMBER:
		read_number(self, row, text);
		break;
	case OPTION_SECONDS:
		read_seconds(self, row, text);
		break;
	case OPTION_ENDPOINT:
		read_endpoint(self, row, text);
		break;
	case OPTION_INTERFACE:
		if (inet_pton(AF_INET, text, row->value) != 1)
			usage(self, "%s: '%s' is not an IPv4 address", row->name, text);
		break;
	case OPTION_TEXT:
		*(const char **)row->value = text;
		break;
	}
}

static const struct option_row *find_row(const struct options *self, const char *arg, size_t length)
{
	for (const struct option_row *row = self->rows; row->name; row++)
		if (strlen(row->name) == length && !strncmp(row->name, arg, length))
			return row;
	usage(self, "unknown option '%s'", arg);
}

void options_parse(const struct options *self, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *text = strchr(arg, '=');
		size_t length = text ? (size_t)(text - arg) : strlen(arg);
		const struct option_row *row;

		if (!strcmp(arg, "-h") || !strcmp(arg, "--help"))
			show_help(self);
		row = find_row(self, arg, length);
		if (row->kind == OPTION_FLAG) {
			if (text)
				usage(self, "%s takes no value", row->name);
		} else if (text) {
			text++;
		} else {
			if (++i == argc)
				usage(self, "%s needs a value", row->name);
			text = argv[i];
		}
		read_value(self, row, text);
	}
}

int fail(const char *program, int err, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (err)
		fprintf(stderr, ": %s", strerror(abs(err)));
	fputc('\n', stderr);
	return 1;
}
