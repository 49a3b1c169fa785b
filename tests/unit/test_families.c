// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_families.c - what makes a family, in which order, and what is `other`
 */
#include "src/map/families.h"
#include "tests/unit/map_fixture.h"

static struct journey with_outcome(const char *text, enum outcome outcome)
{
	struct journey journey = journey_of(text);

	journey.outcome = outcome;
	journey.outputs = outcome == OUTCOME_OUT;
	return journey;
}

static void assert_family(const struct vsm *vsm, size_t i, const char *name, uint64_t items)
{
	cr_assert_lt(i, vsm->nr_families);
	cr_assert_str_eq(vsm->families[i].name, name, "%s", vsm->families[i].name);
	cr_assert_eq(vsm->families[i].items, items);
	/* what was seen at one station has no lead time, not one of 0 */
	cr_assert_eq(vsm->families[i].lead_time.count, vsm->families[i].nr_steps ? items : 0);
}

Test(families, repeats_are_one_family_with_visits)
{
	struct map map;

	map_begin(&map);
	map_add_n(&map, "rx 0, recv 1, s0 2, send 5, tx 6", 1);
	map_add_n(&map, "rx 0, recv 1, s0 2, s0 3, s0 4, send 5, tx 6", 2);
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_families, 1);
	assert_family(map.vsm, 0, "tcp rx-stage0-tx", 3);
	cr_assert_eq(step_of(&map.vsm->families[0], "stage0>send")->visits.sum_ns, 7);
	cr_assert_eq(step_of(&map.vsm->families[0], "stage0>send")->visits.count, 3);
	cr_assert_eq(step_of(&map.vsm->families[0], "rx>recv")->visits.sum_ns, 3);
	map_free(&map);
}

Test(families, protocol_outcome_and_origin_tell_them_apart)
{
	struct journey udp = journey_of("rx 0, recv 1, send 2, tx 3");
	struct journey originated = journey_of("send 2, tx 3");
	struct map map;

	udp.is_udp = true;
	originated.is_originated = true;
	map_begin(&map);
	map_add_n(&map, "rx 0, recv 1, send 2, tx 3", 3);
	map_add(&map, udp);
	map_add(&map, udp);
	map_add(&map, originated);
	for (int i = 0; i < 9; i++)
		map_add(&map, with_outcome("rx 0, recv 1", OUTCOME_ENDED));
	map_add(&map, with_outcome("rx 0, recv 1", OUTCOME_MERGED));
	map_add(&map, with_outcome("rx 0", OUTCOME_DROPPED));
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_families, 6);
	assert_family(map.vsm, 0, "tcp rx-tx", 3);
	assert_family(map.vsm, 1, "udp rx-tx", 2);
	assert_family(map.vsm, 2, "tcp send-tx originated", 1);
	assert_family(map.vsm, 3, "tcp rx-recv ended", 9);
	assert_family(map.vsm, 4, "tcp rx dropped", 1);
	assert_family(map.vsm, 5, "tcp rx-recv merged", 1);
	cr_assert_str_eq(map.vsm->families[3].id, "f4");
	map_free(&map);
}

Test(families, what_was_not_seen_whole_is_in_none)
{
	struct journey partial = journey_of("recv 1, send 2, tx 3");
	struct journey warmup = journey_of("rx 0, recv 1, send 2, tx 3");
	struct map map;

	partial.is_partial = true;
	warmup.is_warmup = true;
	map_begin(&map);
	map_add(&map, partial);
	map_add(&map, warmup);
	map_add(&map, with_outcome("rx 0, recv 1", OUTCOME_UNOBSERVED));
	map_add(&map, with_outcome("rx 0, recv 1", OUTCOME_IN_FLIGHT));
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_families, 0);
	map_free(&map);
}

Test(families, of_one_name_show_all_their_stations)
{
	struct map map;

	map_begin(&map);
	map_add_n(&map, "rx 0, sock 1, recv 2, send 3, tx 4", 2);
	map_add_n(&map, "rx 0, recv 2, send 3, tx 4", 1);
	map_end(&map, 2000000000);
	assert_family(map.vsm, 0, "tcp rx-sock-recv-send-tx", 2);
	assert_family(map.vsm, 1, "tcp rx-recv-send-tx", 1);
	map_free(&map);
}

Test(families, equals_are_in_order_of_their_route_however_they_came)
{
	struct map map;

	map_begin(&map);
	map_add_n(&map, "rx 0, recv 2, send 3, tx 4", 1);
	map_add_n(&map, "rx 0, sock 1, recv 2, send 3, tx 4", 1);
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->families[0].nr_route, 5);
	map_free(&map);
}

/* Route number i, of an item that takes so long. */
static struct journey numbered(unsigned int i, unsigned int lead_ns)
{
	struct journey journey = journey_of("rx 0, s0 1, s1 2, s2 2, tx 3");

	journey.stamps[1].station = STATION_STAGE + i % 20;
	journey.stamps[2].station = STATION_STAGE + 20 + i / 20 % 20;
	journey.stamps[3].station = STATION_STAGE + 40 + i / 400 % 20;
	journey.stamps[4].at_ns = journey.last_output_ns = MAP_T0 + lead_ns;
	return journey;
}

Test(families, beyond_32_the_smallest_are_other)
{
	const struct family *other;
	struct map map;

	map_begin(&map);
	for (unsigned int i = 0; i < 50; i++)
		for (unsigned int n = 0; n <= i; n++)
			map_add(&map, numbered(i, 1000));
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_families, VSM_MAX_FAMILIES + 1);
	cr_assert_eq(map.vsm->families[0].items, 50);
	cr_assert_eq(map.vsm->families[31].items, 19);
	other = &map.vsm->families[32];
	cr_assert(other->is_other);
	cr_assert_str_eq(other->id, "other");
	cr_assert_eq(other->items, 18 * 19 / 2);
	cr_assert_eq(other->lead_time.count, 18 * 19 / 2);
	cr_assert_eq(other->outputs.count, 18 * 19 / 2);
	cr_assert_eq(other->nr_steps, 0);
	cr_assert_eq(other->constraint, -1);
	cr_assert_null(doubt_of(map.vsm, "routes_folded"));
	map_free(&map);
}

Test(families, routes_without_number_lose_no_item)
{
	uint64_t items = 0, sum_ns = 0, want_ns = 0;
	struct map map;

	map_begin(&map);
	for (unsigned int i = 0; i < 8000; i++) {
		map_add(&map, numbered(i, 1000 + i));
		want_ns += 1000 + i;
	}
	map_end(&map, 2000000000);
	for (size_t f = 0; f < map.vsm->nr_families; f++) {
		items += map.vsm->families[f].items;
		sum_ns += map.vsm->families[f].lead_time.sum_ns;
	}
	cr_assert_eq(items, 8000);
	cr_assert_eq(sum_ns, want_ns);
	cr_assert_eq(doubt_of(map.vsm, "routes_folded")->items, 8000 - FAMILIES_MAX_CANDIDATES);
	map_free(&map);
}

Test(families, a_frequent_route_that_comes_late_is_found)
{
	struct map map;

	map_begin(&map);
	for (unsigned int i = 0; i < 5000; i++)
		map_add(&map, numbered(i, 1000));
	for (unsigned int i = 0; i < 1000; i++) {
		map_add(&map, numbered(5000 + i, 1000));
		map_add_n(&map, "rx 0, recv 10, send 20, tx 30", 1);
	}
	map_end(&map, 2000000000);
	cr_assert_str_eq(map.vsm->families[0].name, "tcp rx-tx");
	cr_assert_geq(map.vsm->families[0].items, 990);
	map_free(&map);
}

Test(families, a_route_longer_than_any_map_is_other)
{
	struct journey journey = journey_of("rx 0");
	struct map map;

	for (unsigned int i = 1; i < 100; i++)
		journey.stamps[i] =
			(struct stamp){ .station = STATION_STAGE + i, .at_ns = MAP_T0 + i };
	journey.nr_stamps = 100;
	map_begin(&map);
	map_add(&map, journey);
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_families, 1);
	cr_assert(map.vsm->families[0].is_other);
	cr_assert_eq(map.vsm->families[0].lead_time.sum_ns, 99);
	cr_assert_eq(map.vsm->unmapped_ns, 99);
	map_free(&map);
}

Test(families, stages_have_the_names_they_were_given)
{
	struct map map;

	map_begin(&map);
	cr_assert_eq(vsm_builder_name_stage(map.builder, 0, "decode", VALUE_ADDED), 0);
	cr_assert_eq(vsm_builder_name_stage(map.builder, 0, "parse", VALUE_ADDED), 0);
	cr_assert_lt(vsm_builder_name_stage(map.builder, 1000, "no", VALUE_ADDED), 0);
	map_add_n(&map, "rx 0, recv 10, s0 15, send 20, tx 30", 1);
	map_end(&map, 2000000000);
	cr_assert_str_eq(map.vsm->families[0].name, "tcp rx-parse-tx");
	cr_assert_eq(step_of(&map.vsm->families[0], "parse>send")->value, VALUE_ADDED);
	cr_assert_str_eq(map.vsm->families[0].route[2], "parse");
	map_free(&map);
}
