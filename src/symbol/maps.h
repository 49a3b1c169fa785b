/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps.h - the executable file mappings of a process, out of /proc/PID/maps
 */
#ifndef GEMBA_SYMBOL_MAPS_H
#define GEMBA_SYMBOL_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct map_range {
	uint64_t start, end; /* addresses, end excluded */
	uint64_t offset;     /* of start in the file */
	dev_t dev;
	ino_t inode;
	char *path;	 /* as the process sees it */
	bool is_deleted; /* no name leads there any more */
};

struct maps {
	struct map_range *ranges; /* by address */
	size_t nr;
};

/* Reads the lines of /proc/PID/maps; what is not executable or not a file is left out. 0 or
 * -ENOMEM; undone by maps_fini. */
int maps_parse(struct maps *self, FILE *from);
/* The same of a process; -ESRCH when it is gone, other -errno when it may not be read. */
int maps_read(struct maps *self, pid_t pid);
void maps_fini(struct maps *self);

#endif
