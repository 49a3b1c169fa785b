// SPDX-License-Identifier: BSD-2-Clause
/*
 * probe_text.c - from a place back to what a user can type to mean it
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbol/binaries.h"
#include "src/symbol/name.h"
#include "src/symbol/spec.h"

static bool is_base_unique(const struct binaries *binaries, const struct binary *self)
{
	for (size_t i = 0; i < binaries->nr; i++) {
		const struct binary *row = binaries->rows[i];

		if (row != self && row->is_mapped && !strcmp(row->base, self->base))
			return false;
	}
	return true;
}

/* Static functions of other source files may bear the same name. */
static bool is_name_unique(const struct binary *binary, const struct place *place)
{
	size_t bytes = strlen(place->symbol), base = name_base_bytes(place->symbol, bytes);
	const struct symbol *symbol = NULL;

	while ((symbol = table_next_named(&binary->table, place->symbol, base, symbol)))
		if (symbol->bytes == bytes && !memcmp(symbol->name, place->symbol, bytes) &&
		    symbol->kind <= SYMBOL_IFUNC && symbol->vaddr != place->vaddr)
			return false;
	return true;
}

/* Whether the text is taken apart into these two; a name may hold whatever it likes. */
static bool is_read_back(const char *text, const char *binary, const char *symbol)
{
	char why[PLACE_WHY_BYTES];
	struct spec spec;
	bool is_so;

	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	if (spec_parse(&spec, text, why))
		return false;
	is_so = spec.binary && !strcmp(spec.binary, binary) && !strcmp(spec.symbol, symbol) &&
		!spec.offset && !spec.is_address;
	spec_fini(&spec);
	return is_so;
}

char *place_probe(const struct place *self, const struct binaries *binaries, bool *is_by_name)
{
	const struct binary *binary = binaries_by_file(binaries, self->dev, self->inode);
	const char *name = is_base_unique(binaries, binary) ? binary->base : binary->path;
	char *text;

	if (asprintf(&text, "%s:%s", name, self->symbol) < 0)
		return NULL;
	*is_by_name = is_name_unique(binary, self) && is_read_back(text, name, self->symbol);
	if (*is_by_name)
		return text;
	free(text);
	return asprintf(&text, "%s:0x%lx", name, self->vaddr) < 0 ? NULL : text;
}
