/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.h - samples what receives, then counts what was found on the way of the busiest items
 */
#ifndef GEMBA_PROPOSE_LOOK_H
#define GEMBA_PROPOSE_LOOK_H

#include "src/attach/target.h"
#include "src/propose/choose.h"
#include "src/propose/flows.h"
#include "src/propose/functions.h"

struct look {
	struct flows flows;
	struct path path;
	struct functions functions;
	uint32_t group;	     /* of the items that take most of the time on their way */
	uint64_t sampled_ns; /* how long */
	unsigned int sample_hz;
	uint64_t nr_samples;
	uint64_t nr_lost;
	uint64_t nr_on_way;	     /* of them between a receive of the group and what ends it */
	struct choose_stacks stacks; /* those, as numbers of functions */
	uint64_t nr_unnamed;	     /* of those, with no function of the target that has a name */
	uint64_t nr_broken;	     /* stacks that could not be followed to their end */
	uint64_t nr_items;	     /* of the group while it was sampled */
	size_t nr_found;	     /* functions on the way */
	size_t nr_no_site;	     /* of them without a cheap safe instruction to probe */
	bool is_widened;     /* all functions of the executable were counted: few were sampled */
	bool is_handed_over; /* most is sent by threads that do not receive these items */
	bool has_counts;
	bool is_multi;
	bool is_braked;
	size_t nr_counted;
	unsigned int nr_rounds;
	uint64_t attach_ns; /* of all counters */
	uint64_t detach_ns;
	uint64_t counted_ns;
};

/* Of a target of one process. 0, or -errno and a sentence in why; look_fini in any case. */
int look_run(struct look *self, const struct target *target, uint64_t sample_ns, uint64_t count_ns,
	     char *why);
void look_fini(struct look *self);

#endif
