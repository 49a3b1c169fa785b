/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hint.h - functions whose names are near one that does not exist
 */
#ifndef GEMBA_SYMBOL_HINT_H
#define GEMBA_SYMBOL_HINT_H

#include "src/symbol/binaries.h"

#define HINTS_MAX 4
#define HINT_BYTES 256

struct hints {
	struct hint {
		char text[HINT_BYTES];
		unsigned int distance;
	} rows[HINTS_MAX]; /* the nearest first */
	size_t nr;
};

/* The nearest of all functions of the mapped binaries that fit `binary` (NULL: of all). */
void hints_find(struct hints *self, const struct binaries *binaries, const char *binary,
		const char *name);

#endif
