/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name.h - names of functions: versions, clones, and what people call them
 */
#ifndef GEMBA_SYMBOL_NAME_H
#define GEMBA_SYMBOL_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_ROOM 4096 /* a longer demangled name stays mangled */

/* Bytes before a version: of "memcpy@@GLIBC_2.14" those of "memcpy". */
size_t name_bytes(const char *name);
/* Bytes before what the compiler added for a clone: of "f.part.0.cold" those of "f". */
size_t name_base_bytes(const char *name, size_t bytes);
/* Whether the name (of so many bytes) is that of a part out of line: "f.cold", "f.cold.2". */
bool name_is_cold(const char *name, size_t bytes);

enum name_form {
	NAME_ALONE,	/* ns::max<int> */
	NAME_PARAMS,	/* ns::max<int>(int, int) */
	NAME_SIGNATURE, /* int ns::max<int>(int, int) */
};

/* Whether it is mangled at all, by its first letters. */
bool name_is_mangled(const char *name);
/* Demangles the C++ or Rust name of so many bytes. False, to[] empty: it is none, or too long. */
bool name_demangle(const char *name, size_t bytes, enum name_form form, char to[NAME_ROOM]);
/* Without the arguments of templates and ABI tags: ns::max. In place. */
void name_strip_templates(char *name);
/* Without a list of parameters and what follows it, in place; false: it has none. */
bool name_strip_params(char *name);
/* Equal but for blanks. */
bool name_equals(const char *a, const char *b);
/*
 * The longest identifier of a demangled name that must stand literally in its mangled form;
 * false: none is certain to.
 */
bool name_literal(const char *name, const char **literal, size_t *bytes);
/* What stands behind the last "::" or "." of a qualified name. */
const char *name_last_part(const char *name);

#endif
