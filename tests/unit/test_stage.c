/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_stage.c - stages in journeys: who is begun, forked, visited, ended
 */
#include "tests/unit/cast.h"

static double part_us(const struct journey *journey, unsigned int stamp, uint64_t ns)
{
	cr_assert(journey->stamps[stamp].parts.is_known);
	return ns / 1e3;
}

Test(stage, a_request_passes_its_stages_between_recv_and_send)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 22), enters(&s, T, 0);
	at(&s, 30), enters(&s, T, 1);
	at(&s, 41), enters(&s, T, 2);
	at(&s, 50), tcp_answers(&s, A, T, 0, 5);
	at(&s, 60), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv s0 s1 s2 send txq tx");
	assert_us(o.journeys[0], STATION_STAGE + 1, 30);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_OUT);
	cr_assert_eq(part_us(&o.journeys[0], 4, o.journeys[0].stamps[4].parts.on_cpu_ns), 8);
	cr_assert_eq(o.account.stage_hits, 3);
	cr_assert_eq(o.account.stage_hits_unowned, 0);
	outcome_free(&o);
}

Test(stage, a_repeated_hit_is_a_visit)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 22), enters(&s, T, 0);
	for (int i = 0; i < 1000; i++)
		at(&s, 23 + i * 0.01), enters(&s, T, 1);
	at(&s, 50), tcp_answers(&s, A, T, 0, 5);
	o = ends(&s);
	assert_route(o.journeys[0], "rx sock recv s0 s1 send txq tx");
	cr_assert_eq(o.journeys[0].stamps[4].more_visits, 999);
	assert_us(o.journeys[0], STATION_STAGE + 1, 23);
	outcome_free(&o);
}

Test(stage, too_many_stations_leave_room_for_the_way_out_and_are_counted)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 22), enters(&s, T, 0);
	for (int i = 0; i < 400; i++)
		at(&s, 23 + i * 0.01), enters(&s, T, 1 + i % 2);
	at(&s, 50), tcp_answers(&s, A, T, 0, 5);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_OUT);
	assert_us(o.journeys[0], STATION_TX, 51);
	cr_assert_gt(o.account.stage_hits_skipped, 100, "%lu", o.account.stage_hits_skipped);
	outcome_free(&o);
}

Test(stage, what_is_read_together_is_begun_in_order)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 3; i++)
		at(&s, 10 + i), asks(&s, FEED, 1000 + i, i, i + 1);
	for (int i = 0; i < 3; i++)
		at(&s, 20 + i), udp_reads(&s, U, T, 64, 2 - i);
	for (int i = 0; i < 3; i++) {
		at(&s, 30 + i * 10), enters(&s, T, 0);
		at(&s, 32 + i * 10), enters(&s, T, 1);
		at(&s, 35 + i * 10), tcp_answers(&s, S, T, i * 10, 10);
	}
	at(&s, 90), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	for (int i = 0; i < 3; i++) {
		assert_route(o.journeys[i], "rx sock recv s0 s1 send txq tx");
		assert_us(o.journeys[i], STATION_STAGE, 30 + i * 10);
		cr_assert_eq(out_byte(&o.journeys[i]), (uint32_t)i * 10);
		cr_assert_eq(o.journeys[i].attribution, ATTRIBUTED_THREAD);
	}
	outcome_free(&o);
}

Test(stage, a_further_entry_hit_forks_the_packet)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	for (int i = 0; i < 3; i++) {
		at(&s, 20 + i * 10), enters(&s, T, 0);
		if (i != 1)
			at(&s, 25 + i * 10), tcp_answers(&s, S, T, i * 10, 10);
	}
	at(&s, 90), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	cr_assert_eq(o.account.forks, 2);
	cr_assert_eq(o.account.in, 3);
	for (int i = 0; i < 3; i++) {
		assert_us(o.journeys[i], STATION_RX, us_of(&o.journeys[0], STATION_RX));
		assert_us(o.journeys[i], STATION_RECV, 13);
		assert_us(o.journeys[i], STATION_STAGE, 20 + i * 10);
	}
	assert_route(o.journeys[1], "rx sock recv s0");
	cr_assert_eq(o.journeys[1].outcome, OUTCOME_ENDED);
	cr_assert_eq(out_byte(&o.journeys[2]), 20u);
	outcome_free(&o);
}

Test(stage, acks_that_the_same_thread_reads_are_not_begun_in_the_place_of_ticks)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 5; i++) {
		at(&s, 100 * i + 10), tick_arrives(&s, U, 64, 1);
		if (i) {
			at(&s, 100 * i + 11), tcp_arrives(&s, S, i * 4, 4);
			at(&s, 100 * i + 12), tcp_reads(&s, S, T, i * 4, 4);
		}
		at(&s, 100 * i + 13), udp_reads(&s, U, T, 64, 0);
		at(&s, 100 * i + 20), enters(&s, T, 0);
		at(&s, 100 * i + 30), tcp_answers(&s, S, T, i * 10, 10);
		at(&s, 100 * i + 50), sleeps(&s, T, IDLE);
		at(&s, 100 * i + 90), wakes(&s, T, IDLE, 1);
	}
	o = ends(&s);
	for (size_t i = 0; i < o.nr; i++) {
		if (o.journeys[i].in_sk == U)
			assert_route(o.journeys[i], "rx sock recv s0 send txq tx");
		else
			assert_route(o.journeys[i], "rx sock recv");
	}
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 5);
	cr_assert_eq(o.account.attributed[ATTRIBUTED_GUESSED], 0);
	outcome_free(&o);
}

Test(stage, a_datagram_whose_thread_waits_for_a_lock_goes_on_and_says_what_it_waited)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 20), enters(&s, T, 0);
	at(&s, 24), sleeps(&s, T, IDLE);
	at(&s, 44), wakes(&s, T, IDLE, 2);
	at(&s, 50), enters(&s, T, 1);
	at(&s, 55), tcp_answers(&s, S, T, 0, 10);
	at(&s, 60), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv s0 s1 send txq tx");
	cr_assert_eq(o.journeys[0].stamps[4].parts.blocked_ns, 18000);
	cr_assert_eq(o.journeys[0].stamps[4].parts.run_queue_ns, 2000);
	cr_assert_eq(o.journeys[0].stamps[4].parts.on_cpu_ns, 10000);
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_GUESSED);
	outcome_free(&o);
}

Test(stage, an_answer_on_its_own_connection_is_no_guess_after_a_sleep)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 22), enters(&s, T, 0);
	at(&s, 24), sleeps(&s, T, IDLE);
	at(&s, 44), wakes(&s, T, IDLE, 2);
	at(&s, 50), enters(&s, T, 1);
	at(&s, 55), tcp_answers(&s, A, T, 0, 5);
	o = ends(&s);
	assert_route(o.journeys[0], "rx sock recv s0 s1 send txq tx");
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_CONNECTION);
	outcome_free(&o);
}

Test(stage, a_timer_after_a_sleep_owns_its_message)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 20), enters(&s, T, 0);
	at(&s, 24), sleeps(&s, T, IDLE);
	at(&s, 500), wakes(&s, T, IDLE, 1);
	at(&s, 510), tcp_answers(&s, S, T, 0, 10);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	assert_route(o.journeys[0], "rx sock recv s0");
	cr_assert(o.journeys[1].is_originated);
	outcome_free(&o);
}

Test(stage, an_item_that_went_through_its_stages_without_an_output_is_ended_by_the_next_read)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 2; i++) {
		at(&s, 100 * i + 10), tick_arrives(&s, U, 64, 1);
		at(&s, 100 * i + 13), udp_reads(&s, U, T, 64, 0);
		at(&s, 100 * i + 20), enters(&s, T, 0);
		at(&s, 100 * i + 30), enters(&s, T, 1);
		at(&s, 100 * i + 40), sleeps(&s, T, IDLE);
		at(&s, 100 * i + 90), wakes(&s, T, IDLE, 1);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	for (int i = 0; i < 2; i++) {
		assert_route(o.journeys[i], "rx sock recv s0 s1");
		cr_assert(o.journeys[i].outcome == OUTCOME_ENDED ||
			  o.journeys[i].outcome == OUTCOME_IN_FLIGHT);
	}
	outcome_free(&o);
}

Test(stage, hits_of_a_thread_without_an_item_are_counted_and_stamp_nothing)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 1), enters(&s, W, 0);
	at(&s, 2), enters(&s, W, 1);
	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 5);
	at(&s, 40), enters(&s, T, 1); /* after its output */
	o = ends(&s);
	assert_route(o.journeys[0], "rx sock recv send txq tx");
	cr_assert_eq(o.account.stage_hits, 3);
	cr_assert_eq(o.account.stage_hits_unowned, 3);
	outcome_free(&o);
}

Test(stage, on_go_no_hit_is_believed)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.is_go = true;
	asked(&s);
	at(&s, 22), enters(&s, T, 0);
	at(&s, 30), tcp_answers(&s, A, T, 0, 5);
	o = ends_with(&s, opts);
	assert_route(o.journeys[0], "rx sock recv send txq tx");
	cr_assert_eq(o.account.stage_hits_unowned, 1);
	outcome_free(&o);
}

Test(stage, an_item_near_a_lost_hit_makes_no_family)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 22), enters(&s, T, 0);
	at(&s, 25), loses(&s, GEMBA_STAGE, 1, 5);
	at(&s, 40), tcp_answers(&s, A, T, 0, 5);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_UNOBSERVED);
	outcome_free(&o);
}
