/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_fixture.h - journeys written as text, and a map made of them
 *
 * "rx 0, sock 10, recv 30, s0 40, send 70, tx 90": stations with their time in ns after
 * MAP_T0, which is a second after attach. s0, s1 ... are stages.
 */
#ifndef GEMBA_TESTS_UNIT_MAP_FIXTURE_H
#define GEMBA_TESTS_UNIT_MAP_FIXTURE_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/vsm_build.h"

#define MAP_START_NS 5000000000ULL
#define MAP_WINDOW_NS (MAP_START_NS + 100000000ULL)
#define MAP_T0 (MAP_START_NS + 1000000000ULL)

static inline unsigned int station_of(const char *name)
{
	for (unsigned int i = 0; i < STATION_STAGE; i++)
		if (!strcmp(name, station_name(i)))
			return i;
	return STATION_STAGE + atoi(name + 1);
}

/* An item with an output, over TCP, of threads 7 on CPU 1; parts unknown. */
static inline struct journey journey_of(const char *text)
{
	struct journey journey = { .id = 1,
				   .supplier = ENDPOINT_NONE,
				   .customer = ENDPOINT_NONE,
				   .outcome = OUTCOME_OUT,
				   .attribution = ATTRIBUTED_CONNECTION,
				   .outputs = 1 };
	char name[16];
	unsigned long at_ns;
	int used;

	while (sscanf(text, " %15[a-z0-9] %lu%n", name, &at_ns, &used) == 2) {
		struct stamp *stamp = &journey.stamps[journey.nr_stamps++];

		*stamp = (struct stamp){ .station = station_of(name),
					 .cpu = 1,
					 .at_ns = MAP_T0 + at_ns };
		if (stamp->station > STATION_SOCK && stamp->station < STATION_TX)
			stamp->tid = 7;
		if (stamp->station >= STATION_STAGE)
			stamp->tid = 7;
		text += used;
		text += *text == ',';
	}
	cr_assert_eq(*text, 0, "cannot read '%s'", text);
	journey.last_output_ns = journey.stamps[journey.nr_stamps - 1].at_ns;
	return journey;
}

static inline void move_by(struct journey *journey, uint64_t ns)
{
	for (uint32_t i = 0; i < journey->nr_stamps; i++)
		journey->stamps[i].at_ns += ns;
	journey->last_output_ns += ns;
}

/* The step that ends at this station: so long on a CPU and runnable, blocked for the rest. */
static inline void set_parts(struct journey *journey, const char *station, uint64_t on_cpu_ns,
			     uint64_t run_queue_ns)
{
	for (uint32_t i = 1; i < journey->nr_stamps; i++) {
		struct stamp *stamp = &journey->stamps[i];

		if (stamp->station != station_of(station))
			continue;
		stamp->parts = (struct parts){ .is_known = true,
					       .on_cpu_ns = on_cpu_ns,
					       .run_queue_ns = run_queue_ns };
		stamp->parts.blocked_ns = stamp->at_ns - stamp[-1].at_ns - on_cpu_ns - run_queue_ns;
	}
}

struct map {
	struct vsm_builder *builder;
	struct journey_sink sink;
	struct capture capture;
	struct account account;
	const struct endpoint *endpoints;
	size_t nr_endpoints;
	struct vsm *vsm;
	uint64_t next_id;
};

static inline void map_begin(struct map *map)
{
	memset(map, 0, sizeof(*map));
	cr_assert_eq(vsm_builder_new(&map->builder, MAP_START_NS), 0);
	map->sink = vsm_builder_sink(map->builder);
	map->capture.start_ns = MAP_START_NS;
}

static inline void map_add(struct map *map, struct journey journey)
{
	journey.id = ++map->next_id;
	map->sink.journey(map->sink.ctx, &journey);
}

static inline void map_add_n(struct map *map, const char *text, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		map_add(map, journey_of(text));
}

/* The window ends so long after it began. */
static inline void map_end(struct map *map, uint64_t window_ns)
{
	map->account.last_ns = MAP_WINDOW_NS + window_ns;
	cr_assert_eq(vsm_builder_finish(map->builder, &map->vsm, &map->capture, &map->account,
					map->endpoints, map->nr_endpoints),
		     0);
}

static inline void map_free(struct map *map)
{
	vsm_free(map->vsm);
	vsm_builder_free(map->builder);
}

static inline const struct step *step_of(const struct family *family, const char *id)
{
	for (size_t i = 0; i < family->nr_steps; i++)
		if (!strcmp(family->steps[i].id, id))
			return &family->steps[i];
	cr_assert(false, "no step %s", id);
	return NULL;
}

static inline const struct doubt *doubt_of(const struct vsm *vsm, const char *code)
{
	for (size_t i = 0; i < vsm->nr_doubts; i++)
		if (!strcmp(vsm->doubts[i].code, code))
			return &vsm->doubts[i];
	return NULL;
}

#endif
