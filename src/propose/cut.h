/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut.h - one way of cutting the work on an item into stages: which unit of it, and by whom
 *
 * Life cycle: cut_make, which stamps and chooses; cut_try, which makes the map; nothing to free.
 */
#ifndef GEMBA_PROPOSE_CUT_H
#define GEMBA_PROPOSE_CUT_H

#include "src/propose/choose.h"
#include "src/propose/look.h"
#include "src/propose/trial.h"

/* Of received items; of units, entries of one in an item. */
#define CUT_RECEIVED 1.0

struct cut {
	double per_item;		 /* units in a received item, or CUT_RECEIVED */
	uint32_t rows[TRIAL_MAX_STAGES]; /* of look.functions, the stages that are stamped */
	struct trial_stage stages[TRIAL_MAX_STAGES];
	struct path_stage found[TRIAL_MAX_STAGES];
	struct path_total total;
	size_t nr;
	struct choice choices[TRIAL_MAX_STAGES];
	size_t picked[CHOOSE_MAX];
	size_t nr_picked;
	double worth; /* in stages of equal length */
	struct trial_stage chosen[CHOOSE_MAX];
	struct trial_map map;
	bool has_end_mark; /* the last stage holds nothing, but ends the one before it */
};

/* Whether its windows begin at entries of its first stage rather than at receives. */
bool cut_is_unit(const struct cut *self);
const char *cut_name_of(const struct function *row);
double cut_per_item(const struct function *row);

/*
 * Leaves out of `rows`, numbers of functions, those that do nothing but call another of them, and
 * sorts what stays: on most stacks first. Returns how many stay.
 */
size_t cut_unwrap(struct functions *functions, uint32_t *rows, size_t nr);

/*
 * Stamps as many of the first rows as may be, and chooses of them; nr is 0 where so few could be
 * that nothing was stamped, nr_picked 0 where none of them fits. per_item is set, the rest zero.
 * 0 or -errno and a sentence in why.
 */
int cut_make(struct cut *self, struct look *look, const struct target *target, const uint32_t *rows,
	     size_t nr, char *why);

/* The map of what is chosen; then with finer stages, while too little of it is theirs. The same. */
int cut_try(struct cut *self, const struct look *look, const struct target *target, char *why);
int cut_try_finer(struct cut *self, const struct look *look, const struct target *target,
		  char *why);
/* Of process time, what the stages hold. */
double cut_share(const struct cut *self);
/*
 * Takes out stages but the first that hold next to nothing: what they have is the stage's before
 * them. The last of those stays where nothing is sent and so nothing else ends that stage: the map
 * without it is made to see. 0 or -errno and a sentence in why.
 */
int cut_drop_idle(struct cut *self, const struct look *look, const struct target *target,
		  char *why);

#endif
