// SPDX-License-Identifier: BSD-2-Clause
/*
 * passage.c - from stamps to steps and classes
 *
 * A repeated station adds a visit, not a step: an interval belongs to the step that begins at
 * the station where the interval begins, so the steps add up to the lead time whatever the
 * order of visits. Only what follows a return to the last station of the route has no step;
 * it is unmapped.
 *
 * A probe takes time of the very step it stamps: what comes before the stamp lies in the step that
 * ends there, the rest in the one that begins. Both are taken off where they were spent, from what
 * the thread ran for the item; so all figures are as they would be without stages, and still add
 * up. The tracepoints' own cost, a tenth of it, is not.
 *
 * The parts of an item are used for its classes all or none: where one process
 * step's are unknown, the time of all of them is unmapped, nothing is invented.
 */
#include "src/map/passage.h"

#include <errno.h>
#include <string.h>

struct seen {
	uint64_t bits[STEPS_NR_STATIONS / 64];
	uint8_t position[STEPS_NR_STATIONS]; /* valid where the bit is set */
};

/* Notes the stations up to the first tx; *is_same: they are those of the journey before. */
static int read_stations(struct passage *self, const struct journey *journey, bool *is_same)
{
	const struct stamp *stamp = journey->stamps;
	uint32_t nr = journey->nr_stamps;
	uint64_t at_ns = 0;
	unsigned int diff = 0;

	if (nr == 0 || nr > JOURNEY_MAX_STATIONS)
		return -EINVAL;
	for (uint32_t i = 0; i < nr; i++, stamp++) {
		if (stamp->station >= STEPS_NR_STATIONS || stamp->at_ns < at_ns ||
		    stamp->at_ns >> 62) {
			self->nr_stamps = 0;
			return -EINVAL;
		}
		at_ns = stamp->at_ns;
		diff |= self->station[i] ^ stamp->station;
		self->station[i] = stamp->station;
		if (stamp->station == STATION_TX)
			nr = i + 1;
	}
	*is_same = !diff && nr == self->nr_stamps;
	self->nr_stamps = nr;
	return 0;
}

/* No stations in the key: there are more than a route can have. */
static void read_route(struct passage *self)
{
	struct route_key *key = &self->key;
	struct seen seen;

	key->nr = 0;
	memset(seen.bits, 0, sizeof(seen.bits));
	for (uint32_t i = 0; i < self->nr_stamps; i++) {
		unsigned int station = self->station[i];
		uint64_t bit = 1ULL << (station % 64);

		if (!(seen.bits[station / 64] & bit)) {
			if (key->nr > VSM_MAX_STEPS) {
				key->nr = 0;
				return;
			}
			seen.bits[station / 64] |= bit;
			seen.position[station] = key->nr;
			key->stations[key->nr++] = station;
		}
		self->position[i] = seen.position[station];
	}
}

static void read_classes(struct passage *self, const struct journey *journey)
{
	const uint8_t *stations = self->key.stations;

	self->is_deferred_send = journey->is_deferred_send;
	self->is_queued = journey->is_queued;
	for (unsigned int s = 0; s + 1 < self->key.nr; s++)
		self->class[s] = step_class_between(stations[s], stations[s + 1], journey);
}

static void add_parts(struct passage *self, struct passage_step *step, const struct parts *parts,
		      uint64_t time_ns)
{
	if (!parts->is_known) {
		step->has_parts = false;
		return;
	}
	if (parts->on_cpu_ns + parts->run_queue_ns + parts->blocked_ns + parts->busy_item_ns +
		    parts->busy_other_ns !=
	    time_ns) {
		step->has_parts = false;
		self->has_bad_parts = true;
		return;
	}
	step->on_cpu_ns += parts->on_cpu_ns;
	step->run_queue_ns += parts->run_queue_ns;
	step->blocked_ns += parts->blocked_ns;
	step->busy_item_ns += parts->busy_item_ns;
	step->busy_other_ns += parts->busy_other_ns;
	step->preemptions += parts->preemptions;
}

static const struct probe_cost *cost_of(const struct passage *self, const struct stamp *stamp)
{
	unsigned int stage = stamp->station - STATION_STAGE;

	return self->costs && stamp->station >= STATION_STAGE && stage < GEMBA_MAX_STAGES ?
		       &self->costs[stage] :
		       NULL;
}

/* The thread comes from a system call or a wait: no stage of it lies directly before. */
static bool is_first_hit(const struct passage *self, uint32_t stamp)
{
	const struct stamp *stamps = self->journey->stamps;

	return !stamp || !cost_of(self, &stamps[stamp - 1]) ||
	       stamps[stamp - 1].tid != stamps[stamp].tid;
}

/*
 * What a first hit takes more lies between nothing and what it takes with cold caches: the middle
 * is taken off, the half of it is the error.
 */
static uint64_t cold_half(uint32_t cold_ns, struct passage_step *step)
{
	step->error_ns += cold_ns / 2;
	return cold_ns / 2;
}

/* What the probes took of the interval behind a stamp, at most what there is to take from. */
static uint64_t bias_behind(const struct passage *self, uint32_t stamp, struct passage_step *step)
{
	const struct stamp *from = &self->journey->stamps[stamp], *to = from + 1;
	const struct probe_cost *begin = cost_of(self, from), *end = cost_of(self, to);
	uint64_t time_ns = to->at_ns - from->at_ns;
	uint64_t most_ns = to->parts.is_known ? to->parts.on_cpu_ns : time_ns;
	uint64_t bias_ns = 0;

	if (begin) {
		uint64_t hit_ns = (uint64_t)begin->before_ns + begin->after_ns;

		bias_ns += begin->after_ns + from->more_visits * hit_ns;
		step->error_ns += begin->spread_ns * (1 + (uint64_t)from->more_visits);
		if (is_first_hit(self, stamp))
			bias_ns += cold_half(begin->cold_after_ns, step);
	}
	if (end) {
		bias_ns += end->before_ns;
		step->error_ns += end->spread_ns;
		if (is_first_hit(self, stamp + 1))
			bias_ns += cold_half(end->cold_before_ns, step);
	}
	return bias_ns < most_ns ? bias_ns : most_ns;
}

static void read_steps(struct passage *self)
{
	const struct stamp *stamps = self->journey->stamps;
	unsigned int nr_steps = self->key.nr - 1U;

	for (unsigned int s = 0; s < nr_steps; s++)
		self->steps[s] = (struct passage_step){ .has_parts = true };
	for (uint32_t i = 0; i + 1 < self->nr_stamps; i++) {
		uint64_t time_ns = stamps[i + 1].at_ns - stamps[i].at_ns;
		struct passage_step *step = &self->steps[self->position[i]];
		uint64_t bias_ns;

		if (self->position[i] == nr_steps) {
			self->unmapped_ns += time_ns;
			continue;
		}
		bias_ns = bias_behind(self, i, step);
		step->time_ns += time_ns - bias_ns;
		step->bias_ns += bias_ns;
		self->bias_ns += bias_ns;
		step->visits += 1 + stamps[i].more_visits;
		add_parts(self, step, &stamps[i + 1].parts, time_ns);
		if (step->on_cpu_ns >= bias_ns)
			step->on_cpu_ns -= bias_ns;
	}
}

static void classify(struct passage *self)
{
	uint64_t by_class[CLASS_BY_PARTS + 1] = { 0 };
	uint64_t on_cpu_ns = 0;

	for (unsigned int s = 0; s + 1 < self->key.nr; s++) {
		const struct passage_step *step = &self->steps[s];

		by_class[self->class[s]] += step->time_ns;
		if (self->class[s] != CLASS_BY_PARTS)
			continue;
		on_cpu_ns += step->on_cpu_ns;
		self->has_process &= step->has_parts;
	}
	self->transport_ns = by_class[CLASS_TRANSPORT];
	self->wait_ns = by_class[CLASS_WAIT];
	if (self->has_process) {
		self->process_ns = on_cpu_ns;
		self->wait_ns += by_class[CLASS_BY_PARTS] - on_cpu_ns;
	} else {
		self->unmapped_ns += by_class[CLASS_BY_PARTS];
	}
}

int passage_read(struct passage *self, const struct journey *journey)
{
	bool is_same;
	int err = read_stations(self, journey, &is_same);

	if (err < 0)
		return err;
	if (!is_same)
		read_route(self);
	if (!is_same || self->is_deferred_send != journey->is_deferred_send ||
	    self->is_queued != journey->is_queued)
		read_classes(self, journey);
	self->journey = journey;
	self->key.is_udp = journey->is_udp;
	self->key.is_originated = journey->is_originated;
	self->key.outcome = journey->outcome;
	self->lead_ns = journey->stamps[self->nr_stamps - 1].at_ns - journey->stamps[0].at_ns;
	self->process_ns = self->transport_ns = self->wait_ns = self->unmapped_ns = 0;
	self->bias_ns = 0;
	self->has_process = self->key.nr > 0;
	self->has_bad_parts = false;
	if (self->key.nr > 0) {
		read_steps(self);
		self->lead_ns -= self->bias_ns;
		classify(self);
	} else {
		self->unmapped_ns = self->lead_ns;
	}
	return 0;
}

size_t route_key_bytes(const struct route_key *self)
{
	return offsetof(struct route_key, stations) + self->nr;
}

int route_key_compare(const struct route_key *a, const struct route_key *b)
{
	unsigned int nr = a->nr < b->nr ? a->nr : b->nr;
	int diff = memcmp(a->stations, b->stations, nr);

	if (!diff)
		diff = (int)a->nr - b->nr;
	if (!diff)
		diff = (int)a->is_udp - b->is_udp;
	if (!diff)
		diff = (int)a->is_originated - b->is_originated;
	return diff ? diff : (int)a->outcome - b->outcome;
}
