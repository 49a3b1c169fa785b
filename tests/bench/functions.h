/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * functions.h - the functions of a binary, stripped or not: from its unwind tables
 */
#ifndef GEMBA_BENCH_FUNCTIONS_H
#define GEMBA_BENCH_FUNCTIONS_H

#include <stdint.h>

#include "src/site/site.h"

struct functions {
	struct site_text text; /* the section .text */
	uint8_t *bytes;
	struct range {
		uint64_t vaddr;
		uint64_t size;
	} * list;
	size_t nr;
};

/* 0 or -errno. Functions outside .text are left out. */
int functions_open(struct functions *self, const char *path);
void functions_close(struct functions *self);

#endif
