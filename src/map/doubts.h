/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doubts.h - every reason not to believe a figure, said in the map
 */
#ifndef GEMBA_MAP_DOUBTS_H
#define GEMBA_MAP_DOUBTS_H

#include "src/map/vsm.h"

/* What the builder noticed and the map has no field for. */
struct tally {
	uint64_t parts_unknown; /* items with a process step whose parts are not known */
	uint64_t bad_parts;	/* items with parts that did not add up to their step */
	uint64_t disordered;	/* items whose stations were not in order of time */
	uint64_t folded;	/* items whose route lost its place among the candidates */
	uint64_t late;		/* stays told of too late for a maximum of inventory */
	uint64_t drops;
	unsigned int drop_homes; /* families one of which carries the drops */
	bool is_short;		 /* the capture ended within the warm-up */
	double depth_mean;	 /* of all socket queues, counted without journeys; NAN: was not */
};

/* Adds the doubts of a map that is otherwise complete. 0 or -ENOMEM. */
int doubts_raise(struct vsm *vsm, const struct tally *tally);

/* Of its stages, once the capture is the map's. 0 or -ENOMEM. */
int doubts_raise_stages(struct vsm *vsm);

#endif
