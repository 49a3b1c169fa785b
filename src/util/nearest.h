/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nearest.h - "did you mean": the known name that is closest to a mistyped one
 */
#ifndef GEMBA_UTIL_NEAREST_H
#define GEMBA_UTIL_NEAREST_H

struct nearest {
	const char *given;
	const char *best; /* NULL: nothing is near enough */
	unsigned int distance;
};

/* Begins a search; names are then offered one by one and must outlive it. */
void nearest_init(struct nearest *self, const char *given);
/* Near: at most two letters added, left out, changed or swapped, and fewer than half. */
void nearest_offer(struct nearest *self, const char *name);

#endif
