/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * binaries.h - the executable files that one process has mapped, each read when it is needed
 *
 * Inside src/symbol; others use place.h.
 */
#ifndef GEMBA_SYMBOL_BINARIES_H
#define GEMBA_SYMBOL_BINARIES_H

#include "src/symbol/inlined.h"
#include "src/symbol/maps.h"
#include "src/symbol/place.h"
#include "src/symbol/table.h"

#define BINARY_OPEN_PATH_BYTES 48

struct binary {
	char *path;	  /* as the process sees it */
	const char *base; /* its last part */
	char open_path[BINARY_OPEN_PATH_BYTES];
	int fd; /* or -errno of opening it */
	pid_t pid;
	dev_t dev;
	ino_t inode;
	bool is_deleted;
	bool is_mapped; /* false: it was once */

	bool is_image_read;
	int image_err;
	struct image image;
	char build_id[IMAGE_BUILD_ID_BYTES];
	bool is_go;

	bool is_table_built;
	int table_err;
	struct table table;
	bool has_all_symbols; /* not only the exported ones */

	bool is_inlined_read;
	int inlined_err;
	struct inlined inlined;
};

struct binaries {
	pid_t pid;
	struct binary **rows; /* never removed: places point to them */
	size_t nr;
	struct maps maps;
};

/* The headers of a binary, read on the first call. 0 or -errno. */
int binary_read(struct binary *self);
/* The same and its symbols. 0, or -errno: then the table is empty. */
int binary_load(struct binary *self);

/* How well a binary fits what somebody calls it. */
enum binary_fit {
	BINARY_UNFIT,
	BINARY_PREFIX, /* libc for libc.so.6, python3 for python3.11 */
	BINARY_LINK,   /* a link beside it that leads to it */
	BINARY_EXACT,  /* its name, or the end of its path */
};

enum binary_fit binary_fit(const struct binary *self, const char *name);
/* The best fit of all mapped binaries. */
enum binary_fit binaries_fit(const struct binaries *self, const char *name);
/* The binary of a mapping, by device and inode, or NULL. */
struct binary *binaries_by_file(const struct binaries *self, dev_t dev, ino_t inode);

#endif
