// SPDX-License-Identifier: BSD-2-Clause
/*
 * candidates.c - a name in, the symbols that it may mean out
 *
 * A plain name costs a look into a hash for each binary. Only when nothing bears it plainly are
 * names demangled, and of those only the ones that contain an identifier of what is asked for;
 * that could miss a substitution, so finding nothing is always found with all of them demangled.
 */
#include "src/symbol/candidates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbol/loaded.h"
#include "src/symbol/name.h"

/* How a demangled name fits, the best first. */
enum demangled_fit { FIT_EXACT, FIT_STRIPPED, FIT_NONE };

static int add(struct candidates *self, const struct candidate *candidate)
{
	if (self->nr == self->room) {
		size_t room = self->room ? self->room * 2 : 8;
		struct candidate *rows = realloc(self->rows, room * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		self->rows = rows;
		self->room = room;
	}
	self->rows[self->nr++] = *candidate;
	return 0;
}

/* The dynamic linker has copies of libc's functions for itself, before libc is there. */
static bool is_private_copy(const struct binary *binary, const struct symbol *symbol)
{
	return symbol->bind == STB_LOCAL && !strncmp(binary->base, "ld-", 3);
}

static enum candidate_class class_of(const struct binary *binary, const struct symbol *symbol,
				     bool is_exact)
{
	if (symbol->kind == SYMBOL_DATA)
		return CANDIDATE_DATA;
	if (symbol->kind == SYMBOL_IMPORT)
		return CANDIDATE_IMPORT;
	if (!is_exact)
		return name_is_cold(symbol->name, symbol->bytes) ? CANDIDATE_COLD : CANDIDATE_CLONE;
	return symbol->is_old || is_private_copy(binary, symbol) ? CANDIDATE_OLD :
								   CANDIDATE_FUNCTION;
}

static int add_plain(struct candidates *self, struct binary *binary, const char *name)
{
	size_t bytes = name_bytes(name), base = name_base_bytes(name, bytes);
	const struct symbol *symbol = NULL;
	bool is_versioned = name[bytes];

	while ((symbol = table_next_named(&binary->table, name, base, symbol))) {
		bool is_exact = symbol->bytes == bytes && !memcmp(symbol->name, name, bytes);
		struct candidate candidate = { binary, symbol, class_of(binary, symbol, is_exact) };

		if (!is_exact && base != bytes) /* another clone was asked for */
			continue;
		if (is_versioned && strcmp(symbol->name, name) != 0)
			continue;
		if (is_versioned && candidate.class == CANDIDATE_OLD)
			candidate.class = CANDIDATE_FUNCTION;
		if (add(self, &candidate))
			return -ENOMEM;
	}
	return 0;
}

static enum demangled_fit demangled_fit(const char *mangled, size_t bytes, const char *name)
{
	char text[NAME_ROOM];

	if (!name_demangle(mangled, bytes, NAME_ALONE, text))
		return FIT_NONE;
	if (name_equals(text, name))
		return FIT_EXACT;
	if (mangled[1] == 'Z') {
		name_strip_templates(text);
		if (name_equals(text, name))
			return FIT_STRIPPED;
	}
	if (!strchr(name, '('))
		return FIT_NONE;
	for (enum name_form form = NAME_PARAMS; form <= NAME_SIGNATURE; form++)
		if (name_demangle(mangled, bytes, form, text) && name_equals(text, name))
			return FIT_EXACT;
	return FIT_NONE;
}

bool candidates_fits(const char *mangled, size_t bytes, const char *name)
{
	return demangled_fit(mangled, bytes, name) != FIT_NONE;
}

/* What is asked for, and the best fit so far: a better one begins the list anew. */
struct search {
	const char *name;
	const char *literal; /* NULL: none */
	size_t literal_bytes;
	enum demangled_fit best;
};

static int add_demangled(struct candidates *self, struct binary *binary, struct search *search)
{
	const struct table *table = &binary->table;

	for (size_t i = 0; i < table->nr; i++) {
		const struct symbol *symbol = &table->rows[i];
		struct candidate candidate = { .binary = binary, .symbol = symbol };
		enum demangled_fit fit;
		size_t base;

		if (!name_is_mangled(symbol->name))
			continue;
		if (search->literal &&
		    !memmem(symbol->name, symbol->bytes, search->literal, search->literal_bytes))
			continue;
		base = name_base_bytes(symbol->name, symbol->bytes);
		fit = demangled_fit(symbol->name, base, search->name);
		if (fit == FIT_NONE || fit > search->best)
			continue;
		if (fit < search->best)
			self->nr = 0;
		search->best = fit;
		candidate.class = class_of(binary, symbol, base == symbol->bytes);
		if (add(self, &candidate))
			return -ENOMEM;
	}
	return 0;
}

/* Calls one of the two for every binary that fits; search NULL: plain names. */
static int for_each(struct candidates *self, const struct binaries *binaries, const char *binary,
		    const char *name, struct search *search)
{
	enum binary_fit fit = binary ? binaries_fit(binaries, binary) : BINARY_UNFIT;

	for (size_t i = 0; i < binaries->nr; i++) {
		struct binary *row = binaries->rows[i];
		int err;

		if (!row->is_mapped || (binary && (!fit || binary_fit(row, binary) != fit)))
			continue;
		err = binary_load(row);
		if (err) {
			self->unread = row;
			self->unread_err = err;
			continue;
		}
		err = search ? add_demangled(self, row, search) : add_plain(self, row, name);
		if (err)
			return err;
	}
	return 0;
}

static bool is_same_place(const struct candidate *a, const struct candidate *b)
{
	return a->binary == b->binary && a->symbol->vaddr == b->symbol->vaddr &&
	       a->symbol->kind == b->symbol->kind;
}

/* Names of one address follow one another: a table is in order, and so are its chains. */
static void reduce(struct candidates *self)
{
	enum candidate_class best = CANDIDATE_IMPORT;
	size_t nr = 0;

	for (size_t i = 0; i < self->nr; i++)
		if (self->rows[i].class < best)
			best = self->rows[i].class;
	for (size_t i = 0; i < self->nr; i++) {
		if (self->rows[i].class == best &&
		    (!nr || !is_same_place(&self->rows[i], &self->rows[nr - 1])))
			self->rows[nr++] = self->rows[i];
	}
	self->nr = nr;
}

int candidates_collect(struct candidates *self, const struct binaries *binaries, const char *binary,
		       const char *symbol)
{
	struct search search = { .name = symbol, .best = FIT_NONE };
	int err;

	memset(self, 0, sizeof(*self));
	err = for_each(self, binaries, binary, symbol, NULL);
	if (!err && !self->nr && name_literal(symbol, &search.literal, &search.literal_bytes))
		err = for_each(self, binaries, binary, symbol, &search);
	if (!err && !self->nr) {
		search.literal = NULL;
		err = for_each(self, binaries, binary, symbol, &search);
	}
	if (err)
		candidates_fini(self);
	else
		reduce(self);
	return err;
}

/* By any of its names: of one symbol, only the dynamic one is told to be exported. */
static bool is_exported(const struct candidate *self)
{
	const struct symbol *mine = self->symbol, *other = NULL;
	size_t base = name_base_bytes(mine->name, mine->bytes);

	while ((other = table_next_named(&self->binary->table, mine->name, base, other)))
		if (other->is_exported && other->vaddr == mine->vaddr &&
		    other->bytes == mine->bytes)
			return true;
	return false;
}

static bool are_rivals(const struct candidates *self)
{
	const struct symbol *first = self->rows[0].symbol;

	for (size_t i = 0; i < self->nr; i++) {
		const struct symbol *symbol = self->rows[i].symbol;

		if (symbol->bytes != first->bytes ||
		    memcmp(symbol->name, first->name, first->bytes) != 0 ||
		    !is_exported(&self->rows[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (self->rows[j].binary == self->rows[i].binary)
				return false;
	}
	return true;
}

bool candidates_bind(struct candidates *self, const struct binaries *binaries)
{
	struct binary **order;
	bool is_bound = false;
	size_t nr;

	if (self->nr < 2 || !are_rivals(self) || loaded_order(binaries, &order, &nr))
		return false;
	for (size_t i = 0; i < nr && !is_bound; i++) {
		for (size_t j = 0; j < self->nr && !is_bound; j++) {
			struct candidate bound = self->rows[j];

			if (bound.binary != order[i])
				continue;
			memmove(&self->rows[1], &self->rows[0], j * sizeof(bound));
			self->rows[0] = bound;
			is_bound = true;
		}
	}
	free(order);
	return is_bound;
}

void candidates_fini(struct candidates *self)
{
	free(self->rows);
	memset(self, 0, sizeof(*self));
}
