// SPDX-License-Identifier: BSD-2-Clause
/*
 * expr_eval.c - a condition's verdict on one map, with the sentence that explains it
 *
 * The scope of a path was left as text because only the map knows its families and steps:
 * here it is a family, a step of the first family, or a family, a dot and a step of it. Ids
 * are compared whole, so that neither `>` nor dots in a stage's name mislead.
 */
#include "src/reason/expr.h"
#include "src/reason/metric.h"
#include "src/util/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place {
	const struct family *family;
	const struct step *step;
};

static void __attribute__((format(printf, 2, 3)))
be_null(struct expr_result *result, const char *format, ...)
{
	va_list args;

	result->verdict = EXPR_NULL;
	result->value = NAN;
	va_start(args, format);
	vsnprintf(result->why, sizeof(result->why), format, args);
	va_end(args);
}

static bool is_called(const char *text, size_t length, const char *id, const char *name)
{
	return (id && strlen(id) == length && !strncmp(text, id, length)) ||
	       (name && strlen(name) == length && !strncmp(text, name, length));
}

static const struct step *find_step(const struct family *family, const char *text)
{
	for (size_t i = 0; i < family->nr_steps; i++)
		if (is_called(text, strlen(text), family->steps[i].id, family->steps[i].name))
			return &family->steps[i];
	return NULL;
}

/* A step of the first family goes before a family of that name: it is the shorter way. */
static bool find_place(const struct vsm *vsm, const char *scope, struct place *out)
{
	*out = (struct place){ .family = vsm->families };
	if (!*scope)
		return true;
	out->step = find_step(vsm->families, scope);
	if (out->step)
		return true;
	for (size_t i = 0; i < vsm->nr_families; i++) {
		const struct family *family = out->family = &vsm->families[i];

		if (is_called(scope, strlen(scope), family->id, family->name))
			return true;
		for (const char *dot = strchr(scope, '.'); dot; dot = strchr(dot + 1, '.')) {
			if (!is_called(scope, (size_t)(dot - scope), family->id, family->name))
				continue;
			out->step = find_step(family, dot + 1);
			if (out->step)
				return true;
		}
	}
	return false;
}

/* The names that would have been right, as far as they fit. */
static void be_nowhere(const struct expr *self, const struct vsm *vsm, struct expr_result *result)
{
	const struct family *family = vsm->families;
	size_t used, room = sizeof(result->why);

	be_null(result, "the map has no '%s'; %s has the steps", self->scope, family->id);
	used = strlen(result->why);
	for (size_t i = 0; i < family->nr_steps && used < room; i++)
		used += (size_t)snprintf(result->why + used, room - used, " %s",
					 family->steps[i].name);
	if (used < room && vsm->nr_families > 1)
		snprintf(result->why + used, room - used, "; families: %s to %s", family->id,
			 vsm->families[vsm->nr_families - 1].id);
}

static void format_value(const struct expr *self, double value, char *out, size_t bytes)
{
	char text[UNIT_TEXT_BYTES];

	if (self->is_time)
		snprintf(out, bytes, "%s", unit_format_time((uint64_t)value, text));
	else
		snprintf(out, bytes, "%.12g", value);
}

static void judge(const struct expr *self, const struct metric *metric, const void *of,
		  const char *of_name, struct expr_result *result)
{
	char why[EXPR_WHY_BYTES / 2], value[32];
	const char *dot = self->stat ? "." : "";

	result->value = metric_get(metric, self->stat, of, why, sizeof(why));
	if (isnan(result->value)) {
		be_null(result, "%s%s%s%s is null: %s", metric->name, dot, stat_name(self->stat),
			of_name, why);
		return;
	}
	result->verdict = expr_compare(self, result->value) ? EXPR_TRUE : EXPR_FALSE;
	format_value(self, result->value, value, sizeof(value));
	snprintf(result->why, sizeof(result->why), "%s%s%s%s is %s", metric->name, dot,
		 stat_name(self->stat), of_name, value);
}

void expr_eval(const struct expr *self, const struct vsm *vsm, struct expr_result *result)
{
	const struct metric *metric = metric_find(self->metric, METRIC_OF_MAP);
	struct place place;
	char of_name[EXPR_WHY_BYTES / 4];

	if (!self->scope[0] && metric) {
		judge(self, metric, vsm, "", result);
		return;
	}
	if (!vsm->nr_families) {
		be_null(result, "the map has no items");
		return;
	}
	if (!find_place(vsm, self->scope, &place)) {
		be_nowhere(self, vsm, result);
		return;
	}
	metric = metric_find(self->metric, place.step ? METRIC_OF_STEP : METRIC_OF_FAMILY);
	snprintf(of_name, sizeof(of_name), " of %s%s%s", place.family->id, place.step ? "." : "",
		 place.step ? place.step->name : "");
	if (!metric)
		be_null(result, "%s is of a %s, and '%s' is a %s", self->metric,
			place.step ? "family" : "step", self->scope,
			place.step ? "step" : "family");
	else
		judge(self, metric, place.step ? (const void *)place.step : place.family, of_name,
		      result);
}
