// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_vsm_build.c - whole maps: figures of a few items by hand, and of many by brute force
 */
#include "tests/unit/map_fixture.h"

enum { NR_RANDOM = 3000, WINDOW_MS = 4000 };

static struct journey journeys[NR_RANDOM];
static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void draw_parts(struct parts *parts, uint64_t time_ns)
{
	uint64_t *fields[] = { &parts->on_cpu_ns, &parts->run_queue_ns, &parts->blocked_ns,
			       &parts->busy_item_ns, &parts->busy_other_ns };

	memset(parts, 0, sizeof(*parts));
	parts->is_known = draw(50) != 0;
	for (int i = 0; i < 4; i++) {
		uint64_t ns = draw(3) ? draw(time_ns + 1) : 0;

		*fields[draw(5)] += ns;
		time_ns -= ns;
	}
	*fields[draw(5)] += time_ns;
	parts->preemptions = draw(3);
	parts->ran[0].pid = draw(20);
	parts->ran[0].ns = draw(2) ? parts->run_queue_ns : 0;
}

/* Some twenty routes with repeats and missing stations, stays from nothing to 300 us. */
static void draw_journey(struct journey *journey, uint64_t at_ns)
{
	static const char *const texts[] = {
		"rx 0, sock 1, recv 2, send 3, txq 4, tx 5",
		"rx 0, sock 1, recv 2, send 3, txq 4, tx 5",
		"rx 0, sock 1, recv 2, s0 3, s1 4, send 5, txq 6, tx 7",
		"rx 0, recv 1, s0 2, s0 3, s0 4, send 5, tx 6",
		"rx 0, sock 1, recv 2, s0 3, s1 4, s0 5, s1 6, txq 7, tx 8",
		"rx 0, sock 1, recv 2, recv 3, send 4, txq 5, tx 6",
		"rx 0, sock 1, recv 2, s0 3",
		"rx 0, sock 1, recv 2, s0 3, s1 4, s0 5",
		"send 0, txq 1, tx 2",
		"rx 0",
	};

	*journey = journey_of(texts[draw(10)]);
	journey->outcome = draw(5) ? OUTCOME_OUT : OUTCOME_ENDED;
	journey->is_udp = draw(2);
	journey->is_queued = draw(4) == 0;
	journey->is_deferred_send = draw(4) == 0;
	journey->stamps[0].at_ns = at_ns;
	for (uint32_t i = 1; i < journey->nr_stamps; i++) {
		uint64_t time_ns = draw(10) ? draw(1ULL << draw(18)) : 0;

		journey->stamps[i].at_ns = journey->stamps[i - 1].at_ns + time_ns;
		journey->stamps[i].tid = journey->stamps[i].tid ? 100 + draw(4) : 0;
		journey->stamps[i].cpu = draw(3);
		draw_parts(&journey->stamps[i].parts, time_ns);
	}
	journey->last_output_ns = journey->stamps[journey->nr_stamps - 1].at_ns + draw(1000);
}

static void build_random(struct map *map, uint64_t seed)
{
	uint64_t at_ns = MAP_WINDOW_NS;

	state = seed * 2654435769u + 1;
	map_begin(map);
	for (size_t i = 0; i < NR_RANDOM; i++) {
		at_ns += draw(seed % 2 ? 1000 : 1000000);
		draw_journey(&journeys[i], at_ns);
		journeys[i].id = i + 1;
	}
	for (size_t i = 0; i < NR_RANDOM; i++)
		map->sink.journey(map->sink.ctx, &journeys[i]);
	map_end(map, WINDOW_MS * 1000000ULL);
}

static uint64_t window_ns(const struct vsm *vsm)
{
	return vsm->window_end_ns - vsm->window_start_ns;
}

/* Whether the journey is of the family; its stamps by position in the family's route. */
static bool is_of(const struct journey *journey, const struct family *family, uint8_t *position)
{
	size_t nr = 0;

	if (family->is_udp != journey->is_udp ||
	    strcmp(family->outcome, outcome_name(journey->outcome)) != 0)
		return false;
	for (uint32_t i = 0; i < journey->nr_stamps; i++) {
		unsigned int station = journey->stamps[i].station;
		char stage[16];
		const char *name = station_name(station);
		size_t r = 0;

		snprintf(stage, sizeof(stage), "stage%u", station - STATION_STAGE);
		name = name ? name : stage;
		while (r < nr && strcmp(family->route[r], name) != 0)
			r++;
		if (r == nr && (nr == family->nr_route || strcmp(family->route[nr++], name) != 0))
			return false;
		position[i] = r;
	}
	return nr == family->nr_route;
}

#define FOR_EACH_FAMILY(family, vsm)                                                               \
	for (const struct family *family = (vsm)->families;                                        \
	     family < (vsm)->families + (vsm)->nr_families; family++)

#define FOR_EACH_SEED(map, seed)                                                                   \
	for (uint64_t seed = 1; seed <= 6 && (build_random(&(map), seed), 1);                      \
	     seed++, map_free(&(map)))

Test(vsm_build, classes_and_unmapped_add_up_to_the_lead_time)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		uint64_t lead_ns = 0, classes_ns = 0, items = 0;

		FOR_EACH_FAMILY(family, map.vsm)
		{
			lead_ns += family->lead_time.sum_ns;
			classes_ns += family->process_time.sum_ns + family->transport_time.sum_ns +
				      family->wait_time.sum_ns;
			items += family->items;
		}
		cr_assert_eq(items, NR_RANDOM);
		cr_assert_eq(lead_ns, classes_ns + map.vsm->unmapped_ns);
		cr_assert_gt(map.vsm->unmapped_ns, 0);
	}
}

static uint64_t brute_step_ns(const struct family *family, size_t s, uint64_t *lead_ns,
			      uint64_t *unmapped_ns)
{
	uint8_t position[JOURNEY_MAX_STATIONS];
	uint64_t sum_ns = 0;

	*lead_ns = *unmapped_ns = 0;
	for (size_t j = 0; j < NR_RANDOM; j++) {
		const struct journey *journey = &journeys[j];

		if (!is_of(journey, family, position))
			continue;
		for (uint32_t i = 0; i + 1 < journey->nr_stamps; i++) {
			uint64_t ns = journey->stamps[i + 1].at_ns - journey->stamps[i].at_ns;

			*lead_ns += ns;
			sum_ns += position[i] == s ? ns : 0;
			*unmapped_ns += position[i] == family->nr_steps ? ns : 0;
		}
	}
	return sum_ns;
}

Test(vsm_build, steps_add_up_to_the_lead_time)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		FOR_EACH_FAMILY(family, map.vsm)
		{
			uint64_t sum_ns = 0, lead_ns = family->lead_time.sum_ns, unmapped_ns = 0;

			for (size_t s = 0; s < family->nr_steps; s++) {
				cr_assert_eq(family->steps[s].time.sum_ns,
					     brute_step_ns(family, s, &lead_ns, &unmapped_ns));
				cr_assert_eq(family->steps[s].items, family->items);
				cr_assert_eq(family->steps[s].time.count, family->items);
				sum_ns += family->steps[s].time.sum_ns;
			}
			cr_assert_eq(lead_ns, family->lead_time.sum_ns);
			cr_assert_eq(sum_ns + unmapped_ns, lead_ns);
		}
	}
}

Test(vsm_build, parts_that_are_known_add_up_to_their_step)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		FOR_EACH_FAMILY(family, map.vsm)
		{
			for (size_t s = 0; s < family->nr_steps; s++) {
				const struct step *step = &family->steps[s];
				uint64_t sum_ns = step->on_cpu.sum_ns + step->run_queue.sum_ns +
						  step->blocked.sum_ns + step->busy_item.sum_ns +
						  step->busy_other.sum_ns;

				cr_assert_leq(sum_ns, step->time.sum_ns);
				cr_assert_eq(step->on_cpu.count, step->busy_other.count);
				cr_assert_leq(step->on_cpu.count, step->items);
				if (step->on_cpu.count == step->items)
					cr_assert_eq(sum_ns, step->time.sum_ns);
				cr_assert_leq(step->nr_ran, VSM_MAX_RAN);
			}
		}
	}
}

Test(vsm_build, the_matrix_adds_up_to_the_steps)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		FOR_EACH_FAMILY(family, map.vsm)
		{
			const struct by_lead *by_lead = &family->by_lead;
			uint64_t items = family->lead_time.zero_count;

			for (size_t row = 0; row < by_lead->nr; row++)
				items += by_lead->items[row];
			cr_assert_eq(items, family->nr_steps ? family->items : 0);
			for (size_t s = 0; s < family->nr_steps; s++) {
				uint64_t sum_ns = 0;

				for (size_t row = 0; row < by_lead->nr; row++)
					sum_ns += by_lead->sum_ns[row * family->nr_steps + s];
				cr_assert_eq(sum_ns, family->steps[s].time.sum_ns);
			}
		}
	}
}

Test(vsm_build, the_blocks_add_up_to_the_steps)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		FOR_EACH_FAMILY(family, map.vsm)
		{
			const struct blocks *blocks = &family->blocks;
			uint64_t items = 0, lead_ns = 0;

			cr_assert(blocks->nr >= VSM_MIN_BLOCKS && blocks->nr <= VSM_MAX_BLOCKS);
			cr_assert_geq(blocks->nr * blocks->width_ns, window_ns(map.vsm));
			for (size_t b = 0; b < blocks->nr; b++) {
				items += blocks->items[b];
				lead_ns += blocks->lead_sum_ns[b];
			}
			cr_assert_eq(items, family->items);
			cr_assert_eq(lead_ns, family->lead_time.sum_ns);
			for (size_t s = 0; s < family->nr_steps; s++) {
				uint64_t sum_ns = 0;

				for (size_t b = 0; b < blocks->nr; b++)
					sum_ns += blocks->sum_ns[s * blocks->nr + b];
				cr_assert_eq(sum_ns, family->steps[s].time.sum_ns);
			}
		}
	}
}

Test(vsm_build, ladders_close_but_for_rounding)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		FOR_EACH_FAMILY(family, map.vsm)
		{
			for (int l = 0; l < LADDER_NR; l++) {
				const struct ladder *ladder = &family->ladders[l];
				uint64_t sum_ns = 0;

				for (size_t s = 0; s < family->nr_steps; s++)
					sum_ns += ladder->step_mean_ns[s];
				if (!ladder->is_known)
					continue;
				cr_assert_leq(sum_ns, ladder->lead_mean_ns);
				/* what follows a return to the last station is unmapped */
				if (strcmp(family->route[family->nr_route - 1], "stage1") != 0)
					cr_assert_leq(ladder->lead_mean_ns - sum_ns,
						      family->nr_steps);
			}
		}
	}
}

struct edge {
	uint64_t at_ns;
	int by;
};

static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->by - y->by;
}

static uint64_t brute_max(const struct family *family, size_t s, double *mean)
{
	static struct edge edges[2 * NR_RANDOM * 8];
	uint8_t position[JOURNEY_MAX_STATIONS];
	uint64_t depth = 0, max = 0, sum_ns = 0;
	size_t n = 0;

	for (size_t j = 0; j < NR_RANDOM; j++) {
		if (!is_of(&journeys[j], family, position))
			continue;
		for (uint32_t i = 0; i + 1 < journeys[j].nr_stamps; i++) {
			uint64_t from_ns = journeys[j].stamps[i].at_ns;
			uint64_t to_ns = journeys[j].stamps[i + 1].at_ns;

			if (position[i] != s || from_ns == to_ns)
				continue;
			edges[n++] = (struct edge){ from_ns, 1 };
			edges[n++] = (struct edge){ to_ns, -1 };
			sum_ns += to_ns - from_ns;
		}
	}
	qsort(edges, n, sizeof(edges[0]), by_time);
	for (size_t i = 0; i < n; i++) {
		depth += edges[i].by;
		max = depth > max ? depth : max;
	}
	*mean = (double)sum_ns;
	return max;
}

Test(vsm_build, inventory_is_that_of_a_sweep_over_all)
{
	struct map map;

	FOR_EACH_SEED(map, seed)
	{
		FOR_EACH_FAMILY(family, map.vsm)
		{
			for (size_t s = 0; s < family->nr_steps; s++) {
				const struct step *step = &family->steps[s];
				double sum_ns;

				cr_assert_eq(step->inventory_max, brute_max(family, s, &sum_ns));
				cr_assert_float_eq(step->inventory_mean,
						   sum_ns / window_ns(map.vsm), 1e-9);
			}
		}
		cr_assert_null(doubt_of(map.vsm, "inventory_late"));
	}
}

/* The number in flight at an instant, by looking at every item. */
static uint64_t in_flight_at(const struct family *family, uint64_t at_ns)
{
	uint8_t position[JOURNEY_MAX_STATIONS];
	uint64_t n = 0;

	for (size_t j = 0; j < NR_RANDOM; j++) {
		const struct journey *journey = &journeys[j];

		if (journey->stamps[0].at_ns <= at_ns &&
		    journey->stamps[journey->nr_stamps - 1].at_ns > at_ns)
			n += is_of(journey, family, position);
	}
	return n;
}

Test(vsm_build, blocks_show_the_most_in_flight)
{
	uint8_t position[JOURNEY_MAX_STATIONS];
	const struct family *family;
	const struct blocks *blocks;
	struct map map;

	build_random(&map, 1);
	family = &map.vsm->families[0];
	blocks = &family->blocks;
	for (size_t b = 0; b < blocks->nr; b++) {
		uint64_t from_ns = map.vsm->window_start_ns + b * blocks->width_ns;
		uint64_t most = in_flight_at(family, from_ns);

		for (size_t j = 0; j < NR_RANDOM; j++) {
			uint64_t at_ns = journeys[j].stamps[0].at_ns, n;

			if (at_ns < from_ns || at_ns >= from_ns + blocks->width_ns ||
			    !is_of(&journeys[j], family, position))
				continue;
			n = in_flight_at(family, at_ns);
			most = n > most ? n : most;
		}
		cr_assert_eq(blocks->in_flight_max[b], most, "block %zu: %lu, not %lu", b,
			     blocks->in_flight_max[b], most);
	}
	map_free(&map);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(vsm_build, quantiles_are_those_of_the_sorted_items)
{
	static uint64_t leads[NR_RANDOM];
	uint8_t position[JOURNEY_MAX_STATIONS];
	const struct family *family;
	uint64_t got, want;
	struct map map;
	size_t n = 0;

	build_random(&map, 3);
	family = &map.vsm->families[0];
	for (size_t j = 0; j < NR_RANDOM; j++)
		if (is_of(&journeys[j], family, position))
			leads[n++] = journeys[j].stamps[journeys[j].nr_stamps - 1].at_ns -
				     journeys[j].stamps[0].at_ns;
	cr_assert_eq(n, family->items);
	qsort(leads, n, sizeof(leads[0]), by_value);
	want = leads[(n * 9 + 9) / 10 - 1];
	cr_assert(hist_quantile(&family->lead_time, 0.9, &got));
	cr_assert_float_eq((double)got, (double)want, 0.011 * (double)want);
	cr_assert_eq(family->slowest[0].lead_time_ns, leads[n - 1]);
	cr_assert_eq(family->slowest[9].lead_time_ns, leads[n - 10]);
	map_free(&map);
}

static void assert_same_hist(const struct hist *a, const struct hist *b)
{
	cr_assert_eq(a->count, b->count);
	cr_assert_eq(a->sum_ns, b->sum_ns);
	cr_assert_eq(a->offset, b->offset);
	cr_assert_eq(a->nr, b->nr);
	cr_assert_arr_eq(&a->sum_squares, &b->sum_squares, sizeof(double));
	if (a->nr)
		cr_assert_arr_eq(a->counts, b->counts, a->nr * sizeof(*a->counts));
}

Test(vsm_build, the_same_journeys_give_the_same_map)
{
	struct map a, b, c;

	build_random(&a, 5);
	build_random(&b, 5);
	build_random(&c, 6);
	cr_assert_str_eq(a.vsm->map_id, b.vsm->map_id);
	cr_assert_str_neq(a.vsm->map_id, c.vsm->map_id);
	cr_assert_eq(strlen(a.vsm->map_id), 16);
	cr_assert_eq(a.vsm->nr_families, b.vsm->nr_families);
	for (size_t f = 0; f < a.vsm->nr_families; f++) {
		const struct family *x = &a.vsm->families[f], *y = &b.vsm->families[f];

		cr_assert_str_eq(x->name, y->name);
		assert_same_hist(&x->lead_time, &y->lead_time);
		for (size_t s = 0; s < x->nr_steps; s++) {
			assert_same_hist(&x->steps[s].run_queue, &y->steps[s].run_queue);
			assert_same_hist(&x->steps[s].cycle_time, &y->steps[s].cycle_time);
		}
	}
	map_free(&a);
	map_free(&b);
	map_free(&c);
}

Test(vsm_build, the_window_is_from_the_warm_up_to_the_last_event_or_the_end)
{
	struct map map;

	map_begin(&map);
	map_end(&map, 123);
	cr_assert_eq(map.vsm->window_start_ns, MAP_WINDOW_NS);
	cr_assert_eq(map.vsm->window_end_ns, MAP_WINDOW_NS + 123);
	cr_assert(isnan(map.vsm->observer_cpu_ratio));
	cr_assert_eq(map.vsm->observer_path_ns_per_item, UINT64_MAX);
	map_free(&map);
	map_begin(&map);
	map.capture.end_ns = MAP_START_NS + 2000000000;
	map.capture.observer_cpu_ns = 500000000;
	map_end(&map, 123);
	cr_assert_eq(map.vsm->window_end_ns, MAP_START_NS + 2000000000);
	cr_assert_float_eq(map.vsm->observer_cpu_ratio, 0.25, 1e-9);
	map_free(&map);
}

Test(vsm_build, the_capture_is_moved_into_the_map)
{
	struct map map;

	map_begin(&map);
	map.capture.host = strdup("mill");
	map.account.events = 77;
	map_end(&map, 1000000);
	cr_assert_null(map.capture.host);
	cr_assert_str_eq(map.vsm->capture.host, "mill");
	cr_assert_eq(map.vsm->account.events, 77);
	cr_assert_eq(strncmp(map.vsm->made_by, "gemba ", 6), 0);
	map_free(&map);
}

Test(vsm_build, one_item_is_all_there_by_hand)
{
	struct journey journey = journey_of("rx 0, sock 10, recv 30, send 130, txq 150, tx 155");
	const struct family *family;
	const struct step *process;
	struct map map;

	set_parts(&journey, "send", 60, 30);
	journey.stamps[3].parts.preemptions = 2;
	journey.stamps[3].parts.ran[0].pid = 42;
	journey.stamps[3].parts.ran[0].ns = 30;
	journey.outputs = 3;
	journey.last_output_ns += 1000;
	map_begin(&map);
	map_add(&map, journey);
	map.sink.thread_time(map.sink.ctx, 42, "noisy", 1000);
	map_end(&map, 1000000000);
	family = &map.vsm->families[0];
	process = step_of(family, "recv>send");
	cr_assert_str_eq(family->id, "f1");
	cr_assert_str_eq(family->outcome, "out");
	cr_assert_eq(family->lead_time.sum_ns, 155);
	cr_assert_eq(family->time_to_last_output.sum_ns, 1155);
	cr_assert_eq(family->outputs.sum_ns, 3);
	cr_assert_float_eq(family->activity_ratio, 60.0 / 155, 1e-12);
	cr_assert_str_eq(family->steps[family->constraint].id, "recv>send");
	cr_assert_eq(process->run_queue.sum_ns, 30);
	cr_assert_eq(process->blocked.sum_ns, 10);
	cr_assert_eq(process->busy_item.zero_count, 1);
	cr_assert_eq(process->preemptions, 2);
	cr_assert_eq(process->threads, 1);
	cr_assert_eq(process->cpus, 1);
	cr_assert_eq(process->nr_ran, 1);
	cr_assert_str_eq(process->ran[0].comm, "noisy");
	cr_assert_eq(process->inventory_max, 1);
	cr_assert_not(step_of(family, "rx>sock")->has_parts);
	cr_assert_eq(step_of(family, "rx>sock")->threads, 0);
	cr_assert_eq(family->takt_peak_1ms_ns, 1000000);
	cr_assert_eq(family->takt_mean_ns, 1000000000);
	cr_assert_eq(family->nr_slowest, 1);
	map_free(&map);
}

Test(vsm_build, the_idle_task_is_called_idle)
{
	struct journey journey = journey_of("recv 30, send 130");
	struct map map;

	set_parts(&journey, "send", 60, 30);
	journey.stamps[1].parts.ran[0].ns = 30;
	map_begin(&map);
	map_add(&map, journey);
	map_end(&map, 1000000000);
	cr_assert_str_eq(map.vsm->families[0].steps[0].ran[0].comm, "idle");
	map_free(&map);
}

Test(vsm_build, the_last_stage_of_an_ended_item_has_no_time)
{
	struct journey journey = journey_of("rx 0, recv 5, s0 10");
	struct map map;

	journey.outcome = OUTCOME_ENDED;
	journey.outputs = 0;
	map_begin(&map);
	map_add(&map, journey);
	map_end(&map, 1000000000);
	cr_assert_eq(map.vsm->families[0].nr_steps, 2);
	cr_assert_str_eq(map.vsm->families[0].route[2], "stage0");
	cr_assert_eq(map.vsm->families[0].outputs.count, 0);
	cr_assert_eq(map.vsm->families[0].time_to_last_output.count, 0);
	map_free(&map);
}

Test(vsm_build, a_spent_or_unused_builder_can_be_freed)
{
	struct vsm_builder *builder;

	vsm_builder_free(NULL);
	cr_assert_eq(vsm_builder_new(&builder, 0), 0);
	vsm_builder_free(builder);
}
