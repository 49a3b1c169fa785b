/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * propose.h - which functions of a live process would make good stages
 *
 * Looks for some seconds: samples the stacks of the threads that receive, counts in the kernel
 * how often the functions found there are entered, stamps the best of them to see in which order
 * and when an item comes by, and makes the map that the outcome gives. Leaves no probe behind.
 */
#ifndef GEMBA_PROPOSE_PROPOSE_H
#define GEMBA_PROPOSE_PROPOSE_H

#include <stdint.h>
#include <stdio.h>

#include "src/attach/target.h"

#define PROPOSE_WHY_BYTES 1280

struct propose_opts {
	uint64_t for_ns; /* of sampling; 0: 2 s. Counting and trying take some 3 s more */
};

/*
 * Writes the evidence as comments (#), a line `-s NAME=BINARY:SYMBOL` for each stage, and a whole
 * command as the last line. 0; or -errno with one sentence in why[PROPOSE_WHY_BYTES]: -EINVAL more
 * than one process, or one that has not begun; -ENOTSUP work moves between threads (Go);
 * -ENODATA nothing to go by; -ENOENT no function fits. What it found out so far is in OUT as
 * comments even so.
 */
int propose_run(const struct propose_opts *opts, const struct target *target, FILE *out, char *why);

#endif
