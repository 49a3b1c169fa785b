// SPDX-License-Identifier: BSD-2-Clause
/*
 * binaries.c - the set of files that a process executes from
 *
 * A file is known by device and inode. Every one is opened at once and kept open: later its name
 * may be gone, or be another file's. Hence the path for others is that of our own descriptor,
 * which leads to the same inode whatever becomes of the process.
 */
#include "src/symbol/binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* By the mapping itself: the right file whatever its name leads to now. Needs capabilities. */
static int open_mapping(pid_t pid, const struct map_range *range)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid, range->start, range->end);
	return open_file(path);
}

/* By name, in the file system as the process sees it, if it is still that file. */
static int open_name(pid_t pid, const struct map_range *range)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, range->path);
	fd = open_file(path);
	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && st.st_dev == range->dev && st.st_ino == range->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

static struct binary *binary_new(pid_t pid, const struct map_range *range)
{
	struct binary *self = calloc(1, sizeof(*self));
	const char *slash;

	if (!self)
		return NULL;
	self->path = strdup(range->path);
	if (!self->path) {
		free(self);
		return NULL;
	}
	slash = strrchr(self->path, '/');
	self->base = slash ? slash + 1 : self->path;
	self->pid = pid;
	self->dev = range->dev;
	self->inode = range->inode;
	self->fd = open_mapping(pid, range);
	if (self->fd < 0) {
		int fd = open_name(pid, range);

		self->fd = fd >= 0 ? fd : self->fd;
	}
	snprintf(self->open_path, sizeof(self->open_path), "/proc/self/fd/%d", self->fd);
	return self;
}

static void binary_free(struct binary *self)
{
	if (self->is_inlined_read)
		inlined_close(&self->inlined);
	table_fini(&self->table);
	if (self->is_image_read && !self->image_err)
		image_close(&self->image);
	if (self->fd >= 0)
		close(self->fd);
	free(self->path);
	free(self);
}

struct binary *binaries_by_file(const struct binaries *self, dev_t dev, ino_t inode)
{
	for (size_t i = 0; i < self->nr; i++)
		if (self->rows[i]->inode == inode && self->rows[i]->dev == dev)
			return self->rows[i];
	return NULL;
}

bool binaries_have(const struct binaries *self, const struct place *place)
{
	const struct binary *binary = binaries_by_file(self, place->dev, place->inode);

	return binary && binary->is_mapped;
}

static int add(struct binaries *self, const struct map_range *range)
{
	struct binary **rows = realloc(self->rows, (self->nr + 1) * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	self->rows = rows;
	rows[self->nr] = binary_new(self->pid, range);
	if (!rows[self->nr])
		return -ENOMEM;
	self->nr++;
	return 0;
}

/* Makes the rows say what the maps say. 1: something is otherwise, 0, or -ENOMEM. */
static int follow(struct binaries *self)
{
	size_t nr_before = self->nr;
	int is_changed = 0;
	bool *was = calloc(nr_before + 1, sizeof(*was));

	if (!was)
		return -ENOMEM;
	for (size_t i = 0; i < nr_before; i++) {
		was[i] = self->rows[i]->is_mapped;
		self->rows[i]->is_mapped = false;
	}
	for (size_t i = 0; i < self->maps.nr; i++) {
		const struct map_range *range = &self->maps.ranges[i];
		struct binary *binary = binaries_by_file(self, range->dev, range->inode);

		if (!binary && add(self, range)) {
			free(was);
			return -ENOMEM;
		}
		binary = binary ? binary : self->rows[self->nr - 1];
		binary->is_mapped = true;
		binary->is_deleted = range->is_deleted;
	}
	for (size_t i = 0; i < self->nr; i++)
		is_changed |= i >= nr_before || was[i] != self->rows[i]->is_mapped;
	free(was);
	return is_changed;
}

int binaries_refresh(struct binaries *self)
{
	struct maps maps;
	int err = maps_read(&maps, self->pid);

	if (err)
		return err;
	if (!maps.nr) { /* a process that ended has empty maps until it is reaped */
		maps_fini(&maps);
		return -ESRCH;
	}
	maps_fini(&self->maps);
	self->maps = maps;
	return follow(self);
}

static int explain_open(int err, pid_t pid, char *why)
{
	if (err == -ESRCH)
		snprintf(why, PLACE_WHY_BYTES, "process %d is gone, or executes no file", pid);
	else
		snprintf(why, PLACE_WHY_BYTES, "cannot read /proc/%d/maps: %s%s", pid,
			 strerror(-err),
			 err == -EACCES || err == -EPERM ? "; run gemba as root" : "");
	return err;
}

int binaries_open(struct binaries **out, pid_t pid, char *why)
{
	struct binaries *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return explain_open(-ENOMEM, pid, why);
	self->pid = pid;
	err = binaries_refresh(self);
	if (err < 0) {
		binaries_free(self);
		return explain_open(err, pid, why);
	}
	*out = self;
	return 0;
}

void binaries_free(struct binaries *self)
{
	if (!self)
		return;
	for (size_t i = 0; i < self->nr; i++)
		binary_free(self->rows[i]);
	free(self->rows);
	maps_fini(&self->maps);
	free(self);
}

enum binary_fit binaries_fit(const struct binaries *self, const char *name)
{
	enum binary_fit best = BINARY_UNFIT;

	for (size_t i = 0; i < self->nr; i++) {
		enum binary_fit fit = binary_fit(self->rows[i], name);

		if (self->rows[i]->is_mapped && fit > best)
			best = fit;
	}
	return best;
}
