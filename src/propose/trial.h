/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial.h - functions stamped as stages for a moment: when an item comes by, and what map they give
 */
#ifndef GEMBA_PROPOSE_TRIAL_H
#define GEMBA_PROPOSE_TRIAL_H

#include "src/attach/target.h"
#include "src/propose/path.h"

#define TRIAL_MAX_STAGES 24
#define TRIAL_NAME_BYTES 65

struct trial_stage {
	char name[TRIAL_NAME_BYTES];
	const char *probe;
	uint32_t cost_ns;    /* of a hit, as the proof found it */
	uint32_t real_ns;    /* the same, no more than the stamps allow; of trial_stamp */
	bool is_braked;	     /* it cost too much and was detached */
	double on_cpu_share; /* of process time; of trial_map */
	uint64_t hits;
};

/*
 * Stamps all stages until so many items of the group were seen, for_ns at most, and tells where in
 * the windows they lie; is_unit: in those that each entry of the one that is entered first begins.
 * 0 or -errno and a sentence in why[PROBE_WHY_BYTES].
 */
int trial_stamp(const struct target *target, struct trial_stage *stages, size_t nr, uint32_t group,
		bool is_unit, uint64_t for_ns, struct path_stage *found, struct path_total *total,
		char *why);

struct trial_map {
	uint64_t process_ns; /* on-CPU time of `receive`, `process` and the stages, of all families */
	uint64_t stages_ns; /* of the stages alone */
	uint64_t items;	    /* finished with an output or without */
	uint64_t lost;
	uint64_t guessed;
};

/* The map that these stages give, as gemba map makes it. The same. */
int trial_run(const struct target *target, struct trial_stage *stages, size_t nr, uint64_t for_ns,
	      struct trial_map *out, char *why);

#endif
