// SPDX-License-Identifier: BSD-2-Clause
/*
 * opts_config.c - -c FILE: a stage file is so many -s and -k, and says whose map it is
 */
#include "src/key/key.h"
#include "src/opts.h"
#include "src/opts_value.h"
#include "src/stage_file.h"
#include "src/stage_file_place.h"
#include "src/util/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_value(const char *text)
{
	static const char *const values[] = { "added", "necessary", "waste", "unknown" };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!strcmp(text, values[i]))
			return true;
	return false;
}

/* One that the calendar has. */
static bool is_day(const char *text)
{
	struct tm day = { 0 }, same;
	const char *end = strptime(text, "%Y-%m-%d", &day);

	same = day;
	return end && !*end && strlen(text) == strlen("2027-01-31") && timegm(&same) != -1 &&
	       same.tm_mday == day.tm_mday && same.tm_mon == day.tm_mon;
}

/* A refusal quotes what it is about first. */
static bool is_quoted(const char *why, const char *text)
{
	const char *quote = strchr(why, '\'');
	size_t nr = strlen(text);

	return quote && !strncmp(quote + 1, text, nr) && quote[1 + nr] == '\'';
}

/* As if by -s NAME=PROBE and -k NAME=KEY. What is wrong: *field is the one to blame. */
static int add_stage(struct opts *self, const struct stage_file_stage *stage, const char **field,
		     char *why)
{
	struct opts_stage *added;
	char reason[KEY_WHY_BYTES];
	struct key parsed;
	char *text;

	*field = "value";
	if (stage->value && !is_value(stage->value))
		return opts_refuse(why,
				   "value '%.40s' is unknown; there is "
				   "added|necessary|waste|unknown",
				   stage->value);
	*field = "key";
	if (stage->key && key_parse(&parsed, stage->key, reason))
		return opts_refuse(why, "key %s", reason);
	*field = "probe";
	if (self->nr_stages == OPTS_MAX_STAGES)
		return opts_refuse(why, "more than %d stages", OPTS_MAX_STAGES);
	if (asprintf(&text, "%s%s%s", stage->name ? stage->name : "", stage->name ? "=" : "",
		     stage->probe) < 0)
		return opts_refuse(why, "out of memory");
	if (opt_stage(self, NULL, text, why)) {
		if (stage->name && is_quoted(why, stage->name))
			*field = "name";
		free(text);
		return -EINVAL;
	}
	self->config_probes[self->nr_stages - 1] = text;
	added = &self->stages[self->nr_stages - 1];
	added->key = stage->key;
	added->value = stage->value;
	return 0;
}

/* `FILE:LINE:COLUMN: REASON` into why; -EINVAL. */
static int refuse_at(const char *path, const struct stage_file *file, unsigned int stage,
		     const char *field, const char *reason, char *why)
{
	struct stage_file_place place;

	if (stage_file_find(&place, file->text, file->bytes, stage, field))
		return opts_refuse(why, "%.160s: %.250s", path, reason);
	return opts_refuse(why, "%.160s:%u:%u: %.250s", path, place.line, place.column, reason);
}

/* What it says of the map itself. */
static int take_head(struct opts *self, const char *path, const struct stage_file *file, char *why)
{
	char reason[OPTS_WHY_BYTES];

	if (file->takt &&
	    (unit_parse_time(file->takt, &self->takt_declared_ns) || !self->takt_declared_ns)) {
		opts_refuse(reason, "takt '%.40s' is no time, as 50us is", file->takt);
		return refuse_at(path, file, STAGE_FILE_NO_STAGE, "takt", reason, why);
	}
	if (file->review_by && !is_day(file->review_by)) {
		opts_refuse(reason, "review_by '%.40s' is no day, as 2027-01-31 is",
			    file->review_by);
		return refuse_at(path, file, STAGE_FILE_NO_STAGE, "review_by", reason, why);
	}
	self->map_name = file->map;
	self->owner = file->owner;
	self->review_by = file->review_by;
	return 0;
}

int opt_config(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	char reason[OPTS_WHY_BYTES];
	struct stage_file *file;
	const char *field;

	(void)row;
	if (stage_file_load(&file, text, reason))
		return opts_refuse(why, "%.400s", reason);
	self->config = file;
	if (take_head(self, text, file, why))
		return -EINVAL;
	for (unsigned int i = 0; i < file->nr_stages; i++)
		if (add_stage(self, &file->stages[i], &field, reason))
			return refuse_at(text, file, i, field, reason, why);
	return 0;
}

void opts_free_config(struct opts *self)
{
	for (size_t i = 0; i < OPTS_MAX_STAGES; i++)
		free(self->config_probes[i]);
	stage_file_free(self->config);
	memset(self, 0, sizeof(*self));
}
