/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.h - which processes: by pid, by name, or one that we start
 */
#ifndef GEMBA_ATTACH_TARGET_H
#define GEMBA_ATTACH_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/collect/capture.h"

#define TARGET_MAX_PIDS 64

struct target {
	uint32_t pids[TARGET_MAX_PIDS];
	size_t nr_pids;
	/* a process that we started and that waits for target_go(), else 0 */
	pid_t child;
	char *const *argv; /* what it is to execute, borrowed, else NULL */
	int go_fd;	   /* written: the child executes its command */
	int err_fd;	   /* read: errno of a failed exec, end of file when it worked */
	bool is_held;	   /* it has executed, and waits for target_release() */
};

#define TARGET_WHY_BYTES 512

/*
 * Each leaves in `why` one sentence for the user when it fails: which object, why, what next.
 * -ESRCH no such process; -EINVAL a kernel thread, a thread of a process, ourselves;
 * -ENOTUNIQ more than one match (why holds the list); -errno of fork.
 */
int target_from_pids(struct target *self, const uint32_t *pids, size_t nr, char *why);
int target_from_name(struct target *self, const char *name, bool all, char *why);
int target_from_command(struct target *self, char *const argv[], char *why);

/*
 * Lets a started command execute, and holds it before its first own instruction where that can be
 * (see launch.h), until it is released. -errno of its exec, 0 when it did.
 */
int target_go(struct target *self, bool hold, char *why);
void target_release(struct target *self);
/* True while at least one process of the target lives. */
bool target_is_alive(const struct target *self);
/* The exit status of a started command, once it has ended: code, or 128 + signal; else -1. */
int target_reap(struct target *self, bool wait);
/* A started command that never went is ended; others are left alone. */
void target_fini(struct target *self);

/* What /proc says of the processes now, into capture->targets; what cannot be read stays NULL. */
int target_describe(const struct target *self, struct capture *capture);
/* The same of one of them that has executed another program. */
void target_describe_again(uint32_t pid, struct capture *capture);

#endif
