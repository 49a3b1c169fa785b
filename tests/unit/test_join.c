/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_join.c - items by key: across threads, by hand-off, and when a key comes again
 */
#include "tests/unit/cast.h"

/* A tick is read by T, begun with a key, and left for W: T reads on at 40. */
static void ticks(struct stream *s, uint64_t key)
{
	at(s, 5), runs(s, T, IDLE);
	at(s, 10), tick_arrives(s, U, 64, 1);
	at(s, 13), udp_reads(s, U, T, 64, 0);
	at(s, 15), enters_for(s, T, 0, key);
}

Test(join, another_thread_goes_on_with_what_has_its_key)
{
	struct stream s = server();
	struct outcome_of_run o;
	const struct journey *j;

	at(&s, 4), runs(&s, W, IDLE);
	ticks(&s, 7);
	at(&s, 40), finds_empty(&s, U, T);
	at(&s, 42), tick_arrives(&s, U, 64, 1);
	at(&s, 45), udp_reads(&s, U, T, 64, 0);
	at(&s, 60), enters_for(&s, W, 1, 7);
	at(&s, 70), tcp_answers(&s, S, W, 0, 20);
	at(&s, 80), sleeps(&s, W, IDLE);
	o = ends(&s);
	j = &o.journeys[0];
	assert_route(*j, "rx sock recv s0 h0 s1 send txq tx");
	cr_assert_eq(j->attribution, ATTRIBUTED_KEY);
	cr_assert_eq(j->key, 7);
	assert_us(*j, STATION_HANDOFF, 40);
	cr_assert_eq(o.account.handoffs, 1);
	/* what T did until then, and W from then on: it ran, for no item */
	cr_assert(j->stamps[4].parts.is_known);
	cr_assert_eq(j->stamps[4].parts.on_cpu_ns, 25000);
	cr_assert_eq(j->stamps[4].tid, T);
	cr_assert(j->stamps[5].parts.is_known);
	cr_assert_eq(j->stamps[5].parts.busy_other_ns, 20000);
	cr_assert_eq(j->stamps[5].tid, W);
	cr_assert_eq(j->stamps[6].parts.on_cpu_ns, 10000);
	outcome_free(&o);
}

Test(join, a_taker_that_sleeps_is_handed_to_when_it_is_woken)
{
	struct stream s = server();
	struct outcome_of_run o;
	const struct journey *j;

	at(&s, 1), runs(&s, W, IDLE);
	at(&s, 2), sleeps(&s, W, IDLE);
	ticks(&s, 7);
	at(&s, 32), is_woken(&s, W, T, 4);
	at(&s, 34), enters_for(&s, W, 1, 7);
	at(&s, 70), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	j = &o.journeys[0];
	assert_route(*j, "rx sock recv s0 h0 s1 send txq tx");
	assert_us(*j, STATION_HANDOFF, 28);
	cr_assert_eq(j->stamps[4].parts.on_cpu_ns, 13000);
	cr_assert_eq(j->stamps[5].parts.run_queue_ns, 4000);
	cr_assert_eq(j->stamps[5].parts.busy_other_ns, 2000);
	outcome_free(&o);
}

/* W takes what T read and, after its stage, waits for a lock. */
static void a_taker_waits(struct stream *s)
{
	at(s, 4), runs(s, W, IDLE);
	ticks(s, 7);
	at(s, 60), enters_for(s, W, 1, 7);
	at(s, 65), sleeps(s, W, IDLE);
	at(s, 80), is_woken(s, W, T, 1);
}

static void it_takes_the_next(struct stream *s)
{
	at(s, 81), tick_arrives(s, U, 65, 1);
	at(s, 83), udp_reads(s, U, T, 65, 0);
	at(s, 85), enters_for(s, T, 0, 8);
	at(s, 90), enters_for(s, W, 1, 8);
}

Test(join, a_taker_that_slept_goes_on_and_what_it_sends_is_a_guess)
{
	struct stream s = server();
	struct outcome_of_run o;

	a_taker_waits(&s);
	at(&s, 90), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv s0 h0 s1 send txq tx");
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_GUESSED);
	cr_assert_eq(o.journeys[0].stamps[6].parts.blocked_ns, 14000);
	outcome_free(&o);
}

Test(join, a_taker_that_slept_and_takes_the_next_is_done_with_the_first)
{
	struct stream s = server();
	struct outcome_of_run o;

	a_taker_waits(&s);
	it_takes_the_next(&s);
	at(&s, 95), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	for (size_t i = 0; i < o.nr; i++) {
		cr_assert_eq(o.journeys[i].outputs, o.journeys[i].key == 8);
		if (o.journeys[i].outputs)
			cr_assert_eq(o.journeys[i].attribution, ATTRIBUTED_KEY);
	}
	outcome_free(&o);
}

Test(join, what_a_taker_left_when_it_slept_is_taken_on_while_it_works)
{
	struct stream s = server();
	struct outcome_of_run o;

	a_taker_waits(&s);
	it_takes_the_next(&s);
	at(&s, 91), runs(&s, 103, IDLE);
	at(&s, 92), enters_for(&s, 103, 2, 7);
	at(&s, 95), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	for (size_t i = 0; i < o.nr; i++)
		cr_assert_eq(o.journeys[i].outputs, o.journeys[i].key == 8);
	outcome_free(&o);
}

Test(join, a_taker_that_slept_after_its_stage_is_sure_of_it_at_the_next)
{
	struct stream s = server();
	struct outcome_of_run o;

	a_taker_waits(&s);
	at(&s, 85), enters_for(&s, W, 2, 7);
	at(&s, 90), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv s0 h0 s1 s2 send txq tx");
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_KEY);
	outcome_free(&o);
}

Test(join, a_datagram_with_a_key_waits_while_its_reader_sleeps)
{
	struct stream s = server();
	struct outcome_of_run o;

	ticks(&s, 7);
	at(&s, 20), sleeps(&s, T, IDLE);
	at(&s, 300), runs(&s, W, IDLE);
	at(&s, 301), enters_for(&s, W, 1, 7);
	at(&s, 310), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv s0 h0 s1 send txq tx");
	assert_us(o.journeys[0], STATION_HANDOFF, 20);
	outcome_free(&o);
}

Test(join, a_key_that_comes_again_names_the_newer_item)
{
	struct stream s = server();
	struct outcome_of_run o;

	ticks(&s, 7);
	at(&s, 30), tick_arrives(&s, U, 65, 1);
	at(&s, 33), udp_reads(&s, U, T, 65, 0);
	at(&s, 35), enters_for(&s, T, 0, 7);
	at(&s, 50), enters_for(&s, W, 1, 7);
	at(&s, 60), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.account.keys_reused, 1);
	cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], 1);
	for (size_t i = 0; i < o.nr; i++)
		cr_assert_eq(o.journeys[i].outputs, o.journeys[i].bytes_in == 65);
	outcome_free(&o);
}

Test(join, the_next_message_of_a_packet_is_begun_when_the_first_is_long_answered)
{
	struct stream s = server();
	struct outcome_of_run o;

	ticks(&s, 7);
	at(&s, 20), enters_for(&s, W, 1, 7);
	at(&s, 22), tcp_answers(&s, S, W, 0, 20);
	at(&s, 24), sleeps(&s, W, IDLE);
	at(&s, 40), enters_for(&s, T, 0, 8);
	at(&s, 50), enters_for(&s, W, 1, 8);
	at(&s, 60), tcp_answers(&s, S, W, 20, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(o.account.in, 2);
	cr_assert_eq(o.account.originated, 0);
	assert_route(o.journeys[1], "rx sock recv s0 h0 s1 send txq tx");
	assert_us(o.journeys[1], STATION_RX, 10);
	outcome_free(&o);
}

Test(join, a_reply_is_of_the_key_whatever_else_its_peer_waits_for)
{
	struct stream s = server();
	struct outcome_of_run o;

	/* two requests of one peer, the first is never begun */
	at(&s, 10), asks(&s, FEED, 4000, 1, 1), asks(&s, FEED, 4000, 2, 2);
	at(&s, 12), udp_reads(&s, U, T, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 15), enters_for(&s, T, 0, 7);
	at(&s, 20), enters_for(&s, W, 1, 7);
	at(&s, 30), udp_leaves(&s, U, W, OTHER, 4000, 9);
	o = ends(&s);
	cr_assert_eq(o.account.attributed[ATTRIBUTED_KEY], 1);
	for (size_t i = 0; i < o.nr; i++)
		cr_assert_eq(o.journeys[i].outputs, o.journeys[i].has_key);
	outcome_free(&o);
}

Test(join, every_value_may_be_a_key)
{
	static const uint64_t keys[] = { 0, UINT64_MAX, 1, UINT64_C(1) << 63 };

	for (size_t i = 0; i < 4; i++) {
		struct stream s = server();
		struct outcome_of_run o;

		ticks(&s, keys[i]);
		at(&s, 20), enters_for(&s, W, 1, keys[(i + 1) % 4]);
		at(&s, 30), enters_for(&s, W, 1, keys[i]);
		at(&s, 40), tcp_answers(&s, S, W, 0, 20);
		o = ends(&s);
		assert_us(o.journeys[0], STATION_STAGE + 1, 30);
		cr_assert_eq(o.journeys[0].key, keys[i]);
		cr_assert_eq(o.account.keys[1].unmatched, 1);
		outcome_free(&o);
	}
}

Test(join, a_key_that_cannot_be_read_leaves_it_to_the_thread)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tick_arrives(&s, U, 64, 1);
	at(&s, 13), udp_reads(&s, U, T, 64, 0);
	at(&s, 15), enters_unread(&s, T, 0);
	at(&s, 20), enters_unread(&s, T, 1);
	at(&s, 30), tcp_answers(&s, S, T, 0, 20);
	o = ends(&s);
	assert_route(o.journeys[0], "rx sock recv s0 s1 send txq tx");
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_THREAD);
	cr_assert_eq(o.account.keys[0].unread, 1);
	cr_assert_eq(o.account.keys[1].unread, 1);
	outcome_free(&o);
}

Test(join, an_item_that_nobody_received_begins_with_its_stage)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), enters_for(&s, T, 0, 7);
	at(&s, 20), enters_for(&s, W, 1, 7);
	at(&s, 30), tcp_answers(&s, S, W, 0, 20);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	cr_assert(o.journeys[0].is_originated);
	assert_route(o.journeys[0], "s0 h0 s1 send txq tx");
	cr_assert_eq(o.account.originated, 1);
	cr_assert_eq(o.account.in, 0);
	outcome_free(&o);
}

Test(join, workers_that_answer_out_of_order_answer_their_own)
{
	struct stream s = server();
	struct outcome_of_run o;

	/* two requests of one connection, each worked on by another thread, the second is faster */
	at(&s, 10), tcp_arrives(&s, A, 0, 10);
	at(&s, 12), tcp_reads(&s, A, X, 0, 10);
	at(&s, 13), enters_for(&s, X, 0, 1);
	at(&s, 14), tcp_arrives(&s, A, 10, 10);
	at(&s, 16), tcp_reads(&s, A, X, 10, 10);
	at(&s, 17), enters_for(&s, X, 0, 2);
	at(&s, 20), enters_for(&s, T, 1, 1);
	at(&s, 21), enters_for(&s, W, 1, 2);
	at(&s, 30), tcp_answers(&s, A, W, 0, 5);
	at(&s, 50), tcp_answers(&s, A, T, 5, 5);
	o = ends(&s);
	assert_us(*item_at(&o, A, 10), STATION_SEND, 30);
	assert_us(*item_at(&o, A, 0), STATION_SEND, 50);
	cr_assert_eq(o.account.attributed[ATTRIBUTED_KEY], 2);
	outcome_free(&o);
}

Test(join, a_flood_of_keys_that_never_come_again_is_let_go_and_counted)
{
	struct stream s = server();
	struct correlate_opts opts = default_opts();
	struct outcome_of_run o;
	uint64_t went = 0;

	opts.max_items = 1000;
	at(&s, 5), runs(&s, T, IDLE);
	for (int i = 0; i < 20000; i++)
		at(&s, 10 + i), enters_for(&s, T, 0, (uint64_t)i * 0x9e3779b97f4a7c15u);
	o = ends_with(&s, opts);
	for (unsigned int i = 0; i < OUTCOME_NR; i++)
		went += o.account.by_outcome[i];
	cr_assert_eq(o.account.originated, 20000);
	cr_assert_eq(went, 20000);
	cr_assert_eq(o.account.let_go, 19000);
	outcome_free(&o);
}

enum { MAX_LINE = 4, LINE_ITEMS = 400 };

/* A line of threads, a stage each: what waits before each, and what each works on. */
struct line {
	struct stream *s;
	uint64_t seed;
	unsigned int nr;
	int queue[MAX_LINE][LINE_ITEMS];
	int from[MAX_LINE], upto[MAX_LINE];
	int begun[LINE_ITEMS][MAX_LINE]; /* in us */
	int nr_in, nr_out;
	uint32_t sent;
};

static uint64_t key_of(int item)
{
	return (uint64_t)item % 64 * 0x100000001ull; /* ring slots, that come again */
}

static void step(struct line *line, unsigned int stage, int *now)
{
	int item;

	if (line->from[stage] == line->upto[stage])
		return;
	item = line->queue[stage][line->from[stage]++];
	at(line->s, *now += 1 + draw(&line->seed, 20));
	enters_for(line->s, T + stage, stage, key_of(item));
	line->begun[item][stage] = *now;
	if (stage + 1 < line->nr) {
		line->queue[stage + 1][line->upto[stage + 1]++] = item;
		return;
	}
	at(line->s, *now += 1 + draw(&line->seed, 20));
	tcp_answers(line->s, S, T + stage, line->sent, 1 + item % 7);
	line->sent += 1 + item % 7;
	line->nr_out++;
}

static void receive(struct line *line, int *now)
{
	if (line->nr_in == LINE_ITEMS || line->from[0] != line->upto[0] ||
	    line->nr_in - line->nr_out > 60)
		return;
	at(line->s, *now += 1 + draw(&line->seed, 10)), tick_arrives(line->s, U, 64, 1);
	at(line->s, *now += 1), udp_reads(line->s, U, T, 64, 0);
	line->queue[0][line->upto[0]++] = line->nr_in++;
}

static void assert_own(const struct line *line, const struct journey *j, int item)
{
	cr_assert_eq(j->key, key_of(item));
	cr_assert_eq(j->outcome, OUTCOME_OUT);
	cr_assert_eq(j->bytes_out, 1u + item % 7);
	for (unsigned int i = 0; i < line->nr; i++)
		assert_us(*j, STATION_STAGE + i, line->begun[item][i]);
	for (uint32_t i = 1; i < j->nr_stamps; i++)
		if (j->stamps[i].parts.is_known)
			cr_assert_eq(parts_sum_ns(&j->stamps[i].parts),
				     j->stamps[i].at_ns - j->stamps[i - 1].at_ns);
}

Test(join, lines_of_threads_with_reused_keys_make_no_wrong_join)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct stream s = server();
		static struct line line;
		struct outcome_of_run o;
		int now = 10;

		line = (struct line){ .s = &s, .seed = seed, .nr = 2 + seed % 3 };
		for (unsigned int i = 0; i < line.nr; i++)
			at(&s, 5), runs(&s, T + i, IDLE);
		while (line.nr_out < LINE_ITEMS) {
			receive(&line, &now);
			step(&line, draw(&line.seed, line.nr), &now);
		}
		o = ends(&s);
		cr_assert_eq(o.nr, LINE_ITEMS, "seed %lu: %zu", seed, o.nr);
		for (int i = 0; i < LINE_ITEMS; i++)
			assert_own(&line, &o.journeys[i], i);
		cr_assert_eq(o.account.in, LINE_ITEMS);
		cr_assert_eq(o.account.handoffs, LINE_ITEMS * (line.nr - 1));
		outcome_free(&o);
	}
}
