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
#include "src/symbol/loaded.h"
#include "src/symbol/name.h"
#include "src/symbol/place_make.h"

struct listing {
	const char *glob; /* NULL: everything */
	int (*each)(void *ctx, const struct place *place);
	void *ctx;
	int nr;
	struct candidates found; /* what could not be read */
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
	int err = binary_load(binary);

	if (err) {
		self->found.unread = binary;
		self->found.unread_err = err;
		return err == -ENOMEM ? err : 0;
	}
	for (size_t i = 0; i < table->nr_functions; i++) {
		const struct symbol *row = &table->rows[i];

		if ((last && last->vaddr == row->vaddr) || !fits(self, row))
			continue;
		last = row;
		err = tell(self, binary, row);
		if (err)
			return err;
	}
	return 0;
}

/* Of the binaries that fit a name; NULL: of all. */
static int list_named(struct listing *self, struct binaries *binaries, const char *name)
{
	enum binary_fit fit = name ? binaries_fit(binaries, name) : BINARY_UNFIT;
	int err = 0;

	for (size_t i = 0; i < binaries->nr && !err; i++) {
		struct binary *row = binaries->rows[i];

		if (row->is_mapped && (!name || binary_fit(row, name) == fit))
			err = list_binary(self, row);
	}
	return err;
}

/* A name that only something chosen at start has is told what -s says of it. */
static int complain_nothing(const struct listing *self, const struct binaries *binaries,
			    const struct spec *spec, char *why)
{
	struct candidates named;
	int err = 0;

	if (spec->symbol && !strpbrk(spec->symbol, "*?[")) {
		if (candidates_collect(&named, binaries, spec->binary, spec->symbol))
			return -ENOMEM;
		if (named.nr && named.rows->class == CANDIDATE_FUNCTION &&
		    named.rows->symbol->kind == SYMBOL_IFUNC)
			err = complain_ifunc(binaries, named.rows, why);
		candidates_fini(&named);
	}
	return err ?: complain_no_match(binaries, spec, &self->found, why);
}

static int list_glob(struct listing *self, struct binaries *binaries, const char *glob, char *why)
{
	const char *colon = spec_colon(glob);
	struct spec spec = { 0 };
	int err;

	if (colon)
		spec.binary = strndup(glob, colon - glob);
	if (colon && !spec.binary)
		return -ENOMEM;
	/* some names hold a single colon: then what is before it is no binary */
	if (!colon || binaries_fit(binaries, spec.binary)) {
		glob = colon ? colon + 1 : glob;
		self->glob = *glob ? glob : NULL;
		spec.symbol = (char *)self->glob;
		err = list_named(self, binaries, spec.binary);
		if (!err && !self->nr)
			err = complain_nothing(self, binaries, &spec, why);
	} else {
		self->glob = glob;
		err = list_named(self, binaries, NULL);
		if (!err && !self->nr)
			err = complain_no_binary(binaries, spec.binary, why);
	}
	free(spec.binary);
	return err;
}

static int list_main(struct listing *self, struct binaries *binaries, char *why)
{
	struct binary *binary = loaded_main(binaries);
	struct complaint say = { why, 0 };
	struct spec spec = { 0 };
	int err;

	if (!binary) {
		complain(&say, "the executable of process %d is not known; give BINARY:GLOB",
			 binaries->pid);
		return -ENOENT;
	}
	spec.binary = (char *)binary->base;
	err = list_binary(self, binary);
	return err || self->nr ? err : complain_no_match(binaries, &spec, &self->found, why);
}

int place_list(struct binaries *binaries, const char *glob,
	       int (*each)(void *ctx, const struct place *place), void *ctx, char *why)
{
	struct listing listing = { .each = each, .ctx = ctx };
	int err;

	*why = 0;
	err = glob ? list_glob(&listing, binaries, glob, why) : list_main(&listing, binaries, why);
	return err ? err : listing.nr;
}

size_t place_unread(const struct binaries *binaries, char *why)
{
	const struct binary *last = NULL;
	size_t nr = 0, bytes;

	for (size_t i = 0; i < binaries->nr; i++) {
		if (!binaries->rows[i]->is_table_built || !binaries->rows[i]->table_err)
			continue;
		last = binaries->rows[i];
		nr++;
	}
	if (!last)
		return 0;
	complain_unread(last, last->table_err, why);
	bytes = strlen(why);
	if (nr > 1)
		snprintf(why + bytes, PLACE_WHY_BYTES - bytes, "; and of %zu more", nr - 1);
	return nr;
}
