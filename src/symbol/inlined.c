// SPDX-License-Identifier: BSD-2-Clause
/*
 * inlined.c - copies of functions within others, counted in DWARF
 *
 * Walks every unit, and asks every inlined subroutine whose copy it is. That reads all of
 * .debug_info, so the time is bounded, and all functions are counted at once. The clock is looked
 * at every few thousand entries.
 */
#include "src/symbol/inlined.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "src/symbol/binaries.h"
#include "src/symbol/debug.h"
#include "src/util/unit.h"

#define CLOCK_EVERY 4096
#define MAX_DEPTH 256
#define FIRST_ROOM 1024

struct walk {
	struct inlined *out;
	uint64_t end_ns;
	unsigned int steps;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* A linkage name decides where there is one: overloads share the plain name. */
static const char *name_of(Dwarf_Die *die)
{
	static const unsigned int names[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
					      DW_AT_name };
	const char *name = NULL;
	Dwarf_Attribute memory;

	for (size_t i = 0; !name && i < sizeof(names) / sizeof(names[0]); i++)
		name = dwarf_formstring(dwarf_attr_integrate(die, names[i], &memory));
	return name;
}

/* Where a name is, or would be. */
static struct inlined_row *slot_of(const struct inlined *self, const char *name)
{
	size_t at = XXH3_64bits(name, strlen(name)) & (self->room - 1);

	while (self->rows[at].name && strcmp(self->rows[at].name, name) != 0)
		at = (at + 1) & (self->room - 1);
	return &self->rows[at];
}

static int grow(struct inlined *self)
{
	struct inlined bigger = { .room = self->room ? 2 * self->room : FIRST_ROOM };

	bigger.rows = calloc(bigger.room, sizeof(*bigger.rows));
	if (!bigger.rows)
		return -ENOMEM;
	for (size_t i = 0; i < self->room; i++)
		if (self->rows[i].name)
			*slot_of(&bigger, self->rows[i].name) = self->rows[i];
	free(self->rows);
	self->rows = bigger.rows;
	self->room = bigger.room;
	return 0;
}

static int count(struct inlined *self, Dwarf_Die *copy, Dwarf_Die *caller)
{
	const char *name = name_of(copy);
	struct inlined_row *row;

	if (!name)
		return 0;
	if (2 * (self->nr + 1) > self->room && grow(self))
		return -ENOMEM;
	row = slot_of(self, name);
	if (!row->name) {
		*row = (struct inlined_row){ .name = name,
					     .caller = caller ? name_of(caller) : NULL };
		self->nr++;
	}
	row->nr++;
	return 0;
}

/* `caller` is the function around, NULL where there is none. */
static int walk(struct walk *self, Dwarf_Die *die, Dwarf_Die *caller, int depth)
{
	Dwarf_Die child;
	int has = depth < MAX_DEPTH ? dwarf_child(die, &child) : 1, err = 0;

	for (; has == 0 && !err; has = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		if (++self->steps % CLOCK_EVERY == 0 && now_ns() > self->end_ns)
			return -ETIME;
		if (tag == DW_TAG_inlined_subroutine)
			err = count(self->out, &child, caller);
		if (!err)
			err = walk(self, &child, tag == DW_TAG_subprogram ? &child : caller,
				   depth + 1);
	}
	return err;
}

static int walk_all(struct walk *self, Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	int err = 0;

	while (!err && dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0)
		err = walk(self, &die, NULL, 0);
	return err;
}

int inlined_dwarf_fd(struct binary *binary)
{
	int fd;

	if (binary_read(binary))
		return -ENODATA;
	if (image_section_named(&binary->image, ".debug_info"))
		return dup(binary->fd);
	fd = debug_open(&binary->image, binary->pid, binary->path);
	return fd < 0 ? -ENODATA : fd;
}

int inlined_open(struct inlined *self, struct binary *binary, unsigned int limit_ms)
{
	struct walk state = { .out = self, .end_ns = now_ns() + limit_ms * NS_PER_MS };

	*self = (struct inlined){ .fd = -1 };
	self->fd = inlined_dwarf_fd(binary);
	if (self->fd < 0)
		return -ENODATA;
	self->dwarf = dwarf_begin(self->fd, DWARF_C_READ);
	return self->dwarf ? walk_all(&state, self->dwarf) : -ENODATA;
}

void inlined_close(struct inlined *self)
{
	dwarf_end(self->dwarf);
	if (self->fd >= 0)
		close(self->fd);
	free(self->rows);
	*self = (struct inlined){ .fd = -1 };
}

const struct inlined_row *inlined_find(const struct inlined *self, const char *name)
{
	const struct inlined_row *row = self->room ? slot_of(self, name) : NULL;

	return row && row->name ? row : NULL;
}

int inlined_of(struct binary *binary, unsigned int limit_ms, const struct inlined **out)
{
	if (!binary->is_inlined_read)
		binary->inlined_err = inlined_open(&binary->inlined, binary, limit_ms);
	binary->is_inlined_read = true;
	*out = &binary->inlined;
	return binary->inlined_err;
}

int place_inlined_copies(const struct place *self, struct binaries *binaries, unsigned int limit_ms,
			 unsigned int *nr)
{
	struct binary *binary = binaries_by_file(binaries, self->dev, self->inode);
	const struct inlined_row *row;
	const struct inlined *all;
	int err;

	*nr = 0;
	if (!binary)
		return -ENODATA;
	err = inlined_of(binary, limit_ms, &all);
	row = inlined_find(all, self->symbol);
	*nr = row ? row->nr : 0;
	return err;
}
