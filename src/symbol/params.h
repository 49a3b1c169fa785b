/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params.h - a path from a function's parameter to a value, by DWARF
 *
 *	order->hdr.seq	 through pointers, members, anonymous members and base classes
 *
 * `.` and `->` mean the same: what is a pointer or a reference is followed.
 */
#ifndef GEMBA_SYMBOL_PARAMS_H
#define GEMBA_SYMBOL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "src/symbol/place.h"

#define PARAMS_MAX_READS 4
#define PARAMS_WHY_BYTES 512

/* Where the value is when the function is entered: an argument's register, then reads. */
struct params_value {
	unsigned int arg;   /* of those that are passed in registers for integers, from 0 */
	unsigned int bytes; /* of the register that count, when nothing is read */
	size_t nr_reads;
	struct params_read {
		int32_t offset;
		unsigned int bytes; /* 1, 2, 4 or 8 */
	} reads[PARAMS_MAX_READS];
};

/*
 * 0; or with a sentence in why[PARAMS_WHY_BYTES]: -ENODATA no DWARF of this function; -ENOENT no
 * such parameter or member, and which there are; -ENOTSUP a value that is no key: wider than 8
 * bytes, a bit field, passed on the stack; -ERANGE too many pointers on the way.
 */
int params_resolve(struct params_value *out, struct binaries *binaries, const struct place *place,
		   const char *path, char *why);

#endif
