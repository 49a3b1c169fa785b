/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_get.h - values out of a JSON document that nobody vouches for
 *
 * A struct get stands on one value of the document and knows the way to it. The first thing
 * that is wrong is remembered in `why` and `err`; from then on everything reads as empty, so
 * that callers ask once, at the end. An absent field is null, and null is the empty value.
 */
#ifndef GEMBA_RENDER_JSON_GET_H
#define GEMBA_RENDER_JSON_GET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GET_WHY_BYTES 160
#define GET_MAX_DEPTH 16

struct get {
	const json_t *at[GET_MAX_DEPTH]; /* the way: the document first */
	const char *key[GET_MAX_DEPTH];	 /* by which it was entered, NULL: by index */
	size_t index[GET_MAX_DEPTH];
	unsigned int depth;
	int err;
	char *why;
};

void get_init(struct get *self, const json_t *document, char why[GET_WHY_BYTES]);

/* Notes that the value `key` (NULL: the one it stands on) is wrong; keeps the first. */
void get_fail(struct get *self, const char *key, const char *what);
void get_no_memory(struct get *self);
/* Zeroed; NULL when nr is 0, and when there is no memory, which is noted. */
void *get_allocate(struct get *self, size_t nr, size_t bytes);

/* Into the object or array `key`; false, and not entered, when absent, null or wrong. Every
 * true is paired with get_leave(). */
bool get_enter(struct get *self, const char *key);
/* Into an array of at most max elements, whose number goes to *nr. */
bool get_enter_array(struct get *self, const char *key, size_t max, size_t *nr);
/* Into an element, which must be an object. */
bool get_enter_element(struct get *self, size_t index);
void get_leave(struct get *self);

bool get_has(const struct get *self, const char *key); /* and it is not null */
bool get_bool(struct get *self, const char *key);
uint64_t get_u64(struct get *self, const char *key);
uint64_t get_u64_or(struct get *self, const char *key, uint64_t null);
uint64_t get_u64_max(struct get *self, const char *key, uint64_t max);
double get_real(struct get *self, const char *key); /* null: NAN */
/* Borrowed; NULL for null. */
const char *get_borrowed(struct get *self, const char *key);
/* malloc'd, or NULL. */
char *get_text(struct get *self, const char *key);
/* The same, and null is wrong. */
char *get_needed_text(struct get *self, const char *key);
/* malloc'd strings of an array; *nr counts those that can be freed. */
char **get_texts(struct get *self, const char *key, size_t max, size_t *nr);
/* Exactly nr integers into out; null becomes `null`. */
void get_u64s(struct get *self, const char *key, uint64_t *out, size_t nr, uint64_t null);

/* A name of a table of nr; wrong when it is none of them. Absent: 0. */
size_t get_name(struct get *self, const char *key, const char *(*name)(size_t), size_t nr);

#endif
