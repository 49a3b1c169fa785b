/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key.h - KEYEXPR: what names an item where a function of the target is entered
 *
 *	argN[->MEMBER...] | NAME[->MEMBER...] | uN[be](KEYEXPR[+OFFSET|-OFFSET])	N of uN: 8, 16, 32, 64
 *
 * A parsed key does not know yet in which registers its function gets its arguments, nor what its
 * parameters' names mean: for that DWARF is asked (src/symbol/params.h), and key_follow told.
 */
#ifndef GEMBA_KEY_KEY_H
#define GEMBA_KEY_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/key.h"

#define KEY_WHY_BYTES 256
#define KEY_PATH_BYTES 256

struct key {
	char path[KEY_PATH_BYTES]; /* of a parameter, to be resolved; "" for argN */
	unsigned int arg;
	unsigned int arg_bytes; /* that count of it, if nothing is read */
	unsigned int nr_reads;
	struct gemba_key_read reads[GEMBA_KEY_MAX_READS]; /* the innermost first */
};

/* 0; -EINVAL, -ERANGE or -ENOTSUP with a sentence in why[KEY_WHY_BYTES] that names the place. */
int key_parse(struct key *self, const char *text, char *why);
/*
 * What the path came to: an argument, and reads before those that the text has. 0, or -ERANGE with
 * a sentence: they are too many.
 */
int key_follow(struct key *self, unsigned int arg, unsigned int arg_bytes,
	       const struct gemba_key_read *reads, size_t nr_reads, char *why);
/*
 * The program for a function of the System V ABI (x86-64 psABI 3.2.3) or of Go's (ABIInternal,
 * since 1.17). 0, or -ERANGE with a sentence: that argument is in no register.
 */
int key_place(const struct key *self, bool is_go, struct gemba_key *out, char *why);

#endif
