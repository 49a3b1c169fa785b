/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loaded.h - where the binaries of a process lie in its memory, and in which order they are asked
 *
 * Only reads the process, and needs the right to.
 */
#ifndef GEMBA_SYMBOL_LOADED_H
#define GEMBA_SYMBOL_LOADED_H

#include "src/symbol/binaries.h"

/* What must be added to an address of the binary to have that of the process. 0 or -ENOENT. */
int loaded_bias(const struct binaries *binaries, const struct binary *binary, uint64_t *bias);
/* Copies memory of the process. 0, or -ENOENT: it is not there, or may not be read. */
int loaded_read(const struct binaries *binaries, uint64_t at, void *to, size_t bytes);
/* The binary that the process was started with, or NULL. */
struct binary *loaded_main(const struct binaries *binaries);

/*
 * The binaries in the order in which the dynamic linker looks for a symbol: the executable, what
 * LD_PRELOAD names, and breadth-first what these need. What dlopen() added later is left out. 0,
 * *out is malloc'd; -ENOENT: the executable is not known; -ENOMEM.
 */
int loaded_order(const struct binaries *binaries, struct binary ***out, size_t *nr);

#endif
