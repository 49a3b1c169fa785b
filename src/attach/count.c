// SPDX-License-Identifier: BSD-2-Clause
/*
 * count.c - the counting program and its links
 *
 * libbpf 1.1 does not know uprobe_multi: the program is loaded with its attach type by number, and
 * bpf(2) makes the link. Whether the kernel has it is asked with a link that can never be made:
 * no offsets are -EINVAL to both, a path that is no file only to one which knows the type.
 */
#include "src/attach/count.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/attach/uprobe.h"

typedef uint64_t u64;
typedef uint32_t u32;
#include "bpf/key.h"
#include "build/bpf/gemba.skel.h"

#define OTHER_FDS 64

struct spot {
	unsigned int id;
	char *path;
	uint64_t file_offset;
};

struct counter {
	struct gemba_bpf *skel;
	bool is_multi;
	struct spot *spots;
	size_t nr_spots, room;
	int *fds; /* multi: a link for each file */
	struct bpf_link **links;
	size_t nr_fds, nr_links;
};

static int load(struct counter *self, bool is_multi)
{
	int err;

	self->skel = gemba_bpf__open();
	if (!self->skel)
		return -errno;
	for (struct bpf_program *prog = NULL;
	     (prog = bpf_object__next_program(self->skel->obj, prog));)
		bpf_program__set_autoload(prog, false);
	bpf_program__set_autoload(self->skel->progs.on_count, true);
	if (is_multi)
		uprobe_prepare_multi(self->skel->progs.on_count);
	err = gemba_bpf__load(self->skel);
	if (err) {
		gemba_bpf__destroy(self->skel);
		self->skel = NULL;
	}
	return err;
}

int counter_prog_fd(const struct counter *self)
{
	return bpf_program__fd(self->skel->progs.on_count);
}

/* An old kernel says -EINVAL to the attach type before it looks for the file. */
static bool has_multi(const struct counter *self)
{
	const uint64_t zero = 0;

	return uprobe_link_multi(counter_prog_fd(self), "/nonexistent", &zero, &zero, 1, 0) ==
	       -ENOENT;
}

int counter_new(struct counter **out)
{
	struct counter *self = calloc(1, sizeof(*self));
	int err = self ? load(self, true) : -ENOMEM;

	if (!err)
		self->is_multi = has_multi(self);
	if (self && !self->is_multi) {
		if (self->skel)
			gemba_bpf__destroy(self->skel);
		err = load(self, false);
	}
	if (err) {
		counter_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void counter_free(struct counter *self)
{
	if (!self)
		return;
	counter_detach(self);
	if (self->skel)
		gemba_bpf__destroy(self->skel);
	free(self->spots);
	free(self);
}

bool counter_is_multi(const struct counter *self)
{
	return self->is_multi;
}

size_t counter_max(const struct counter *self)
{
	return self->is_multi ? COUNTER_MAX : COUNTER_MAX_SINGLE;
}

int counter_add(struct counter *self, unsigned int id, const char *path, uint64_t file_offset)
{
	struct spot *spot;

	if (self->nr_spots == counter_max(self) || id >= COUNTER_MAX)
		return -ENOSPC;
	if (self->nr_spots == self->room) {
		size_t room = self->room ? 2 * self->room : 64;
		struct spot *spots = reallocarray(self->spots, room, sizeof(*spots));

		if (!spots)
			return -ENOMEM;
		self->spots = spots;
		self->room = room;
	}
	spot = &self->spots[self->nr_spots];
	*spot = (struct spot){ .id = id, .path = strdup(path), .file_offset = file_offset };
	if (!spot->path)
		return -ENOMEM;
	self->nr_spots++;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct spot *)a)->path, ((const struct spot *)b)->path);
}

/* The spots [from, to) are of one file. Cookie 0 is that of everybody who gives none. */
static int attach_file(struct counter *self, size_t from, size_t to, uint32_t pid)
{
	uint64_t *offsets = calloc(2 * (to - from), sizeof(*offsets));
	uint64_t *cookies = offsets + (to - from);
	int fd;

	if (!offsets)
		return -ENOMEM;
	for (size_t i = from; i < to; i++) {
		offsets[i - from] = self->spots[i].file_offset;
		cookies[i - from] = self->spots[i].id + 1;
	}
	fd = uprobe_link_multi(counter_prog_fd(self), self->spots[from].path, offsets, cookies,
			       to - from, pid);
	free(offsets);
	if (fd < 0)
		return fd;
	self->fds[self->nr_fds++] = fd;
	return 0;
}

static int attach_multi(struct counter *self, uint32_t pid)
{
	size_t from = 0;
	int err = 0;

	self->fds = calloc(self->nr_spots, sizeof(*self->fds));
	if (!self->fds)
		return -ENOMEM;
	qsort(self->spots, self->nr_spots, sizeof(*self->spots), by_path);
	for (size_t i = 1; i <= self->nr_spots && !err; i++) {
		if (i < self->nr_spots && !strcmp(self->spots[i].path, self->spots[from].path))
			continue;
		err = attach_file(self, from, i, pid);
		from = i;
	}
	return err;
}

static int attach_single(struct counter *self, uint32_t pid)
{
	self->links = calloc(self->nr_spots, sizeof(*self->links));
	if (!self->links)
		return -ENOMEM;
	for (size_t i = 0; i < self->nr_spots; i++) {
		const struct spot *spot = &self->spots[i];
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = spot->id + 1);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(self->skel->progs.on_count,
									(pid_t)pid, spot->path,
									spot->file_offset, &opts);

		if (!link)
			return -errno;
		self->links[self->nr_links++] = link;
	}
	return 0;
}

int counter_attach(struct counter *self, uint32_t pid)
{
	int err = 0;

	if (self->nr_spots)
		err = self->is_multi ? attach_multi(self, pid) : attach_single(self, pid);
	if (err)
		counter_detach(self);
	return err;
}

void counter_detach(struct counter *self)
{
	for (size_t i = 0; i < self->nr_fds; i++)
		close(self->fds[i]);
	for (size_t i = 0; i < self->nr_links; i++)
		bpf_link__destroy(self->links[i]);
	for (size_t i = 0; i < self->nr_spots; i++)
		free(self->spots[i].path);
	free(self->fds);
	free(self->links);
	self->fds = NULL;
	self->links = NULL;
	self->nr_fds = self->nr_links = self->nr_spots = 0;
}

uint64_t counter_read(const struct counter *self, unsigned int id)
{
	return __atomic_load_n(&self->skel->bss->counters[(id + 1) & COUNTER_MAX],
			       __ATOMIC_RELAXED);
}
