/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_entry.c - which item an entry into the first stage begins, of a thread that never sleeps
 */
#include "tests/unit/cast.h"

/* A packet is read; an ack of the session; messages enter the stage and are answered on it. */
static void tick_read(struct stream *s, double us)
{
	at(s, us), tick_arrives(s, U, 64, 1);
	at(s, us + 2), udp_reads(s, U, T, 64, 0);
}

static void ack_read(struct stream *s, double us, int n)
{
	at(s, us), tcp_arrives(s, S, n * 4, 4);
	at(s, us + 1), tcp_reads(s, S, T, n * 4, 4);
}

static void orders(struct stream *s, double us, int nr, int *sent)
{
	for (int i = 0; i < nr; i++) {
		at(s, us + i * 4), enters(s, T, 0);
		at(s, us + i * 4 + 2), tcp_answers(s, S, T, 10 * (*sent)++, 10);
	}
}

/* How many that came in on this socket were begun. */
static unsigned int begun(const struct outcome_of_run *o, uint32_t sk)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < o->nr; i++)
		for (unsigned int k = 0; k < o->journeys[i].nr_stamps; k++)
			nr += o->journeys[i].in_sk == sk &&
			      o->journeys[i].stamps[k].station == STATION_STAGE;
	return nr;
}

Test(entry, acks_are_not_begun_by_the_messages_of_the_packet_read_after_them)
{
	struct stream s = server();
	struct outcome_of_run o;
	int sent = 0;

	for (int i = 0; i < 20; i++) {
		if (i)
			ack_read(&s, 100 * i + 5, i);
		tick_read(&s, 100 * i + 10);
		orders(&s, 100 * i + 20, 3, &sent);
	}
	o = ends(&s);
	cr_assert_eq(begun(&o, S), 0);
	cr_assert_eq(begun(&o, U), 60);
	cr_assert_eq(o.account.attributed[ATTRIBUTED_GUESSED], 0);
	outcome_free(&o);
}

Test(entry, acks_read_after_the_packet_leave_its_messages_alone)
{
	struct stream s = server();
	struct outcome_of_run o;
	int sent = 0;

	for (int i = 0; i < 20; i++) {
		tick_read(&s, 100 * i + 5);
		ack_read(&s, 100 * i + 10, i);
		orders(&s, 100 * i + 20, 3, &sent);
	}
	o = ends(&s);
	cr_assert_eq(begun(&o, S), 0);
	cr_assert_eq(begun(&o, U), 60);
	outcome_free(&o);
}

/* Both connections are the target's own: that acks begin nothing is learned while it sleeps. */
Test(entry, a_feed_over_a_session_of_its_own_is_told_from_acks_by_what_was_seen)
{
	struct stream s = server();
	struct outcome_of_run o;
	double us = 0;
	int n = 0;

	for (; n < 5; n++, us += 100) {
		at(&s, us + 5), tcp_arrives(&s, F, n * 8, 8);
		at(&s, us + 6), tcp_reads(&s, F, T, n * 8, 8);
		at(&s, us + 10), enters(&s, T, 0);
		at(&s, us + 12), tcp_answers(&s, S, T, n * 10, 10);
		at(&s, us + 20), sleeps(&s, T, IDLE);
		at(&s, us + 40), wakes(&s, T, IDLE, 1);
		ack_read(&s, us + 42, n);
		at(&s, us + 50), sleeps(&s, T, IDLE);
		at(&s, us + 80), wakes(&s, T, IDLE, 1);
	}
	for (; n < 20; n++, us += 100) {
		ack_read(&s, us + 2, n);
		at(&s, us + 5), tcp_arrives(&s, F, n * 8, 8);
		at(&s, us + 6), tcp_reads(&s, F, T, n * 8, 8);
		at(&s, us + 10), enters(&s, T, 0);
		at(&s, us + 12), tcp_answers(&s, S, T, n * 10, 10);
	}
	o = ends(&s);
	cr_assert_eq(begun(&o, S), 0);
	cr_assert_eq(begun(&o, F), 20);
	outcome_free(&o);
}

/* Two in three packets are filtered out before the stage, and the thread never sleeps. */
Test(entry, what_a_filter_left_out_is_not_begun_in_the_place_of_what_it_let_through)
{
	struct stream s = server();
	struct outcome_of_run o;
	unsigned int nr_right = 0, nr_wrong = 0;
	int sent = 0;

	for (int i = 0; i < 1000; i++) {
		tick_read(&s, 10000 * i + 10);
		if (i % 3 == 2)
			orders(&s, 10000 * i + 20, 2, &sent);
	}
	o = ends(&s);
	for (size_t k = 0; k < o.nr; k++) {
		const struct journey *one = &o.journeys[k];
		double stage_us = us_of(one, STATION_STAGE);

		if (stage_us < 5000000) /* it shows when the first items time out */
			continue;
		if (stage_us - us_of(one, STATION_RECV) < 100)
			nr_right++;
		else
			nr_wrong++;
	}
	cr_assert_eq(nr_wrong, 0, "%u of %u", nr_wrong, nr_right);
	cr_assert_geq(nr_right, 300, "%u", nr_right);
	outcome_free(&o);
}

/* A loop that reads on while it works through a queue: the front, however long it waited. */
Test(entry, a_queue_that_is_read_into_while_it_is_worked_on_stays_in_order)
{
	struct stream s = server();
	struct outcome_of_run o;
	int sent = 0;

	for (int i = 0; i < 100; i++) {
		double us = 1000 * i;

		tick_read(&s, us + 10);
		tick_read(&s, us + 20);
		orders(&s, us + 30, 1, &sent); /* the first */
		tick_read(&s, us + 50);
		orders(&s, us + 60, 2, &sent); /* the second, the third */
		if (i % 10 == 9) {
			at(&s, us + 500), sleeps(&s, T, IDLE);
			at(&s, us + 900), wakes(&s, T, IDLE, 1);
		}
	}
	o = ends(&s);
	cr_assert_eq(begun(&o, U), 300);
	for (size_t k = 0; k < o.nr; k++)
		cr_assert_lt(us_of(&o.journeys[k], STATION_STAGE) -
				     us_of(&o.journeys[k], STATION_RECV),
			     60);
	outcome_free(&o);
}

/* In the middle of a batch it asks an upstream, whose reply begins nothing. */
Test(entry, a_reply_read_in_the_middle_of_a_batch_does_not_take_the_turn_of_the_next)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 8), tcp_arrives(&s, B, 0, 8);
	at(&s, 20), tcp_reads(&s, A, T, 0, 8);
	at(&s, 21), tcp_reads(&s, B, T, 0, 8);
	at(&s, 30), enters(&s, T, 0);
	at(&s, 35), tcp_arrives(&s, S, 0, 4);
	at(&s, 36), tcp_reads(&s, S, T, 0, 4);
	at(&s, 40), tcp_answers(&s, A, T, 0, 5);
	at(&s, 50), enters(&s, T, 0);
	at(&s, 60), tcp_answers(&s, B, T, 0, 5);
	o = ends(&s);
	assert_route(*item_at(&o, A, 0), "rx sock recv s0 send txq tx");
	assert_route(*item_at(&o, B, 0), "rx sock recv s0 send txq tx");
	assert_route(*item_at(&o, S, 0), "rx sock recv");
	outcome_free(&o);
}

/* A request of a client; the peers of U are told apart by port. */
static void request(struct stream *s, double us, uint32_t tag)
{
	at(s, us), asks(s, FEED, 4000, tag, 1);
	at(s, us + 2), udp_reads(s, U, T, 64, 0);
}

Test(entry, an_answer_is_of_the_request_in_work_not_of_one_that_was_filtered_out)
{
	struct stream s = server();
	struct outcome_of_run o;
	unsigned int nr = 0;

	for (int i = 0; i < 1000; i++) {
		request(&s, 10000 * i + 10, i + 1);
		if (i % 4 != 3)
			continue;
		at(&s, 10000 * i + 20), enters(&s, T, 0);
		at(&s, 10000 * i + 30), udp_leaves(&s, U, T, FEED, 4000, 9);
	}
	o = ends(&s);
	for (size_t i = 0; i < o.nr; i++) {
		if (o.journeys[i].outcome != OUTCOME_OUT || us_of(&o.journeys[i], STATION_TX) < 5e6)
			continue;
		cr_assert_lt(us_of(&o.journeys[i], STATION_TX) -
				     us_of(&o.journeys[i], STATION_RECV),
			     50);
		nr++;
	}
	cr_assert_eq(nr, 125);
	outcome_free(&o);
}

Test(entry, one_answer_for_all_messages_of_a_packet_leaves_the_next_packet_its_own)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 30; i++) {
		request(&s, 100 * i + 10, i + 1);
		for (int k = 0; k < 3; k++)
			at(&s, 100 * i + 20 + 4 * k), enters(&s, T, 0);
		at(&s, 100 * i + 40), udp_leaves(&s, U, T, FEED, 4000, 9);
	}
	o = ends(&s);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 30);
	for (size_t i = 0; i < o.nr; i++)
		if (o.journeys[i].outcome == OUTCOME_OUT)
			cr_assert_lt(us_of(&o.journeys[i], STATION_TX) -
					     us_of(&o.journeys[i], STATION_RECV),
				     50);
	outcome_free(&o);
}

/* Four are read, then those of them that a filter lets through are worked on. */
Test(entry, of_a_batch_that_is_filtered_the_front_is_a_guess)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 50; i++) {
		double us = 1000 * i;
		int nr_begun = 1 + i % 3;

		for (int k = 0; k < 4; k++)
			request(&s, us + 10 + 5 * k, 4 * i + k + 1);
		for (int k = 0; k < nr_begun; k++) {
			at(&s, us + 50 + 10 * k), enters(&s, T, 0);
			at(&s, us + 55 + 10 * k), udp_leaves(&s, U, T, FEED, 4000, 9);
		}
		at(&s, us + 500), sleeps(&s, T, IDLE);
		at(&s, us + 900), wakes(&s, T, IDLE, 1);
	}
	o = ends(&s);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 99);
	cr_assert_gt(o.account.attributed[ATTRIBUTED_GUESSED], 75, "%lu",
		     o.account.attributed[ATTRIBUTED_GUESSED]);
	outcome_free(&o);
}
