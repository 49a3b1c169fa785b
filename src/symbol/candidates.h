/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * candidates.h - every symbol that somebody may have meant
 */
#ifndef GEMBA_SYMBOL_CANDIDATES_H
#define GEMBA_SYMBOL_CANDIDATES_H

#include "src/symbol/binaries.h"

/* What a symbol is worth to who asks for its name; only the best that occur are kept. */
enum candidate_class {
	CANDIDATE_FUNCTION, /* IFUNC included */
	CANDIDATE_OLD,	    /* for programs linked long ago, or for the dynamic linker alone */
	CANDIDATE_CLONE,    /* a copy that the compiler made of it */
	CANDIDATE_COLD,	    /* its part out of line */
	CANDIDATE_DATA,
	CANDIDATE_IMPORT,
};

struct candidate {
	struct binary *binary;
	const struct symbol *symbol;
	enum candidate_class class;
};

struct candidates {
	struct candidate *rows;
	size_t nr, room;
	/* the last of the binaries that could not be read, and why */
	struct binary *unread;
	int unread_err;
};

/*
 * Collects from all mapped binaries that fit `binary` (NULL: all) those that `symbol` names:
 * plainly, else demangled, else demangled without template arguments. One is left for each
 * address, and of the best class only. 0, with perhaps none found, or -ENOMEM; candidates_fini.
 */
int candidates_collect(struct candidates *self, const struct binaries *binaries, const char *binary,
		       const char *symbol);
/*
 * Where all are one symbol that several binaries export, moves the one that the dynamic linker
 * binds to to the front: true. False: they are not, or it binds to none of them at the start.
 */
bool candidates_bind(struct candidates *self, const struct binaries *binaries);
/* Whether somebody who says `name` may mean this mangled name (of so many bytes). */
bool candidates_fits(const char *mangled, size_t bytes, const char *name);
void candidates_fini(struct candidates *self);

#endif
