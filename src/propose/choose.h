/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choose.h - which functions cut an item's way into stages. Pure
 */
#ifndef GEMBA_PROPOSE_CHOOSE_H
#define GEMBA_PROPOSE_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHOOSE_MAX 8

/* A function as it was seen in the windows of items. */
struct choice {
	uint64_t offset_ns; /* from receiving to its first entry, mean */
	uint64_t order_ns;  /* the same with the probes' own time in it: rows go by this */
	double presence;    /* share of items that enter it */
	double per_item;    /* entries in an item */
	double inside;	    /* share of its entries that lie within an item's way */
	uint32_t cost_ns;   /* of its probe */
	uint64_t weight;    /* between equals the greater one: samples with it on the stack */
};

#define CHOOSE_END UINT32_MAX

/* Stacks: the numbers of the rows on one, then CHOOSE_END; nr counts both. */
struct choose_stacks {
	uint32_t *rows;
	size_t nr;
};

/* NULL: it can be a stage; else why not, a clause after its name. */
const char *choice_refuse(const struct choice *self);

/*
 * Numbers of at most CHOOSE_MAX rows, in the order in which an item comes by, of those that can be
 * stages. The first, the entry stage, is the one that is entered first; the others cut what
 * follows, until whole_ns, as evenly as can be, each stage being longer than min_costs times
 * its probe's cost. Returns how many, 0 when there is none.
 */
size_t choose(const struct choice *rows, size_t nr, uint64_t whole_ns, double min_costs,
	      size_t picked[CHOOSE_MAX]);

/* How many stages of equal length say as much as these: 1 to nr_picked. */
double choose_worth(const struct choice *rows, const size_t *picked, size_t nr_picked,
		    uint64_t whole_ns);

/*
 * A picked row that is on the stacks of other stages too, such as a loop that calls one after the
 * other, says little: puts in its place the first that begins and ends with the stage and is on no
 * others, entered within a probe's cost after it, and on most stacks that were seen while
 * it was the stage.
 */
void choose_inner(const struct choice *rows, size_t nr, const struct choose_stacks *stacks,
		  size_t *picked, size_t nr_picked);

#endif
