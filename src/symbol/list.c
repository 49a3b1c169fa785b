// SPDX-License-Identifier: BSD-2-Clause
/*
 * list.c - place_list: every function that a GLOB fits
 *
 * Names of one address are one function, told by the best of its names that fits. What is
 * chosen at start (IFUNC) has no place, so it is left out.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbol/complain.h"
#include "src/symbol/name.h"
#include "src/symbol/place_make.h"

struct listing {
	const char *glob; /* NULL: everything */
	int (*each)(void *ctx, const struct place *place);
	void *ctx;
	int nr;
};

static bool fits(const struct listing *self, const struct symbol *symbol)
{
	char text[NAME_ROOM];

	if (symbol->kind != SYMBOL_FUNCTION)
		return false;
	if (!self->glob)
		return true;
	if (symbol->bytes < sizeof(text)) {
		memcpy(text, symbol->name, symbol->bytes);
		text[symbol->bytes] = 0;
		if (!fnmatch(self->glob, text, 0) || !strcmp(self->glob, text))
			return true;
	}
	for (enum name_form form = NAME_ALONE; form <= NAME_PARAMS; form++)
		if (name_demangle(symbol->name, symbol->bytes, form, text) &&
		    (!fnmatch(self->glob, text, 0) || !strcmp(self->glob, text)))
			return true;
	return false;
}

static int tell(struct listing *self, const struct binary *binary, const struct symbol *symbol)
{
	struct place place;
	int err = place_make(&place, binary, symbol, true);

	if (err == -ENOMEM)
		return err;
	if (err) /* the file was cut meanwhile */
		return 0;
	err = place_add_clones(&place, binary, symbol);
	if (!err)
		err = self->each(self->ctx, &place);
	place_fini(&place);
	self->nr += !err;
	return err;
}

static int list_binary(struct listing *self, struct binary *binary)
{
	const struct table *table = &binary->table;
	const struct symbol *last = NULL;

	if (binary_load(binary))
		return 0;
	for (size_t i = 0; i < table->nr_functions; i++) {
		const struct symbol *row = &table->rows[i];
		int err;

		if ((last && last->vaddr == row->vaddr) || !fits(self, row))
			continue;
		last = row;
		err = tell(self, binary, row);
		if (err)
			return err;
	}
	return 0;
}

/* BINARY before the colon, malloc'd, where such a file is mapped; then *glob moves behind it. */
static int take_binary(const struct binaries *binaries, const char **glob, char **binary, char *why)
{
	const char *colon = *glob ? spec_colon(*glob) : NULL;

	*binary = NULL;
	if (!colon)
		return 0;
	*binary = strndup(*glob, colon - *glob);
	if (!*binary)
		return -ENOMEM;
	if (binaries_fit(binaries, *binary)) {
		*glob = colon[1] ? colon + 1 : NULL;
		return 0;
	}
	complain_no_binary(binaries, *binary, why);
	free(*binary);
	return -ENOENT;
}

int place_list(struct binaries *binaries, const char *glob,
	       int (*each)(void *ctx, const struct place *place), void *ctx, char *why)
{
	struct listing listing = { .each = each, .ctx = ctx };
	enum binary_fit fit = BINARY_UNFIT;
	char *binary;
	int err = take_binary(binaries, &glob, &binary, why);

	if (err)
		return err;
	listing.glob = glob && *glob ? glob : NULL;
	if (binary)
		fit = binaries_fit(binaries, binary);
	for (size_t i = 0; i < binaries->nr && !err; i++) {
		struct binary *row = binaries->rows[i];

		if (row->is_mapped && (!binary || binary_fit(row, binary) == fit))
			err = list_binary(&listing, row);
	}
	free(binary);
	return err ? err : listing.nr;
}
