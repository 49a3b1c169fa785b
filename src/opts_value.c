// SPDX-License-Identifier: BSD-2-Clause
/*
 * opts_value.c - option values: text in, a checked number or word in struct opts out
 *
 * A message says what was given, what is wanted and within which bounds; the caller puts the
 * option's name before it.
 */
#include "src/opts_value.h"
#include "src/util/unit.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PID (UINT64_C(1) << 22) /* PID_MAX_LIMIT of 64-bit kernels */

int opts_refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, OPTS_WHY_BYTES, format, args);
	va_end(args);
	return -EINVAL;
}

static void *field(struct opts *self, const struct opt_row *row)
{
	return (char *)self + row->offset;
}

int opt_flag(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	(void)text;
	(void)why;
	*(bool *)field(self, row) = true;
	return 0;
}

int opt_quiet(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	(void)row;
	(void)text;
	if (self->log_level > LOG_NORMAL)
		return opts_refuse(why, "-q and -v exclude each other");
	self->log_level = LOG_QUIET;
	return 0;
}

int opt_verbose(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	(void)row;
	(void)text;
	if (self->log_level < LOG_NORMAL)
		return opts_refuse(why, "-q and -v exclude each other");
	self->log_level = LOG_VERBOSE;
	return 0;
}

int opt_text(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	if (!*text)
		return opts_refuse(why, "the %s is empty", row->arg);
	*(const char **)field(self, row) = text;
	return 0;
}

int opt_time(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	char min[UNIT_TEXT_BYTES], max[UNIT_TEXT_BYTES];
	uint64_t ns;
	int err = unit_parse_time(text, &ns);

	if (err == -EDOM)
		return opts_refuse(why, "'%s' has no unit: write %sms, %ss or %sm", text, text,
				   text, text);
	if (err == -EINVAL)
		return opts_refuse(why, "'%s' is not a time; write it as 500ms, 10s, 5m or 1h",
				   text);
	if (err || ns < row->min || ns > row->max)
		return opts_refuse(why, "'%s' is not within %s and %s", text,
				   unit_format_time(row->min, min),
				   unit_format_time(row->max, max));
	*(uint64_t *)field(self, row) = ns;
	return 0;
}

int opt_size(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	char min[UNIT_TEXT_BYTES], max[UNIT_TEXT_BYTES];
	uint64_t bytes;
	int err = unit_parse_size(text, &bytes);

	if (err == -EINVAL)
		return opts_refuse(why, "'%s' is not a size; write it as 64K, 16M or 2G", text);
	if (!err && bytes < row->min)
		return opts_refuse(why, "'%s' is too little; at least %s", text,
				   unit_format_size(row->min, min));
	if (err || bytes > row->max)
		return opts_refuse(why, "'%s' is too much; at most %s", text,
				   unit_format_size(row->max, max));
	*(uint64_t *)field(self, row) = bytes;
	return 0;
}

int opt_count(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	uint64_t count;
	int err = unit_parse_count(text, &count);

	if (err || count < row->min || count > row->max)
		return opts_refuse(why, "'%s' is not a number from %" PRIu64 " to %" PRIu64, text,
				   row->min, row->max);
	*(uint64_t *)field(self, row) = count;
	return 0;
}

/* The index of a word among `a|b|c`, or -1. */
static int index_of(const char *choices, const char *text)
{
	size_t length;

	for (int i = 0;; i++, choices += length + 1) {
		length = strcspn(choices, "|");
		if (length && strlen(text) == length && !strncmp(choices, text, length))
			return i;
		if (!choices[length])
			return -1;
	}
}

static int choose(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	static const char later[] = "key|csv|svg|html|perfetto|prom";
	char choices[OPTS_CHOICES_BYTES];
	int i = index_of(opts_choices(row, self->command->id, choices), text);

	if (i >= 0)
		return i;
	return opts_refuse(why, "'%s' is %s; there is %s", text,
			   index_of(later, text) < 0 ? "unknown" : "not in this version", choices);
}

int opt_choice(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	int i = choose(self, row, text, why);

	if (i < 0)
		return i;
	*(int *)field(self, row) = i + (int)row->min;
	return 0;
}

int opt_format(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	int i = choose(self, row, text, why);

	if (i < 0)
		return i;
	*(const char **)field(self, row) = text;
	return 0;
}

static int add_pid(struct opts *self, const char *text, char *why)
{
	uint64_t pid;
	int err = unit_parse_count(text, &pid);

	if (err == -EINVAL)
		return opts_refuse(why, "'%s' is not a process id; for a name there is -n", text);
	if (err || !pid || pid > MAX_PID)
		return opts_refuse(why, "'%s' is no process id: they go from 1 to %" PRIu64, text,
				   MAX_PID);
	for (size_t i = 0; i < self->nr_pids; i++)
		if (self->pids[i] == pid)
			return opts_refuse(why, "%s is given twice", text);
	if (self->nr_pids == OPTS_MAX_PIDS)
		return opts_refuse(why, "more than %d processes; attach in several runs",
				   OPTS_MAX_PIDS);
	self->pids[self->nr_pids++] = (uint32_t)pid;
	return 0;
}

int opt_pids(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	char one[32];
	int err = 0;

	(void)row;
	for (size_t length; !err; text += length + 1) {
		length = strcspn(text, ",");
		if (!length)
			return opts_refuse(why, "a process id is missing%s",
					   text[length] ? " before a comma" : "");
		snprintf(one, sizeof(one), "%.*s", (int)length, text);
		err = add_pid(self, one, why);
		if (!text[length])
			break;
	}
	return err;
}

int opt_tag(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	size_t length = strcspn(text, "=");
	struct opts_tag *tag = &self->tags[self->nr_tags];

	(void)row;
	if (!text[length] || !length)
		return opts_refuse(why, "'%s' is not K=V, as venue=XETR", text);
	if (length >= sizeof(tag->key))
		return opts_refuse(why, "the name before = is longer than %zu letters",
				   sizeof(tag->key) - 1);
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i]))
			return opts_refuse(why,
					   "'%.*s': only letters, digits, _ . and - may "
					   "stand before =",
					   (int)length, text);
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return opts_refuse(why, "control characters are not allowed");
	for (size_t i = 0; i < self->nr_tags; i++)
		if (strlen(self->tags[i].key) == length &&
		    !strncmp(self->tags[i].key, text, length))
			return opts_refuse(why, "'%.*s' is given twice", (int)length, text);
	if (self->nr_tags == OPTS_MAX_TAGS)
		return opts_refuse(why, "more than %d tags", OPTS_MAX_TAGS);
	memcpy(tag->key, text, length);
	tag->key[length] = '\0';
	tag->value = text + length + 1;
	self->nr_tags++;
	return 0;
}

int opt_fail_if(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	(void)row;
	if (self->nr_fail_if == OPTS_MAX_GATES)
		return opts_refuse(why, "more than %d conditions", OPTS_MAX_GATES);
	if (expr_parse(&self->fail_if[self->nr_fail_if], text, EXPR_OF_MAP, why))
		return -EINVAL;
	self->nr_fail_if++;
	return 0;
}

int opt_where(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	(void)row;
	return expr_parse(&self->where, text, EXPR_OF_ITEM, why);
}

int opt_item_key(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	char *end;

	(void)row;
	errno = 0;
	self->item_key = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno)
		return opts_refuse(why, "'%.40s' is no key, as 4711 or 0x7f00c0de is", text);
	self->has_item_key = true;
	return 0;
}
