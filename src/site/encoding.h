/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * encoding.h - may a probe sit on this instruction? Answered from its raw bytes
 */
#ifndef GEMBA_SITE_ENCODING_H
#define GEMBA_SITE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/site/site.h"

/*
 * Judges one whole instruction. NULL and its class, or what is wrong with it: a clause that
 * follows the instruction's text, "has a VEX prefix, which ...". SITE_NOP_LONG means the form
 * only; whether this kernel emulates it is for the caller to know.
 */
const char *encoding_judge(const uint8_t *bytes, size_t nr, enum site_class *class);
/*
 * True for a near branch whose length depends on who made the CPU (66 without REX.W): what
 * follows it cannot be decoded with certainty.
 */
bool encoding_is_ambiguous(const uint8_t *bytes, size_t nr);
/* Where a direct branch at `bytes` leads, relative to its own first byte. False: it is none.
 * Only the unprefixed forms, `nr` bytes being available, more than the instruction allowed. */
bool encoding_branch(const uint8_t *bytes, size_t nr, int64_t *to);
/* Saves a register that the caller owns: push of rbx, rbp, r12-r15. Its number, or -1. */
int encoding_saved_register(const uint8_t *bytes, size_t nr);

#endif
