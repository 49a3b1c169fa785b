/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind.h - from registers and a copy of the stack to the chain of callers
 *
 * By the unwind tables (.eh_frame) that are part of what runs, stripped or not; where a file has
 * none by the frame pointer, if it leads to code. Neither reads the process.
 */
#ifndef GEMBA_ATTACH_UNWIND_H
#define GEMBA_ATTACH_UNWIND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/attach/sample.h"

#define UNWIND_MAX_FRAMES 64

struct unwinder;

/* Of what process `pid` has mapped now. 0, -ESRCH, -ENOMEM ... */
int unwinder_new(struct unwinder **out, pid_t pid);
void unwinder_free(struct unwinder *self);
/*
 * Addresses in frames[UNWIND_MAX_FRAMES]: where the thread is, then for each caller a byte of its
 * call. The number, at least 1.
 */
size_t unwind(struct unwinder *self, const struct sample *sample, uint64_t *frames);
/* Samples whose chain broke off before the thread's first function, and all. */
void unwinder_quality(const struct unwinder *self, uint64_t *broken, uint64_t *all);

#endif
