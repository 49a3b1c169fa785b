/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passage.h - one journey as the map counts it: route, time and parts per step, classes
 */
#ifndef GEMBA_MAP_PASSAGE_H
#define GEMBA_MAP_PASSAGE_H

#include "src/map/steps.h"

/* What makes a family, comparable byte by byte up to `nr` stations. */
struct route_key {
	uint8_t is_udp;
	uint8_t is_originated;
	uint8_t outcome;
	uint8_t nr; /* stations in order of first visit; 0: too many to tell */
	uint8_t stations[VSM_MAX_STEPS + 1];
};

struct passage_step {
	uint64_t time_ns;  /* without bias_ns */
	uint64_t bias_ns;  /* of the probes that fired in it */
	uint64_t error_ns; /* how far bias_ns may be from the truth */
	uint64_t on_cpu_ns;
	uint64_t run_queue_ns;
	uint64_t blocked_ns;
	uint64_t busy_item_ns;
	uint64_t busy_other_ns;
	uint32_t preemptions;
	uint32_t visits; /* of the station it begins at */
	bool has_parts;	 /* of every visit */
};

struct passage {
	const struct journey *journey;
	const struct probe_cost *costs; /* [GEMBA_MAX_STAGES], NULL: nothing is corrected */
	struct route_key key;
	uint32_t nr_stamps;			/* those up to the first tx */
	uint8_t station[JOURNEY_MAX_STATIONS];	/* of each stamp: most journeys are like the last */
	uint8_t position[JOURNEY_MAX_STATIONS]; /* of each stamp in the route */
	uint8_t class[VSM_MAX_STEPS];		/* enum step_class */
	bool is_deferred_send;			/* for which class[] holds */
	bool is_queued;
	uint64_t lead_ns;
	uint64_t process_ns; /* these four add up to lead_ns */
	uint64_t transport_ns;
	uint64_t wait_ns;
	uint64_t unmapped_ns;
	uint64_t bias_ns;   /* of all steps; lead_ns is without it */
	bool has_process;   /* all its parts are known, else process_ns is 0 and means nothing */
	bool has_bad_parts; /* some did not add up to their step and are taken for unknown */
	struct passage_step steps[VSM_MAX_STEPS];
};

/*
 * Refers to the journey afterwards. `self` is zero before its first use and may be used again.
 * 0; -EINVAL: no stamp, too many, out of order, or a station past STEPS_NR_STATIONS.
 */
int passage_read(struct passage *self, const struct journey *journey);
size_t route_key_bytes(const struct route_key *self);
/* Order of routes: station by station, then protocol, origin, outcome. */
int route_key_compare(const struct route_key *a, const struct route_key *b);

#endif
