/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifunc.h - which implementation a process chose when it started
 */
#ifndef GEMBA_SYMBOL_IFUNC_H
#define GEMBA_SYMBOL_IFUNC_H

#include "src/symbol/binaries.h"

/*
 * The function that stands behind an IFUNC of a binary, from the tables that its callers jump
 * through. 0 and *vaddr, an address of the same binary; -ENOENT: nobody calls it so, or it was
 * not called yet, or the memory of the process may not be read.
 */
int ifunc_in_use(const struct binaries *binaries, const struct binary *binary,
		 const struct symbol *symbol, uint64_t *vaddr);

#endif
