// SPDX-License-Identifier: BSD-2-Clause
/*
 * expr.c - conditions: text in, a checked struct out, then a verdict on a map
 *
 * Step ids contain `>`, so the operator is looked for from the end: a VALUE contains none of
 * its characters. Stage names may contain dots, so a path is read from the end too: first the
 * stat, then the longest metric, and the rest, whatever it holds, names family and step.
 */
#include "src/reason/expr.h"
#include "src/reason/metric.h"
#include "src/util/nearest.h"
#include "src/util/unit.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[EXPR_NR_OPS] = {
	[EXPR_LT] = "<",  [EXPR_LE] = "<=", [EXPR_GT] = ">",
	[EXPR_GE] = ">=", [EXPR_EQ] = "==", [EXPR_NE] = "!=",
};

static int __attribute__((format(printf, 2, 3))) refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, EXPR_WHY_BYTES, format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_op_char(char c)
{
	return c == '<' || c == '>' || c == '=' || c == '!';
}

static char *trim(char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text + strspn(text, " \t\n");
}

/* Cuts `text` into path and value. */
static int split(struct expr *self, char *text, char **path, char **value, char *why)
{
	size_t end = strlen(text), begin;

	while (end && !is_op_char(text[end - 1]))
		end--;
	for (begin = end; begin && is_op_char(text[begin - 1]);)
		begin--;
	*value = trim(text + end);
	for (self->op = 0; self->op < EXPR_NR_OPS; self->op++)
		if (strlen(op_names[self->op]) == end - begin &&
		    !strncmp(op_names[self->op], text + begin, end - begin))
			break;
	if (self->op == EXPR_NR_OPS)
		return refuse(why,
			      "'%s' has no comparison: PATH OP VALUE, OP one of "
			      "< <= > >= == !=, as in 'lead_time.p99 > 80us'",
			      self->text);
	text[begin] = '\0';
	*path = trim(text);
	if (!**path)
		return refuse(why, "'%s' has nothing before the comparison", self->text);
	if (!**value)
		return refuse(why, "'%s' has no value behind the comparison", self->text);
	return 0;
}

/* The longest metric at the end of the path; what stands before it is the scope. */
static const struct metric *find_metric(struct expr *self, const char *path, unsigned int levels)
{
	const struct metric *metric = metric_find(path, levels);

	self->scope[0] = '\0';
	if (metric)
		return metric;
	for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
		metric = metric_find(dot + 1, levels & ~METRIC_OF_MAP);
		if (!metric)
			continue;
		memcpy(self->scope, path, (size_t)(dot - path));
		self->scope[dot - path] = '\0';
		return metric;
	}
	return NULL;
}

static int refuse_path(char *path, unsigned int levels, char *why)
{
	char *last = strrchr(path, '.');
	const struct metric *metric;
	struct nearest nearest;

	if (last && stat_find(last + 1) != STAT_NONE) {
		*last = '\0';
		last = strrchr(path, '.');
	}
	last = last ? last + 1 : path;
	if (metric_find(last, levels & METRIC_OF_MAP))
		return refuse(why, "'%s' is of the whole map: write it without '%.*s'", last,
			      (int)(last - path), path);
	nearest_init(&nearest, last);
	for (size_t n = 0; (metric = metric_nth(levels, n)); n++)
		nearest_offer(&nearest, metric->name);
	if (nearest.best)
		return refuse(why, "'%s' is no figure; did you mean '%s'?", last, nearest.best);
	return refuse(why, "'%s' is no figure; gemba(1) lists them under CONDITIONS", last);
}

/* Splits `.stat` off a path whose rest is a distribution. */
static const struct metric *find_with_stat(struct expr *self, char *path, unsigned int levels)
{
	char *dot = strrchr(path, '.');
	const struct metric *metric;

	if (!dot)
		return NULL;
	*dot = '\0';
	metric = find_metric(self, path, levels);
	if (metric)
		self->stat = stat_find(dot + 1);
	*dot = '.';
	return metric;
}

static int check_stat(const struct expr *self, const struct metric *metric, const char *path,
		      bool has_suffix, char *why)
{
	const char *suffix = has_suffix ? strrchr(path, '.') + 1 : "";

	if (metric->type != METRIC_HIST)
		return has_suffix ? refuse(why, "'%s': %s is one number and has no '%s'", path,
					   metric->name, suffix) :
				    0;
	if (self->stat != STAT_NONE)
		return 0;
	if (!has_suffix)
		return refuse(why, "'%s' is a distribution: which figure of it, as in '%s.p99'?",
			      path, path);
	return refuse(why,
		      "'%s': %s has no '%s'; it has count sum min mean stddev p50 p90 p99 p99_9 "
		      "p99_99 max",
		      path, metric->name, suffix);
}

static int parse_path(struct expr *self, char *path, enum expr_subject subject, char *why)
{
	unsigned int levels = subject == EXPR_OF_ITEM ?
				      METRIC_OF_ITEM :
				      METRIC_OF_MAP | METRIC_OF_FAMILY | METRIC_OF_STEP;
	const struct metric *metric;
	bool has_suffix = false;
	int err;

	if (!strncmp(path, "account.", 8) && subject == EXPR_OF_MAP)
		path += 8;
	metric = find_metric(self, path, levels);
	if (!metric) {
		metric = find_with_stat(self, path, levels);
		has_suffix = true;
	}
	if (!metric)
		return refuse_path(path, levels, why);
	err = check_stat(self, metric, path, has_suffix, why);
	if (err)
		return err;
	if (!self->scope[0] && metric_is_of_step(metric->name, levels))
		return refuse(why, "'%s' is of a step: which one, as in 'process.%s'?", path, path);
	self->metric = metric->name;
	self->is_time = metric->is_time && self->stat != STAT_COUNT;
	return 0;
}

static int parse_value(struct expr *self, const char *text, char *why)
{
	uint64_t ns;
	char *end;
	int err;

	if (text[strlen(text) - 1] == '%')
		return refuse(why,
			      "'%s' compares two maps, which is only in diff; a ratio is a "
			      "number from 0 to 1",
			      text);
	if (!isdigit((unsigned char)*text))
		return refuse(why, "'%s' is not a value: %s", text,
			      self->is_time ? "a time as 80us" : "a number");
	err = unit_parse_time(text, &ns);
	if (self->is_time) {
		if (err && (err != -EDOM || strcmp(text, "0")))
			return refuse(why,
				      "'%s' is not a time: a number and ns us ms s m or h, "
				      "as 80us",
				      text);
		self->value = err ? 0 : (double)ns;
		return 0;
	}
	if (!err)
		return refuse(why, "'%s': %s is not a time; give a plain number", text,
			      self->stat ? stat_name(self->stat) : self->metric);
	self->value = strtod(text, &end);
	if (*end || strspn(text, "0123456789.") != strlen(text))
		return refuse(why, "'%s' is not a number", text);
	return 0;
}

int expr_parse(struct expr *out, const char *text, enum expr_subject subject, char *why)
{
	struct expr self = { 0 };
	char copy[EXPR_TEXT_BYTES], *path = copy, *value = copy;
	int err;

	if (strlen(text) >= sizeof(copy))
		return refuse(why, "the condition is longer than %zu bytes", sizeof(copy) - 1);
	strcpy(copy, text);
	strcpy(self.text, trim(copy));
	strcpy(copy, self.text);
	err = split(&self, copy, &path, &value, why);
	err = err ?: parse_path(&self, path, subject, why);
	err = err ?: parse_value(&self, value, why);
	if (!err)
		*out = self;
	return err;
}

bool expr_compare(const struct expr *self, double value)
{
	switch (self->op) {
	case EXPR_LT:
		return value < self->value;
	case EXPR_LE:
		return value <= self->value;
	case EXPR_GT:
		return value > self->value;
	case EXPR_GE:
		return value >= self->value;
	case EXPR_EQ:
		return value >= self->value && value <= self->value;
	case EXPR_NE:
		return value < self->value || value > self->value;
	case EXPR_NR_OPS:
		break;
	}
	return false;
}
