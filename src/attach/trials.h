/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trials.h - the encodings that were tried on this kernel, what they cost, and what follows
 *
 * Choose sites with ->rules, want each of them, run; as long as that tried something, the rules
 * may have changed: choose again.
 */
#ifndef GEMBA_ATTACH_TRIALS_H
#define GEMBA_ATTACH_TRIALS_H

#include "src/attach/proof.h"
#include "src/symbol/place.h"

#define TRIALS_MAX 256	   /* of all runs together */
#define TRIALS_AT_ONCE 64  /* each is a process */
#define TRIALS_EMIT_NS 100 /* what a record costs beyond the proof's run for a stranger */

struct trials {
	struct site_rules rules;
	struct proof proofs[TRIALS_MAX];
	size_t nr;
	struct site wanted[TRIALS_AT_ONCE];
	size_t nr_wanted;
};

/* Nothing is known yet, and the best hoped for. */
void trials_init(struct trials *self);
/* site_choose by these rules, at the place's own offset where it has one. `around` may be empty;
 * `keep`, of enum site_keep, is as it was at the function's start. */
int trials_choose(const struct trials *self, const struct place *place, struct site_text around,
		  uint32_t keep, struct site *out, char *why);
/* The next run shall try this site's encoding, unless it was tried or there is no room. */
void trials_want(struct trials *self, const struct site *site);
/* Tries what is wanted on children of gemba's own. How many, 0: nothing was wanted; or -errno and
 * a sentence in why (PROOF_WHY_BYTES). */
int trials_run(struct trials *self, const struct proof_opts *opts, char *why);
/* What was found out of a site's encoding, NULL: it was not tried. */
const struct proof *trials_of(const struct trials *self, const struct site *site);
/* What a stamped hit of this site costs, 0: not known. */
uint32_t trials_cost_ns(const struct trials *self, const struct site *site);

#endif
