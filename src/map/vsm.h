/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsm.h - the value stream map: the aggregate of journeys, and all that renderers show
 *
 * Built by vsm_build.c from journeys in one pass and bounded memory, or read back from a map
 * file; either way complete: renderers only format. Times are integer nanoseconds, ratios
 * 0..1 with NAN for null, strings owned. Meanings are in the words of gemba(1), DEFINITIONS.
 */
#ifndef GEMBA_MAP_VSM_H
#define GEMBA_MAP_VSM_H

#include "src/collect/capture.h"
#include "src/correlate/journey.h"
#include "src/map/hist.h"

#define VSM_MAX_FAMILIES 32 /* the 33rd is `other` */
#define VSM_MAX_ENDPOINTS 32
#define VSM_MAX_STEPS 80
#define VSM_MAX_BLOCKS 240
#define VSM_MIN_BLOCKS 60
#define VSM_MAX_RAN 8
#define VSM_NR_SLOWEST 10

enum step_kind {
	STEP_WIRE,
	STEP_KERNEL,
	STEP_QUEUE,
	STEP_STAGE,
	STEP_HANDOFF,
	STEP_PROCESS,
	STEP_NR_KINDS
};
enum step_value { VALUE_UNKNOWN, VALUE_ADDED, VALUE_NECESSARY, VALUE_WASTE };
enum step_class { CLASS_PROCESS, CLASS_TRANSPORT, CLASS_WAIT, CLASS_BY_PARTS };

struct ran_instead {
	char comm[16];
	uint32_t pid;
	uint64_t sum_ns;
};

/* What a hit of a stage's probe takes of the thread it interrupts, by stage. */
struct probe_cost {
	uint32_t before_ns; /* until the stamp is taken */
	uint32_t after_ns;
	uint32_t spread_ns; /* how far from that a hit's cost lies */
	/* at most this much more, of a hit that finds the caches cold: the first after a wait */
	uint32_t cold_before_ns;
	uint32_t cold_after_ns;
};

struct step {
	char *id;   /* FROM>TO */
	char *name; /* kernel_rx, socket_queue ... or the id */
	char *from;
	char *to;
	enum step_kind kind;
	enum step_value value;
	uint64_t items;	      /* that passed it */
	struct hist time;     /* without what gemba's own probes took */
	struct hist time_raw; /* with it; empty: no probe fired in it */
	uint64_t error_ns;    /* mean, of the correction; 0: there is none */
	bool has_parts;	      /* the five below mean something */
	struct hist on_cpu;
	struct hist run_queue;
	struct hist blocked;
	struct hist busy_item;
	struct hist busy_other;
	struct hist visits;
	struct hist cycle_time;
	struct ran_instead ran[VSM_MAX_RAN];
	size_t nr_ran;
	uint32_t threads;
	uint32_t cpus;
	uint64_t preemptions;
	double utilisation_ratio;
	double inventory_mean;
	uint64_t inventory_max;
	double inventory_counted_mean; /* NAN: not counted */
	double lead_time_share_ratio;
	double complete_and_accurate_ratio; /* NAN: nothing could tell */
	uint64_t drops;
	uint64_t retransmits;
};

/* Lead-time bucket x step: row i is the bucket lead_bucket[i] of hist.h, ascending. */
struct by_lead {
	size_t nr;
	uint16_t *lead_bucket;
	uint64_t *items;
	uint64_t *lead_sum_ns;
	uint64_t *sum_ns; /* [row * nr_steps + step] */
};

struct ladder {
	bool is_known; /* else null: fewer than 10 items in the band */
	uint64_t items;
	uint64_t lead_mean_ns;
	uint64_t step_mean_ns[VSM_MAX_STEPS];
};

enum { LADDER_NORM, LADDER_P99, LADDER_P99_99, LADDER_NR };

struct blocks {
	uint64_t width_ns;
	size_t nr;
	uint64_t *items; /* [block] */
	uint64_t *lead_sum_ns;
	uint64_t *lead_p50_ns; /* UINT64_MAX: null */
	uint64_t *lead_p99_ns;
	uint64_t *in_flight_max;
	uint64_t *sum_ns; /* [step * nr + block] */
};

struct slow_item {
	uint64_t id;
	uint64_t key;
	bool has_key;
	uint64_t lead_time_ns;
	uint32_t nr_stamps;
	struct {
		char *name;
		uint64_t at_ns;
		uint32_t tid;
		uint16_t cpu;
	} * stamps;
};

struct finding {
	char *waste;
	char *step;
	uint64_t cost_ns_per_item;
	double lead_time_share_ratio;
	char *evidence;
	char *example;
};

struct family {
	char *id;   /* f1, f2 ... or other */
	char *name; /* tcp rx-tx ... */
	char *class;
	char **route; /* nr_steps + 1 names */
	size_t nr_route;
	const char *outcome; /* outcome_name() */
	bool is_udp;
	bool is_other; /* mixed routes: no steps, lead time only */
	uint64_t items;
	double rate_hz;
	uint64_t takt_declared_ns; /* 0: null, all three */
	uint64_t takt_mean_ns;
	uint64_t takt_peak_1ms_ns;
	struct hist lead_time;
	struct hist process_time;
	struct hist transport_time;
	struct hist wait_time;
	struct hist time_to_last_output;
	struct hist outputs; /* counts */
	double activity_ratio;
	double pce_ratio;
	double pce_min_ratio;
	double pce_max_ratio;
	double rolled_complete_and_accurate_ratio;
	int constraint; /* index of the step with the highest utilisation, -1: none */
	struct step *steps;
	size_t nr_steps;
	struct by_lead by_lead;
	struct ladder ladders[LADDER_NR];
	struct blocks blocks;
	struct finding *findings;
	size_t nr_findings;
	struct slow_item slowest[VSM_NR_SLOWEST];
	size_t nr_slowest;
};

struct vsm_endpoint {
	char *id;   /* s1 ..., c1 ... */
	char *name; /* process name when on this host, else the address */
	bool is_udp;
	char *local;  /* address:port as text, IPv6 in brackets */
	char *remote; /* without an ephemeral port */
	uint64_t flows;
	uint64_t items;
	uint64_t bytes;
	double rate_hz;
	struct hist rtt; /* empty: null */
};

struct doubt {
	char *code;  /* snake_case, stable */
	char *text;  /* one sentence */
	char *steps; /* comma-separated step ids, or NULL: all */
	uint64_t items;
};

struct vsm {
	char *made_by; /* gemba VERSION */
	char *map_id;
	char **merged_from;
	size_t nr_merged_from;
	struct capture capture;
	uint64_t window_start_ns;
	uint64_t window_end_ns;
	struct account account;
	uint64_t unmapped_ns;
	uint64_t observer_path_ns_per_item; /* UINT64_MAX: null */
	double observer_cpu_ratio;
	struct doubt *doubts;
	size_t nr_doubts;
	struct vsm_endpoint suppliers[VSM_MAX_ENDPOINTS + 1]; /* the last is `others` */
	size_t nr_suppliers;
	struct vsm_endpoint customers[VSM_MAX_ENDPOINTS + 1];
	size_t nr_customers;
	struct family *families; /* outputs first, then by items; at most VSM_MAX_FAMILIES + 1 */
	size_t nr_families;
};

void vsm_free(struct vsm *self);
/* What one family owns; zeroed memory is fine. */
void vsm_family_fini(struct family *self);

/* Of built-in stations; NULL for stages, which are named by the capture. */
const char *station_name(unsigned int station);
const char *outcome_name(enum outcome outcome);
const char *step_kind_name(enum step_kind kind);
const char *step_value_name(enum step_value value);
/* NULL and what is none: VALUE_UNKNOWN. */
enum step_value step_value_by_name(const char *name);

/* Adds a doubt (strings copied, steps may be NULL). 0 or -ENOMEM. */
int vsm_doubt(struct vsm *self, const char *code, const char *steps, uint64_t items,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
