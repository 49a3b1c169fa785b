/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - how often functions are entered, counted in the kernel in rounds, within a budget
 *
 * A function that is entered hundreds of times for an item would cost the target more than all the
 * others together. So a round ends when it has used its share of the budget (a tenth of a core over
 * the whole time), what is entered too often is left out, and the next round counts the rest.
 *
 * Life cycle: init, begin, tick until it says that it is over, end.
 */
#ifndef GEMBA_PROPOSE_TALLY_H
#define GEMBA_PROPOSE_TALLY_H

#include "src/propose/flows.h"
#include "src/propose/functions.h"
#include "src/propose/path.h"

struct tally {
	struct functions *functions;
	struct counter *counter;
	struct path *path;
	struct flows *flows;
	uint32_t group; /* whose items are counted */
	uint32_t pid;
	uint64_t for_ns;
	uint64_t begin_ns, end_ns; /* of all rounds; 0: not yet */
	uint64_t round_ns;	   /* where this round's counts begin, and end: 0: it goes on */
	uint64_t close_ns;
	uint64_t spent_ns;  /* of the target's time, in all rounds before this */
	uint64_t attach_ns; /* what the first attach took */
	uint64_t detach_ns; /* and the last detach */
	size_t nr_attached; /* in this round */
	size_t nr_first;    /* in the first */
	unsigned int nr_rounds;
	bool is_braked; /* the budget was used up before the time */
	bool is_last;
	uint64_t *before; /* a row's count at round_ns */
	uint64_t *after;  /* and at close_ns */
	bool *is_in;	  /* a row that is counted in this round */
};

/* All borrowed. Counts the functions that are proved and no library's. 0 or -errno. */
int tally_begin(struct tally *self);
/*
 * All events before seen_ns are in the path. 1: it goes on, 0: it is over and nothing is attached
 * any more, -errno: the same.
 */
int tally_tick(struct tally *self, uint64_t seen_ns);
void tally_fini(struct tally *self);

#endif
