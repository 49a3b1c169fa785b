// SPDX-License-Identifier: BSD-2-Clause
/*
 * loaded.c - addresses of binaries, and the chain of the dynamic linker
 *
 * The chain that the linker keeps for debuggers (DT_DEBUG) is in the order of loading: first what
 * the program began with, which is its order of look-up as well, then what dlopen() added. The
 * first part ends with the last binary that one of it needs. Where the memory may not be read,
 * DT_NEEDED alone gives the same order, without LD_PRELOAD.
 */
#include "src/symbol/loaded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_CHAIN 4096 /* a chain that is damaged may be a ring */
#define MAX_AUXV 64

int loaded_bias(const struct binaries *binaries, const struct binary *binary, uint64_t *bias)
{
	for (size_t i = 0; i < binaries->maps.nr; i++) {
		const struct map_range *range = &binaries->maps.ranges[i];
		uint64_t bytes = range->end - range->start, vaddr;

		if (range->inode != binary->inode || range->dev != binary->dev)
			continue;
		for (size_t j = 0; j < binary->image.nr_segments; j++) {
			/* a segment may begin within the first page of its mapping */
			uint64_t at = binary->image.segments[j].p_offset;

			at = at > range->offset ? at : range->offset;
			if (at - range->offset >= bytes || image_vaddr(&binary->image, at, &vaddr))
				continue;
			*bias = range->start + (at - range->offset) - vaddr;
			return 0;
		}
	}
	return -ENOENT;
}

int loaded_read(const struct binaries *binaries, uint64_t at, void *to, size_t bytes)
{
	struct iovec local = { to, bytes }, remote = { (void *)(uintptr_t)at, bytes };
	ssize_t n = process_vm_readv(binaries->pid, &local, 1, &remote, 1, 0);

	return n == (ssize_t)bytes ? 0 : -ENOENT;
}

/* By the entry that the kernel noted at exec. */
struct binary *loaded_main(const struct binaries *binaries)
{
	uint64_t auxv[MAX_AUXV][2], entry = 0;
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", binaries->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, auxv, sizeof(auxv));
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(auxv[0]); i++)
		if (auxv[i][0] == AT_ENTRY)
			entry = auxv[i][1];
	for (size_t i = 0; i < binaries->maps.nr; i++) {
		const struct map_range *range = &binaries->maps.ranges[i];

		if (entry >= range->start && entry < range->end)
			return binaries_by_file(binaries, range->dev, range->inode);
	}
	return NULL;
}

/* A binary, its dynamic section and the strings of that. */
struct module {
	struct binary *binary;
	Elf64_Dyn *rows;
	char *strings;
	size_t nr, strings_bytes;
	uint64_t vaddr, bias;
	bool has_bias;
	bool is_in_chain;
};

struct chain {
	struct module *modules; /* one for each binary */
	struct module **rows;	/* room for all of them */
	size_t nr_modules, nr;
	size_t nr_known; /* the first part, so far */
	bool is_whole;	 /* nothing can be missing in it */
};

/* The string of a row with this tag, or NULL. */
static const char *module_text(const struct module *self, size_t row, int64_t tag)
{
	if (self->rows[row].d_tag != tag || self->rows[row].d_un.d_val >= self->strings_bytes)
		return NULL;
	return self->strings + self->rows[row].d_un.d_val;
}

static void module_load(struct module *self, const struct binaries *binaries, struct binary *binary)
{
	const struct image *image = &binary->image;
	const Elf64_Shdr *section;

	self->binary = binary;
	if (!binary->is_mapped || binary_read(binary))
		return;
	self->has_bias = !loaded_bias(binaries, binary, &self->bias);
	section = image_section_of_type(image, SHT_DYNAMIC);
	if (!section || section->sh_link >= image->nr_sections)
		return;
	self->vaddr = section->sh_addr;
	self->rows = image_load(image, section, &self->nr);
	self->strings = image_load(image, &image->sections[section->sh_link], &self->strings_bytes);
	self->nr = self->rows && self->strings ? self->nr / sizeof(*self->rows) : 0;
}

/* What DT_NEEDED says of a binary: its path, its last part, or its DT_SONAME. */
static bool module_is_called(const struct module *self, const char *name)
{
	if (!strcmp(strchr(name, '/') ? self->binary->path : self->binary->base, name))
		return true;
	for (size_t i = 0; i < self->nr; i++) {
		const char *soname = module_text(self, i, DT_SONAME);

		if (soname)
			return !strcmp(soname, name);
	}
	return false;
}

static void append(struct chain *self, struct module *module)
{
	if (module->is_in_chain)
		return;
	module->is_in_chain = true;
	self->rows[self->nr++] = module;
}

/* The first link of the debuggers' chain; 0: there is none. */
static uint64_t first_link(const struct binaries *binaries, const struct module *main)
{
	uint64_t debug[2] = { 0 }; /* a version and its padding, the first link */
	Elf64_Dyn row = { 0 };
	size_t i = 0;

	while (i < main->nr && main->rows[i].d_tag != DT_DEBUG)
		i++;
	if (i == main->nr || !main->has_bias ||
	    loaded_read(binaries, main->bias + main->vaddr + i * sizeof(row), &row, sizeof(row)) ||
	    loaded_read(binaries, row.d_un.d_ptr, debug, sizeof(debug)))
		return 0;
	return debug[1];
}

/* Whatever of the links is none of our binaries (vdso, data only) exports no function. */
static void follow_links(struct chain *self, const struct binaries *binaries, uint64_t at)
{
	uint64_t link[4]; /* bias, name, dynamic section, next */

	self->is_whole = at;
	for (unsigned int i = 0; at && i < MAX_CHAIN; i++, at = link[3]) {
		if (loaded_read(binaries, at, link, sizeof(link))) {
			self->is_whole = false;
			return;
		}
		for (size_t j = 0; j < self->nr_modules; j++)
			if (self->modules[j].has_bias && self->modules[j].bias == link[0])
				append(self, &self->modules[j]);
	}
}

/* One that is needed belongs to the first part, with all before it. */
static void need(struct chain *self, const char *name)
{
	for (size_t i = 0; i < self->nr; i++) {
		if (!module_is_called(self->rows[i], name))
			continue;
		self->nr_known = i >= self->nr_known ? i + 1 : self->nr_known;
		return;
	}
	for (size_t i = 0; i < self->nr_modules && !self->is_whole; i++) {
		struct module *module = &self->modules[i];

		if (!module->binary->is_mapped || !module_is_called(module, name))
			continue;
		append(self, module);
		self->nr_known = self->nr;
		return;
	}
}

static void build(struct chain *self, const struct binaries *binaries, struct module *main)
{
	append(self, main);
	follow_links(self, binaries, first_link(binaries, main));
	while (!self->is_whole && self->nr > 1)
		self->rows[--self->nr]->is_in_chain = false;
	self->nr_known = 1;
	for (size_t i = 0; i < self->nr_known && self->rows[i]; i++) {
		const struct module *module = self->rows[i];

		for (size_t j = 0; j < module->nr; j++) {
			const char *name = module_text(module, j, DT_NEEDED);

			if (name)
				need(self, name);
		}
	}
}

static void chain_fini(struct chain *self)
{
	for (size_t i = 0; self->modules && i < self->nr_modules; i++) {
		free(self->modules[i].rows);
		free(self->modules[i].strings);
	}
	free(self->modules);
	free(self->rows);
}

int loaded_order(const struct binaries *binaries, struct binary ***out, size_t *nr)
{
	struct binary *main = loaded_main(binaries);
	struct chain chain = { .nr_modules = binaries->nr };
	struct module *first = NULL;

	if (!main)
		return -ENOENT;
	chain.modules = calloc(binaries->nr, sizeof(*chain.modules));
	chain.rows = calloc(binaries->nr, sizeof(*chain.rows));
	*out = calloc(binaries->nr, sizeof(**out));
	if (!chain.modules || !chain.rows || !*out) {
		chain_fini(&chain);
		free(*out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < binaries->nr; i++) {
		module_load(&chain.modules[i], binaries, binaries->rows[i]);
		if (binaries->rows[i] == main)
			first = &chain.modules[i];
	}
	if (first) /* it is one of them */
		build(&chain, binaries, first);
	*nr = chain.nr_known;
	for (size_t i = 0; i < *nr && chain.rows[i]; i++)
		(*out)[i] = chain.rows[i]->binary;
	chain_fini(&chain);
	return 0;
}
