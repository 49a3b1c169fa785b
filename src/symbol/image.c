// SPDX-License-Identifier: BSD-2-Clause
/*
 * image.c - the parts of an ELF file that lead to symbols
 *
 * The file belongs to the target, may be hostile and may be cut while we read: so nothing is
 * mapped (no SIGBUS), every offset and size is held against the size of the file, and what is
 * read is bounded. Sections are a help: without them the segments still serve.
 */
#include "src/symbol/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOAD_MAX_BYTES (UINT64_C(512) << 20)
#define NOTES_MAX_BYTES (64 << 10)
#define MAX_SEGMENTS 1024 /* each symbol looks for its own among them */
#define MAX_SECTIONS (1 << 20)

int image_read(const struct image *self, uint64_t offset, void *to, size_t bytes)
{
	if (offset > self->bytes || bytes > self->bytes - offset)
		return -EBADMSG;
	if (self->memory) {
		memcpy(to, self->memory + offset, bytes);
		return 0;
	}
	while (bytes) {
		ssize_t n = pread(self->fd, to, bytes, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		to = (uint8_t *)to + n;
		offset += n;
		bytes -= n;
	}
	return 0;
}

/* A part of the file, malloc'd, with a 0 after it. */
static void *read_new(const struct image *self, uint64_t offset, uint64_t bytes)
{
	uint8_t *to;

	if (bytes > LOAD_MAX_BYTES || offset > self->bytes || bytes > self->bytes - offset)
		return NULL;
	to = malloc(bytes + 1);
	if (to && image_read(self, offset, to, bytes)) {
		free(to);
		return NULL;
	}
	if (to)
		to[bytes] = 0;
	return to;
}

static int check_header(const Elf64_Ehdr *header)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	return 0;
}

/* Counts that do not fit the header stand in the first section. */
static void read_sections(struct image *self)
{
	const Elf64_Ehdr *header = &self->header;
	uint64_t nr = header->e_shnum, names = header->e_shstrndx;
	Elf64_Shdr first;

	if (!header->e_shoff)
		return;
	self->is_damaged = true;
	if (header->e_shentsize != sizeof(first) ||
	    image_read(self, header->e_shoff, &first, sizeof(first)))
		return;
	nr = nr ? nr : first.sh_size;
	names = names == SHN_XINDEX ? first.sh_link : names;
	if (nr > MAX_SECTIONS)
		return;
	self->sections = read_new(self, header->e_shoff, nr * sizeof(first));
	if (!self->sections)
		return;
	self->nr_sections = nr;
	if (names < nr)
		self->names = image_load(self, &self->sections[names], &self->names_bytes);
	self->is_damaged = !self->names;
}

static int read_segments(struct image *self)
{
	const Elf64_Ehdr *header = &self->header;
	uint64_t nr = header->e_phnum;

	if (nr == PN_XNUM && self->nr_sections)
		nr = self->sections[0].sh_info;
	if (!nr)
		return 0;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || nr > MAX_SEGMENTS)
		return -EBADMSG;
	self->segments = read_new(self, header->e_phoff, nr * sizeof(Elf64_Phdr));
	if (!self->segments)
		return -EBADMSG;
	self->nr_segments = nr;
	return 0;
}

static int read_headers(struct image *self)
{
	size_t bytes = sizeof(self->header);
	int err;

	if (self->bytes < bytes) {
		char magic[SELFMAG] = "";

		(void)image_read(self, 0, magic, sizeof(magic));
		return memcmp(magic, ELFMAG, SELFMAG) ? -ENOEXEC : -EBADMSG;
	}
	err = image_read(self, 0, &self->header, bytes);
	if (!err)
		err = check_header(&self->header);
	if (err)
		return err;
	read_sections(self);
	return read_segments(self);
}

int image_open(struct image *self, int fd)
{
	struct stat st;
	int err;

	memset(self, 0, sizeof(*self));
	self->fd = fd;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	self->bytes = st.st_size;
	err = read_headers(self);
	if (err)
		image_close(self);
	return err;
}

int image_of_memory(struct image *self, uint8_t *memory, size_t bytes)
{
	int err;

	memset(self, 0, sizeof(*self));
	self->fd = -1;
	self->memory = memory;
	self->bytes = bytes;
	err = read_headers(self);
	if (err)
		image_close(self);
	return err;
}

void image_close(struct image *self)
{
	free(self->memory);
	free(self->segments);
	free(self->sections);
	free(self->names);
	memset(self, 0, sizeof(*self));
	self->fd = -1;
}

const Elf64_Shdr *image_section_named(const struct image *self, const char *name)
{
	for (size_t i = 0; i < self->nr_sections && self->names; i++)
		if (self->sections[i].sh_name < self->names_bytes &&
		    !strcmp(self->names + self->sections[i].sh_name, name))
			return &self->sections[i];
	return NULL;
}

const Elf64_Shdr *image_section_of_type(const struct image *self, uint32_t type)
{
	for (size_t i = 0; i < self->nr_sections; i++)
		if (self->sections[i].sh_type == type)
			return &self->sections[i];
	return NULL;
}

void *image_load(const struct image *self, const Elf64_Shdr *section, size_t *bytes)
{
	void *loaded;

	*bytes = 0;
	if (!section || section->sh_type == SHT_NOBITS || (section->sh_flags & SHF_COMPRESSED))
		return NULL;
	loaded = read_new(self, section->sh_offset, section->sh_size);
	if (loaded)
		*bytes = section->sh_size;
	return loaded;
}

static bool is_text(const struct image *self, const Elf64_Phdr *segment)
{
	return segment->p_type == PT_LOAD && (segment->p_flags & PF_X) &&
	       segment->p_offset <= self->bytes &&
	       segment->p_filesz <= self->bytes - segment->p_offset;
}

const Elf64_Phdr *image_text_at(const struct image *self, uint64_t vaddr)
{
	for (size_t i = 0; i < self->nr_segments; i++) {
		const Elf64_Phdr *segment = &self->segments[i];

		if (is_text(self, segment) && vaddr >= segment->p_vaddr &&
		    vaddr - segment->p_vaddr < segment->p_filesz)
			return segment;
	}
	return NULL;
}

int image_vaddr(const struct image *self, uint64_t offset, uint64_t *vaddr)
{
	for (size_t i = 0; i < self->nr_segments; i++) {
		const Elf64_Phdr *segment = &self->segments[i];

		if (is_text(self, segment) && offset >= segment->p_offset &&
		    offset - segment->p_offset < segment->p_filesz) {
			*vaddr = segment->p_vaddr + (offset - segment->p_offset);
			return 0;
		}
	}
	return -ENOENT;
}

uint64_t image_section_end(const struct image *self, uint64_t vaddr)
{
	for (size_t i = 0; i < self->nr_sections; i++) {
		const Elf64_Shdr *section = &self->sections[i];

		if ((section->sh_flags & SHF_ALLOC) && vaddr >= section->sh_addr &&
		    vaddr - section->sh_addr < section->sh_size)
			return section->sh_addr + section->sh_size;
	}
	return 0;
}

static bool take_build_id(const uint8_t *notes, size_t bytes, size_t align,
			  char hex[IMAGE_BUILD_ID_BYTES])
{
	size_t at = 0;

	while (at + sizeof(Elf64_Nhdr) <= bytes) {
		Elf64_Nhdr note;
		size_t name = at + sizeof(note), desc;

		memcpy(&note, notes + at, sizeof(note));
		desc = (name + note.n_namesz + align - 1) & -align;
		if (desc > bytes || note.n_descsz > bytes - desc)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(notes + name, "GNU", 4) &&
		    note.n_descsz <= (IMAGE_BUILD_ID_BYTES - 1) / 2) {
			for (size_t i = 0; i < note.n_descsz; i++)
				snprintf(hex + 2 * i, 3, "%02x", notes[desc + i]);
			return true;
		}
		at = (desc + note.n_descsz + align - 1) & -align;
	}
	return false;
}

static bool find_build_id(const struct image *self, uint64_t offset, uint64_t bytes, size_t align,
			  char hex[IMAGE_BUILD_ID_BYTES])
{
	uint8_t *notes = bytes <= NOTES_MAX_BYTES ? read_new(self, offset, bytes) : NULL;
	bool is_found = notes && take_build_id(notes, bytes, align == 8 ? 8 : 4, hex);

	free(notes);
	return is_found;
}

/* In a debug file only the sections lead to its notes: its segments are those of the program. */
void image_build_id(const struct image *self, char hex[IMAGE_BUILD_ID_BYTES])
{
	bool is_found = false;

	hex[0] = 0;
	for (size_t i = 0; i < self->nr_segments && !is_found; i++) {
		const Elf64_Phdr *segment = &self->segments[i];

		if (segment->p_type == PT_NOTE)
			is_found = find_build_id(self, segment->p_offset, segment->p_filesz,
						 segment->p_align, hex);
	}
	for (size_t i = 0; i < self->nr_sections && !is_found; i++) {
		const Elf64_Shdr *section = &self->sections[i];

		if (section->sh_type == SHT_NOTE)
			is_found = find_build_id(self, section->sh_offset, section->sh_size,
						 section->sh_addralign, hex);
	}
}

bool image_is_go(const struct image *self)
{
	return image_section_named(self, ".go.buildinfo") ||
	       image_section_named(self, ".gopclntab") ||
	       image_section_named(self, ".data.rel.ro.gopclntab");
}
