/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_udp.c - datagrams and their packets: by count, tag, size and queue length
 */
#include "tests/unit/cast.h"

Test(udp, a_reader_seen_before_the_ready_gets_its_own_datagram)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), udp_rx(&s, U, FEED, 4000, 64, 1);
	at(&s, 11.0), udp_reads(&s, U, T, 64, 0);
	at(&s, 11.3), finds_empty(&s, U, T);
	at(&s, 11.5), udp_ready(&s, U, 64, 0, 1);
	at(&s, 50), udp_rx(&s, U, FEED, 4000, 64, 2);
	at(&s, 51), udp_ready(&s, U, 64, 1, 2);
	at(&s, 52), udp_reads(&s, U, T, 64, 0);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	assert_route(o.journeys[0], "rx sock recv");
	assert_us(o.journeys[0], STATION_RX, 10);
	assert_us(o.journeys[0], STATION_SOCK, 11.0);
	cr_assert(!o.journeys[0].is_doubtful, "no other CPU queued a datagram meanwhile");
	cr_assert(!o.journeys[0].is_partial);
	assert_us(o.journeys[1], STATION_RX, 50);
	cr_assert(!o.journeys[1].is_doubtful);
	cr_assert_eq(o.account.doubtful_pairs, 0);
	outcome_free(&o);
}

/* CPU 1 queues the first and is held up before it tells; the reader takes both. */
Test(udp, a_late_ready_beside_another_cpus_makes_both_doubtful)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), on_cpu(&s, 1), udp_rx(&s, U, FEED, 4000, 64, 1);
	at(&s, 12), on_cpu(&s, 2), udp_rx(&s, U, FEED, 4001, 64, 2);
	at(&s, 13), on_cpu(&s, 2), udp_ready(&s, U, 64, 1, 2);
	at(&s, 14), on_cpu(&s, 3), udp_reads(&s, U, T, 64, 1);
	at(&s, 15), on_cpu(&s, 3), udp_reads(&s, U, T, 64, 0);
	at(&s, 30), on_cpu(&s, 1), udp_ready(&s, U, 64, 0, 1);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert(o.journeys[0].is_doubtful);
	cr_assert(o.journeys[1].is_doubtful);
	outcome_free(&o);
}

Test(udp, another_cpus_ready_of_before_the_late_ones_arrival_leaves_no_doubt)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), on_cpu(&s, 2), udp_rx(&s, U, FEED, 4001, 64, 2);
	at(&s, 11), on_cpu(&s, 2), udp_ready(&s, U, 64, 0, 2);
	at(&s, 12), on_cpu(&s, 1), udp_rx(&s, U, FEED, 4000, 64, 1);
	at(&s, 14), on_cpu(&s, 3), udp_reads(&s, U, T, 64, 1);
	at(&s, 15), on_cpu(&s, 3), udp_reads(&s, U, T, 64, 0);
	at(&s, 30), on_cpu(&s, 1), udp_ready(&s, U, 64, 0, 1);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert(!o.journeys[0].is_doubtful);
	cr_assert(!o.journeys[1].is_doubtful);
	outcome_free(&o);
}

Test(udp, an_answer_to_a_datagram_read_before_its_ready_is_its_own)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), udp_rx(&s, U, FEED, 4000, 64, 1);
	at(&s, 11), udp_reads(&s, U, T, 64, 0);
	at(&s, 12), udp_leaves(&s, U, T, FEED, 4000, 9);
	at(&s, 13), udp_ready(&s, U, 64, 0, 1);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv txq tx");
	outcome_free(&o);
}

Test(udp, two_cpus_that_queue_within_microseconds_make_both_doubtful)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), on_cpu(&s, 1), udp_rx(&s, U, FEED, 4000, 64, 1);
	at(&s, 10.5), on_cpu(&s, 2), udp_rx(&s, U, FEED, 4001, 64, 2);
	at(&s, 12), on_cpu(&s, 1), udp_ready(&s, U, 64, 1, 1);
	at(&s, 13), on_cpu(&s, 2), udp_ready(&s, U, 64, 2, 2);
	at(&s, 50), udp_rx(&s, U, FEED, 4002, 64, 3);
	at(&s, 51), udp_ready(&s, U, 64, 3, 3);
	for (int i = 0; i < 3; i++)
		at(&s, 60 + i), udp_reads(&s, U, T, 64, 2 - i);
	o = ends(&s);
	cr_assert(o.journeys[0].is_doubtful);
	cr_assert(o.journeys[1].is_doubtful);
	cr_assert(!o.journeys[2].is_doubtful);
	assert_us(o.journeys[1], STATION_RX, 10.5);
	outcome_free(&o);
}

Test(udp, one_large_packet_is_the_arrival_of_all_its_segments)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), udp_rx(&s, U, FEED, 4000, 320, 1);
	for (int i = 0; i < 5; i++)
		at(&s, 11 + i * 0.1), udp_ready(&s, U, 64, i + 1, 100 + i);
	for (int i = 0; i < 5; i++)
		at(&s, 20 + i), udp_reads(&s, U, T, 64, 4 - i);
	o = ends(&s);
	cr_assert_eq(o.nr, 5);
	for (int i = 0; i < 5; i++)
		assert_us(o.journeys[i], STATION_RX, 10);
	outcome_free(&o);
}

Test(udp, a_multicast_datagram_arrives_at_each_of_two_sockets)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	udp_bound(&s, U, 7000, 0);
	udp_bound(&s, V, 7000, 0);
	for (int i = 0; i < 4; i++) {
		/* a copy goes to the later socket first, the original to the first one last */
		at(&s, i * 100 + 10), udp_rx(&s, U, FEED, 4000, 64, i + 1);
		at(&s, i * 100 + 11), udp_ready(&s, V, 64, 1, 50 + i);
		at(&s, i * 100 + 12), udp_ready(&s, U, 64, 1, i + 1);
		at(&s, i * 100 + 20), udp_reads(&s, U, T, 64, 0);
		at(&s, i * 100 + 30), udp_reads(&s, V, W, 64, 0);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 8);
	for (int i = 0; i < 8; i++)
		assert_us(o.journeys[i], STATION_RX, i / 2 * 100 + 10);
	outcome_free(&o);
}

Test(udp, sockets_of_a_group_are_one_whichever_is_told_first)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	udp_bound(&s, V, 7000, 0);
	udp_bound(&s, U, 7000, 0);
	at(&s, 10), udp_rx(&s, U, FEED, 4000, 64, 1);
	at(&s, 11), udp_ready(&s, V, 64, 1, 50);
	at(&s, 20), udp_reads(&s, V, W, 64, 0);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_RX, 10);
	outcome_free(&o);
}

Test(udp, copies_of_a_burst_are_not_one_packet_late_for_ever_after_a_silent_drop)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	udp_bound(&s, U, 7000, 0);
	/* a packet tap makes every datagram a copy: no tag fits */
	at(&s, 1), udp_rx(&s, U, FEED, 4000, 64, 99); /* a filter ate it */
	for (int i = 0; i < 50; i++) {
		at(&s, i * 5000 + 5010), udp_rx(&s, U, FEED, 4000, 64, i);
		at(&s, i * 5000 + 5011), udp_ready(&s, U, 64, 1, 1000 + i);
		at(&s, i * 5000 + 5020), udp_reads(&s, U, T, 64, 0);
	}
	o = ends(&s);
	for (int i = 0; i < 50; i++)
		assert_us(o.journeys[i], STATION_RX, i * 5000 + 5010);
	outcome_free(&o);
}

Test(udp, a_batch_of_copies_is_taken_in_order)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	udp_bound(&s, U, 7000, 0);
	for (int burst = 0; burst < 3; burst++) {
		for (int i = 0; i < 8; i++)
			at(&s, burst * 100 + i), udp_rx(&s, U, FEED, 4000, 64, burst * 8 + i);
		for (int i = 0; i < 8; i++)
			at(&s, burst * 100 + 10 + i), udp_ready(&s, U, 64, i + 1, 1000 + i);
		for (int i = 0; i < 8; i++)
			at(&s, burst * 100 + 30 + i), udp_reads(&s, U, T, 64, 7 - i);
	}
	o = ends(&s);
	for (int i = 0; i < 24; i++)
		assert_us(o.journeys[i], STATION_RX, i / 8 * 100 + i % 8);
	outcome_free(&o);
}

Test(udp, a_dropped_datagram_is_an_item_of_its_own_and_shifts_nothing)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 3; i++)
		at(&s, 10 + i), udp_rx(&s, U, FEED, 4000 + i, 64, i);
	at(&s, 20), udp_ready(&s, U, 64, 1, 0);
	at(&s, 21), udp_drops(&s, U);
	at(&s, 22), udp_ready(&s, U, 64, 2, 2);
	at(&s, 30), udp_reads(&s, U, T, 64, 1);
	at(&s, 31), udp_reads(&s, U, T, 64, 0);
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	cr_assert_eq(o.account.by_outcome[OUTCOME_DROPPED], 1);
	cr_assert_eq(o.account.drops, 1);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_DROPPED);
	assert_us(o.journeys[0], STATION_RX, 11);
	assert_us(o.journeys[1], STATION_RX, 10);
	assert_us(o.journeys[2], STATION_RX, 12);
	outcome_free(&o);
}

Test(udp, datagrams_queued_before_us_are_read_first_and_partial)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	udp_bound(&s, U, 7000, 2);
	at(&s, 10), tick_arrives(&s, U, 64, 3);
	for (int i = 0; i < 3; i++)
		at(&s, 20 + i), udp_reads(&s, U, T, 64, 2 - i);
	o = ends(&s);
	cr_assert(o.journeys[0].is_partial);
	cr_assert(o.journeys[1].is_partial);
	assert_us(o.journeys[2], STATION_RX, 10);
	outcome_free(&o);
}

/* Ticks every ms by a reader that blocks (no EMPTY); one event of the first is left out. */
static struct outcome_of_run blocking_reader(bool lose_ready, bool lose_recv, int nr)
{
	struct stream s = server();

	for (int i = 0; i < nr; i++) {
		at(&s, i * 1000 + 10), udp_rx(&s, U, FEED, 4000, 64, i);
		at(&s, i * 1000 + 11);
		if (i || !lose_ready)
			udp_ready(&s, U, 64, 1, i);
		at(&s, i * 1000 + 30);
		if (i || !lose_recv)
			udp_reads(&s, U, T, 64, 0);
		at(&s, i * 1000 + 40), sleeps(&s, T, IDLE);
		at(&s, i * 1000 + 990), wakes(&s, T, IDLE, 1);
	}
	return ends(&s);
}

Test(udp, a_lost_ready_costs_its_own_datagram_only)
{
	struct outcome_of_run o = blocking_reader(true, false, 5);

	cr_assert_eq(o.nr, 5);
	cr_assert(o.journeys[0].is_partial);
	for (int i = 1; i < 5; i++)
		assert_us(o.journeys[i], STATION_RX, i * 1000 + 10);
	outcome_free(&o);
}

Test(udp, a_lost_read_is_put_right_by_the_queue_length)
{
	struct outcome_of_run o = blocking_reader(false, true, 40);
	int nr = o.nr;

	cr_assert_eq(nr, 39);
	for (int i = nr - 15; i < nr; i++)
		assert_us(o.journeys[i], STATION_RX, (i + 1) * 1000 + 10);
	outcome_free(&o);
}

Test(udp, a_lost_read_is_put_right_at_once_by_a_read_that_finds_nothing)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (int i = 0; i < 5; i++) {
		at(&s, i * 1000 + 10), udp_rx(&s, U, FEED, 4000, 64, i);
		at(&s, i * 1000 + 11), udp_ready(&s, U, 64, 1, i);
		if (i != 1)
			at(&s, i * 1000 + 30), udp_reads(&s, U, T, 64, 0);
		at(&s, i * 1000 + 500), finds_empty(&s, U, T);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 4);
	assert_us(o.journeys[0], STATION_RX, 10);
	for (int i = 1; i < 4; i++)
		assert_us(o.journeys[i], STATION_RX, (i + 1) * 1000 + 10);
	outcome_free(&o);
}

/*
 * One comes and one is read every 10 us, four stand in the queue until it runs empty at 2 ms;
 * between 0.6 and 0.9 ms arrivals, reads or both are lost. Returns how many after that are plain.
 */
static int sure_after_loss(bool lose_arrivals, bool lose_reads)
{
	struct stream s = server();
	struct outcome_of_run o;
	int nr_sure = 0;

	for (int i = 0; i < 400; i++) {
		bool is_gap = i >= 60 && i < 90;
		bool is_empty = i >= 200;

		at(&s, i * 10);
		if (i == 59) {
			loses(&s, lose_arrivals ? GEMBA_SOCK : GEMBA_SWITCH, 30, 320);
			loses(&s, lose_reads ? GEMBA_RECV : GEMBA_SWITCH, 30, 320);
		}
		if ((!is_gap || !lose_arrivals) && (i < 196 || is_empty)) {
			udp_rx(&s, U, FEED, 4000, 64, i);
			at(&s, i * 10 + 1), udp_ready(&s, U, 64, is_empty || !i ? 1 : 5, i);
		}
		at(&s, i * 10 + 5);
		if (i >= 4 && (!is_gap || !lose_reads))
			udp_reads(&s, U, T, 64, i < 196 ? 4 : is_empty ? 0 : 199 - i);
	}
	o = ends(&s);
	for (size_t n = 0; n < o.nr; n++) {
		const struct journey *j = &o.journeys[n];
		double read_us, due_us;

		if (j->is_partial || j->is_doubtful)
			continue;
		read_us = us_of(j, STATION_RECV);
		due_us = read_us < 2000 ? read_us - 45 : read_us - 5;
		cr_assert(fabs(us_of(j, STATION_RX) - due_us) < 0.0006, "read %.0f came %.0f",
			  read_us, us_of(j, STATION_RX));
		nr_sure += read_us > 910;
	}
	outcome_free(&o);
	return nr_sure;
}

Test(udp, after_a_loss_what_may_be_paired_wrong_is_doubtful_until_the_queue_is_known)
{
	cr_assert_geq(sure_after_loss(false, false), 300);
	cr_assert_geq(sure_after_loss(true, false), 195);
	cr_assert_geq(sure_after_loss(false, true), 195);
	cr_assert_geq(sure_after_loss(true, true), 195);
}

Test(udp, a_lost_ready_in_a_queue_that_never_empties_is_put_right_by_its_length)
{
	struct stream s = server();
	struct outcome_of_run o;

	/* four are queued before the reader begins; then one comes, one goes, every 10 us */
	for (int i = 0; i < 60; i++) {
		at(&s, i * 10), udp_rx(&s, U, FEED, 4000, 64, i);
		at(&s, i * 10 + 1);
		if (i != 6)
			udp_ready(&s, U, 64, i < 4 ? i + 1 : 5, i);
		if (i >= 4)
			at(&s, i * 10 + 5), udp_reads(&s, U, T, 64, 4);
	}
	o = ends(&s);
	for (int i = 0; i < 6; i++)
		assert_us(o.journeys[i], STATION_RX, i * 10);
	for (int i = 40; i < 56; i++)
		assert_us(o.journeys[i], STATION_RX, i * 10);
	outcome_free(&o);
}
