/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * escape.h - text of unknown origin (names of processes, tags, paths) made fit to be shown
 */
#ifndef GEMBA_RENDER_ESCAPE_H
#define GEMBA_RENDER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes one code point off *text, which must not be at its end. False: the byte taken begins
 * no valid UTF-8 (overlong forms, surrogates and what lies past U+10FFFF are none); *code is
 * that byte then.
 */
bool utf8_next(const char **text, uint32_t *code);
/* Terminal columns of a code point, 1 or 2; 0: one not to be shown as it is. */
unsigned int utf8_columns(uint32_t code);

/*
 * A copy that is safe to print, at most `columns` wide and cut with an ellipsis where it does
 * not fit: controls and invalid bytes as \xNN, characters without a certain width or direction
 * as \u{NNNN}, without is_utf8 every other non-ASCII character as `?`. NULL is "-". Returns the
 * width. out holds at least 4 * columns + 1 bytes.
 */
unsigned int escape_text(char *out, const char *text, unsigned int columns, bool is_utf8);

#endif
