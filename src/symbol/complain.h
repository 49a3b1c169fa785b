/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * complain.h - why a PROBE leads nowhere, in words that lead on
 */
#ifndef GEMBA_SYMBOL_COMPLAIN_H
#define GEMBA_SYMBOL_COMPLAIN_H

#include "src/symbol/candidates.h"
#include "src/symbol/spec.h"

/* A message being written into PLACE_WHY_BYTES; what does not fit is cut. */
struct complaint {
	char *why;
	size_t bytes;
};

void complain(struct complaint *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Each writes its message and returns its -errno. */
int complain_no_binary(const struct binaries *binaries, const char *name, char *why);
int complain_not_found(const struct binaries *binaries, const struct spec *spec,
		       const struct candidates *found, char *why);
/* The same of a GLOB, spec->symbol NULL: of all functions. */
int complain_no_match(const struct binaries *binaries, const struct spec *spec,
		      const struct candidates *found, char *why);
int complain_ambiguous(const struct spec *spec, const struct candidates *found, char *why);
int complain_data(const struct candidate *candidate, char *why);
int complain_ifunc(const struct binaries *binaries, const struct candidate *candidate, char *why);
int complain_not_defined(const struct candidate *import, char *why);
int complain_offset(const struct place *place, char *why);
int complain_unread(const struct binary *binary, int err, char *why);

#endif
