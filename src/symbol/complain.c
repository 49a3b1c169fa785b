// SPDX-License-Identifier: BSD-2-Clause
/*
 * complain.c - one message for each way a PROBE can fail
 *
 * A message names the thing, says why, and what to type instead. Names come from files of the
 * target: signs that a terminal would obey are written as '?'.
 */
#include "src/symbol/complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/symbol/hint.h"
#include "src/symbol/ifunc.h"
#include "src/symbol/name.h"

#define MAX_LISTED 8
#define INLINED_LIMIT_MS 500 /* to read the DWARF of one binary */

static void disarm(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
			*at = '?';
}

void complain(struct complaint *self, const char *format, ...)
{
	size_t room = PLACE_WHY_BYTES - self->bytes;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(self->why + self->bytes, room, format, args);
	va_end(args);
	if (n < 0)
		return;
	disarm(self->why + self->bytes);
	self->bytes += (size_t)n < room ? (size_t)n : room - 1;
}

int complain_unread(const struct binary *binary, int err, char *why)
{
	struct complaint say = { why, 0 };

	complain(&say, "cannot read the symbols of %s: ", binary->path);
	switch (err) {
	case -ENOEXEC:
		complain(&say, "it is not an ELF file");
		break;
	case -ENOTSUP:
		complain(&say, "it is not a 64-bit little-endian program");
		break;
	case -EBADMSG:
		complain(&say, "the file is cut or damaged");
		break;
	case -EACCES:
	case -EPERM:
		complain(&say, "%s; run gemba as root", strerror(-err));
		break;
	case -ESTALE:
		complain(&say, "another file has its name now, and the old one needs root");
		break;
	default:
		complain(&say, "%s", strerror(-err));
	}
	return err;
}

int complain_no_binary(const struct binaries *binaries, const char *name, char *why)
{
	struct complaint say = { why, 0 };
	size_t nr = 0;

	complain(&say, "process %d executes no file named '%s'; it executes", binaries->pid, name);
	for (size_t i = 0; i < binaries->nr; i++) {
		if (!binaries->rows[i]->is_mapped)
			continue;
		if (nr++ < 2 * MAX_LISTED)
			complain(&say, "%s %s", nr > 1 ? "," : "", binaries->rows[i]->base);
	}
	if (nr > 2 * MAX_LISTED)
		complain(&say, " and %zu more", nr - 2 * MAX_LISTED);
	return -ENOENT;
}

/* Binaries of which only the exported names are known. */
static void say_stripped(struct complaint *say, const struct binaries *binaries, const char *name)
{
	enum binary_fit fit = name ? binaries_fit(binaries, name) : BINARY_UNFIT;
	size_t nr = 0;

	for (size_t i = 0; i < binaries->nr; i++) {
		const struct binary *row = binaries->rows[i];

		if (!row->is_mapped || row->table_err || row->has_all_symbols ||
		    (name && binary_fit(row, name) != fit))
			continue;
		if (nr++ < 3)
			complain(say, "%s %s", nr == 1 ? "; stripped, exported names only:" : ",",
				 row->base);
	}
	if (nr > 3)
		complain(say, " and %zu more", nr - 3);
	if (nr)
		complain(say, " (debug symbols would help)");
}

/* It may be that only the BINARY was wrong. */
static void say_elsewhere(struct complaint *say, const struct binaries *binaries,
			  const char *symbol)
{
	struct candidates found;

	if (candidates_collect(&found, binaries, NULL, symbol))
		return;
	if (found.nr && found.rows->class < CANDIDATE_DATA)
		complain(say, "; it is in %s", found.rows->binary->base);
	candidates_fini(&found);
}

/* Copies within others of what is asked for, or NULL. */
static const struct inlined_row *find_inlined(const struct inlined *all, const char *symbol)
{
	const struct inlined_row *row = inlined_find(all, symbol);

	for (size_t i = 0; i < all->room && !row; i++) {
		const char *name = all->rows[i].name;

		if (name && name_is_mangled(name) && candidates_fits(name, strlen(name), symbol))
			row = &all->rows[i];
	}
	return row;
}

/* It may be there, and have no code of its own. True: this is said, and nothing else matters. */
static bool say_inlined(struct complaint *say, const struct binaries *binaries,
			const struct spec *spec)
{
	enum binary_fit fit = spec->binary ? binaries_fit(binaries, spec->binary) : BINARY_UNFIT;

	for (size_t i = 0; i < binaries->nr; i++) {
		struct binary *binary = binaries->rows[i];
		const struct inlined_row *row;
		const struct inlined *all;
		char caller[NAME_ROOM];

		if (!binary->is_mapped ||
		    (spec->binary && binary_fit(binary, spec->binary) != fit) ||
		    inlined_of(binary, INLINED_LIMIT_MS, &all) == -ENODATA)
			continue;
		row = find_inlined(all, spec->symbol);
		if (!row)
			continue;
		complain(say, "'%s' of %s is inlined everywhere and has no code of its own",
			 spec->symbol, binary->base);
		if (row->caller &&
		    !name_demangle(row->caller, strlen(row->caller), NAME_PARAMS, caller))
			snprintf(caller, sizeof(caller), "%s", row->caller);
		if (row->caller)
			complain(say, "; probe a caller, as %s:%s", binary->base, caller);
		return true;
	}
	return false;
}

/* What may help who looked for `name`; then what may be the reason. */
static void say_near(struct complaint *say, const struct binaries *binaries,
		     const struct spec *spec, const struct candidates *found, const char *name)
{
	struct hints hints;

	hints_find(&hints, binaries, spec->binary, name);
	for (size_t i = 0; i < hints.nr; i++)
		complain(say, "%s %s", i ? "," : "; near it:", hints.rows[i].text);
	say_stripped(say, binaries, spec->binary);
	if (found->unread)
		complain(say, "; %s could not be read", found->unread->base);
}

static void say_where(struct complaint *say, const struct binaries *binaries,
		      const struct spec *spec)
{
	if (spec->binary)
		complain(say, "%s of process %d", spec->binary, binaries->pid);
	else
		complain(say, "what process %d executes", binaries->pid);
}

int complain_not_found(const struct binaries *binaries, const struct spec *spec,
		       const struct candidates *found, char *why)
{
	struct complaint say = { why, 0 };

	if (found->unread && spec->binary)
		return complain_unread(found->unread, found->unread_err, why);
	if (say_inlined(&say, binaries, spec))
		return -ENOENT;
	complain(&say, "no function '%s' in ", spec->symbol);
	say_where(&say, binaries, spec);
	if (spec->binary)
		say_elsewhere(&say, binaries, spec->symbol);
	say_near(&say, binaries, spec, found, spec->symbol);
	return -ENOENT;
}

int complain_no_match(const struct binaries *binaries, const struct spec *spec,
		      const struct candidates *found, char *why)
{
	struct complaint say = { why, 0 };
	char name[NAME_ROOM];

	if (found->unread && spec->binary)
		return complain_unread(found->unread, found->unread_err, why);
	if (!spec->symbol) {
		complain(&say, "no function is known of ");
		say_where(&say, binaries, spec);
		say_stripped(&say, binaries, spec->binary);
		return -ENOENT;
	}
	if (!strpbrk(spec->symbol, "*?[") && say_inlined(&say, binaries, spec))
		return -ENOENT;
	complain(&say, "no function matches '%s' in ", spec->symbol);
	say_where(&say, binaries, spec);
	snprintf(name, sizeof(name), "%s", spec->symbol + strspn(spec->symbol, "*"));
	name[strcspn(name, "*?[")] = 0;
	say_near(&say, binaries, spec, found, name);
	return -ENOENT;
}

static void label(const struct candidate *candidate, char to[NAME_ROOM])
{
	const struct symbol *symbol = candidate->symbol;

	if (!name_demangle(symbol->name, symbol->bytes, NAME_PARAMS, to))
		snprintf(to, NAME_ROOM, "%.*s", (int)symbol->bytes, symbol->name);
}

/* What must be typed to mean this one: a name if it is the only one of its binary, else an
 * address. */
static void say_candidate(struct complaint *say, const struct candidates *found, size_t i)
{
	const struct candidate *self = &found->rows[i];
	char mine[NAME_ROOM], other[NAME_ROOM];
	bool is_unique = true;

	label(self, mine);
	for (size_t j = 0; j < found->nr && j < 64 && is_unique; j++) {
		if (j == i || found->rows[j].binary != self->binary)
			continue;
		label(&found->rows[j], other);
		is_unique = strcmp(mine, other) != 0;
	}
	if (is_unique)
		complain(say, " %s:%s (0x%lx)", self->binary->base, mine, self->symbol->vaddr);
	else
		complain(say, " %s:0x%lx (%s)", self->binary->base, self->symbol->vaddr, mine);
}

int complain_ambiguous(const struct spec *spec, const struct candidates *found, char *why)
{
	struct complaint say = { why, 0 };

	complain(&say, "'%s' is the name of %zu functions; name one:", spec->symbol, found->nr);
	for (size_t i = 0; i < found->nr && i < MAX_LISTED; i++) {
		complain(&say, "%s", i ? "," : "");
		say_candidate(&say, found, i);
	}
	if (found->nr > MAX_LISTED)
		complain(&say, " and %zu more", found->nr - MAX_LISTED);
	return -ENOTUNIQ;
}

int complain_data(const struct candidate *candidate, char *why)
{
	struct complaint say = { why, 0 };

	complain(&say, "%.*s of %s is data, not a function", (int)candidate->symbol->bytes,
		 candidate->symbol->name, candidate->binary->base);
	return -ENOTSUP;
}

/* By the custom of names: __memcpy_avx_unaligned, sum.avx2.0 */
static bool is_implementation(const struct symbol *symbol, const struct symbol *of)
{
	const char *name = symbol->name + strspn(symbol->name, "_");
	const char *base = of->name + strspn(of->name, "_");
	size_t bytes = of->bytes - (base - of->name);

	return symbol->kind == SYMBOL_FUNCTION && symbol->bytes > of->bytes &&
	       !strncmp(name, base, bytes) && name[bytes] && strchr("._", name[bytes]) &&
	       !strstr(name + bytes, "resolver");
}

static void say_implementations(struct complaint *say, const struct candidate *candidate)
{
	const struct table *table = &candidate->binary->table;
	size_t nr = 0;

	for (size_t i = 0; i < table->nr_functions; i++) {
		const struct symbol *row = &table->rows[i];

		if (is_implementation(row, candidate->symbol) && nr++ < 2 * MAX_LISTED)
			complain(say, "%s %.*s", nr == 1 ? ", of:" : ",", (int)row->bytes,
				 row->name);
	}
	if (!nr && !candidate->binary->has_all_symbols)
		complain(say, "; only the debug symbols of %s know their names",
			 candidate->binary->base);
}

/* Other names of the IFUNC are names of its resolver. */
static const struct symbol *implementation_at(const struct binary *binary, uint64_t vaddr)
{
	const struct symbol *symbol = table_at(&binary->table, &binary->image, vaddr);

	return symbol && symbol->vaddr == vaddr && symbol->kind == SYMBOL_FUNCTION ? symbol : NULL;
}

int complain_ifunc(const struct binaries *binaries, const struct candidate *candidate, char *why)
{
	const struct binary *binary = candidate->binary;
	const struct symbol *symbol = candidate->symbol, *used = NULL;
	struct complaint say = { why, 0 };
	uint64_t vaddr = 0;

	complain(&say, "%.*s of %s is chosen at start (IFUNC): name the one in use",
		 (int)symbol->bytes, symbol->name, binary->base);
	if (!ifunc_in_use(binaries, binary, symbol, &vaddr))
		used = implementation_at(binary, vaddr);
	if (used)
		complain(&say, ", %s:%.*s", binary->base, (int)used->bytes, used->name);
	else
		say_implementations(&say, candidate);
	return -ENOTSUP;
}

int complain_not_defined(const struct candidate *import, char *why)
{
	struct complaint say = { why, 0 };

	complain(&say, "%s only imports '%.*s', and no file that the process executes defines it",
		 import->binary->base, (int)import->symbol->bytes, import->symbol->name);
	return -ENOENT;
}

int complain_offset(const struct place *place, char *why)
{
	struct complaint say = { why, 0 };

	complain(&say, "offset %lu is not in %s: it has %lu bytes", place->offset,
		 place->demangled ? place->demangled : place->symbol, place->size);
	return -ERANGE;
}
