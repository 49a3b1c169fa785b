/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_own.c - whose a send is: DEFINITIONS, "Who owns what"
 */
#include "tests/unit/cast.h"

Test(own, replies_in_reverse_order_of_the_reads_go_to_their_own_connections)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (uint32_t sk = A; sk <= D; sk++)
		at(&s, 10 + sk), tcp_arrives(&s, sk, 0, 40);
	for (uint32_t sk = A; sk <= D; sk++)
		at(&s, 20 + sk), tcp_reads(&s, sk, T, 0, 40);
	for (uint32_t sk = D; sk >= A; sk--)
		at(&s, 50 - sk * 3), tcp_answers(&s, sk, T, 0, 5);
	at(&s, 60), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 4);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(o.journeys[i].in_sk, o.journeys[i].out_sk);
		cr_assert_eq(o.journeys[i].attribution, ATTRIBUTED_CONNECTION);
		cr_assert_eq(o.journeys[i].outcome, OUTCOME_OUT);
	}
	outcome_free(&o);
}

Test(own, one_send_for_k_pipelined_items_is_shared_by_all_of_them)
{
	struct stream s = server();
	struct outcome_of_run o;

	pipeline(&s, 3);
	at(&s, 50), tcp_answers(&s, A, T, 0, 30);
	at(&s, 60), sleeps(&s, T, IDLE);
	o = ends(&s);
	for (int i = 0; i < 3; i++) {
		const struct journey *j = item_at(&o, A, i * 10);

		cr_assert_eq(j->outcome, OUTCOME_OUT);
		cr_assert_eq(j->outputs_shared, 3, "%u", j->outputs_shared);
		cr_assert(j->stamps[3].parts.is_known);
		cr_assert_eq(parts_sum_ns(&j->stamps[3].parts),
			     j->stamps[3].at_ns - j->stamps[2].at_ns);
		assert_route(*j, "rx sock recv send txq tx");
		assert_us(*j, STATION_TX, 51);
		cr_assert_eq(out_byte(j), 0);
	}
	outcome_free(&o);
}

Test(own, a_shared_send_is_shared_too_when_the_connection_is_read_on)
{
	struct stream s = server();
	struct outcome_of_run o;

	pipeline(&s, 3);
	at(&s, 50), tcp_answers(&s, A, T, 0, 30);
	at(&s, 60), tcp_arrives(&s, A, 30, 10);
	at(&s, 61), tcp_reads(&s, A, T, 30, 10);
	at(&s, 62), tcp_answers(&s, A, T, 30, 30);
	o = ends(&s);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(item_at(&o, A, i * 10)->outputs_shared, 3);
		assert_us(*item_at(&o, A, i * 10), STATION_TX, 51);
	}
	cr_assert_eq(item_at(&o, A, 30)->outputs_shared, 0);
	assert_us(*item_at(&o, A, 30), STATION_TX, 63);
	outcome_free(&o);
}

Test(own, a_shared_send_is_shared_too_when_the_connection_closes)
{
	struct stream s = server();
	struct outcome_of_run o;

	pipeline(&s, 2);
	at(&s, 50), tcp_answers(&s, A, T, 0, 30);
	at(&s, 60), closes(&s, A);
	o = ends(&s);
	cr_assert_eq(item_at(&o, A, 0)->outputs_shared, 2);
	cr_assert_eq(item_at(&o, A, 10)->outcome, OUTCOME_OUT);
	outcome_free(&o);
}

Test(own, those_who_share_a_send_share_its_packet_when_it_leaves_later)
{
	struct stream s = server();
	struct outcome_of_run o;

	pipeline(&s, 3);
	at(&s, 50), tcp_sends(&s, A, T, 0, 30);
	at(&s, 60), sleeps(&s, T, IDLE);
	at(&s, 70), tcp_leaves(&s, A, 0, 30);
	o = ends(&s);
	for (int i = 0; i < 3; i++) {
		assert_route(*item_at(&o, A, i * 10), "rx sock recv send txq tx");
		assert_us(*item_at(&o, A, i * 10), STATION_TX, 70);
	}
	outcome_free(&o);
}

Test(own, k_sends_for_k_pipelined_items_go_to_them_in_order)
{
	struct stream s = server();
	struct outcome_of_run o;

	pipeline(&s, 3);
	for (int i = 0; i < 3; i++)
		at(&s, 50 + i * 5), tcp_answers(&s, A, T, i * 10, 10);
	at(&s, 90), sleeps(&s, T, IDLE);
	o = ends(&s);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(out_byte(item_at(&o, A, i * 10)), i * 10);
		cr_assert_eq(item_at(&o, A, i * 10)->outputs_shared, 0);
	}
	outcome_free(&o);
}

Test(own, an_answer_in_two_sends_is_one_output_with_a_later_last)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 10);
	at(&s, 20), tcp_reads(&s, A, T, 0, 10);
	at(&s, 30), tcp_answers(&s, A, T, 0, 10);
	at(&s, 40), tcp_answers(&s, A, T, 10, 90);
	o = ends(&s);
	cr_assert_eq(o.journeys[0].outputs, 2);
	cr_assert_eq(o.journeys[0].bytes_out, 100);
	assert_us(o.journeys[0], STATION_TX, 31);
	cr_assert_eq(o.journeys[0].last_output_ns, EVENTS_START_NS + 41000);
	outcome_free(&o);
}

Test(own, a_reply_by_another_thread_goes_to_the_oldest_open_item)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 10);
	at(&s, 20), tcp_reads(&s, A, T, 0, 10);
	at(&s, 21), sleeps(&s, T, IDLE);
	at(&s, 2025), tcp_arrives(&s, A, 10, 10);
	at(&s, 2027), wakes(&s, T, IDLE, 1);
	at(&s, 2028), tcp_reads(&s, A, T, 10, 10);
	at(&s, 2029), sleeps(&s, T, IDLE);
	at(&s, 2030), tcp_answers(&s, A, W, 0, 5);
	at(&s, 2040), tcp_answers(&s, A, W, 5, 5);
	at(&s, 2050), sleeps(&s, W, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(out_byte(item_at(&o, A, 0)), 0);
	cr_assert_eq(out_byte(item_at(&o, A, 10)), 5);
	cr_assert_eq(item_at(&o, A, 10)->attribution, ATTRIBUTED_CONNECTION);
	outcome_free(&o);
}

Test(own, orders_on_an_opened_session_belong_to_ticks_and_acks_to_nobody)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 3; i++) {
		at(&s, 100 * i + 10), tick_arrives(&s, U, 64, 1);
		at(&s, 100 * i + 12), wakes(&s, T, IDLE, 0.5);
		at(&s, 100 * i + 13), udp_reads(&s, U, T, 64, 0);
		at(&s, 100 * i + 15), tcp_answers(&s, S, T, i * 20, 20);
		at(&s, 100 * i + 18), sleeps(&s, T, IDLE);
		at(&s, 100 * i + 50), tcp_arrives(&s, S, i * 30, 30);
		at(&s, 100 * i + 52), wakes(&s, T, IDLE, 0.5);
		at(&s, 100 * i + 53), tcp_reads(&s, S, T, i * 30, 30);
		at(&s, 100 * i + 55), sleeps(&s, T, IDLE);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 6);
	for (uint32_t i = 0; i < 6; i += 2) {
		cr_assert(o.journeys[i].is_udp);
		assert_route(o.journeys[i], "rx sock recv send txq tx");
		cr_assert_eq(o.journeys[i].attribution, ATTRIBUTED_THREAD);
		cr_assert_eq(o.journeys[i].out_sk, S);
		cr_assert_eq(out_byte(&o.journeys[i]), i / 2 * 20);
		cr_assert_eq(o.journeys[i + 1].in_sk, S);
		cr_assert_eq(o.journeys[i + 1].outputs, 0);
	}
	outcome_free(&o);
}

Test(own, a_feed_that_is_read_until_it_is_empty_still_owns_the_order)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, F, 0, 100);
	at(&s, 12), tcp_reads(&s, F, T, 0, 100);
	at(&s, 13), finds_empty(&s, F, T);
	at(&s, 15), tcp_answers(&s, S, T, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_THREAD);
	cr_assert_eq(o.journeys[0].out_sk, S);
	outcome_free(&o);
}

Test(own, a_send_with_two_items_open_is_a_guess)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 12), tcp_arrives(&s, F, 0, 100);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 14), tcp_reads(&s, F, T, 0, 100);
	at(&s, 15), tcp_answers(&s, S, T, 0, 20);
	o = ends(&s);
	cr_assert_eq(item_at(&o, F, 0)->attribution, ATTRIBUTED_GUESSED);
	cr_assert_eq(o.account.attributed[ATTRIBUTED_GUESSED], 1);
	outcome_free(&o);
}

Test(own, an_answered_item_leaves_the_next_send_no_guess)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 10), tcp_arrives(&s, F, 0, 100);
	at(&s, 13), tcp_reads(&s, A, T, 0, 10);
	at(&s, 14), tcp_answers(&s, A, T, 0, 10);
	at(&s, 16), tcp_reads(&s, F, T, 0, 100);
	at(&s, 17), tcp_answers(&s, S, T, 0, 20);
	o = ends(&s);
	cr_assert_eq(item_at(&o, F, 0)->attribution, ATTRIBUTED_THREAD);
	outcome_free(&o);
}

Test(own, a_send_with_nothing_received_is_originated)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), wakes(&s, T, IDLE, 1);
	at(&s, 12), tcp_answers(&s, S, T, 0, 20);
	at(&s, 14), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	cr_assert(o.journeys[0].is_originated);
	cr_assert(!o.journeys[0].is_partial);
	assert_route(o.journeys[0], "send txq tx");
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_OUT);
	cr_assert_eq(o.account.originated, 1);
	cr_assert_eq(o.account.in, 0);
	outcome_free(&o);
}

Test(own, a_heartbeat_after_the_ticks_order_and_a_sleep_is_originated)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 15), tcp_answers(&s, S, T, 0, 20);
	at(&s, 18), sleeps(&s, T, IDLE);
	at(&s, 500), wakes(&s, T, IDLE, 1);
	at(&s, 501), tcp_answers(&s, S, T, 20, 5);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert(o.journeys[1].is_originated);
	cr_assert_eq(o.journeys[0].outputs, 1);
	outcome_free(&o);
}

/* A tick is read at 30, in the middle of a loss when `is_read` is false, and answered at 45. */
static struct outcome_of_run answers_after_loss(bool is_read, void (*then)(struct stream *))
{
	struct stream s = server();

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 11), wakes(&s, T, IDLE, 1);
	at(&s, 20), loses(&s, GEMBA_RECV, 1, 20);
	if (is_read)
		at(&s, 30), udp_reads(&s, U, T, 64, 0);
	at(&s, 45), tcp_answers(&s, S, T, 0, 20);
	if (then)
		then(&s);
	return ends(&s);
}

static void sleeps_and_beats(struct stream *s)
{
	at(s, 50), sleeps(s, T, IDLE);
	at(s, 500), wakes(s, T, IDLE, 1);
	at(s, 501), tcp_answers(s, S, T, 20, 5);
}

static void comes_round_and_beats(struct stream *s)
{
	at(s, 50), finds_empty(s, U, T);
	at(s, 60), tcp_arrives(s, F, 0, 10);
	at(s, 61), tcp_reads(s, F, T, 0, 10);
	at(s, 62), closes(s, F);
	at(s, 70), tcp_answers(s, S, T, 20, 20);
}

Test(own, what_a_thread_sends_whose_read_was_lost_is_not_originated)
{
	struct outcome_of_run o = answers_after_loss(false, NULL);

	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 0);
	cr_assert_geq(o.account.by_outcome[OUTCOME_UNOBSERVED], 1);
	outcome_free(&o);
	/* nothing is missing: its read was seen */
	o = answers_after_loss(true, NULL);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 1);
	cr_assert_eq(o.account.originated, 0);
	outcome_free(&o);
}

Test(own, what_a_thread_sends_of_itself_after_a_loss_and_a_sleep_is_originated)
{
	struct outcome_of_run o = answers_after_loss(false, sleeps_and_beats);
	const struct journey *last = &o.journeys[o.nr - 1];

	cr_assert(last->is_originated);
	cr_assert_eq(last->outcome, OUTCOME_OUT);
	outcome_free(&o);
}

Test(own, a_loss_is_over_for_a_loop_that_has_come_round)
{
	struct outcome_of_run o = answers_after_loss(false, comes_round_and_beats);
	const struct journey *last = &o.journeys[o.nr - 1];

	cr_assert(last->is_originated);
	cr_assert_eq(last->outcome, OUTCOME_OUT);
	outcome_free(&o);
}

Test(own, a_publisher_that_never_sleeps_keeps_none_of_its_items_open)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.max_items = 4;
	for (int i = 0; i < 100; i++)
		at(&s, 10 + i * 5), tcp_answers(&s, S, T, i * 20, 20);
	o = ends_with(&s, opts);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 100);
	cr_assert_eq(o.account.let_go, 0);
	outcome_free(&o);
}

Test(own, datagrams_are_answered_by_remote_address_and_port)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), asks(&s, FEED, 1000, 1, 1);
	at(&s, 12), asks(&s, FEED, 2000, 2, 2);
	at(&s, 14), asks(&s, OTHER, 1000, 3, 3);
	for (int i = 0; i < 3; i++)
		at(&s, 20 + i), udp_reads(&s, U, T, 64, 2 - i);
	at(&s, 30), udp_leaves(&s, U, T, OTHER, 1000, 9);
	at(&s, 40), udp_leaves(&s, U, T, FEED, 1000, 9);
	at(&s, 50), udp_leaves(&s, U, T, FEED, 2000, 9);
	at(&s, 60), sleeps(&s, T, IDLE);
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	for (int i = 0; i < 3; i++) {
		assert_route(o.journeys[i], "rx sock recv txq tx");
		cr_assert_eq(o.journeys[i].attribution, ATTRIBUTED_CONNECTION);
	}
	assert_us(o.journeys[0], STATION_TX, 40);
	assert_us(o.journeys[1], STATION_TX, 50);
	assert_us(o.journeys[2], STATION_TX, 30);
	cr_assert_eq(o.nr_endpoints, 2);
	outcome_free(&o);
}

Test(own, a_spinning_echo_server_does_not_answer_an_old_request_it_ignored)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 4; i++) {
		at(&s, 100 * i + 10), asks(&s, FEED, 1000, i, 1);
		at(&s, 100 * i + 20), udp_reads(&s, U, T, 64, 0);
		if (i != 1)
			at(&s, 100 * i + 30), udp_leaves(&s, U, T, FEED, 1000, 9);
		at(&s, 100 * i + 40), finds_empty(&s, U, T);
	}
	o = ends(&s);
	cr_assert_eq(o.journeys[1].outcome, OUTCOME_ENDED);
	assert_us(o.journeys[2], STATION_TX, 230);
	assert_us(o.journeys[3], STATION_TX, 330);
	outcome_free(&o);
}

Test(own, datagrams_that_another_thread_answers_wait_for_it_while_their_reader_spins)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 6; i++) {
		at(&s, 100 * i + 10), asks(&s, FEED, 1000 + i, i, 1);
		at(&s, 100 * i + 20), udp_reads(&s, U, T, 64, 0);
		at(&s, 100 * i + 30), finds_empty(&s, U, T);
		if (i == 0)
			at(&s, 40), udp_leaves(&s, U, W, FEED, 1000, 9);
	}
	for (int i = 1; i < 6; i++)
		at(&s, 600 + i * 10), udp_leaves(&s, U, W, FEED, 1000 + i, 9);
	o = ends(&s);
	cr_assert_eq(o.nr, 6);
	for (int i = 1; i < 6; i++)
		assert_us(o.journeys[i], STATION_TX, 600 + i * 10);
	outcome_free(&o);
}

Test(own, datagrams_answered_after_their_reader_slept_are_joined_from_the_first_such_answer_on)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 6; i++) {
		at(&s, 100 * i + 10), asks(&s, FEED, 1000 + i % 2, i, 1);
		at(&s, 100 * i + 20), udp_reads(&s, U, T, 64, 0);
		at(&s, 100 * i + 30), sleeps(&s, T, IDLE);
		at(&s, 100 * i + 60), wakes(&s, T, IDLE, 1);
		at(&s, 100 * i + 70), udp_leaves(&s, U, T, FEED, 1000 + i % 2, 9);
	}
	o = ends(&s);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 5);
	cr_assert_eq(o.account.by_outcome[OUTCOME_ENDED], 1);
	cr_assert_eq(o.account.by_outcome[OUTCOME_UNOBSERVED], 1);
	for (size_t i = 0; i < o.nr; i++) {
		if (o.journeys[i].outcome != OUTCOME_OUT)
			continue;
		assert_route(o.journeys[i], "rx sock recv txq tx");
		cr_assert_eq(o.journeys[i].attribution, ATTRIBUTED_CONNECTION);
		/* a request arrives at 10, 110, ...: its own answer leaves 60 us later */
		cr_assert_eq(o.journeys[i].stamps[4].at_ns - o.journeys[i].stamps[0].at_ns, 60000);
	}
	outcome_free(&o);
}

Test(own, a_late_answer_goes_to_no_other_datagram_of_its_thread)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), asks(&s, FEED, 1000, 1, 1);
	at(&s, 20), udp_reads(&s, U, T, 64, 0);
	at(&s, 30), sleeps(&s, T, IDLE);
	at(&s, 40), asks(&s, FEED, 2000, 2, 1);
	at(&s, 60), wakes(&s, T, IDLE, 1);
	at(&s, 61), udp_reads(&s, U, T, 64, 0);
	at(&s, 70), udp_leaves(&s, U, T, FEED, 1000, 9);
	at(&s, 80), udp_leaves(&s, U, T, FEED, 2000, 9);
	o = ends(&s);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 1);
	for (size_t i = 0; i < o.nr; i++) {
		if (o.journeys[i].outcome != OUTCOME_OUT)
			continue;
		cr_assert_eq(o.journeys[i].in_rport, 2000);
		cr_assert_eq(o.journeys[i].outputs, 1);
		assert_us(o.journeys[i], STATION_TX, 80);
	}
	outcome_free(&o);
}

Test(own, thread_context_is_not_believed_on_go)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.is_go = true;
	at(&s, 10), tcp_arrives(&s, A, 0, 10), tcp_arrives(&s, F, 0, 10);
	at(&s, 13), tcp_reads(&s, A, T, 0, 10);
	at(&s, 14), tcp_answers(&s, A, T, 0, 10);
	at(&s, 16), tcp_reads(&s, F, T, 0, 10);
	at(&s, 17), tcp_answers(&s, S, T, 0, 20);
	o = ends_with(&s, opts);
	cr_assert_eq(o.nr, 3);
	cr_assert_eq(item_at(&o, A, 0)->attribution, ATTRIBUTED_CONNECTION);
	cr_assert_eq(item_at(&o, F, 0)->outputs, 0);
	cr_assert(o.journeys[2].is_originated);
	outcome_free(&o);
}

Test(own, the_user_may_choose_thread_or_connection_alone)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 10), tcp_arrives(&s, B, 0, 10);
	at(&s, 13), tcp_reads(&s, A, T, 0, 10);
	at(&s, 14), tcp_reads(&s, B, T, 0, 10);
	at(&s, 15), tcp_answers(&s, A, T, 0, 10);
	at(&s, 20), tcp_answers(&s, S, T, 0, 10);
	opts.own = OWN_BY_THREAD;
	o = run_with(&s, &opts);
	cr_assert_eq(item_at(&o, B, 0)->outputs, 2);
	outcome_free(&o);
	opts.own = OWN_BY_CONNECTION;
	o = ends_with(&s, opts);
	cr_assert_eq(item_at(&o, A, 0)->outputs, 1);
	cr_assert_eq(item_at(&o, B, 0)->outputs, 0);
	cr_assert_eq(o.account.originated, 1);
	outcome_free(&o);
}
