/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - the symbols of one binary: functions by address, everything by name
 */
#ifndef GEMBA_SYMBOL_TABLE_H
#define GEMBA_SYMBOL_TABLE_H

#include "src/symbol/image.h"

enum symbol_kind {
	SYMBOL_FUNCTION,
	SYMBOL_IFUNC,  /* a function that chooses one when the program starts */
	SYMBOL_DATA,   /* a variable */
	SYMBOL_IMPORT, /* defined by another binary */
};

struct symbol {
	uint64_t vaddr;
	uint64_t size; /* as the file says, perhaps 0 */
	const char *name;
	uint32_t bytes; /* of the name, without a version */
	uint32_t next;	/* in the chain of a hash, TABLE_NONE ends it */
	uint8_t kind;
	uint8_t bind;	  /* STB_ */
	bool is_exported; /* other binaries may bind to it */
	bool is_old;	  /* a version kept for programs linked long ago */
	bool is_untyped;  /* an assembler's label that nobody declared a function */
};

#define TABLE_NONE UINT32_MAX
#define TABLE_MAX_STRINGS 4

struct table {
	struct symbol *rows; /* functions by vaddr, an address's best name first; then the others */
	size_t nr, room;
	size_t nr_functions;
	uint32_t *heads; /* by the hash of the base name */
	size_t nr_heads; /* a power of two, or 0 */
	char *strings[TABLE_MAX_STRINGS];
	size_t nr_strings;
};

/*
 * Adds a section of symbols (SHT_SYMTAB, SHT_DYNSYM) of `from`, which may be a debug file of
 * `program`. What is damaged is left out. 0 or -ENOMEM; -ENOENT: it has none.
 */
int table_add(struct table *self, const struct image *program, const struct image *from,
	      uint32_t section_type);
/* Adds one function; the name must lie in a string that the table owns (table_own). */
int table_add_function(struct table *self, const char *name, uint64_t vaddr, uint64_t size);
/* Takes malloc'd strings over, also when it fails: -ENOMEM. */
int table_own(struct table *self, char *strings);
/* After the last addition: sorts, leaves out what is told twice, makes the hash. 0 or -ENOMEM. */
int table_finish(struct table *self);
void table_fini(struct table *self);

/*
 * Symbols whose name without version and clone suffix is the first bytes of `base`, one after
 * another: NULL begins, NULL ends. Whether a full name is wanted is for the caller to look at.
 */
const struct symbol *table_next_named(const struct table *self, const char *base, size_t bytes,
				      const struct symbol *after);
/* The function that contains an address, by the best of its names, or NULL. */
const struct symbol *table_at(const struct table *self, const struct image *program,
			      uint64_t vaddr);
/* Where the last function before an address begins; 0: there is none. */
uint64_t table_before(const struct table *self, uint64_t vaddr);
/* The bytes of a function, up to the next one where nobody wrote it down; never past the
 * segment's bytes in the file. */
uint64_t table_size(const struct table *self, const struct image *program,
		    const struct symbol *symbol);

#endif
