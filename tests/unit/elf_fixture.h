/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_fixture.h - small ELF files, written section by section
 */
#ifndef GEMBA_TESTS_UNIT_ELF_FIXTURE_H
#define GEMBA_TESTS_UNIT_ELF_FIXTURE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define FIXTURE_MAX_SECTIONS 16
#define FIXTURE_BYTES 16384
#define FIXTURE_TEXT_OFFSET 0x1000
#define FIXTURE_TEXT_VADDR 0x403000 /* so that address and offset differ */
#define FIXTURE_TEXT_BYTES 0x100

struct fixture {
	uint8_t bytes[FIXTURE_BYTES];
	size_t nr; /* of bytes */
	Elf64_Shdr sections[FIXTURE_MAX_SECTIONS];
	size_t nr_sections;
	char names[256];
	size_t names_bytes;
};

/* Begins a file with one executable segment: the text, FIXTURE_TEXT_BYTES of nops. */
void fixture_init(struct fixture *self);
/* Appends a section; its index. */
size_t fixture_add(struct fixture *self, const char *name, uint32_t type, const void *bytes,
		   size_t nr);
void fixture_add_build_id(struct fixture *self, const char *sixteen_letters);

struct fixture_symbol {
	const char *name;
	uint64_t at; /* in the text */
	uint64_t size;
	uint8_t type; /* STT_ */
	uint16_t version;
};

/* Adds a table of symbols (SHT_SYMTAB or SHT_DYNSYM, the latter with versions); ends with a
 * name of NULL. All are global. */
void fixture_add_symbols(struct fixture *self, uint32_t type, const struct fixture_symbol *symbols);
/* Writes the section headers: nothing can be added after. */
void fixture_finish(struct fixture *self);
/* Into a file. */
void fixture_write(const struct fixture *self, const char *path);

#endif
