// SPDX-License-Identifier: BSD-2-Clause
/*
 * opts_stage.c - -s [NAME=]PROBE: what a stage is called and which function it is; -k, its key
 *
 * What stands before the first `=` is a name only if it looks like one: C++ operators have a `=`
 * of their own (`operator==` names none), and `-s =PROBE` forces no name. Without one the stage is called after the
 * function, without its parameters, `.` for `::`.
 */
#include "src/key/key.h"
#include "src/map/steps.h"
#include "src/opts.h"
#include "src/opts_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_PROBE_BYTES 4096 /* mangled names of C++ templates are that long */

static bool is_in_a_name(char c)
{
	return isalnum((unsigned char)c) || strchr("_.-", c);
}

static bool is_name(const char *text, size_t length)
{
	if (!length || (!isalpha((unsigned char)text[0]) && text[0] != '_'))
		return false;
	if (length == strlen("operator") && !strncmp(text, "operator", length))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!text[i] || !is_in_a_name(text[i]))
			return false;
	return true;
}

static bool is_taken(const struct opts *self, const char *name)
{
	for (size_t i = 0; i < self->nr_stages; i++)
		if (!strcmp(self->stages[i].name, name))
			return true;
	return false;
}

/* An operator's name, a parameter or a template's argument may have any of these signs. */
static bool is_plain(const char *probe)
{
	return !strpbrk(probe, "(<") && !strstr(probe, "operator");
}

/* What is surely a mistake, before a function of that name is looked for. */
static int check_words(const char *text, size_t name_bytes, bool has_name, char *why)
{
	if (*text != '=' && text[name_bytes] && !has_name && is_plain(text))
		return opts_refuse(
			why,
			"'%.*s' is no name for a stage: letters, digits and _.- make one, "
			"a letter first",
			(int)(name_bytes < 80 ? name_bytes : 80), text);
	if (strpbrk(text, "*?") && is_plain(text))
		return opts_refuse(
			why,
			"'%.80s' is a pattern, and a stage is one function; gemba stages "
			"lists those that fit",
			text);
	return 0;
}

/* Behind `BINARY:`, that is a single colon; `::` never separates. */
static const char *symbol_of(const char *probe)
{
	const char *symbol = probe;

	for (const char *c = probe; *c && *c != '('; c++) {
		if (c[0] == ':' && c[1] == ':')
			c++;
		else if (c[0] == ':')
			symbol = c + 1;
	}
	return symbol;
}

static bool has_letter(const char *symbol)
{
	for (; *symbol; symbol++)
		if (isalnum((unsigned char)*symbol) || *symbol == '_' || *symbol & 0x80)
			return true;
	return false;
}

/* Of a Go method the receiver's type without its package: server.(*client).parse */
static const char *skip_path(const char *symbol)
{
	const char *slash = strrchr(symbol, '/');

	return slash && strpbrk(symbol, "<> ") == NULL ? slash + 1 : symbol;
}

static void derive(char *name, const char *probe)
{
	const char *symbol = skip_path(symbol_of(probe));
	bool is_pointer = false;
	size_t nr = 0;

	if (isdigit((unsigned char)*symbol))
		name[nr++] = '_';
	for (; *symbol && *symbol != '+' && nr + 4 < OPTS_STAGE_NAME_BYTES; symbol++) {
		if (symbol[0] == '(' && symbol[1] == '*') {
			is_pointer = true;
			symbol++;
		} else if (symbol[0] == ')' && is_pointer) {
			is_pointer = false;
		} else if (symbol[0] == '(') {
			break;
		} else if (symbol[0] == ':' && symbol[1] == ':') {
			name[nr++] = '.';
			symbol++;
		} else {
			name[nr++] = is_in_a_name(*symbol) ? *symbol : '_';
		}
	}
	name[nr] = '\0';
	if (!nr || !is_name(name, 1))
		snprintf(name, OPTS_STAGE_NAME_BYTES, "stage");
	if (step_name_is_reserved(name))
		strcat(name, "_");
}

static bool is_given(const struct opts *self, const char *probe)
{
	for (size_t i = 0; i < self->nr_stages; i++)
		if (!strcmp(self->stages[i].probe, probe))
			return true;
	return false;
}

/* Two functions of the same name: told apart by a number. */
static void make_unique(const struct opts *self, char *name)
{
	size_t nr = strlen(name);

	for (unsigned int i = 2; is_taken(self, name); i++)
		snprintf(name + nr, OPTS_STAGE_NAME_BYTES - nr, ".%u", i);
}

static int take_name(const struct opts *self, struct opts_stage *stage, const char *text,
		     size_t length, char *why)
{
	if (length >= sizeof(stage->name))
		return opts_refuse(why, "the name before = is longer than %zu letters",
				   sizeof(stage->name) - 1);
	memcpy(stage->name, text, length);
	stage->name[length] = '\0';
	if (step_name_is_reserved(stage->name))
		return opts_refuse(why, "'%s' is a name of the map's own; give another",
				   stage->name);
	if (is_taken(self, stage->name))
		return opts_refuse(why, "two stages are called '%s'", stage->name);
	return 0;
}

int opt_stage(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	struct opts_stage *stage = &self->stages[self->nr_stages];
	size_t length = strcspn(text, "=");
	bool has_name = text[length] && is_name(text, length);

	(void)row;
	if (self->nr_stages == OPTS_MAX_STAGES)
		return opts_refuse(why, "more than %d stages", OPTS_MAX_STAGES);
	stage->probe = text;
	if (*text == '=')
		stage->probe = text + 1;
	else if (has_name)
		stage->probe = text + length + 1;
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return opts_refuse(why, "control characters are not allowed");
	if (strlen(text) > MAX_PROBE_BYTES)
		return opts_refuse(why, "'%.60s...' is longer than %d characters", text,
				   MAX_PROBE_BYTES);
	if (!has_letter(symbol_of(stage->probe)))
		return opts_refuse(why, "'%.80s' names no function, as decode=decode_packet does",
				   text);
	if (check_words(text, length, has_name, why))
		return -EINVAL;
	if (!has_name && is_given(self, stage->probe))
		return opts_refuse(why,
				   "'%.80s' is a stage already; to stamp it twice, give a name",
				   stage->probe);
	if (has_name && take_name(self, stage, text, length, why))
		return -EINVAL;
	if (!has_name) {
		derive(stage->name, stage->probe);
		make_unique(self, stage->name);
	}
	self->nr_stages++;
	return 0;
}

static bool is_of_payload(const char *station)
{
	static const char *const stations[] = { "rx", "recv", "send" };

	for (size_t i = 0; i < sizeof(stations) / sizeof(stations[0]); i++)
		if (!strcmp(station, stations[i]))
			return true;
	return false;
}

int opt_key(struct opts *self, const struct opt_row *row, const char *text, char *why)
{
	struct opts_key *key = &self->keys[self->nr_keys];
	char reason[KEY_WHY_BYTES], station[8];
	struct key parsed;

	(void)row;
	key->station = text;
	key->station_bytes = strcspn(text, "=");
	if (!text[key->station_bytes] || !key->station_bytes)
		return opts_refuse(why, "'%.80s' is no STAGE=KEYEXPR, as decode=arg1 is", text);
	if (self->nr_keys == OPTS_MAX_STAGES)
		return opts_refuse(why, "more than %d keys", OPTS_MAX_STAGES);
	snprintf(station, sizeof(station), "%.*s", (int)key->station_bytes, text);
	if (is_of_payload(station))
		return opts_refuse(why, "keys of the payload, on %s, are not in this version",
				   station);
	key->expr = text + key->station_bytes + 1;
	if (key_parse(&parsed, key->expr, reason))
		return opts_refuse(why, "%s", reason);
	self->nr_keys++;
	return 0;
}

static struct opts_stage *stage_called(struct opts *self, const char *name, size_t bytes)
{
	for (size_t i = 0; i < self->nr_stages; i++)
		if (strlen(self->stages[i].name) == bytes &&
		    !strncmp(self->stages[i].name, name, bytes))
			return &self->stages[i];
	return NULL;
}

int opts_give_keys(struct opts *self, char *why)
{
	for (size_t i = 0; i < self->nr_keys; i++) {
		const struct opts_key *key = &self->keys[i];
		struct opts_stage *stage = stage_called(self, key->station, key->station_bytes);
		int bytes = key->station_bytes < 80 ? (int)key->station_bytes : 80;

		if (!stage)
			return opts_refuse(why, "-k: there is no stage '%.*s'; name it with -s",
					   bytes, key->station);
		if (stage->key)
			return opts_refuse(why, "-k: two keys for stage '%.*s'", bytes,
					   key->station);
		stage->key = key->expr;
	}
	return 0;
}
