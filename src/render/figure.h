/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figure.h - numbers as the text map and the JSON print them
 *
 * A figure is short text by value, to be used within one expression: figure_time(ns).s. The
 * forms of the text map have three digits and fit seven columns; what is not known is "-".
 * Nothing here depends on the locale.
 */
#ifndef GEMBA_RENDER_FIGURE_H
#define GEMBA_RENDER_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

struct figure {
	char s[32];
};

/* 950ns 12.3us 1.24ms 3.50s 2.10h 41.7d */
struct figure figure_time(uint64_t ns);
/* 1 234 567 */
struct figure figure_count(uint64_t count);
/* 999 1.23k 12.3M */
struct figure figure_short(uint64_t count);
/* Of a mean of things: 0 0.02 12.4 1.23k */
struct figure figure_level(double mean);
/* 0.52/s 20 006/s 1.23M/s */
struct figure figure_rate(double hz);
/* 12.3k/s: never more than seven columns */
struct figure figure_short_rate(double hz);
/* Of a ratio, in per cent: 32.1 %. What is not all is never shown as 100 %, what is not
 * nothing never as 0 %. */
struct figure figure_ratio(double ratio);
/* 8.10MB, of 1000 */
struct figure figure_bytes(uint64_t bytes);

/* The JSON number: at most six significant digits. NAN and infinity: "null". */
struct figure figure_real(double value);
/* What a reader of figure_real() gets; every form above passes its number through this first,
 * so that a map read back prints the same. */
double figure_round(double value);

/* RFC 3339, UTC, nine decimals: 2026-11-14T09:30:00.123456789Z */
struct figure figure_instant(uint64_t wall_ns);
/* Back; an offset other than Z is refused. */
bool figure_parse_instant(const char *text, uint64_t *wall_ns);

#endif
