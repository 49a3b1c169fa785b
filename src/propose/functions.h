/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * functions.h - the functions of one process that may become stages, and where to probe them
 *
 * Life cycle: new, functions_at for what was sampled, functions_add_all for what was not,
 * functions_place for those that are wanted, functions_prove before any of them is probed.
 */
#ifndef GEMBA_PROPOSE_FUNCTIONS_H
#define GEMBA_PROPOSE_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/attach/count.h"
#include "src/site/site.h"
#include "src/symbol/place.h"

#define FUNCTIONS_NONE UINT32_MAX

struct function {
	const char *binary; /* of the table of binaries */
	const char *open_path;
	char *symbol;
	char *demangled; /* or NULL */
	char *probe;	 /* PROBE text that finds it again; NULL: not placed */
	uint64_t vaddr;
	uint64_t site_at; /* in the file */
	struct site site;
	bool is_placed; /* site and probe are known, and the site is cheap */
	bool is_proved;
	bool is_library;    /* the C library's or the like: nobody's stage */
	uint32_t cost_ns;   /* of a hit */
	uint64_t inclusive; /* samples of an item's way with it on the stack */
	uint64_t receiving; /* samples of a receive with it on the stack */
	uint64_t twice;	    /* samples with it on the stack twice */
	uint64_t count;	    /* entries in the kernel's count, and the receives and items since */
	uint64_t reads;
	uint64_t items;
	bool is_counted;
	uint32_t inner; /* the row that is probed in its place, for it does no more than call that */
};

struct functions {
	pid_t pid;
	char called[64]; /* as which the program was started */
	struct binaries *binaries;
	struct function *rows;
	size_t nr, room;
	uint32_t *heads; /* by address in the process, to rows; FUNCTIONS_NONE - 1: no function */
	uint64_t *addresses;
	size_t nr_known, nr_heads;
	struct site_rules rules;
};

/* 0, or -errno and a sentence in why[PLACE_WHY_BYTES]; functions_fini. */
int functions_init(struct functions *self, pid_t pid, char *why);
void functions_fini(struct functions *self);
/* The row of the function with this address, or FUNCTIONS_NONE. */
uint32_t functions_at(struct functions *self, uint64_t address);
/* Adds and places functions of the executable that are not there, at most `max`. */
int functions_add_all(struct functions *self, size_t max, char *why);
/*
 * Adds and places the functions that this one calls or jumps to by their address, but libraries'
 * and those that were seen to receive. 0 or -ENOMEM.
 */
int functions_add_callees(struct functions *self, uint32_t row);
/* The only function that this one calls, if it is so short that it does nothing else; or NONE. */
uint32_t functions_wrapped_by(struct functions *self, uint32_t row);
/* Finds site and PROBE text; is_placed stays false where no cheap safe site is. 0 or -ENOMEM. */
int functions_place(struct functions *self, uint32_t row);
/* Proves the sites of all that are placed; is_proved and cost_ns of those that pass. */
int functions_prove(struct functions *self, const struct counter *counter, char *why);

#endif
