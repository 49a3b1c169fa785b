/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place_make.h - how places are made, inside src/symbol
 */
#ifndef GEMBA_SYMBOL_PLACE_MAKE_H
#define GEMBA_SYMBOL_PLACE_MAKE_H

#include "src/symbol/binaries.h"

#define PLACE_MAX_CLONES 64

/* The place of a function's first byte. 0, then place_fini; -EBADMSG, -errno of reading. */
int place_make(struct place *self, const struct binary *binary, const struct symbol *symbol,
	       bool with_text);
/* Adds the names of the clones of the symbol. 0 or -ENOMEM. */
int place_add_clones(struct place *self, const struct binary *binary, const struct symbol *symbol);

#endif
