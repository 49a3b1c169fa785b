// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_bias.c - what the probes of stages took is taken off where they took it, and all still adds up
 */
#include "src/map/passage.h"
#include "tests/unit/map_fixture.h"

static const struct probe_cost costs[GEMBA_MAX_STAGES] = {
	[0] = { .before_ns = 700, .after_ns = 600, .spread_ns = 80 },
	[1] = { .before_ns = 400, .after_ns = 300, .spread_ns = 50 },
};

static struct passage corrected_by(const struct journey *journey, const struct probe_cost *by)
{
	struct passage passage = { .costs = by };

	cr_assert_eq(passage_read(&passage, journey), 0);
	return passage;
}

static struct passage corrected(const struct journey *journey)
{
	return corrected_by(journey, costs);
}

static void assert_adds_up(const struct passage *passage)
{
	uint64_t sum_ns = 0;

	for (unsigned int s = 0; s + 1U < passage->key.nr; s++)
		sum_ns += passage->steps[s].time_ns;
	cr_assert_eq(sum_ns, passage->lead_ns);
	cr_assert_eq(passage->process_ns + passage->transport_ns + passage->wait_ns +
			     passage->unmapped_ns,
		     passage->lead_ns);
}

static struct journey two_stages(void)
{
	struct journey journey =
		journey_of("rx 0, sock 1000, recv 3000, s0 10000, s1 20000, send 30000, tx 31000");

	set_parts(&journey, "s0", 7000, 0);
	set_parts(&journey, "s1", 9000, 1000);
	set_parts(&journey, "send", 10000, 0);
	return journey;
}

Test(bias, what_comes_before_a_stamp_is_of_the_step_that_ends_there_the_rest_of_the_next)
{
	struct journey journey = two_stages();
	struct passage passage = corrected(&journey);

	cr_assert_eq(passage.steps[2].time_ns, 7000 - 700, "receive");
	cr_assert_eq(passage.steps[3].time_ns, 10000 - 600 - 400, "s0");
	cr_assert_eq(passage.steps[4].time_ns, 10000 - 300, "s1");
	cr_assert_eq(passage.steps[3].bias_ns, 1000);
	cr_assert_eq(passage.steps[3].error_ns, 130);
	cr_assert_eq(passage.steps[3].on_cpu_ns, 9000 - 1000);
	cr_assert_eq(passage.steps[3].run_queue_ns, 1000);
	cr_assert_eq(passage.bias_ns, 700 + 1000 + 300);
	cr_assert_eq(passage.lead_ns, 31000 - 2000);
	assert_adds_up(&passage);
}

Test(bias, every_visit_is_a_hit)
{
	struct journey journey = two_stages();
	struct passage passage;

	journey.stamps[4].more_visits = 3;
	passage = corrected(&journey);
	cr_assert_eq(passage.steps[4].bias_ns, 300 + 3 * 700);
	cr_assert_eq(passage.steps[4].error_ns, 4 * 50);
	cr_assert_eq(passage.steps[4].visits, 4);
	assert_adds_up(&passage);
}

static const struct probe_cost cold_costs[GEMBA_MAX_STAGES] = {
	[0] = { .before_ns = 700, .after_ns = 600, .cold_before_ns = 500, .cold_after_ns = 300 },
	[1] = { .before_ns = 400, .after_ns = 300, .cold_before_ns = 500, .cold_after_ns = 300 },
};

Test(bias, the_first_hit_behind_a_system_call_takes_half_of_what_cold_caches_add_and_may_err_by_it)
{
	struct journey journey = two_stages();
	struct passage passage = corrected_by(&journey, cold_costs);

	cr_assert_eq(passage.steps[2].bias_ns, 700 + 250, "receive: the way to the first stamp");
	cr_assert_eq(passage.steps[2].error_ns, 250);
	cr_assert_eq(passage.steps[3].bias_ns, 600 + 150 + 400, "s0: the rest of the first hit");
	cr_assert_eq(passage.steps[3].error_ns, 150);
	cr_assert_eq(passage.steps[4].bias_ns, 300, "s1 found the caches warm");
	cr_assert_eq(passage.steps[4].error_ns, 0);
	assert_adds_up(&passage);
}

Test(bias, the_first_hit_of_another_thread_finds_cold_caches)
{
	struct journey journey = two_stages();
	struct passage passage;

	journey.stamps[4].tid = journey.stamps[3].tid + 1;
	passage = corrected_by(&journey, cold_costs);
	cr_assert_eq(passage.steps[3].bias_ns, 600 + 150 + 400 + 250);
	cr_assert_eq(passage.steps[4].bias_ns, 300 + 150);
	cr_assert_eq(passage.steps[4].error_ns, 150);
	assert_adds_up(&passage);
}

Test(bias, no_more_is_taken_off_than_the_thread_ran)
{
	struct journey journey =
		journey_of("rx 0, recv 1000, s0 1200, s1 1900, send 9000, tx 9900");
	struct passage passage;

	set_parts(&journey, "s0", 200, 0);
	set_parts(&journey, "s1", 500, 200);
	set_parts(&journey, "send", 100, 7000);
	passage = corrected(&journey);
	cr_assert_eq(passage.steps[1].time_ns, 0);
	cr_assert_eq(passage.steps[2].time_ns, 200);
	cr_assert_eq(passage.steps[2].on_cpu_ns, 0);
	cr_assert_eq(passage.steps[3].time_ns, 7000);
	assert_adds_up(&passage);
}

Test(bias, without_parts_it_comes_off_the_step)
{
	struct journey journey =
		journey_of("rx 0, recv 1000, s0 9000, s1 20000, send 29000, tx 30000");
	struct passage passage = corrected(&journey);

	cr_assert_eq(passage.steps[1].time_ns, 8000 - 700);
	cr_assert_eq(passage.steps[2].time_ns, 11000 - 1000);
	cr_assert_not(passage.steps[2].has_parts);
	assert_adds_up(&passage);
}

Test(bias, the_map_has_the_raw_time_beside_and_the_cost_of_an_item)
{
	const struct probe_cost *cost = &costs[0];
	struct map map;
	const struct step *s0, *rx;

	map_begin(&map);
	vsm_builder_cost_stage(map.builder, 0, *cost);
	for (int i = 0; i < 30; i++)
		map_add_n(&map, "rx 0, sock 1000, recv 3000, s0 10000, send 30000, tx 31000", 1);
	map_end(&map, 2000000000);
	s0 = step_of(&map.vsm->families[0], "stage0>send");
	rx = step_of(&map.vsm->families[0], "rx>sock");
	cr_assert_eq(s0->time.sum_ns, 30 * (20000 - 600));
	cr_assert_eq(s0->time_raw.sum_ns, 30 * 20000);
	cr_assert_eq(s0->error_ns, 80);
	cr_assert_eq(rx->time_raw.count, 0);
	cr_assert_eq(map.vsm->observer_path_ns_per_item, 1300);
	map_free(&map);
}
