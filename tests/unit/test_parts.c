/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_parts.c - a step and its parts: DEFINITIONS, "Step and its parts"
 */
#include "tests/unit/cast.h"

static void assert_parts(const struct journey *journey, unsigned int station, double on_cpu,
			 double run_queue, double blocked, double busy_item, double busy_other)
{
	const struct parts *parts = parts_of(journey, station);

	cr_assert(parts->is_known);
	cr_assert_eq(parts->on_cpu_ns, (uint64_t)(on_cpu * 1000), "%lu", parts->on_cpu_ns);
	cr_assert_eq(parts->run_queue_ns, (uint64_t)(run_queue * 1000), "%lu", parts->run_queue_ns);
	cr_assert_eq(parts->blocked_ns, (uint64_t)(blocked * 1000), "%lu", parts->blocked_ns);
	cr_assert_eq(parts->busy_item_ns, (uint64_t)(busy_item * 1000), "%lu", parts->busy_item_ns);
	cr_assert_eq(parts->busy_other_ns, (uint64_t)(busy_other * 1000), "%lu",
		     parts->busy_other_ns);
}

/* T runs from 0 and sleeps from 5. */
static struct stream asleep(void)
{
	struct stream s = server();

	at(&s, 0), runs(&s, T, IDLE);
	at(&s, 5), sleeps(&s, T, IDLE);
	return s;
}

Test(parts, woken_from_sleep_the_wait_is_blocked_then_run_queue_then_running)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 30), wakes(&s, T, X, 17);
	at(&s, 34), tcp_reads(&s, A, T, 0, 100);
	at(&s, 40), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	assert_parts(&o.journeys[0], STATION_RECV, 0, 17, 3, 0, 4);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_RECV)->ran[0].pid, X);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_RECV)->ran[0].ns, 17000);
	assert_parts(&o.journeys[0], STATION_SEND, 6, 0, 0, 0, 0);
	cr_assert(!parts_of(&o.journeys[0], STATION_SOCK)->is_known);
	cr_assert(!parts_of(&o.journeys[0], STATION_TX)->is_known);
	outcome_free(&o);
}

Test(parts, preempted_the_wait_is_run_queue_and_who_ran_is_told)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 12), wakes(&s, T, IDLE, 1);
	at(&s, 14), tcp_reads(&s, A, T, 0, 100);
	at(&s, 16), is_preempted(&s, T, X);
	at(&s, 26), runs(&s, T, X);
	at(&s, 27), is_preempted(&s, T, W);
	at(&s, 30), runs(&s, T, W);
	at(&s, 32), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	assert_parts(&o.journeys[0], STATION_SEND, 5, 13, 0, 0, 0);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_SEND)->preemptions, 2);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_SEND)->ran[0].ns, 3000);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_SEND)->ran[0].pid, W);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_SEND)->ran[1].ns, 10000);
	cr_assert_eq(parts_of(&o.journeys[0], STATION_SEND)->ran[1].pid, X);
	outcome_free(&o);
}

Test(parts, busy_with_another_item_the_wait_is_busy_item)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 11), wakes(&s, T, IDLE, 0.5);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	at(&s, 15), tcp_arrives(&s, B, 0, 100);
	at(&s, 20), tcp_sends(&s, A, T, 0, 50), tcp_leaves(&s, A, 0, 50);
	at(&s, 22), tcp_reads(&s, B, T, 0, 100);
	at(&s, 30), tcp_sends(&s, B, T, 0, 50), tcp_leaves(&s, B, 0, 50);
	at(&s, 31), sleeps(&s, T, IDLE);
	o = ends(&s);
	assert_parts(item_at(&o, A, 0), STATION_SEND, 8, 0, 0, 0, 0);
	assert_parts(item_at(&o, B, 0), STATION_RECV, 0, 0, 0, 7, 0);
	assert_parts(item_at(&o, B, 0), STATION_SEND, 8, 0, 0, 0, 0);
	outcome_free(&o);
}

Test(parts, of_the_step_that_another_thread_ends_are_that_threads)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 5), sleeps(&s, W, IDLE);
	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 11), wakes(&s, T, IDLE, 0.5);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	at(&s, 18), sleeps(&s, T, IDLE);
	at(&s, 20), wakes(&s, W, IDLE, 3);
	at(&s, 26), tcp_sends(&s, A, W, 0, 50), tcp_leaves(&s, A, 0, 50);
	o = ends(&s);
	assert_parts(&o.journeys[0], STATION_SEND, 0, 3, 5, 0, 6);
	outcome_free(&o);
}

Test(parts, header_and_body_have_their_receive_split_up_to_the_last_byte)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 8);
	at(&s, 11), wakes(&s, T, IDLE, 0.5);
	at(&s, 12), tcp_reads(&s, A, T, 0, 8);
	at(&s, 14), sleeps(&s, T, IDLE);
	at(&s, 20), tcp_arrives(&s, A, 8, 92);
	at(&s, 21), wakes(&s, T, IDLE, 0.5);
	at(&s, 23), tcp_reads(&s, A, T, 8, 92);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	/* from sock at 10: asleep .5, queued .5, 1 before the item, 2 with it, asleep ... */
	assert_parts(&o.journeys[0], STATION_RECV, 4, 1, 7, 0, 1);
	assert_parts(&o.journeys[0], STATION_SEND, 7, 0, 0, 0, 0);
	outcome_free(&o);
}

Test(parts, a_spinner_without_switches_is_running_since_it_was_first_seen)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 1), finds_empty(&s, A, T);
	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	at(&s, 20), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	assert_parts(&o.journeys[0], STATION_RECV, 0, 0, 0, 0, 2);
	assert_parts(&o.journeys[0], STATION_SEND, 8, 0, 0, 0, 0);
	outcome_free(&o);
}

Test(parts, before_a_thread_was_first_seen_nothing_is_known_of_it)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	at(&s, 20), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	cr_assert(!parts_of(&o.journeys[0], STATION_RECV)->is_known);
	assert_parts(&o.journeys[0], STATION_SEND, 8, 0, 0, 0, 0);
	outcome_free(&o);
}

Test(parts, a_thread_known_by_name_only_is_not_in_the_run_queue)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 0), stream_add(&s, (struct gemba_event){ .kind = GEMBA_COMM, .tid = T });
	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 11), runs(&s, T, X);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	o = ends(&s);
	cr_assert(!parts_of(&o.journeys[0], STATION_RECV)->is_known);
	outcome_free(&o);
}

Test(parts, a_wake_up_that_was_not_seen_makes_the_wait_unknown)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 30), runs(&s, T, X);
	at(&s, 34), tcp_reads(&s, A, T, 0, 100);
	at(&s, 40), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	cr_assert(!parts_of(&o.journeys[0], STATION_RECV)->is_known);
	assert_parts(&o.journeys[0], STATION_SEND, 6, 0, 0, 0, 0);
	outcome_free(&o);
}

Test(parts, a_switch_out_that_was_lost_is_no_work)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 11), wakes(&s, T, IDLE, 0.5);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	/* it sleeps at 15: lost */
	at(&s, 90), wakes(&s, T, IDLE, 1);
	at(&s, 95), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	cr_assert(!parts_of(&o.journeys[0], STATION_SEND)->is_known);
	outcome_free(&o);
}

Test(parts, a_switch_in_that_was_lost_makes_the_wait_unknown_whatever_happened_meanwhile)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 6), wakes(&s, T, IDLE, 0.5);
	at(&s, 7), tcp_arrives(&s, A, 0, 100);
	at(&s, 8), tcp_reads(&s, A, T, 0, 100);
	at(&s, 9), sleeps(&s, T, IDLE);
	at(&s, 12), closes(&s, A); /* T's item ends while it sleeps */
	at(&s, 12), tcp_arrives(&s, B, 0, 100);
	/* it wakes at 20: lost */
	at(&s, 34), tcp_reads(&s, B, T, 0, 100);
	o = ends(&s);
	cr_assert(!parts_of(item_at(&o, B, 0), STATION_RECV)->is_known);
	outcome_free(&o);
}

Test(parts, an_item_that_ends_while_its_reader_is_queued_shortens_no_run_queue)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 6), wakes(&s, T, IDLE, 0.5);
	at(&s, 7), tcp_arrives(&s, A, 0, 100);
	at(&s, 8), tcp_reads(&s, A, T, 0, 100);
	at(&s, 9), sleeps(&s, T, IDLE);
	at(&s, 10), tcp_arrives(&s, B, 0, 100);
	at(&s, 20), tcp_answers(&s, A, W, 0, 50);
	at(&s, 22), closes(&s, A);
	at(&s, 30), wakes(&s, T, X, 15);
	at(&s, 34), tcp_reads(&s, B, T, 0, 100);
	o = ends(&s);
	assert_parts(item_at(&o, B, 0), STATION_RECV, 0, 15, 5, 0, 4);
	outcome_free(&o);
}

Test(parts, without_scheduler_events_nothing_is_known)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;

	opts.has_sched = false;
	at(&s, 1), finds_empty(&s, A, T);
	asked(&s);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	o = ends_with(&s, opts);
	for (uint32_t i = 0; i < o.journeys[0].nr_stamps; i++)
		cr_assert(!o.journeys[0].stamps[i].parts.is_known);
	outcome_free(&o);
}

Test(parts, of_a_datagram_that_leaves_after_a_preemption_end_where_it_was_queued)
{
	struct stream s = asleep();
	struct outcome_of_run o;

	at(&s, 10), asks(&s, FEED, 1000, 1, 1);
	at(&s, 12), wakes(&s, T, IDLE, 1);
	at(&s, 14), udp_reads(&s, U, T, 64, 0);
	at(&s, 20), is_preempted(&s, T, X);
	at(&s, 30), runs(&s, T, X);
	at(&s, 31), udp_leaves(&s, U, T, FEED, 1000, 9);
	s.records[s.nr - 1].ev.aux = 12000; /* its txq was at 19 */
	at(&s, 40), sleeps(&s, T, IDLE);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_TXQ, 19);
	assert_parts(&o.journeys[0], STATION_TXQ, 5, 0, 0, 0, 0);
	outcome_free(&o);
}
