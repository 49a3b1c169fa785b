// SPDX-License-Identifier: BSD-2-Clause
/*
 * vsm_build.c - the sink that journeys flow into, and the map made of what they left
 *
 * Each journey is read once (passage), counted for its endpoints (parties) and added to its
 * family (families); nothing of it is kept. What memory is bounded by is said there. A map is
 * whole or is not: when memory runs out on the way, the rest is ignored and finish says so.
 */
#define XXH_INLINE_ALL
#include "src/map/vsm_build.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "src/map/doubts.h"
#include "src/map/families.h"
#include "src/map/parties.h"
#include "src/map/quality.h"
#include "src/util/idmap.h"
#include "src/version.h"

#define WARMUP_NS 100000000ULL
#define MAX_COMMS 8192

struct comm {
	char text[16];
};

struct vsm_builder {
	uint64_t window_start_ns;
	struct families families;
	struct parties parties;
	struct stage_names names;
	struct probe_cost costs[GEMBA_MAX_STAGES];
	uint64_t bias_ns; /* of all items that are mapped, and how many those are */
	uint64_t nr_mapped;
	struct idmap comms; /* tid -> struct comm */
	struct tally tally;
	unsigned __int128 depth_ns; /* integral of items in socket queues over the window */
	bool has_depth;
	bool has_failed;
	struct passage passage; /* scratch */
};

int vsm_builder_new(struct vsm_builder **out, uint64_t start_ns)
{
	struct vsm_builder *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->window_start_ns = start_ns + WARMUP_NS;
	parties_init(&self->parties);
	if (families_init(&self->families, self->window_start_ns) < 0) {
		vsm_builder_free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

void vsm_builder_free(struct vsm_builder *self)
{
	if (!self)
		return;
	families_fini(&self->families);
	parties_fini(&self->parties);
	stage_names_fini(&self->names);
	for (size_t i = 0; i < self->comms.room; i++)
		if (self->comms.slots[i].key)
			free(self->comms.slots[i].value);
	idmap_fini(&self->comms);
	free(self);
}

int vsm_builder_name_stage(struct vsm_builder *self, unsigned int stage, const char *name,
			   enum step_value value)
{
	char *copy;

	if (stage >= STEPS_NR_STAGES)
		return -ERANGE;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(self->names.names[stage]);
	self->names.names[stage] = copy;
	self->names.values[stage] = value;
	return 0;
}

void vsm_builder_cost_stage(struct vsm_builder *self, unsigned int stage, struct probe_cost cost)
{
	if (stage < GEMBA_MAX_STAGES)
		self->costs[stage] = cost;
	self->passage.costs = self->costs;
}

static bool is_in_a_family(const struct journey *journey)
{
	return !journey->is_partial && journey->outcome != OUTCOME_UNOBSERVED &&
	       journey->outcome != OUTCOME_IN_FLIGHT;
}

static void add_passage(struct vsm_builder *self, const struct journey *journey)
{
	struct passage *passage = &self->passage;
	struct common *common = &self->families.common;
	uint64_t last_ns;

	if (passage_read(passage, journey) < 0) {
		self->tally.disordered++;
		return;
	}
	self->bias_ns += passage->bias_ns;
	self->nr_mapped++;
	last_ns = journey->stamps[passage->nr_stamps - 1].at_ns;
	if (last_ns > common->latest_ns)
		common->latest_ns = last_ns;
	self->tally.parts_unknown += !passage->has_process;
	self->tally.bad_parts += passage->has_bad_parts;
	if (families_add(&self->families, passage) < 0)
		self->has_failed = true;
}

static void on_journey(void *ctx, const struct journey *journey)
{
	struct vsm_builder *self = ctx;

	if (journey->is_warmup || self->has_failed)
		return;
	if (parties_add(&self->parties, journey) < 0)
		self->has_failed = true;
	self->tally.drops += journey->outcome == OUTCOME_DROPPED;
	if (is_in_a_family(journey))
		add_passage(self, journey);
}

static void on_round_trip(void *ctx, uint32_t endpoint, uint64_t rtt_ns)
{
	struct vsm_builder *self = ctx;

	if (parties_round_trip(&self->parties, endpoint, rtt_ns) < 0)
		self->has_failed = true;
}

static void on_queue_depth(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t depth)
{
	struct vsm_builder *self = ctx;

	self->has_depth = true;
	if (from_ns < self->window_start_ns)
		from_ns = self->window_start_ns;
	if (from_ns < to_ns)
		self->depth_ns += (unsigned __int128)depth * (to_ns - from_ns);
}

static void on_thread_time(void *ctx, uint32_t tid, const char *comm, uint64_t on_cpu_ns)
{
	struct vsm_builder *self = ctx;
	struct comm *known = idmap_get(&self->comms, tid);

	(void)on_cpu_ns;
	if (!comm[0] || !tid || (!known && self->comms.nr == MAX_COMMS))
		return;
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known || idmap_put(&self->comms, tid, known) < 0) {
			free(known);
			self->has_failed = true;
			return;
		}
	}
	snprintf(known->text, sizeof(known->text), "%s", comm);
}

struct journey_sink vsm_builder_sink(struct vsm_builder *self)
{
	return (struct journey_sink){
		.ctx = self,
		.journey = on_journey,
		.round_trip = on_round_trip,
		.queue_depth = on_queue_depth,
		.thread_time = on_thread_time,
	};
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set_window(struct vsm_builder *self, struct vsm *vsm, const struct capture *capture)
{
	uint64_t end_ns = later(capture->end_ns, vsm->account.last_ns);

	end_ns = later(end_ns, self->families.common.latest_ns);
	/* one that was cut is doubted as such, by who read it */
	self->tally.is_short = capture->end_ns && end_ns <= self->window_start_ns;
	vsm->window_start_ns = self->window_start_ns;
	vsm->window_end_ns = later(end_ns, self->window_start_ns);
}

/* What the probes took that fell on no item, at what a hit of them costs on the average. */
static uint64_t unowned_ns(const struct vsm *vsm, const struct capture *capture)
{
	uint64_t nr_hits = 0;
	double sum_ns = 0;

	for (size_t i = 0; i < capture->nr_stages; i++) {
		nr_hits += capture->stages[i].hits;
		sum_ns += (double)capture->stages[i].hits * capture->stages[i].cost_ns;
	}
	if (!nr_hits)
		return 0;
	return (uint64_t)(sum_ns / (double)nr_hits * (double)vsm->account.stage_hits_unowned);
}

/* What the probes of stages took, of the items' own way and beside it. Tracepoints are not in it. */
static void set_observer(const struct vsm_builder *self, struct vsm *vsm,
			 const struct capture *capture)
{
	vsm->observer_path_ns_per_item = UINT64_MAX;
	if (self->passage.costs && self->nr_mapped)
		vsm->observer_path_ns_per_item =
			(self->bias_ns + unowned_ns(vsm, capture)) / self->nr_mapped;
	vsm->observer_cpu_ratio = capture->end_ns > capture->start_ns ?
					  (double)capture->observer_cpu_ns /
						  (double)(capture->end_ns - capture->start_ns) :
					  NAN;
}

static void name_ran(const struct vsm_builder *self, struct ran_instead *ran)
{
	const struct comm *comm = idmap_get(&self->comms, ran->pid);
	const char *text = comm ? comm->text : ran->pid ? "" : "idle";

	snprintf(ran->comm, sizeof(ran->comm), "%s", text);
}

static void name_all_ran(const struct vsm_builder *self, struct vsm *vsm)
{
	for (size_t f = 0; f < vsm->nr_families; f++)
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++)
			for (size_t i = 0; i < vsm->families[f].steps[s].nr_ran; i++)
				name_ran(self, &vsm->families[f].steps[s].ran[i]);
}

/* The count of all sockets is a family's own only where one family waits in them. */
static void set_counted_inventory(struct vsm_builder *self, struct vsm *vsm)
{
	double window_ns = (double)(vsm->window_end_ns - vsm->window_start_ns);
	struct step *only = NULL;
	unsigned int nr = 0;

	self->tally.depth_mean = NAN;
	if (!self->has_depth || !(window_ns > 0))
		return;
	self->tally.depth_mean = (double)self->depth_ns / window_ns;
	for (size_t f = 0; f < vsm->nr_families; f++) {
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++) {
			if (!step_is_socket_wait(&vsm->families[f].steps[s]))
				continue;
			only = &vsm->families[f].steps[s];
			nr++;
		}
	}
	if (nr == 1)
		only->inventory_counted_mean = self->tally.depth_mean;
}

static void hash_text(XXH64_state_t *state, const char *text)
{
	if (text)
		XXH64_update(state, text, strlen(text) + 1);
}

static void hash_family(XXH64_state_t *state, const struct family *family)
{
	uint64_t sums[] = { family->items, family->lead_time.sum_ns, family->process_time.sum_ns,
			    family->wait_time.sum_ns, family->lead_time.max_ns };

	hash_text(state, family->name);
	XXH64_update(state, sums, sizeof(sums));
}

/* By what the map says of the capture, never by how it is kept in memory. */
static int set_ids(struct vsm *vsm, const struct capture *capture)
{
	const struct account *account = &vsm->account;
	uint64_t times[] = { vsm->window_start_ns, vsm->window_end_ns, capture->start_ns,
			     capture->start_wall_ns };
	uint64_t counts[] = {
		account->in_flight_start, account->in,	   account->originated, account->partial,
		account->warmup,	  account->events, account->lost
	};
	XXH64_state_t state;

	XXH64_reset(&state, 0);
	hash_text(&state, capture->boot_id);
	hash_text(&state, capture->host);
	XXH64_update(&state, times, sizeof(times));
	XXH64_update(&state, counts, sizeof(counts));
	XXH64_update(&state, account->by_outcome, sizeof(account->by_outcome));
	XXH64_update(&state, account->attributed, sizeof(account->attributed));
	for (size_t f = 0; f < vsm->nr_families; f++)
		hash_family(&state, &vsm->families[f]);
	vsm->made_by = strdup("gemba " GEMBA_VERSION);
	if (asprintf(&vsm->map_id, "%016" PRIx64, (uint64_t)XXH64_digest(&state)) < 0)
		vsm->map_id = NULL;
	return vsm->made_by && vsm->map_id ? 0 : -ENOMEM;
}

static int fill(struct vsm_builder *self, struct vsm *vsm, const struct capture *capture,
		const struct endpoint *endpoints, size_t nr_endpoints)
{
	set_window(self, vsm, capture);
	set_observer(self, vsm, capture);
	if (families_finish(&self->families, &self->names, vsm) < 0 ||
	    parties_finish(&self->parties, endpoints, nr_endpoints, vsm) < 0)
		return -ENOMEM;
	for (size_t f = 0; f < vsm->nr_families; f++)
		if (vsm->families[f].outcome == outcome_name(OUTCOME_OUT))
			vsm->families[f].takt_declared_ns = capture->takt_declared_ns;
	name_all_ran(self, vsm);
	set_counted_inventory(self, vsm);
	self->tally.drop_homes = quality_charge(vsm, &capture->missing, self->tally.drops);
	self->tally.folded = self->families.folded;
	self->tally.late = self->families.common.late;
	if (doubts_raise(vsm, &self->tally) < 0)
		return -ENOMEM;
	return set_ids(vsm, capture);
}

int vsm_builder_finish(struct vsm_builder *self, struct vsm **out, struct capture *capture,
		       const struct account *account, const struct endpoint *endpoints,
		       size_t nr_endpoints)
{
	struct vsm *vsm = self->has_failed ? NULL : calloc(1, sizeof(*vsm));

	if (!vsm)
		return -ENOMEM;
	vsm->account = *account;
	if (fill(self, vsm, capture, endpoints, nr_endpoints) < 0) {
		vsm_free(vsm);
		return -ENOMEM;
	}
	vsm->capture = *capture;
	memset(capture, 0, sizeof(*capture));
	if (doubts_raise_stages(vsm) < 0) {
		vsm_free(vsm);
		return -ENOMEM;
	}
	*out = vsm;
	return 0;
}
