// SPDX-License-Identifier: BSD-2-Clause
/*
 * maps.c - text of /proc/PID/maps in, ranges out
 *
 * Kept is what has an inode, a path and the right to be executed. That leaves out the vdso,
 * stacks, heaps and code that a JIT made in anonymous memory: nothing there can be probed by
 * its file.
 */
#include "src/symbol/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DELETED " (deleted)"

/* The kernel writes a newline of a path as \012 and nothing else so. */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		bool is_newline = !strncmp(from, "\\012", 4);

		*to = is_newline ? '\n' : *from;
		from += is_newline ? 4 : 1;
	}
	*to = 0;
}

static bool cut_deleted(char *path)
{
	size_t bytes = strlen(path), tail = strlen(DELETED);

	if (bytes <= tail || strcmp(path + bytes - tail, DELETED) != 0)
		return false;
	path[bytes - tail] = 0;
	return true;
}

/* Whether the line is of an executable file; then *range is filled and *path its path in line. */
static bool parse_line(char *line, struct map_range *range, char **path)
{
	unsigned int major, minor;
	unsigned long inode;
	char rights[5];
	int at = 0;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &range->start, &range->end, rights,
		   &range->offset, &major, &minor, &inode, &at) != 7)
		return false;
	if (!at || line[at] != '/' || !inode || rights[2] != 'x' || range->start >= range->end)
		return false;
	range->dev = makedev(major, minor);
	range->inode = inode;
	range->is_deleted = cut_deleted(line + at);
	unescape(line + at);
	*path = line + at;
	return true;
}

static int add(struct maps *self, const struct map_range *range, const char *path)
{
	struct map_range *ranges = self->ranges;

	if ((self->nr & (self->nr - 1)) == 0) {
		ranges = realloc(ranges, (self->nr ? self->nr * 2 : 1) * sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		self->ranges = ranges;
	}
	ranges[self->nr] = *range;
	ranges[self->nr].path = strdup(path);
	if (!ranges[self->nr].path)
		return -ENOMEM;
	self->nr++;
	return 0;
}

int maps_parse(struct maps *self, FILE *from)
{
	struct map_range range;
	char *line = NULL, *path;
	size_t room = 0;
	int err = 0;

	memset(self, 0, sizeof(*self));
	while (!err && getline(&line, &room, from) >= 0)
		if (parse_line(line, &range, &path))
			err = add(self, &range, path);
	free(line);
	if (err)
		maps_fini(self);
	return err;
}

int maps_read(struct maps *self, pid_t pid)
{
	char path[64];
	FILE *from;
	int err;

	memset(self, 0, sizeof(*self));
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	from = fopen(path, "re");
	if (!from)
		return errno == ENOENT ? -ESRCH : -errno;
	err = maps_parse(self, from);
	if (!err && ferror(from))
		err = -ESRCH; /* it ended while we read */
	fclose(from);
	if (err)
		maps_fini(self);
	return err;
}

void maps_fini(struct maps *self)
{
	for (size_t i = 0; i < self->nr; i++)
		free(self->ranges[i].path);
	free(self->ranges);
	memset(self, 0, sizeof(*self));
}
