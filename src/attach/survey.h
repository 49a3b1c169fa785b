/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * survey.h - what can be probed in the target, where exactly, and at what cost
 *
 * Reads the target's files and /proc, and tries instructions on gemba's own children: the target
 * itself is not touched.
 */
#ifndef GEMBA_ATTACH_SURVEY_H
#define GEMBA_ATTACH_SURVEY_H

#include "src/attach/target.h"
#include "src/attach/trials.h"

#define SURVEY_WHY_BYTES PLACE_WHY_BYTES

struct survey_row {
	char *symbol;
	char *demangled; /* NULL: not mangled */
	char *probe;	 /* for -s: leads to this function and no other */
	char *typed;	 /* the same as people read it: demangled where it can be */
	bool is_by_name; /* the probe is; else by address */
	const char *binary, *base, *build_id; /* path, its last part */
	bool is_of_executable;		      /* not of a library */
	uint64_t vaddr;
	struct site site;
	char *refused;	       /* NULL: it can be probed */
	uint32_t cost_ns;      /* of a hit, 0: not known */
	bool is_cost_of_class; /* that of other instructions of the class */
	int inlined_copies;    /* that a probe misses, -1: not known */
	bool has_more_copies;  /* at least: the time was over */
};

struct survey {
	const struct target *target;
	struct binaries *binaries[TARGET_MAX_PIDS];
	struct survey_row *rows; /* by binary and name, those of the executable first */
	size_t nr, room;
	size_t nr_cheap, nr_stepped, nr_refused;
	struct trials trials;
	struct place_code code;		 /* around what is chosen, of one binary after another */
	bool has_code;			 /* false: only functions themselves are looked at */
	uint64_t dwarf_ns;		 /* left to read DWARF */
	bool is_cut;			 /* they were too few */
	bool is_failed;			 /* a row, for lack of memory */
	size_t process;			 /* that is looked at */
	char no_costs[SURVEY_WHY_BYTES]; /* why there are none, or "" */
	char failures[SURVEY_WHY_BYTES]; /* of trials, or "" */
	char unread[SURVEY_WHY_BYTES];	 /* which binaries could not be read, and why, or "" */
};

/*
 * The functions of all processes of the target that GLOB fits, see place_list; each file is told
 * once. 0, or -errno with a sentence in why (SURVEY_WHY_BYTES). The target is borrowed until free.
 */
int survey_new(struct survey **out, const struct target *target, const char *glob, char *why);
void survey_free(struct survey *self);
/* What people call it. */
const char *survey_name(const struct survey_row *row);

#endif
