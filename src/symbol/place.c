// SPDX-License-Identifier: BSD-2-Clause
/*
 * place.c - a symbol of a binary becomes a place; an address does, too
 *
 * The address of a symbol is the program's own; its segments lead to the offset in the file,
 * where the kernel puts uprobes, and the bytes are read from there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbol/name.h"
#include "src/symbol/place_make.h"

static int read_text(struct place *self, const struct binary *binary)
{
	self->text_bytes = self->size < PLACE_TEXT_MAX_BYTES ? self->size : PLACE_TEXT_MAX_BYTES;
	self->text = malloc(self->text_bytes + 1);
	if (!self->text)
		return -ENOMEM;
	return image_read(&binary->image, self->file_offset, self->text, self->text_bytes);
}

static int set_names(struct place *self, const struct symbol *symbol)
{
	char text[NAME_ROOM];

	self->symbol = strndup(symbol->name, symbol->bytes);
	if (!self->symbol)
		return -ENOMEM;
	if (!name_demangle(symbol->name, symbol->bytes, NAME_PARAMS, text))
		return 0;
	self->demangled = strdup(text);
	return self->demangled ? 0 : -ENOMEM;
}

static void set_binary(struct place *self, const struct binary *binary)
{
	self->binary = binary->path;
	self->open_path = binary->open_path;
	self->build_id = binary->build_id;
	self->dev = binary->dev;
	self->inode = binary->inode;
	self->is_deleted = binary->is_deleted;
	self->is_go = binary->is_go;
}

int place_make(struct place *self, const struct binary *binary, const struct symbol *symbol,
	       bool with_text)
{
	const Elf64_Phdr *segment = image_text_at(&binary->image, symbol->vaddr);
	int err;

	memset(self, 0, sizeof(*self));
	if (!segment)
		return -EBADMSG;
	set_binary(self, binary);
	self->vaddr = symbol->vaddr;
	self->file_offset = segment->p_offset + (symbol->vaddr - segment->p_vaddr);
	self->size = table_size(&binary->table, &binary->image, symbol);
	self->before = table_before(&binary->table, symbol->vaddr);
	err = set_names(self, symbol);
	if (!err && with_text)
		err = read_text(self, binary);
	if (err)
		place_fini(self);
	return err;
}

static int add_clone(struct place *self, const struct symbol *clone)
{
	char **clones = realloc(self->clones, (self->nr_clones + 1) * sizeof(*clones));

	if (!clones)
		return -ENOMEM;
	self->clones = clones;
	clones[self->nr_clones] = strndup(clone->name, clone->bytes);
	if (!clones[self->nr_clones])
		return -ENOMEM;
	self->nr_clones++;
	return 0;
}

/* Static functions of one name have clones of one name, too: they are told for each. A cold part
 * is entered through its function. */
int place_add_clones(struct place *self, const struct binary *binary, const struct symbol *symbol)
{
	size_t base = name_base_bytes(symbol->name, symbol->bytes);
	const struct symbol *clone = NULL;
	int err = 0;

	if (base != symbol->bytes)
		return 0;
	while (!err && self->nr_clones < PLACE_MAX_CLONES &&
	       (clone = table_next_named(&binary->table, symbol->name, base, clone)))
		if (clone->bytes > base && clone->kind == SYMBOL_FUNCTION &&
		    clone->vaddr != symbol->vaddr && !name_is_cold(clone->name, clone->bytes))
			err = add_clone(self, clone);
	return err;
}

void place_fini(struct place *self)
{
	for (size_t i = 0; i < self->nr_clones; i++)
		free(self->clones[i]);
	free(self->clones);
	free(self->also_in);
	free(self->symbol);
	free(self->demangled);
	free(self->text);
	memset(self, 0, sizeof(*self));
}

int place_at(struct place *out, struct binaries *binaries, uint64_t address)
{
	const struct map_range *range = NULL;
	const struct symbol *symbol;
	struct binary *binary;
	uint64_t vaddr;
	int err;

	for (size_t i = 0; i < binaries->maps.nr && !range; i++)
		if (address >= binaries->maps.ranges[i].start &&
		    address < binaries->maps.ranges[i].end)
			range = &binaries->maps.ranges[i];
	binary = range ? binaries_by_file(binaries, range->dev, range->inode) : NULL;
	if (!binary)
		return -EFAULT;
	err = binary_load(binary);
	if (err)
		return err;
	if (image_vaddr(&binary->image, range->offset + (address - range->start), &vaddr))
		return -ENOENT;
	symbol = table_at(&binary->table, &binary->image, vaddr);
	if (!symbol)
		return -ENOENT;
	err = place_make(out, binary, symbol, false);
	if (!err)
		out->offset = vaddr - symbol->vaddr;
	return err;
}
