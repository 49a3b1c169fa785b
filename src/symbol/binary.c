// SPDX-License-Identifier: BSD-2-Clause
/*
 * binary.c - one mapped file: its headers, its symbols, its name
 *
 * Symbols come from .symtab; where that was stripped, from the separate debug file, or else
 * from .gnu_debugdata, and for Go from what its runtime keeps. .dynsym is always added: it knows
 * which versions are old. All these speak of one address space, that of the program.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/symbol/binaries.h"
#include "src/symbol/debug.h"
#include "src/symbol/golang.h"

int binary_read(struct binary *self)
{
	if (self->is_image_read)
		return self->image_err;
	self->is_image_read = true;
	self->image_err = self->fd < 0 ? self->fd : image_open(&self->image, self->fd);
	if (self->image_err)
		return self->image_err;
	image_build_id(&self->image, self->build_id);
	self->is_go = image_is_go(&self->image);
	return 0;
}

/* From the debug file, if there is one and it has a .symtab. */
static int add_separate(struct binary *self)
{
	int fd = debug_open(&self->image, self->pid, self->path);
	struct image image;
	int err;

	if (fd < 0)
		return fd;
	err = image_open(&image, fd);
	if (!err) {
		err = table_add(&self->table, &self->image, &image, SHT_SYMTAB);
		image_close(&image);
	}
	close(fd);
	return err;
}

static int add_packed(struct binary *self)
{
	struct image image;
	int err = debug_unpack(&image, &self->image);

	if (!err) {
		err = table_add(&self->table, &self->image, &image, SHT_SYMTAB);
		image_close(&image);
	}
	return err;
}

static int build_table(struct binary *self)
{
	int err = table_add(&self->table, &self->image, &self->image, SHT_SYMTAB);

	if (err && err != -ENOMEM)
		err = add_separate(self);
	if (err && err != -ENOMEM)
		err = add_packed(self);
	if (err && err != -ENOMEM)
		err = golang_add(&self->table, &self->image);
	self->has_all_symbols = !err;
	if (err != -ENOMEM)
		err = table_add(&self->table, &self->image, &self->image, SHT_DYNSYM);
	if (err != -ENOMEM)
		err = table_finish(&self->table);
	return err;
}

int binary_load(struct binary *self)
{
	if (self->is_table_built)
		return self->table_err;
	self->is_table_built = true;
	self->table_err = binary_read(self);
	if (!self->table_err)
		self->table_err = build_table(self);
	if (!self->table_err && !self->table.nr && self->image.is_damaged)
		self->table_err = -EBADMSG;
	if (self->table_err)
		table_fini(&self->table);
	return self->table_err;
}

static bool is_end_of_path(const char *path, const char *name)
{
	size_t path_bytes = strlen(path), bytes = strlen(name);

	if (bytes > path_bytes || strcmp(path + path_bytes - bytes, name) != 0)
		return false;
	return bytes == path_bytes || *name == '/' || path[path_bytes - bytes - 1] == '/';
}

/* Whether the name is a link to it: redis-server to redis-check-rdb, libm.so to libm.so.6. */
static bool is_link_to(const struct binary *self, const char *name)
{
	struct stat mine, found;
	char path[PATH_MAX];
	int dir_bytes = (int)(self->base - self->path), n;

	if (self->fd < 0 || (strchr(name, '/') && *name != '/'))
		return false;
	n = snprintf(path, sizeof(path), "/proc/%d/root%.*s%s", self->pid,
		     *name == '/' ? 0 : dir_bytes, self->path, name);
	return n < (int)sizeof(path) && !stat(path, &found) && !fstat(self->fd, &mine) &&
	       mine.st_ino == found.st_ino && mine.st_dev == found.st_dev;
}

enum binary_fit binary_fit(const struct binary *self, const char *name)
{
	size_t bytes = strlen(name);

	if (!bytes)
		return BINARY_UNFIT;
	if (is_end_of_path(self->path, name))
		return BINARY_EXACT;
	if (is_link_to(self, name))
		return BINARY_LINK;
	if (!strncmp(self->base, name, bytes) && strchr(".-", self->base[bytes]))
		return BINARY_PREFIX;
	return BINARY_UNFIT;
}
