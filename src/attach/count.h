/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * count.h - counts in the kernel how often functions of one process are entered
 *
 * Life cycle: new, add every place, attach, read as often as wanted, detach (attach again with
 * other places), free. Through one uprobe_multi link for each file where the kernel has them,
 * else through a perf event for each place, which attaches and detaches slowly: fewer, then.
 */
#ifndef GEMBA_ATTACH_COUNT_H
#define GEMBA_ATTACH_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTER_MAX 8191
#define COUNTER_MAX_SINGLE 64 /* without uprobe_multi */

struct counter;

/* 0, or -errno: the kernel refuses the program (-EPERM, -EINVAL, -ENOMEM ...). */
int counter_new(struct counter **out);
/* Detaches as well. NULL is fine. */
void counter_free(struct counter *self);
/* Whether it attaches through uprobe_multi, found by trying. */
bool counter_is_multi(const struct counter *self);
size_t counter_max(const struct counter *self);
/* The program, for a proof of the sites; a run of it counts into a counter that nobody reads. */
int counter_prog_fd(const struct counter *self);

/*
 * Counts what enters `file_offset` of the file at `path` under the number `id`, below COUNTER_MAX;
 * the caller has made sure that a probe there does no harm. Takes effect with attach.
 * 0, -ENOSPC or -ENOMEM.
 */
int counter_add(struct counter *self, unsigned int id, const char *path, uint64_t file_offset);
/* All that were added, in process `pid`. 0 or -errno, and then nothing is attached. */
int counter_attach(struct counter *self, uint32_t pid);
/* The bytes are the file's again; what was added is forgotten, the counts are kept. */
void counter_detach(struct counter *self);
/* Entries so far. */
uint64_t counter_read(const struct counter *self, unsigned int id);

#endif
