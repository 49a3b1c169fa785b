// SPDX-License-Identifier: BSD-2-Clause
/*
 * functions.c - reads .text and .eh_frame of a binary
 *
 * Every function that an exception may pass has an entry there, also in stripped binaries. Only
 * the pointer encoding that all compilers use for this CPU is read: 4 bytes, relative to itself.
 */
#include "tests/bench/functions.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Elf_Data *find_section(Elf *elf, const char *wanted, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, sh) ? elf_strptr(elf, names, sh->sh_name) :
							   NULL;

		if (name && !strcmp(name, wanted))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

static int add(struct functions *self, uint64_t vaddr, uint64_t size)
{
	struct range *list;

	if (vaddr < self->text.vaddr || !size ||
	    vaddr + size > self->text.vaddr + self->text.nr_bytes)
		return 0;
	list = realloc(self->list, (self->nr + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	self->list = list;
	list[self->nr++] = (struct range){ vaddr, size };
	return 0;
}

static int read_frames(struct functions *self, Elf *elf)
{
	GElf_Ehdr head;
	GElf_Shdr sh;
	Elf_Data *data = find_section(elf, ".eh_frame", &sh);
	Dwarf_Off at = 0, next;
	Dwarf_CFI_Entry entry;
	int err = 0;

	if (!data || !gelf_getehdr(elf, &head))
		return -ENOENT;
	for (; !err && !dwarf_next_cfi(head.e_ident, data, true, at, &next, &entry); at = next) {
		int32_t start;
		uint32_t size;
		const uint8_t *bytes = entry.fde.start;

		if (dwarf_cfi_cie_p(&entry) || entry.fde.end - bytes < 8)
			continue;
		memcpy(&start, bytes, 4);
		memcpy(&size, bytes + 4, 4);
		err = add(self, sh.sh_addr + (bytes - (uint8_t *)data->d_buf) + start, size);
	}
	return err;
}

static int read_elf(struct functions *self, Elf *elf)
{
	GElf_Shdr sh;
	Elf_Data *data = elf ? find_section(elf, ".text", &sh) : NULL;

	if (!data)
		return -ENOEXEC;
	self->bytes = malloc(data->d_size);
	if (!self->bytes)
		return -ENOMEM;
	memcpy(self->bytes, data->d_buf, data->d_size);
	self->text = (struct site_text){ self->bytes, data->d_size, sh.sh_addr };
	return read_frames(self, elf);
}

int functions_open(struct functions *self, const char *path)
{
	Elf *elf;
	int fd, err;

	memset(self, 0, sizeof(*self));
	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	err = read_elf(self, elf);
	elf_end(elf);
	close(fd);
	if (err)
		functions_close(self);
	return err;
}

void functions_close(struct functions *self)
{
	free(self->list);
	free(self->bytes);
	memset(self, 0, sizeof(*self));
}
