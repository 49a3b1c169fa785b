// SPDX-License-Identifier: BSD-2-Clause
/*
 * golang.c - reads the head, the function index and the names of .gopclntab
 *
 * Layout as in runtime/symtab.go and debug/gosym since Go 1.18: a head of 72 bytes, then pairs
 * of 32-bit offsets, code from the start of the text and function records from the start of the
 * index; the second word of a record says where its name begins. Where the head leaves the start
 * of the text out, .text says it.
 */
#include "src/symbol/golang.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u

struct head {
	uint32_t magic;
	uint8_t zero[2], quantum, pointer_bytes;
	uint64_t nr_functions, nr_files, text, names, units, files, pcs, functions;
};

_Static_assert(sizeof(struct head) == 72, "the head as the file has it");

struct entry {
	uint32_t code, record;
};

struct pclntab {
	uint8_t *bytes;
	size_t nr;
	struct head head;
};

static const Elf64_Shdr *find_section(const struct image *program)
{
	const Elf64_Shdr *section = image_section_named(program, ".gopclntab");

	return section ? section : image_section_named(program, ".data.rel.ro.gopclntab");
}

static int check_head(struct pclntab *self, const struct image *program)
{
	const Elf64_Shdr *text = image_section_named(program, ".text");
	struct head *head = &self->head;

	if (self->nr < sizeof(*head))
		return -EBADMSG;
	memcpy(head, self->bytes, sizeof(*head));
	if (head->magic != MAGIC_1_18 && head->magic != MAGIC_1_20)
		return -ENOTSUP;
	if (head->pointer_bytes != 8 || head->names >= self->nr || head->functions >= self->nr ||
	    head->nr_functions >= (self->nr - head->functions) / sizeof(struct entry))
		return -EBADMSG;
	if (!head->text && text)
		head->text = text->sh_addr;
	return 0;
}

static struct entry entry_at(const struct pclntab *self, uint64_t i)
{
	struct entry entry;

	memcpy(&entry, self->bytes + self->head.functions + i * sizeof(entry), sizeof(entry));
	return entry;
}

static const char *name_of(const struct pclntab *self, struct entry entry)
{
	uint64_t at = self->head.functions + entry.record + sizeof(uint32_t);
	uint32_t name;

	if (at > self->nr - sizeof(name))
		return NULL;
	memcpy(&name, self->bytes + at, sizeof(name));
	if (name >= self->nr - self->head.names)
		return NULL;
	return (const char *)self->bytes + self->head.names + name;
}

static int add_functions(struct table *table, const struct pclntab *self,
			 const struct image *program)
{
	for (uint64_t i = 0; i < self->head.nr_functions; i++) {
		struct entry entry = entry_at(self, i), next = entry_at(self, i + 1);
		const char *name = name_of(self, entry);
		uint64_t vaddr = self->head.text + entry.code;

		if (!name || !*name || next.code <= entry.code || !image_text_at(program, vaddr))
			continue;
		if (table_add_function(table, name, vaddr, next.code - entry.code))
			return -ENOMEM;
	}
	return 0;
}

int golang_add(struct table *table, const struct image *program)
{
	struct pclntab self = { .nr = 0 };
	int err;

	self.bytes = image_load(program, find_section(program), &self.nr);
	if (!self.bytes)
		return -ENOENT;
	err = check_head(&self, program);
	if (err) {
		free(self.bytes);
		return err;
	}
	err = table_own(table, (char *)self.bytes);
	return err ? err : add_functions(table, &self, program);
}
