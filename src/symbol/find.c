// SPDX-License-Identifier: BSD-2-Clause
/*
 * find.c - place_find: what was typed becomes one place, or a message
 *
 * A wrong guess would measure the wrong function and look right, so nothing is chosen among
 * several: only aliases (names of one address) count as one, and of what several binaries export
 * under one name it is the one that the process calls by it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/symbol/complain.h"
#include "src/symbol/place_make.h"

static int take(struct place *out, const struct candidate *candidate, const struct spec *spec,
		char *why)
{
	int err = place_make(out, candidate->binary, candidate->symbol, true);

	if (!err) {
		err = place_add_clones(out, candidate->binary, candidate->symbol);
		if (err)
			place_fini(out);
	}
	if (err)
		return complain_unread(candidate->binary, err, why);
	out->offset = spec->offset;
	if (spec->offset < out->size || !spec->offset)
		return 0;
	err = complain_offset(out, why);
	place_fini(out);
	return err;
}

/* The names of those that the first one stands before. */
static int note_rivals(struct place *out, const struct candidates *found)
{
	size_t bytes;
	FILE *to = open_memstream(&out->also_in, &bytes);

	if (!to)
		return -ENOMEM;
	for (size_t i = 1; i < found->nr; i++)
		fprintf(to, "%s%s", i > 1 ? ", " : "", found->rows[i].binary->base);
	return fclose(to) ? -ENOMEM : 0;
}

static int decide(struct place *out, const struct binaries *binaries, const struct spec *spec,
		  struct candidates *found, bool follow_import, char *why);

/* A binary was named that only imports the function: look at who defines it. */
static int take_imported(struct place *out, const struct binaries *binaries,
			 const struct spec *spec, const struct candidate *import, char *why)
{
	struct candidates found;
	int err = candidates_collect(&found, binaries, NULL, spec->symbol);

	if (err)
		return complain_unread(import->binary, err, why);
	err = decide(out, binaries, spec, &found, false, why);
	if (!err)
		out->imported_by = import->binary->path;
	candidates_fini(&found);
	return err;
}

static int decide(struct place *out, const struct binaries *binaries, const struct spec *spec,
		  struct candidates *found, bool follow_import, char *why)
{
	const struct candidate *first = found->rows;
	int err;

	if (!found->nr)
		return complain_not_found(binaries, spec, found, why);
	if (first->class == CANDIDATE_IMPORT)
		return follow_import ? take_imported(out, binaries, spec, first, why) :
				       complain_not_defined(first, why);
	if (first->class == CANDIDATE_DATA)
		return complain_data(first, why);
	if (found->nr > 1 && !candidates_bind(found, binaries))
		return complain_ambiguous(spec, found, why);
	if (first->symbol->kind == SYMBOL_IFUNC)
		return complain_ifunc(binaries, first, why);
	err = take(out, first, spec, why);
	if (!err && found->nr > 1 && note_rivals(out, found)) {
		place_fini(out);
		return complain_unread(first->binary, -ENOMEM, why);
	}
	return err;
}

static int find_named(struct place *out, const struct binaries *binaries, const struct spec *spec,
		      char *why)
{
	struct candidates found;
	int err = candidates_collect(&found, binaries, spec->binary, spec->symbol);

	if (err) {
		snprintf(why, PLACE_WHY_BYTES, "'%.200s': %s", spec->symbol, strerror(-err));
		return err;
	}
	err = decide(out, binaries, spec, &found, spec->binary, why);
	candidates_fini(&found);
	return err;
}

static int take_address(struct place *out, const struct binaries *binaries, struct binary *binary,
			const struct spec *spec, char *why)
{
	struct complaint say = { why, 0 };
	struct candidate candidate = { .binary = binary };
	int err = binary_load(binary);

	if (err)
		return complain_unread(binary, err, why);
	candidate.symbol = table_at(&binary->table, &binary->image, spec->address);
	if (!candidate.symbol) {
		complain(&say, "no function is known at 0x%lx of %s", spec->address, binary->base);
		return -ENOENT;
	}
	if (candidate.symbol->kind == SYMBOL_IFUNC)
		return complain_ifunc(binaries, &candidate, why);
	if (candidate.symbol->vaddr == spec->address)
		return take(out, &candidate, spec, why);
	complain(&say, "no function begins at 0x%lx of %s; it is in %.*s+0x%lx", spec->address,
		 binary->base, (int)candidate.symbol->bytes, candidate.symbol->name,
		 spec->address - candidate.symbol->vaddr);
	return -ENOENT;
}

static int find_address(struct place *out, const struct binaries *binaries, const struct spec *spec,
			char *why)
{
	enum binary_fit fit = binaries_fit(binaries, spec->binary);
	struct complaint say = { why, 0 };
	struct binary *only = NULL;

	for (size_t i = 0; i < binaries->nr; i++) {
		struct binary *row = binaries->rows[i];

		if (!row->is_mapped || binary_fit(row, spec->binary) != fit)
			continue;
		if (only) {
			complain(&say, "'%s' is %s and %s; give more of the path", spec->binary,
				 only->path, row->path);
			return -ENOTUNIQ;
		}
		only = row;
	}
	if (!only)
		return complain_no_binary(binaries, spec->binary, why);
	return take_address(out, binaries, only, spec, why);
}

/* Some names hold a single colon (go:main.inittasks): then what is before it is no binary. */
static int find_with_colon(struct place *out, const struct binaries *binaries, const char *probe,
			   const struct spec *spec, char *why)
{
	struct spec whole = { .symbol = (char *)probe };
	struct candidates found;
	int err = candidates_collect(&found, binaries, NULL, probe);

	if (!err && found.nr)
		err = decide(out, binaries, &whole, &found, false, why);
	else
		err = complain_no_binary(binaries, spec->binary, why);
	candidates_fini(&found);
	return err;
}

int place_find(struct place *out, struct binaries *binaries, const char *probe, char *why)
{
	struct spec spec;
	int err = spec_parse(&spec, probe, why);

	if (err)
		return err;
	if (spec.binary && !binaries_fit(binaries, spec.binary))
		err = find_with_colon(out, binaries, probe, &spec, why);
	else if (spec.is_address)
		err = find_address(out, binaries, &spec, why);
	else
		err = find_named(out, binaries, &spec, why);
	spec_fini(&spec);
	return err;
}
