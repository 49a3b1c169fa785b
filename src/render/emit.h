/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emit.h - JSON, written as it comes: objects and arrays opened, filled and closed
 *
 * key is NULL inside an array. What is opened flat stays on one line with all that is in it.
 */
#ifndef GEMBA_RENDER_EMIT_H
#define GEMBA_RENDER_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct emit {
	FILE *out;
	unsigned int depth;
	unsigned int flat_depth; /* 0: not within something flat */
	bool is_begun;		 /* the innermost open one has a member */
};

void emit_open(struct emit *self, const char *key, char bracket);
void emit_open_flat(struct emit *self, const char *key, char bracket);
void emit_close(struct emit *self, char bracket);

void emit_null(struct emit *self, const char *key);
void emit_bool(struct emit *self, const char *key, bool value);
void emit_u64(struct emit *self, const char *key, uint64_t value);
/* null when value is the one that means it. */
void emit_u64_or_null(struct emit *self, const char *key, uint64_t value, uint64_t null);
/* NAN: null. */
void emit_real(struct emit *self, const char *key, double value);
/* NULL: null. Bytes that are no UTF-8 become the four characters \xNN, as the text map shows
 * them. */
void emit_text(struct emit *self, const char *key, const char *text);
/* An array of integers, on one line. */
void emit_u64s(struct emit *self, const char *key, const uint64_t *values, size_t nr);

#endif
