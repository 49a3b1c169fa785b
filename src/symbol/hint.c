// SPDX-License-Identifier: BSD-2-Clause
/*
 * hint.c - every name is held against the one asked for, the few nearest are kept
 *
 * Near is what util/nearest says, of the whole name or of its last part: who forgot the
 * namespace finds the function as well. Runs only to explain a failure, hence may take a second.
 */
#include "src/symbol/hint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/symbol/name.h"
#include "src/util/nearest.h"

#define FAR 1000
#define SPREAD 2 /* farther than the nearest by more than this is noise */

static unsigned int distance(const char *asked, const char *name)
{
	size_t a = strlen(asked), b = strlen(name);
	struct nearest nearest;

	if ((a > b ? a - b : b - a) > 2)
		return FAR;
	if (!strcasecmp(asked, name))
		return 0;
	nearest_init(&nearest, asked);
	nearest_offer(&nearest, name);
	return nearest.best ? nearest.distance : FAR;
}

static void insert(struct hints *self, const char *text, unsigned int far)
{
	size_t at = self->nr;

	if (strlen(text) >= HINT_BYTES)
		return;
	for (size_t i = 0; i < self->nr; i++)
		if (!strcmp(self->rows[i].text, text))
			return;
	while (at > 0 && self->rows[at - 1].distance > far)
		at--;
	if (at == HINTS_MAX)
		return;
	if (self->nr < HINTS_MAX)
		self->nr++;
	memmove(&self->rows[at + 1], &self->rows[at], (self->nr - 1 - at) * sizeof(*self->rows));
	snprintf(self->rows[at].text, HINT_BYTES, "%s", text);
	self->rows[at].distance = far;
}

/* The name asked for, without the version and the parameters that were given. */
struct asked {
	char name[NAME_ROOM];
	const char *last;
	bool has_params;
};

static void asked_init(struct asked *self, const char *name)
{
	snprintf(self->name, sizeof(self->name), "%.*s", (int)name_bytes(name), name);
	self->has_params = name_strip_params(self->name);
	self->last = name_last_part(self->name);
}

static unsigned int score(const struct asked *asked, const char *text)
{
	const char *last = name_last_part(text);
	unsigned int whole = distance(asked->name, text), part = FAR;

	if (last != text || asked->last != asked->name)
		part = distance(asked->last, last);
	whole = whole == FAR ? FAR : 2 * whole;
	part = part == FAR ? FAR : 2 * part + 1;
	return whole < part ? whole : part;
}

static void offer(struct hints *self, const struct asked *asked, const struct symbol *symbol)
{
	char text[NAME_ROOM];
	unsigned int far;

	if (!name_demangle(symbol->name, symbol->bytes, NAME_ALONE, text))
		snprintf(text, sizeof(text), "%.*s", (int)symbol->bytes, symbol->name);
	far = score(asked, text);
	if (far == FAR)
		return;
	if (asked->has_params)
		name_demangle(symbol->name, symbol->bytes, NAME_PARAMS, text);
	insert(self, text, far);
}

void hints_find(struct hints *self, const struct binaries *binaries, const char *binary,
		const char *name)
{
	enum binary_fit fit = binary ? binaries_fit(binaries, binary) : BINARY_UNFIT;
	struct asked asked;

	self->nr = 0;
	asked_init(&asked, name);
	for (size_t i = 0; i < binaries->nr; i++) {
		const struct binary *row = binaries->rows[i];

		if (!row->is_mapped || (binary && binary_fit(row, binary) != fit))
			continue;
		for (size_t j = 0; j < row->table.nr_functions; j++)
			offer(self, &asked, &row->table.rows[j]);
	}
	while (self->nr && self->rows[self->nr - 1].distance > self->rows[0].distance + SPREAD)
		self->nr--;
}
