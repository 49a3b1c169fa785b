/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stages.h - the functions of the target that are stamped: found, proved, attached, braked
 *
 * Life cycle: new (touches gemba's own children only), attach, look_again and brake while it
 * runs, finish, free. What is found out goes into capture->stages, whose names and probes say
 * what is wanted.
 */
#ifndef GEMBA_ATTACH_STAGES_H
#define GEMBA_ATTACH_STAGES_H

#include "src/attach/probe.h"
#include "src/attach/target.h"

struct stages;

/*
 * Finds every stage in the processes of `target`, chooses where to probe it and proves those
 * instructions. All but a command that has not begun must have each stage in one process at
 * least. 0, or -errno with a sentence in why (PROBE_WHY_BYTES). All are borrowed until free.
 */
int stages_new(struct stages **out, struct probe *probe, const struct target *target,
	       struct capture *capture, char *why);
/* 0, or -errno with a sentence in why: then nothing is left attached. */
int stages_attach(struct stages *self, char *why);
/* From when on the functions may have been called unseen, and what happened then; 0: never. */
struct stages_since {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	const char *what;
};

/*
 * The target may have mapped or executed something: attaches what could not be found before.
 * Bit n of the answer: stage n is attached now, and was not before.
 */
uint64_t stages_look_again(struct stages *self, const struct stages_since *since);
/*
 * Once in 100 ms of CLOCK_MONOTONIC: a stage whose hits cost more than a tenth of a core since
 * the last time is detached for good. Its number, or -1; call it until it says -1.
 */
int stages_brake(struct stages *self, uint64_t now_ns);
/* True: none is wanted that is not attached. */
bool stages_are_complete(const struct stages *self);
/* Detaches all; the target's bytes are its file's again. Counts the hits into the capture. */
void stages_finish(struct stages *self);
void stages_free(struct stages *self);

#endif
