// SPDX-License-Identifier: BSD-2-Clause
/*
 * elf_fixture.c - what an assembler and a linker would do, for a few bytes
 */
#include "tests/unit/elf_fixture.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SECTION 1

static Elf64_Ehdr *header_of(struct fixture *self)
{
	return (Elf64_Ehdr *)self->bytes;
}

size_t fixture_add(struct fixture *self, const char *name, uint32_t type, const void *bytes,
		   size_t nr)
{
	Elf64_Shdr *section = &self->sections[self->nr_sections];
	size_t at = (self->nr + 15) & ~(size_t)15;

	cr_assert_lt(at + nr, FIXTURE_BYTES);
	section->sh_name = self->names_bytes;
	section->sh_type = type;
	section->sh_offset = at;
	section->sh_size = nr;
	section->sh_addralign = 4;
	strcpy(self->names + self->names_bytes, name);
	self->names_bytes += strlen(name) + 1;
	memcpy(self->bytes + at, bytes, nr);
	self->nr = at + nr;
	return self->nr_sections++;
}

void fixture_init(struct fixture *self)
{
	uint8_t text[FIXTURE_TEXT_BYTES];
	Elf64_Ehdr *header = header_of(self);
	Elf64_Phdr *segment = (Elf64_Phdr *)(header + 1);

	memset(self, 0, sizeof(*self));
	memset(text, 0x90, sizeof(text));
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_type = ET_DYN;
	header->e_machine = EM_X86_64;
	header->e_phoff = sizeof(*header);
	header->e_phnum = 1;
	header->e_phentsize = sizeof(*segment);
	header->e_shentsize = sizeof(Elf64_Shdr);
	segment->p_type = PT_LOAD;
	segment->p_flags = PF_R | PF_X;
	segment->p_offset = FIXTURE_TEXT_OFFSET;
	segment->p_vaddr = FIXTURE_TEXT_VADDR;
	segment->p_filesz = segment->p_memsz = FIXTURE_TEXT_BYTES;
	self->nr_sections = 1;
	self->names_bytes = 1;
	self->nr = FIXTURE_TEXT_OFFSET;
	fixture_add(self, ".text", SHT_PROGBITS, text, sizeof(text));
	self->sections[TEXT_SECTION].sh_addr = FIXTURE_TEXT_VADDR;
	self->sections[TEXT_SECTION].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
}

void fixture_add_build_id(struct fixture *self, const char *sixteen_letters)
{
	struct {
		Elf64_Nhdr note;
		char name[4], id[16];
	} note = { { 4, 16, NT_GNU_BUILD_ID }, "GNU", "" };

	memcpy(note.id, sixteen_letters, sizeof(note.id));
	fixture_add(self, ".note.gnu.build-id", SHT_NOTE, &note, sizeof(note));
}

void fixture_add_symbols(struct fixture *self, uint32_t type, const struct fixture_symbol *symbols)
{
	Elf64_Sym syms[32] = { 0 };
	Elf64_Half versions[32] = { 0 };
	char strings[1024] = "";
	size_t nr = 1, at = 1, index;

	for (; symbols->name; symbols++, nr++) {
		syms[nr].st_name = at;
		syms[nr].st_info = ELF64_ST_INFO(STB_GLOBAL, symbols->type);
		syms[nr].st_shndx = TEXT_SECTION;
		syms[nr].st_value = FIXTURE_TEXT_VADDR + symbols->at;
		syms[nr].st_size = symbols->size;
		versions[nr] = symbols->version;
		strcpy(strings + at, symbols->name);
		at += strlen(symbols->name) + 1;
	}
	index = fixture_add(self, "symbols", type, syms, nr * sizeof(*syms));
	self->sections[index].sh_entsize = sizeof(*syms);
	self->sections[index].sh_link = index + 1;
	fixture_add(self, "strings", SHT_STRTAB, strings, at);
	if (type == SHT_DYNSYM)
		fixture_add(self, "versions", SHT_GNU_versym, versions, nr * sizeof(*versions));
}

void fixture_finish(struct fixture *self)
{
	Elf64_Ehdr *header = header_of(self);
	size_t bytes, at;

	strcpy(self->names + self->names_bytes, ".shstrtab");
	header->e_shstrndx = fixture_add(self, ".shstrtab", SHT_STRTAB, self->names,
					 self->names_bytes + sizeof(".shstrtab"));
	header->e_shnum = self->nr_sections;
	bytes = self->nr_sections * sizeof(*self->sections);
	at = (self->nr + 15) & ~(size_t)15;
	cr_assert_lt(at + bytes, FIXTURE_BYTES);
	header->e_shoff = at;
	memcpy(self->bytes + at, self->sections, bytes);
	self->nr = at + bytes;
}

void fixture_write(const struct fixture *self, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, self->bytes, self->nr), (ssize_t)self->nr);
	close(fd);
}
