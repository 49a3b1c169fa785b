// SPDX-License-Identifier: BSD-2-Clause
/*
 * inlined.c - copies of a function within others, counted in DWARF
 *
 * Walks every unit, and asks every inlined subroutine whose copy it is. That reads all of
 * .debug_info, so the time is bounded. The clock is looked at every few thousand entries.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/symbol/binaries.h"
#include "src/symbol/debug.h"
#include "src/util/unit.h"

#define CLOCK_EVERY 4096
#define MAX_DEPTH 256

struct walk {
	const char *symbol;
	uint64_t end_ns;
	unsigned int steps;
	unsigned int nr;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* A linkage name decides where there is one: overloads share the plain name. */
static bool is_ours(const struct walk *self, Dwarf_Die *copy)
{
	Dwarf_Attribute memory;
	const char *name;

	name = dwarf_formstring(dwarf_attr_integrate(copy, DW_AT_linkage_name, &memory));
	if (!name)
		name = dwarf_formstring(
			dwarf_attr_integrate(copy, DW_AT_MIPS_linkage_name, &memory));
	if (!name)
		name = dwarf_formstring(dwarf_attr_integrate(copy, DW_AT_name, &memory));
	return name && !strcmp(name, self->symbol);
}

static int walk(struct walk *self, Dwarf_Die *die, int depth)
{
	Dwarf_Die child;
	int has = depth < MAX_DEPTH ? dwarf_child(die, &child) : 1;

	for (; has == 0; has = dwarf_siblingof(&child, &child)) {
		int err;

		if (++self->steps % CLOCK_EVERY == 0 && now_ns() > self->end_ns)
			return -ETIME;
		if (dwarf_tag(&child) == DW_TAG_inlined_subroutine)
			self->nr += is_ours(self, &child);
		err = walk(self, &child, depth + 1);
		if (err)
			return err;
	}
	return 0;
}

static int walk_all(struct walk *self, Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	int err = 0;

	while (!err && dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0)
		err = walk(self, &die, 0);
	return err;
}

/* The file with the program's DWARF: itself, or its debug file. An fd to close, or -ENODATA. */
static int open_dwarf(const struct binary *binary)
{
	int fd;

	if (image_section_named(&binary->image, ".debug_info"))
		return dup(binary->fd);
	fd = debug_open(&binary->image, binary->pid, binary->path);
	return fd < 0 ? -ENODATA : fd;
}

int place_inlined_copies(const struct place *self, struct binaries *binaries, unsigned int limit_ms,
			 unsigned int *nr)
{
	struct binary *binary = binaries_by_file(binaries, self->dev, self->inode);
	struct walk state = { .symbol = self->symbol };
	Dwarf *dwarf;
	int fd, err;

	*nr = 0;
	if (!binary || binary_read(binary))
		return -ENODATA;
	fd = open_dwarf(binary);
	if (fd < 0)
		return -ENODATA;
	state.end_ns = now_ns() + limit_ms * NS_PER_MS;
	dwarf = dwarf_begin(fd, DWARF_C_READ);
	err = dwarf ? walk_all(&state, dwarf) : -ENODATA;
	dwarf_end(dwarf);
	close(fd);
	*nr = state.nr;
	return err;
}
