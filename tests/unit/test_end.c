/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_end.c - how an item ends, and what the window counts
 */
#include "tests/unit/cast.h"

Test(end, an_item_without_an_answer_ends_with_its_connection)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), closes(&s, A);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_ENDED);
	assert_route(o.journeys[0], "rx sock recv");
	outcome_free(&o);
}

Test(end, items_whose_packets_had_not_left_a_socket_that_closes_are_out_at_once)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.item_timeout_ns = 1000000000;
	asked(&s);
	at(&s, 25), tcp_arrives(&s, B, 0, 10);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 31), closes(&s, A);
	at(&s, 32), tcp_reads(&s, B, T, 0, 10);
	o = ends_with(&s, opts);
	/* and not in flight at the end, waiting for a packet of a socket that is no more */
	cr_assert_eq(item_at(&o, A, 0)->outcome, OUTCOME_OUT);
	cr_assert_eq(item_at(&o, B, 0)->outcome, OUTCOME_IN_FLIGHT);
	outcome_free(&o);
}

Test(end, a_thread_that_exits_ends_its_items)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 25), tcp_arrives(&s, B, 0, 10);
	at(&s, 26), tcp_reads(&s, B, W, 0, 10);
	at(&s, 30), exits(&s, T);
	o = ends(&s);
	cr_assert_eq(item_at(&o, A, 0)->outcome, OUTCOME_ENDED);
	cr_assert_eq(item_at(&o, B, 0)->outcome, OUTCOME_IN_FLIGHT);
	outcome_free(&o);
}

Test(end, a_thread_id_that_comes_again_is_another_thread)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 30), tcp_sends(&s, A, W, 0, 50); /* its item is W's now, still current on T */
	at(&s, 31), exits(&s, T);
	at(&s, 40), wakes(&s, T, X, 2);
	at(&s, 41), tcp_answers(&s, S, T, 0, 20);
	at(&s, 45), tcp_leaves(&s, A, 0, 50);
	at(&s, 50), sleeps(&s, W, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(o.journeys[0].outputs, 1);
	cr_assert(o.journeys[1].is_originated);
	outcome_free(&o);
}

Test(end, an_item_that_has_not_moved_for_the_timeout_is_closed)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.item_timeout_ns = 1000000;
	asked(&s);
	at(&s, 1019.9), tcp_arrives(&s, B, 0, 10);
	at(&s, 1020), tcp_reads(&s, B, T, 0, 10);
	at(&s, 1030), tcp_answers(&s, A, T, 0, 50);
	o = ends_with(&s, opts);
	cr_assert_eq(item_at(&o, A, 0)->outcome, OUTCOME_ENDED);
	cr_assert_eq(item_at(&o, A, 0)->outputs, 0);
	outcome_free(&o);
}

Test(end, an_endless_timeout_ends_nothing)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.item_timeout_ns = UINT64_MAX;
	asked(&s);
	at(&s, 5e6), tcp_answers(&s, A, T, 0, 50);
	o = ends_with(&s, opts);
	cr_assert_eq(o.nr, 1);
	cr_assert_eq(o.journeys[0].outputs, 1);
	outcome_free(&o);
}

Test(end, with_too_many_open_the_one_that_moved_longest_ago_is_let_go)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.max_items = 3;
	for (uint32_t sk = A; sk <= D; sk++) {
		at(&s, sk * 10), tcp_arrives(&s, sk, 0, 10);
		at(&s, sk * 10 + 5), tcp_reads(&s, sk, T, 0, 10);
	}
	at(&s, 60), tcp_answers(&s, A, T, 0, 10);
	at(&s, 70), tcp_answers(&s, B, T, 0, 10);
	o = ends_with(&s, opts);
	cr_assert_eq(o.account.let_go, 1);
	cr_assert_eq(item_at(&o, A, 0)->outcome, OUTCOME_ENDED);
	cr_assert_eq(item_at(&o, B, 0)->outcome, OUTCOME_OUT);
	outcome_free(&o);
}

Test(end, a_datagram_without_an_answer_ends_when_its_reader_sleeps)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 15), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_ENDED);
	assert_route(o.journeys[0], "rx sock recv");
	outcome_free(&o);
}

Test(end, a_datagram_without_an_answer_ends_when_a_spinning_reader_comes_round)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.has_sched = false;
	for (int i = 0; i < 3; i++) {
		at(&s, i * 100 + 10), tick_arrives(&s, U, 64, 1);
		at(&s, i * 100 + 13), udp_reads(&s, U, T, 64, 0);
		at(&s, i * 100 + 15), finds_empty(&s, U, T);
	}
	o = ends_with(&s, opts);
	cr_assert_eq(o.account.by_outcome[OUTCOME_ENDED], 2);
	cr_assert_eq(o.account.by_outcome[OUTCOME_IN_FLIGHT], 1);
	outcome_free(&o);
}

Test(end, preemption_is_no_sleep)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 15), is_preempted(&s, T, X);
	at(&s, 20), runs(&s, T, X);
	at(&s, 25), tcp_answers(&s, S, T, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	cr_assert_eq(o.journeys[0].out_sk, S);
	outcome_free(&o);
}

Test(end, what_is_open_at_the_end_is_in_flight)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 22), tcp_arrives(&s, B, 0, 10);
	at(&s, 25), tcp_reads(&s, B, T, 0, 10);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.account.by_outcome[OUTCOME_IN_FLIGHT], 2);
	cr_assert_eq(o.account.in, 2);
	outcome_free(&o);
}

Test(end, items_with_events_among_the_lost_are_unobserved)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 25), loses(&s, GEMBA_SEND, 1, 10);
	at(&s, 2040), tcp_arrives(&s, A, 100, 10);
	at(&s, 2045), tcp_reads(&s, A, T, 100, 10);
	at(&s, 2050), tcp_answers(&s, A, T, 50, 5);
	at(&s, 2060), closes(&s, A);
	at(&s, 2070), tcp_arrives(&s, B, 0, 10);
	at(&s, 2075), tcp_reads(&s, B, T, 0, 10);
	at(&s, 2080), closes(&s, B);
	o = ends(&s);
	/* the answer found the oldest open, and what is open later cannot have lost anything */
	cr_assert_eq(o.account.lost, 1);
	cr_assert_eq(o.account.lost_by_kind[GEMBA_SEND], 1);
	cr_assert_eq(item_at(&o, A, 0)->outcome, OUTCOME_OUT);
	cr_assert_eq(item_at(&o, A, 100)->outputs_shared, 2);
	cr_assert_eq(item_at(&o, B, 0)->outcome, OUTCOME_ENDED);
	outcome_free(&o);
}

Test(end, an_item_that_spans_a_loss_and_lacks_its_end_or_its_beginning_is_unobserved)
{
	struct stream s = server();
	struct outcome_of_run o;

	asked(&s);
	at(&s, 25), loses(&s, GEMBA_SEND, 3, 10);
	at(&s, 30), tcp_reads(&s, B, T, 0, 10);
	at(&s, 32), tcp_answers(&s, B, T, 0, 10);
	at(&s, 40), closes(&s, A), closes(&s, B);
	o = ends(&s);
	cr_assert_eq(o.account.by_outcome[OUTCOME_UNOBSERVED], 2);
	outcome_free(&o);
}

/* A request and its answer, one station of it left out, and one such event lost or not. */
static enum outcome lacks(unsigned int kind, bool is_lost)
{
	struct stream s = server();
	enum outcome outcome;
	struct outcome_of_run o;

	at(&s, 5);
	if (is_lost)
		loses(&s, kind, 1, 10);
	at(&s, 10), tcp_rx(&s, A, 0, 100);
	at(&s, 11);
	if (kind != GEMBA_SOCK)
		tcp_ready(&s, A, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 100);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 31);
	if (kind != GEMBA_TXQ)
		tcp_txq(&s, A, 0, 50);
	at(&s, 32), tcp_tx(&s, A, 0, 50);
	at(&s, 40), closes(&s, A);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	outcome = o.journeys[0].outcome;
	outcome_free(&o);
	return outcome;
}

Test(end, an_item_that_lacks_a_station_of_which_an_event_was_lost_is_unobserved)
{
	cr_assert_eq(lacks(GEMBA_SOCK, true), OUTCOME_UNOBSERVED);
	cr_assert_eq(lacks(GEMBA_TXQ, true), OUTCOME_UNOBSERVED);
	/* it lacks nothing of what was lost */
	cr_assert_eq(lacks(GEMBA_SWITCH, true), OUTCOME_OUT);
	/* this kernel tells no such station */
	cr_assert_eq(lacks(GEMBA_SOCK, false), OUTCOME_OUT);
	cr_assert_eq(lacks(GEMBA_TXQ, false), OUTCOME_OUT);
}

Test(end, one_item_may_be_answered_after_another_socket_took_its_place_in_memory)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	/* A's item is let go while its packet is awaited; its memory becomes B's item */
	opts.max_items = 1;
	asked(&s);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 35), tcp_arrives(&s, B, 0, 10);
	at(&s, 36), tcp_reads(&s, B, T, 0, 10);
	at(&s, 40), tcp_leaves(&s, A, 0, 50);
	at(&s, 41), tcp_retransmits(&s, A, 0, 50);
	o = ends_with(&s, opts);
	assert_route(*item_at(&o, A, 0), "rx sock recv send");
	assert_route(*item_at(&o, B, 0), "rx sock recv");
	cr_assert_eq(item_at(&o, B, 0)->retransmits, 0);
	outcome_free(&o);
}

Test(window, the_first_100_ms_are_warm_up_counted_and_in_no_balance_but_what_is_open)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.start_ns = EVENTS_START_NS;
	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	at(&s, 40), sleeps(&s, T, IDLE);
	at(&s, 99990), tcp_arrives(&s, B, 0, 10);
	at(&s, 99999), tcp_reads(&s, B, T, 0, 10);
	at(&s, 100000), tcp_answers(&s, B, T, 0, 50);
	at(&s, 100100), tcp_arrives(&s, C, 0, 10);
	at(&s, 100110), tcp_reads(&s, C, T, 0, 10);
	o = ends_with(&s, opts);
	cr_assert_eq(o.account.warmup, 2);
	cr_assert_eq(o.account.in_flight_start, 1);
	cr_assert_eq(o.account.in, 1);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 1);
	cr_assert(item_at(&o, A, 0)->is_warmup);
	cr_assert(item_at(&o, B, 0)->is_warmup);
	cr_assert(!item_at(&o, C, 0)->is_warmup);
	outcome_free(&o);
}

Test(window, threads_are_told_their_time_after_the_warm_up)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.start_ns = EVENTS_START_NS;
	at(&s, 0), wakes(&s, T, IDLE, 0);
	at(&s, 100020), sleeps(&s, T, IDLE);
	at(&s, 100120), wakes(&s, T, IDLE, 1);
	at(&s, 100150), sleeps(&s, T, IDLE);
	o = ends_with(&s, opts);
	cr_assert_eq(o.nr_threads, 1);
	cr_assert_eq(o.threads[0].on_cpu_ns, 50000);
	outcome_free(&o);
}

Test(window, drops_and_unseen_bytes_of_the_warm_up_are_not_the_windows)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.start_ns = EVENTS_START_NS;
	at(&s, 10), udp_rx(&s, U, FEED, 4000, 64, 1), udp_drops(&s, U);
	at(&s, 20), tcp_arrives(&s, A, 0, 200), tcp_reads(&s, A, T, 100, 100);
	at(&s, 200000), udp_rx(&s, U, FEED, 4000, 64, 1), udp_drops(&s, U);
	o = ends_with(&s, opts);
	cr_assert_eq(o.account.drops, 1);
	cr_assert_eq(o.account.bytes_read_unseen, 0);
	outcome_free(&o);
}

Test(window, the_queue_counted_without_journeys_is_time_by_depth)
{
	struct stream s = server();
	struct outcome_of_run o;

	/* one for 10 us, two for 5, one for 5 */
	at(&s, 10), udp_rx(&s, U, FEED, 4000, 64, 1), udp_ready(&s, U, 64, 1, 1);
	at(&s, 20), udp_rx(&s, U, FEED, 4000, 64, 2), udp_ready(&s, U, 64, 2, 2);
	at(&s, 25), udp_reads(&s, U, T, 64, 1);
	at(&s, 30), udp_reads(&s, U, T, 64, 0);
	/* TCP: unread or not */
	at(&s, 100), tcp_arrives(&s, A, 0, 10);
	at(&s, 105), tcp_arrives(&s, A, 10, 10);
	at(&s, 110), tcp_reads(&s, A, T, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.depth_ns, 10000 + 10000 + 5000 + 10000);
	outcome_free(&o);
}

Test(window, a_socket_queue_counts_until_its_socket_closes_or_the_end)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 10);
	at(&s, 10), tcp_arrives(&s, B, 0, 10);
	at(&s, 30), closes(&s, A);
	at(&s, 50), closes(&s, C);
	o = ends(&s);
	cr_assert_eq(o.depth_ns, 20000 + 40000);
	outcome_free(&o);
}
