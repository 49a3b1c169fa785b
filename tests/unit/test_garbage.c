/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_garbage.c - order and correlate on what cannot be: no crash, no leak, books that close
 *
 * Run it under `make asan`. The soundness of every outcome (balance, exact parts, times in
 * order, no thread overworked) is asserted by run_cut itself.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/events.h"

/* Fields from small pools, so that they meet: any kind on any socket by any thread. */
static struct gemba_event any_event(uint64_t *seed)
{
	return (struct gemba_event){
		.kind = draw(seed, 40) ? draw(seed, GEMBA_NR_KINDS + 2) : draw(seed, 256),
		.flags = draw(seed, 3) ? draw(seed, 256) : draw(seed, 2),
		.tid = draw(seed, 6),
		.sk = draw(seed, 9),
		.seq = draw(seed, 4) ? draw(seed, 400) : draw(seed, UINT32_MAX),
		.len = draw(seed, 4) ? draw(seed, 100) : draw(seed, UINT32_MAX),
		.aux = draw(seed, 4) ? draw(seed, 20) : draw(seed, UINT32_MAX),
	};
}

static void fill_tail(union gemba_record *record, uint64_t *seed)
{
	char *tail = (char *)record + sizeof(struct gemba_event);

	if (record->ev.kind == GEMBA_CONN) {
		record->conn.lport = draw(seed, 3);
		record->conn.rport = draw(seed, 3);
		record->conn.how = draw(seed, 7);
		record->conn.rcv_nxt = draw(seed, 400);
		record->ev.len = draw(seed, 400);
		return;
	}
	for (size_t i = 0; i < sizeof(*record) - sizeof(struct gemba_event); i++)
		tail[i] = draw(seed, 256);
}

/* Marks are for run_cut to make. */
static struct stream garbage(uint64_t seed, size_t nr, bool goes_back)
{
	struct stream s = stream_new();

	for (size_t i = 0; i < nr; i++) {
		struct gemba_event ev = any_event(&seed);
		union gemba_record *record;

		s.now_ns += draw(&seed, 20) ? draw(&seed, 3000) : draw(&seed, 100000000);
		if (goes_back && !draw(&seed, 30))
			s.now_ns -= draw(&seed, 500000);
		on_cpu(&s, draw(&seed, 4));
		if (ev.kind == GEMBA_MARK)
			ev.kind = GEMBA_NONE;
		record = stream_add(&s, ev);
		fill_tail(record, &seed);
	}
	return s;
}

static struct correlate_opts any_opts(uint64_t seed)
{
	return (struct correlate_opts){
		.start_ns = draw(&seed, 2) ? EVENTS_START_NS : 0,
		.item_timeout_ns = draw(&seed, 2) ? 0 : 1 + draw(&seed, 100000000),
		.own = draw(&seed, 4),
		.is_go = !draw(&seed, 4),
		.has_sched = draw(&seed, 4),
		.max_items = draw(&seed, 3) ? 0 : 1 + draw(&seed, 8),
	};
}

Test(garbage, the_books_close_and_all_cuts_give_the_same)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct stream s = garbage(seed, 3000, seed % 2);
		struct correlate_opts opts = any_opts(seed);
		struct outcome_of_run whole = run_cut(&s, &opts, 0);

		for (unsigned int cut = 1; cut < 100; cut += 33) {
			struct outcome_of_run again = run_cut(&s, &opts, cut);

			assert_same(&whole, &again);
			outcome_free(&again);
		}
		outcome_free(&whole);
		stream_free(&s);
	}
}

/* Whatever order is given, marks that lie included, it hands on everything, in time. */
Test(garbage, bytes_that_are_no_records_do_no_harm)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct stream s = stream_new();
		struct correlate_opts opts = any_opts(seed);
		struct outcome_of_run o;
		uint64_t rest = seed;

		for (int i = 0; i < 1000; i++) {
			union gemba_record *record = stream_add(&s, (struct gemba_event){ 0 });

			for (size_t k = 0; k < sizeof(*record); k++)
				((unsigned char *)record)[k] = draw(&rest, 256);
			if (draw(&rest, 8))
				record->ev.kind %= GEMBA_NR_KINDS;
			if (draw(&rest, 8))
				record->ev.ts_ns = EVENTS_START_NS + draw(&rest, 1000000000);
			if (draw(&rest, 8))
				record->ev.sk %= 8;
			if (draw(&rest, 8))
				record->ev.tid %= 8;
		}
		o = run_cut(&s, &opts, 1 + seed);
		cr_assert_leq(o.nr, 1000);
		outcome_free(&o);
		stream_free(&s);
	}
}
