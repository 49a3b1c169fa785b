// SPDX-License-Identifier: BSD-2-Clause
/*
 * ifunc.c - relocations in, the address that the dynamic linker wrote for them out
 *
 * A relocation of an importer bears the symbol's name; one of the binary itself (IRELATIVE)
 * bears the resolver's address. Where it points in memory, the process keeps the address of what
 * was chosen. A slot that is still to be bound leads back into the importer, and is no answer.
 */
#include "src/symbol/ifunc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbol/loaded.h"

#define MAX_SLOTS 64 /* of one binary: a few are honest */

/* The relocations of one section, and the names that they refer to. */
struct relocations {
	Elf64_Rela *rows;
	Elf64_Sym *syms;
	char *strings;
	size_t nr, nr_syms, strings_bytes;
};

static void relocations_load(struct relocations *self, const struct image *image,
			     const Elf64_Shdr *section)
{
	const Elf64_Shdr *syms = NULL, *strings = NULL;

	memset(self, 0, sizeof(*self));
	if (section->sh_link < image->nr_sections)
		syms = &image->sections[section->sh_link];
	if (syms && syms->sh_link < image->nr_sections)
		strings = &image->sections[syms->sh_link];
	self->rows = image_load(image, section, &self->nr);
	self->syms = image_load(image, syms, &self->nr_syms);
	self->strings = image_load(image, strings, &self->strings_bytes);
	self->nr /= sizeof(*self->rows);
	self->nr_syms /= sizeof(*self->syms);
}

static void relocations_fini(struct relocations *self)
{
	free(self->rows);
	free(self->syms);
	free(self->strings);
}

static bool is_name(const struct relocations *self, uint32_t sym, const struct symbol *symbol)
{
	const char *name;

	if (sym >= self->nr_syms || self->syms[sym].st_name >= self->strings_bytes)
		return false;
	name = self->strings + self->syms[sym].st_name;
	return strlen(name) == symbol->bytes && !memcmp(name, symbol->name, symbol->bytes);
}

static bool is_for(const struct relocations *self, const Elf64_Rela *row,
		   const struct symbol *symbol, bool is_own)
{
	switch (ELF64_R_TYPE(row->r_info)) {
	case R_X86_64_IRELATIVE:
		return is_own && (uint64_t)row->r_addend == symbol->vaddr;
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_GLOB_DAT:
	case R_X86_64_64:
		return is_name(self, ELF64_R_SYM(row->r_info), symbol);
	default:
		return false;
	}
}

/* The address that a slot holds, as one of the binary that defines the symbol. */
static int read_slot(const struct binaries *binaries, const struct binary *binary, uint64_t slot,
		     uint64_t *vaddr)
{
	uint64_t value = 0;

	if (loaded_read(binaries, slot, &value, sizeof(value)))
		return -ENOENT;
	for (size_t i = 0; i < binaries->maps.nr; i++) {
		const struct map_range *range = &binaries->maps.ranges[i];

		if (value >= range->start && value < range->end && range->inode == binary->inode &&
		    range->dev == binary->dev)
			return image_vaddr(&binary->image, range->offset + (value - range->start),
					   vaddr);
	}
	return -ENOENT;
}

static int search(const struct binaries *binaries, struct binary *importer,
		  const struct binary *binary, const struct symbol *symbol, uint64_t *vaddr)
{
	int err = -ENOENT, tries = MAX_SLOTS;
	uint64_t bias;

	if (binary_read(importer) || loaded_bias(binaries, importer, &bias))
		return -ENOENT;
	for (size_t i = 0; i < importer->image.nr_sections && err; i++) {
		const Elf64_Shdr *section = &importer->image.sections[i];
		struct relocations all;

		if (section->sh_type != SHT_RELA || !(section->sh_flags & SHF_ALLOC))
			continue;
		relocations_load(&all, &importer->image, section);
		for (size_t j = 0; j < all.nr && err && tries; j++) {
			if (!is_for(&all, &all.rows[j], symbol, importer == binary))
				continue;
			tries--;
			err = read_slot(binaries, binary, bias + all.rows[j].r_offset, vaddr);
		}
		relocations_fini(&all);
	}
	return err;
}

int ifunc_in_use(const struct binaries *binaries, const struct binary *binary,
		 const struct symbol *symbol, uint64_t *vaddr)
{
	int err = -ENOENT;

	for (size_t i = 0; i < binaries->nr && err; i++)
		if (binaries->rows[i]->is_mapped)
			err = search(binaries, binaries->rows[i], binary, symbol, vaddr);
	return err;
}
