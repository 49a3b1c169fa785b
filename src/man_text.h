/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * man_text.h - the prose of gemba(1), in mdoc(7)
 */
#ifndef GEMBA_MAN_TEXT_H
#define GEMBA_MAN_TEXT_H

extern const char man_description[];
extern const char man_arguments[];
extern const char man_stages[];
extern const char man_conditions[];
extern const char man_definitions[];
extern const char man_rest[];

#endif
