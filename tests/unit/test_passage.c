// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_passage.c - routes, steps and classes of single items
 */
#include <errno.h>

#include "src/map/passage.h"
#include "tests/unit/map_fixture.h"

static struct passage read_passage(const struct journey *journey)
{
	struct passage passage = { 0 };

	cr_assert_eq(passage_read(&passage, journey), 0);
	return passage;
}

static void assert_classes(const struct journey *journey, uint64_t process_ns,
			   uint64_t transport_ns, uint64_t wait_ns, uint64_t unmapped_ns)
{
	struct passage passage = read_passage(journey);

	cr_assert_eq(passage.process_ns, process_ns, "process %lu", passage.process_ns);
	cr_assert_eq(passage.transport_ns, transport_ns, "transport %lu", passage.transport_ns);
	cr_assert_eq(passage.wait_ns, wait_ns, "wait %lu", passage.wait_ns);
	cr_assert_eq(passage.unmapped_ns, unmapped_ns, "unmapped %lu", passage.unmapped_ns);
	cr_assert_eq(passage.lead_ns, process_ns + transport_ns + wait_ns + unmapped_ns);
}

Test(passage, on_cpu_of_process_is_process_and_its_other_parts_wait)
{
	struct journey journey = journey_of("rx 0, sock 10, recv 30, send 130, txq 150, tx 155");

	set_parts(&journey, "send", 60, 30);
	assert_classes(&journey, 60, 10 + 20 + 5, 20 + 40, 0);
}

Test(passage, receive_and_stages_are_process_by_their_parts)
{
	struct journey journey = journey_of("rx 0, sock 10, recv 20, s0 30, s1 50, send 90, tx 99");

	set_parts(&journey, "s0", 10, 0);
	set_parts(&journey, "s1", 15, 5);
	set_parts(&journey, "send", 40, 0);
	assert_classes(&journey, 10 + 15 + 40, 10 + 9, 10 + 5, 0);
}

Test(passage, process_time_is_unmapped_where_one_part_is_unknown)
{
	struct journey journey = journey_of("rx 0, sock 10, recv 20, s0 30, send 90, tx 99");
	struct passage passage;

	set_parts(&journey, "s0", 10, 0);
	assert_classes(&journey, 0, 10 + 9, 10, 10 + 60);
	passage = read_passage(&journey);
	cr_assert_not(passage.has_process);
	cr_assert(passage.steps[2].has_parts);
	cr_assert_not(passage.steps[3].has_parts);
}

Test(passage, parts_that_do_not_add_up_are_unknown)
{
	struct journey journey = journey_of("recv 20, send 90");
	struct passage passage;

	set_parts(&journey, "send", 10, 0);
	journey.stamps[1].parts.blocked_ns++;
	passage = read_passage(&journey);
	cr_assert(passage.has_bad_parts);
	cr_assert_not(passage.has_process);
	cr_assert_eq(passage.unmapped_ns, 70);
}

Test(passage, a_deferred_send_waits)
{
	struct journey journey = journey_of("send 0, txq 20, tx 25");

	journey.is_deferred_send = true;
	assert_classes(&journey, 0, 5, 20, 0);
}

Test(passage, a_packet_in_a_qdisc_waits)
{
	struct journey journey = journey_of("send 0, txq 20, tx 25");

	journey.is_queued = true;
	assert_classes(&journey, 0, 20, 5, 0);
	journey = journey_of("send 0, tx 25");
	assert_classes(&journey, 0, 25, 0, 0);
	journey.is_queued = true;
	assert_classes(&journey, 0, 0, 25, 0);
}

Test(passage, stations_that_are_missing_join_their_steps_into_a_wait)
{
	struct journey journey = journey_of("rx 0, recv 20");

	assert_classes(&journey, 0, 0, 20, 0);
}

Test(passage, a_repeated_station_is_a_visit_not_a_step)
{
	struct journey journey = journey_of("recv 0, s0 1, s0 3, s0 7, send 15");
	struct passage passage = read_passage(&journey);

	cr_assert_eq(passage.key.nr, 3);
	cr_assert_eq(passage.steps[1].visits, 3);
	cr_assert_eq(passage.steps[1].time_ns, 14);
	cr_assert_eq(passage.steps[0].visits, 1);
}

Test(passage, time_belongs_to_the_step_that_begins_where_the_interval_does)
{
	struct journey journey = journey_of("recv 0, s0 1, s1 3, s0 7, s1 15, send 31");
	struct passage passage = read_passage(&journey);

	cr_assert_eq(passage.key.nr, 4);
	cr_assert_eq(passage.steps[1].time_ns, 2 + 8);
	cr_assert_eq(passage.steps[2].time_ns, 4 + 16);
}

Test(passage, a_return_to_the_last_station_has_no_step_and_is_unmapped)
{
	struct journey journey = journey_of("recv 0, s0 1, s1 3, s0 7");
	struct passage passage;

	journey.outcome = OUTCOME_ENDED;
	set_parts(&journey, "s0", 0, 0);
	passage = read_passage(&journey);
	cr_assert_eq(passage.lead_ns, 7);
	cr_assert_eq(passage.steps[0].time_ns + passage.steps[1].time_ns, 3);
	cr_assert_geq(passage.unmapped_ns, 4);
}

Test(passage, lead_time_ends_at_the_first_tx)
{
	struct journey journey = journey_of("rx 0, recv 5, send 10, tx 20, s0 500");
	struct passage passage = read_passage(&journey);

	cr_assert_eq(passage.lead_ns, 20);
	cr_assert_eq(passage.key.nr, 4);
}

Test(passage, one_station_is_a_route_without_steps)
{
	struct journey journey = journey_of("rx 0");

	assert_classes(&journey, 0, 0, 0, 0);
	cr_assert_eq(read_passage(&journey).key.nr, 1);
}

Test(passage, what_is_no_journey_is_refused)
{
	struct passage passage = { 0 };
	struct journey journey = journey_of("rx 10, recv 5");

	cr_assert_eq(passage_read(&passage, &journey), -EINVAL, "time goes back");
	journey = journey_of("rx 1, recv 5");
	journey.stamps[1].station = STEPS_NR_STATIONS;
	cr_assert_eq(passage_read(&passage, &journey), -EINVAL, "no such station");
	journey.nr_stamps = 0;
	cr_assert_eq(passage_read(&passage, &journey), -EINVAL, "nothing");
	journey.nr_stamps = JOURNEY_MAX_STATIONS + 1;
	cr_assert_eq(passage_read(&passage, &journey), -EINVAL, "too much");
}

static struct journey of_stages(unsigned int nr)
{
	struct journey journey = journey_of("rx 0");

	for (unsigned int i = 1; i < nr; i++)
		journey.stamps[i] =
			(struct stamp){ .station = STATION_STAGE + i, .at_ns = MAP_T0 + i };
	journey.nr_stamps = nr;
	return journey;
}

Test(passage, more_stations_than_a_route_can_have_leave_the_lead_time)
{
	struct journey longest = of_stages(VSM_MAX_STEPS + 1),
		       longer = of_stages(VSM_MAX_STEPS + 2);
	struct passage passage = read_passage(&longest);

	cr_assert_eq(passage.key.nr, VSM_MAX_STEPS + 1);
	passage = read_passage(&longer);
	cr_assert_eq(passage.key.nr, 0);
	cr_assert_eq(passage.lead_ns, VSM_MAX_STEPS + 1);
	cr_assert_eq(passage.unmapped_ns, passage.lead_ns);
}

Test(passage, what_was_read_before_does_not_matter)
{
	static const char *const texts[] = { "rx 0, recv 5, send 10, tx 20", "rx 0, recv 5",
					     "rx 0, recv 7, send 10, tx 20",
					     "recv 0, s0 1, s0 3, send 15",
					     "rx 0, recv 5, send 10, tx 20, s0 30" };
	struct passage again = { 0 };

	for (unsigned int i = 0; i < 50; i++) {
		struct journey journey = journey_of(texts[i * 7 % 5]);
		struct passage fresh = { 0 };

		journey.is_queued = i % 3 == 0;
		journey.is_udp = i % 2;
		cr_assert_eq(passage_read(&again, &journey), 0);
		cr_assert_eq(passage_read(&fresh, &journey), 0);
		cr_assert_eq(route_key_compare(&again.key, &fresh.key), 0);
		cr_assert_eq(again.lead_ns, fresh.lead_ns);
		cr_assert_eq(again.wait_ns, fresh.wait_ns);
		cr_assert_eq(again.transport_ns, fresh.transport_ns);
		cr_assert_eq(again.unmapped_ns, fresh.unmapped_ns);
	}
}

Test(passage, routes_are_ordered_by_station_then_protocol_then_outcome)
{
	struct route_key a = { .nr = 2, .stations = { 0, 1 } },
			 b = { .nr = 2, .stations = { 0, 2 } };

	cr_assert_lt(route_key_compare(&a, &b), 0);
	b = (struct route_key){ .nr = 3, .stations = { 0, 1, 2 } };
	cr_assert_lt(route_key_compare(&a, &b), 0);
	b = a;
	cr_assert_eq(route_key_compare(&a, &b), 0);
	b.is_udp = 1;
	cr_assert_lt(route_key_compare(&a, &b), 0);
	b = a;
	b.outcome = OUTCOME_ENDED;
	cr_assert_lt(route_key_compare(&a, &b), 0);
}
