// SPDX-License-Identifier: BSD-2-Clause
/*
 * table.c - rows in one array, sorted once, and a hash of chains through it
 *
 * Names point into string tables that the table owns. A row is a function only where the
 * program's file has executable bytes for it, so whatever is looked up can be read. Building
 * costs some 100 ns a symbol; nothing is demangled here.
 */
#include "src/symbol/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "src/symbol/name.h"

static int reserve(struct table *self, size_t more)
{
	struct symbol *rows;
	size_t room = self->nr + more;

	if (room <= self->room)
		return 0;
	if (room >= TABLE_NONE)
		return -ENOMEM;
	room = more == 1 ? room * 2 : room;
	rows = realloc(self->rows, room * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	self->rows = rows;
	self->room = room;
	return 0;
}

int table_own(struct table *self, char *strings)
{
	if (self->nr_strings == TABLE_MAX_STRINGS) {
		free(strings);
		return -ENOMEM;
	}
	self->strings[self->nr_strings++] = strings;
	return 0;
}

static void append(struct table *self, const char *name, const struct symbol *like)
{
	struct symbol *row = &self->rows[self->nr++];

	*row = *like;
	row->name = name;
	row->bytes = name_bytes(name);
	row->is_old |= name[row->bytes] == '@' && name[row->bytes + 1] != '@';
}

int table_add_function(struct table *self, const char *name, uint64_t vaddr, uint64_t size)
{
	struct symbol row = { .vaddr = vaddr, .size = size, .bind = STB_GLOBAL };

	if (reserve(self, 1))
		return -ENOMEM;
	append(self, name, &row);
	return 0;
}

/* Whether the symbol's section holds code; `unknown` when there is no telling. */
static bool is_code(const struct image *from, const Elf64_Sym *sym, bool unknown)
{
	if (sym->st_shndx >= from->nr_sections)
		return unknown;
	return from->sections[sym->st_shndx].sh_flags & SHF_EXECINSTR;
}

/* The kind of a symbol, -1: of no use here. */
static int classify(const struct image *program, const struct image *from, const Elf64_Sym *sym)
{
	int type = ELF64_ST_TYPE(sym->st_info);
	bool is_text = sym->st_shndx != SHN_ABS && image_text_at(program, sym->st_value);

	if (sym->st_shndx == SHN_UNDEF)
		return type == STT_OBJECT || type == STT_TLS ? -1 : SYMBOL_IMPORT;
	switch (type) {
	case STT_FUNC:
		return is_text && is_code(from, sym, true) ? SYMBOL_FUNCTION : -1;
	case STT_GNU_IFUNC:
		return is_text ? SYMBOL_IFUNC : -1;
	case STT_NOTYPE:
		if (is_text && is_code(from, sym, false))
			return SYMBOL_FUNCTION;
		return sym->st_shndx == SHN_ABS ? -1 : SYMBOL_DATA;
	case STT_OBJECT:
	case STT_COMMON:
	case STT_TLS:
		return sym->st_shndx == SHN_ABS ? -1 : SYMBOL_DATA;
	default:
		return -1;
	}
}

/* The linker's version marks: the high bit is on those that new programs do not get. */
static Elf64_Half *load_versions(const struct image *from, uint32_t section_type, size_t *nr)
{
	size_t bytes = 0;
	Elf64_Half *versions = NULL;

	if (section_type == SHT_DYNSYM)
		versions = image_load(from, image_section_of_type(from, SHT_GNU_versym), &bytes);
	*nr = bytes / sizeof(*versions);
	return versions;
}

static bool is_exported(const Elf64_Sym *sym, uint32_t section_type)
{
	unsigned int visibility = ELF64_ST_VISIBILITY(sym->st_other);

	return section_type == SHT_DYNSYM && sym->st_shndx != SHN_UNDEF &&
	       ELF64_ST_BIND(sym->st_info) != STB_LOCAL &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static void add_all(struct table *self, const struct image *program, const struct image *from,
		    const Elf64_Sym *syms, size_t nr, const char *strings, size_t strings_bytes,
		    const Elf64_Half *versions, size_t nr_versions, uint32_t section_type)
{
	for (size_t i = 1; i < nr; i++) {
		int kind = classify(program, from, &syms[i]);
		struct symbol row = { .vaddr = syms[i].st_value, .size = syms[i].st_size };

		if (kind < 0 || syms[i].st_name >= strings_bytes || !strings[syms[i].st_name])
			continue;
		row.kind = kind;
		row.bind = ELF64_ST_BIND(syms[i].st_info);
		row.is_exported = is_exported(&syms[i], section_type);
		row.is_old = kind != SYMBOL_IMPORT && i < nr_versions && (versions[i] & 0x8000);
		row.is_untyped = ELF64_ST_TYPE(syms[i].st_info) == STT_NOTYPE;
		append(self, strings + syms[i].st_name, &row);
	}
}

int table_add(struct table *self, const struct image *program, const struct image *from,
	      uint32_t section_type)
{
	const Elf64_Shdr *section = image_section_of_type(from, section_type);
	size_t bytes, strings_bytes = 0, nr_versions;
	Elf64_Sym *syms = image_load(from, section, &bytes);
	Elf64_Half *versions;
	char *strings = NULL;
	int err = -ENOENT;

	if (syms && section->sh_link < from->nr_sections)
		strings = image_load(from, &from->sections[section->sh_link], &strings_bytes);
	if (strings)
		err = table_own(self, strings);
	if (!err)
		err = reserve(self, bytes / sizeof(*syms));
	if (!err) {
		versions = load_versions(from, section_type, &nr_versions);
		add_all(self, program, from, syms, bytes / sizeof(*syms), strings, strings_bytes,
			versions, nr_versions, section_type);
		free(versions);
	}
	free(syms);
	return err;
}

static int bind_rank(uint8_t bind)
{
	return bind == STB_GLOBAL ? 0 : bind == STB_WEAK ? 1 : 2;
}

/* Functions before others; by address; then the name that people mean first. */
static int compare(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;
	bool a_other = a->kind > SYMBOL_IFUNC, b_other = b->kind > SYMBOL_IFUNC;

	if (a_other != b_other)
		return a_other - b_other;
	if (a->vaddr != b->vaddr)
		return a->vaddr < b->vaddr ? -1 : 1;
	if (a->is_untyped != b->is_untyped)
		return a->is_untyped - b->is_untyped;
	if (a->is_old != b->is_old)
		return a->is_old - b->is_old;
	if (bind_rank(a->bind) != bind_rank(b->bind))
		return bind_rank(a->bind) - bind_rank(b->bind);
	if (strspn(a->name, "_") != strspn(b->name, "_"))
		return strspn(a->name, "_") < strspn(b->name, "_") ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool is_same(const struct symbol *a, const struct symbol *b)
{
	return a->vaddr == b->vaddr && a->kind == b->kind && a->bytes == b->bytes &&
	       !memcmp(a->name, b->name, a->bytes);
}

/* Drops repetitions, and labels inside of a function that has a size. */
static void squeeze(struct table *self)
{
	uint64_t covered = 0;
	size_t nr = 0;

	self->nr_functions = 0;
	for (size_t i = 0; i < self->nr; i++) {
		const struct symbol *row = &self->rows[i];
		bool is_function = row->kind <= SYMBOL_IFUNC;

		if (nr && is_same(row, &self->rows[nr - 1])) {
			self->rows[nr - 1].is_exported |= row->is_exported;
			continue;
		}
		if (is_function && row->is_untyped && row->vaddr < covered &&
		    (!nr || self->rows[nr - 1].vaddr != row->vaddr))
			continue;
		if (is_function && !row->is_untyped && row->size < UINT64_MAX - row->vaddr &&
		    row->vaddr + row->size > covered)
			covered = row->vaddr + row->size;
		self->nr_functions += is_function;
		self->rows[nr++] = *row;
	}
	self->nr = nr;
}

static uint32_t *head_of(const struct table *self, const char *base, size_t bytes)
{
	return &self->heads[XXH3_64bits(base, bytes) & (self->nr_heads - 1)];
}

int table_finish(struct table *self)
{
	if (!self->nr)
		return 0;
	qsort(self->rows, self->nr, sizeof(*self->rows), compare);
	squeeze(self);
	for (self->nr_heads = 16; self->nr_heads < self->nr;)
		self->nr_heads *= 2;
	self->heads = malloc(self->nr_heads * sizeof(*self->heads));
	if (!self->heads)
		return -ENOMEM;
	memset(self->heads, 0xff, self->nr_heads * sizeof(*self->heads));
	for (size_t i = self->nr; i-- > 0;) {
		struct symbol *row = &self->rows[i];
		uint32_t *head = head_of(self, row->name, name_base_bytes(row->name, row->bytes));

		row->next = *head;
		*head = i;
	}
	return 0;
}

void table_fini(struct table *self)
{
	for (size_t i = 0; i < self->nr_strings; i++)
		free(self->strings[i]);
	free(self->rows);
	free(self->heads);
	memset(self, 0, sizeof(*self));
}

const struct symbol *table_next_named(const struct table *self, const char *base, size_t bytes,
				      const struct symbol *after)
{
	uint32_t i = TABLE_NONE;

	if (self->nr_heads)
		i = after ? after->next : *head_of(self, base, bytes);
	for (; i != TABLE_NONE; i = self->rows[i].next) {
		const struct symbol *row = &self->rows[i];

		if (row->bytes >= bytes && !memcmp(row->name, base, bytes) &&
		    name_base_bytes(row->name, row->bytes) == bytes)
			return row;
	}
	return NULL;
}

/* How many functions begin at or before an address. */
static size_t rank_of(const struct table *self, uint64_t vaddr)
{
	size_t low = 0, high = self->nr_functions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (self->rows[middle].vaddr <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t table_size(const struct table *self, const struct image *program,
		    const struct symbol *symbol)
{
	const Elf64_Phdr *segment = image_text_at(program, symbol->vaddr);
	uint64_t limit, end, next;
	size_t after;

	if (!segment)
		return 0;
	limit = segment->p_filesz - (symbol->vaddr - segment->p_vaddr);
	if (symbol->size)
		return symbol->size < limit ? symbol->size : limit;
	end = image_section_end(program, symbol->vaddr);
	if (end && end - symbol->vaddr < limit)
		limit = end - symbol->vaddr;
	after = rank_of(self, symbol->vaddr);
	next = after < self->nr_functions ? self->rows[after].vaddr - symbol->vaddr : limit;
	return next < limit ? next : limit;
}

/* A function may lie within another's bytes: so a few of those before are looked at as well. */
const struct symbol *table_at(const struct table *self, const struct image *program, uint64_t vaddr)
{
	size_t i = rank_of(self, vaddr);

	for (int steps = 0; i > 0 && steps < 16; steps++) {
		const struct symbol *row = &self->rows[--i];

		while (i > 0 && self->rows[i - 1].vaddr == row->vaddr)
			row = &self->rows[--i];
		if (vaddr - row->vaddr < table_size(self, program, row))
			return row;
	}
	return NULL;
}

uint64_t table_before(const struct table *self, uint64_t vaddr)
{
	size_t i = rank_of(self, vaddr);

	while (i > 0 && self->rows[i - 1].vaddr == vaddr)
		i--;
	return i > 0 ? self->rows[i - 1].vaddr : 0;
}
