/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlined.h - which functions are inlined where, by DWARF: read once, asked often
 */
#ifndef GEMBA_SYMBOL_INLINED_H
#define GEMBA_SYMBOL_INLINED_H

#include <stddef.h>

struct binary;

struct inlined_row {
	const char *name;   /* that of the linker where there is one */
	const char *caller; /* the same of a function that has a copy in it; NULL: unknown */
	unsigned int nr;    /* copies */
};

struct inlined {
	struct inlined_row *rows; /* in no order */
	size_t nr, room;	  /* a power of two; unused rows have no name */
	void *dwarf;
	int fd;
};

/*
 * Reads all of a binary's DWARF. 0; -ENODATA: it has none; -ETIME: not done after limit_ms, the
 * rows are what was found till then; -ENOMEM. In any case inlined_close.
 */
int inlined_open(struct inlined *self, struct binary *binary, unsigned int limit_ms);
void inlined_close(struct inlined *self);
/*
 * The same, read on the first call and kept with the binary, with what inlined_open said then.
 */
int inlined_of(struct binary *binary, unsigned int limit_ms, const struct inlined **out);
/* The file with a binary's DWARF: itself, or its debug file. An fd to close, or -ENODATA. */
int inlined_dwarf_fd(struct binary *binary);
/* The row of a function by its plain name, or NULL: no copy of it. */
const struct inlined_row *inlined_find(const struct inlined *self, const char *name);

#endif
