/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - one ELF file, read with pread and with every number of it doubted
 */
#ifndef GEMBA_SYMBOL_IMAGE_H
#define GEMBA_SYMBOL_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_BUILD_ID_BYTES 65 /* hexadecimal and its 0 */

struct image {
	int fd;		 /* borrowed; -1: the file is in memory */
	uint8_t *memory; /* owned */
	uint64_t bytes;
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	size_t nr_segments;
	Elf64_Shdr *sections; /* none when they are damaged or left out */
	size_t nr_sections;
	char *names; /* of sections */
	size_t names_bytes;
	bool is_damaged; /* sections are named by the header, and could not be read */
};

/*
 * Reads the headers. The fd must stay open as long as the image is used. 0, -ENOEXEC: not ELF,
 * -ENOTSUP: not 64 bit or not little-endian, -EBADMSG: cut or damaged, or -errno of reading.
 */
int image_open(struct image *self, int fd);
/* The same for bytes in memory, which the image owns from here on, also when this fails. */
int image_of_memory(struct image *self, uint8_t *memory, size_t bytes);
void image_close(struct image *self);

/* Copies a part of the file; all of it, or -EBADMSG when the file ends before, or -errno. */
int image_read(const struct image *self, uint64_t offset, void *to, size_t bytes);
/* The first section of a name or of a type, NULL when there is none. */
const Elf64_Shdr *image_section_named(const struct image *self, const char *name);
const Elf64_Shdr *image_section_of_type(const struct image *self, uint32_t type);
/* A section's bytes with a 0 after them, malloc'd, or NULL. */
void *image_load(const struct image *self, const Elf64_Shdr *section, size_t *bytes);

/*
 * The executable segment with this address, as far as the file has its bytes; NULL when there is
 * none. Uprobes are placed by file offset, hence an address that is not in the file is no place.
 */
const Elf64_Phdr *image_text_at(const struct image *self, uint64_t vaddr);
/* Address of what lies at an offset of the file, executable. 0 or -ENOENT. */
int image_vaddr(const struct image *self, uint64_t offset, uint64_t *vaddr);
/* Where the section with this address ends, 0: in none. */
uint64_t image_section_end(const struct image *self, uint64_t vaddr);
/* The GNU build-id in hexadecimal, "" when it has none. */
void image_build_id(const struct image *self, char hex[IMAGE_BUILD_ID_BYTES]);
/* Whether the Go tool chain made it. */
bool image_is_go(const struct image *self);

#endif
