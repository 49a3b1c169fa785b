/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.h - where the symbols of a stripped program went
 */
#ifndef GEMBA_SYMBOL_DEBUG_H
#define GEMBA_SYMBOL_DEBUG_H

#include <sys/types.h>

#include "src/symbol/image.h"

/*
 * Opens the separate debug file of a program that process `pid` sees as `path`: by build-id, then
 * by .gnu_debuglink, in the process's own file system first. Returns an fd for the caller to
 * close, -ENOENT: none that belongs to it.
 */
int debug_open(const struct image *program, pid_t pid, const char *path);
/* Unpacks .gnu_debugdata. 0 (then image_close), -ENOENT: it has none, -EBADMSG: damaged. */
int debug_unpack(struct image *out, const struct image *program);

#endif
