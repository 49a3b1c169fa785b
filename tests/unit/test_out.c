/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_out.c - from a send call to its packet
 */
#include "tests/unit/cast.h"

Test(out, where_calls_are_told_at_their_end_their_packets_may_come_first)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 3; i++) {
		at(&s, i * 100 + 10), tcp_arrives(&s, A, i * 100, 100);
		at(&s, i * 100 + 20), tcp_reads(&s, A, T, i * 100, 100);
		at(&s, i * 100 + 30), tcp_leaves(&s, A, i * 50, 50);
		at(&s, i * 100 + 31), tcp_sent(&s, A, T, i * 50, 50);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	for (int i = 0; i < 3; i++) {
		assert_route(o.journeys[i], "rx sock recv txq tx");
		assert_us(o.journeys[i], STATION_TX, i * 100 + 30);
		cr_assert(!o.journeys[i].is_deferred_send);
		cr_assert(!o.journeys[i].is_queued);
	}
	outcome_free(&o);
}

Test(out, where_calls_are_told_at_their_end_later_packets_are_deferred)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 31), tcp_sent(&s, A, T, 0, 50);
	at(&s, 40), tcp_leaves(&s, A, 0, 50);
	o = ends(&s);
	assert_route(o.journeys[0], "rx sock recv txq tx");
	assert_us(o.journeys[0], STATION_TX, 40);
	cr_assert(o.journeys[0].is_deferred_send);
	outcome_free(&o);
}

Test(out, a_real_queue_is_seen_where_calls_are_told_at_their_end)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 100);
	at(&s, 30), tcp_txq(&s, A, 0, 50);
	at(&s, 33), tcp_sent(&s, A, T, 0, 50);
	at(&s, 35), tcp_tx(&s, A, 0, 50);
	/* the queue is quicker than the call */
	at(&s, 110), tcp_arrives(&s, A, 100, 100);
	at(&s, 120), tcp_reads(&s, A, T, 100, 100);
	at(&s, 130), tcp_txq(&s, A, 50, 50);
	at(&s, 131), tcp_tx(&s, A, 50, 50);
	at(&s, 133), tcp_sent(&s, A, T, 50, 50);
	o = ends(&s);
	for (int i = 0; i < 2; i++) {
		assert_route(o.journeys[i], "rx sock recv txq tx");
		assert_us(o.journeys[i], STATION_TXQ, i * 100 + 30);
		cr_assert(o.journeys[i].is_queued);
		cr_assert(!o.journeys[i].is_deferred_send);
	}
	assert_us(o.journeys[0], STATION_TX, 35);
	assert_us(o.journeys[1], STATION_TX, 131);
	outcome_free(&o);
}

Test(out, a_call_of_a_thousand_packets_told_at_its_end_left_with_the_first)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	for (int i = 0; i < 700; i++)
		at(&s, 30 + i * 0.1), tcp_leaves(&s, A, i * 1448, 1448);
	at(&s, 110), tcp_sent(&s, A, T, 0, 700 * 1448);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_TX, 30);
	outcome_free(&o);
}

Test(out, an_originated_call_told_at_its_end_whose_packet_is_never_seen_has_a_station)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 30), tcp_sent(&s, S, T, 0, 50);
	at(&s, 40), closes(&s, S);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	cr_assert_eq(o.journeys[0].nr_stamps, 1);
	cr_assert(o.journeys[0].is_partial);
	outcome_free(&o);
}

Test(out, a_packet_in_a_real_queue_has_two_instants)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 32), tcp_txq(&s, A, 0, 50);
	at(&s, 33), sleeps(&s, T, IDLE);
	at(&s, 300), on_cpu(&s, 1), tcp_tx(&s, A, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_us(o.journeys[0], STATION_TXQ, 32);
	assert_us(o.journeys[0], STATION_TX, 300);
	cr_assert(o.journeys[0].is_queued);
	cr_assert(!o.journeys[0].is_deferred_send);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_OUT);
	outcome_free(&o);
}

Test(out, a_packet_that_leaves_after_the_sender_slept_is_deferred)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 33), sleeps(&s, T, IDLE);
	at(&s, 50), tcp_leaves(&s, A, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_us(o.journeys[0], STATION_TX, 50);
	cr_assert(o.journeys[0].is_deferred_send);
	outcome_free(&o);
}

Test(out, a_packet_that_another_cpu_sends_is_deferred)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 31), on_cpu(&s, 1), tcp_leaves(&s, A, 0, 50);
	o = ends(&s);
	cr_assert(o.journeys[0].is_deferred_send);
	outcome_free(&o);
}

Test(out, several_sends_in_one_segment_all_leave_with_it)
{
	struct stream s = server();
	struct outcome_of_run o;

	pipeline(&s, 3);
	for (int i = 0; i < 3; i++)
		at(&s, 50 + i * 5), tcp_sends(&s, A, T, i * 10, 10);
	at(&s, 70), tcp_leaves(&s, A, 0, 30);
	o = ends(&s);
	for (int i = 0; i < 3; i++) {
		assert_us(*item_at(&o, A, i * 10), STATION_SEND, 50 + i * 5);
		assert_us(*item_at(&o, A, i * 10), STATION_TX, 70);
		cr_assert_eq(item_at(&o, A, i * 10)->is_deferred_send, i < 2);
	}
	outcome_free(&o);
}

Test(out, a_send_of_many_packets_leaves_with_its_first)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_sends(&s, A, T, 0, 100000);
	for (int i = 0; i < 10; i++)
		at(&s, 31 + i), tcp_leaves(&s, A, i * 10000, 10000);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_TX, 31);
	cr_assert_eq(o.journeys[0].outputs, 1);
	outcome_free(&o);
}

Test(out, an_answer_whose_packet_left_unseen_is_unobserved)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 40), tcp_arrives(&s, A, 100, 100);
	at(&s, 41), tcp_reads(&s, A, T, 100, 100);
	at(&s, 50), tcp_answers(&s, A, T, 50, 50);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	/* the next one's bytes lie behind it: it has left, and takes not the next one's time */
	assert_route(o.journeys[0], "rx sock recv send");
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_UNOBSERVED);
	cr_assert_eq(o.account.unpaired_tx, 1);
	assert_us(o.journeys[1], STATION_TX, 51);
	cr_assert_eq(o.journeys[1].outcome, OUTCOME_OUT);
	outcome_free(&o);
}

Test(out, a_retransmission_is_a_defect_of_its_item_and_no_output)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	at(&s, 300), tcp_retransmits(&s, A, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].retransmits, 1);
	cr_assert_eq(o.journeys[0].outputs, 1);
	assert_us(o.journeys[0], STATION_TX, 31);
	cr_assert_eq(o.account.retransmits, 1);
	outcome_free(&o);
}

Test(out, a_retransmission_is_charged_to_its_item_long_after_that_was_done)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	at(&s, 40), sleeps(&s, T, IDLE);
	at(&s, 200000), tcp_retransmits(&s, A, 0, 50);
	at(&s, 200100), tcp_acks(&s, A, 50);
	at(&s, 200200), tcp_retransmits(&s, A, 0, 50); /* and no more once the peer has it */
	o = ends(&s);
	cr_assert_eq(o.journeys[0].retransmits, 1);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 1);
	outcome_free(&o);
}

Test(out, an_item_whose_packet_is_never_acknowledged_is_out_after_the_timeout)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.max_items = 2;
	for (uint32_t sk = A; sk <= D; sk++) {
		at(&s, sk * 100 + 10), tcp_arrives(&s, sk, 0, 100);
		at(&s, sk * 100 + 20), tcp_reads(&s, sk, T, 0, 100);
		at(&s, sk * 100 + 30), tcp_answers(&s, sk, T, 0, 50);
		at(&s, sk * 100 + 40), sleeps(&s, T, IDLE);
	}
	o = ends_with(&s, opts);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 4);
	cr_assert_eq(o.account.let_go, 0);
	outcome_free(&o);
}

Test(out, a_retransmission_of_an_older_answer_is_not_charged_to_the_newest)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	at(&s, 40), tcp_arrives(&s, A, 100, 100);
	at(&s, 41), tcp_reads(&s, A, T, 100, 100);
	at(&s, 50), tcp_answers(&s, A, T, 50, 50);
	at(&s, 60), tcp_retransmits(&s, A, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].retransmits, 1);
	cr_assert_eq(o.journeys[1].retransmits, 0);
	cr_assert_eq(o.account.retransmits, 1);
	outcome_free(&o);
}

Test(out, a_round_trip_is_from_a_packet_to_the_first_ack_of_it)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	at(&s, 81), tcp_acks(&s, A, 50);
	at(&s, 90), tcp_acks(&s, A, 50);
	at(&s, 100), tcp_answers(&s, A, T, 50, 50);
	at(&s, 200), tcp_retransmits(&s, A, 50, 50);
	at(&s, 250), tcp_acks(&s, A, 100);
	o = ends(&s);
	cr_assert_eq(o.nr_round_trips, 1);
	cr_assert_eq(o.last_round_trip_ns, 50000);
	outcome_free(&o);
}

Test(out, datagrams_in_a_real_queue_leave_in_order_and_those_dropped_there_do_not)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 4; i++) {
		at(&s, i * 10 + 1), asks(&s, FEED, 1000 + i, i, 1);
		at(&s, i * 10 + 5), udp_reads(&s, U, T, 64, 0);
		at(&s, i * 10 + 7), udp_txq(&s, U, T, FEED, 1000 + i, 9);
	}
	at(&s, 45), sleeps(&s, T, IDLE);
	for (int i = 0; i < 4; i++)
		if (i != 1) /* the queue was full */
			at(&s, 100 + i * 10), udp_tx(&s, U, FEED, 1000 + i, 9);
	o = ends(&s);
	cr_assert_eq(o.nr, 4);
	for (int i = 0; i < 4; i++) {
		assert_route(o.journeys[i], i == 1 ? "rx sock recv txq" : "rx sock recv txq tx");
		assert_us(o.journeys[i], STATION_TXQ, i * 10 + 7);
		if (i != 1)
			assert_us(o.journeys[i], STATION_TX, 100 + i * 10);
	}
	outcome_free(&o);
}
