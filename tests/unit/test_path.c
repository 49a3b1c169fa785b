// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_path.c - windows between receiving and sending
 */
#include <criterion/criterion.h>

#include "src/propose/path.h"

enum { FEED = 7, ACKS = 8, THREAD = 42 };

static struct path path;

static void add(uint64_t ts_ns, enum path_kind kind, uint32_t stage, uint32_t group, uint32_t sk,
		uint32_t tid)
{
	const struct path_event event = { ts_ns, tid, sk, group, stage, kind };

	cr_assert_eq(path_add(&path, &event), 0);
}

static void recv_at(uint64_t ts_ns)
{
	add(ts_ns, PATH_RECV, 0, FEED, 1, THREAD);
}

static void send_at(uint64_t ts_ns)
{
	add(ts_ns, PATH_SEND, 0, 0, 2, THREAD);
}

static void stage_at(uint64_t ts_ns, uint32_t stage)
{
	add(ts_ns, PATH_STAGE, stage, 0, 0, THREAD);
}

Test(path, an_instant_after_a_receive_is_on_the_way_until_the_send)
{
	recv_at(100);
	send_at(200);
	cr_assert_not(path_at(&path, THREAD, 50).is_in_window);
	cr_assert(path_at(&path, THREAD, 150).is_in_window);
	cr_assert(path_at(&path, THREAD, 150).has_output);
	cr_assert_eq(path_at(&path, THREAD, 150).group, FEED);
	cr_assert_not(path_at(&path, THREAD, 250).is_in_window);
	path_fini(&path);
}

Test(path, another_thread_is_elsewhere)
{
	recv_at(100);
	send_at(200);
	cr_assert_not(path_at(&path, THREAD + 1, 150).is_in_window);
	cr_assert_not(path_at(&path, THREAD - 1, 150).is_in_window);
	path_fini(&path);
}

Test(path, a_window_without_a_send_has_no_output)
{
	recv_at(100);
	recv_at(200000000);
	cr_assert(path_at(&path, THREAD, 150).is_in_window);
	cr_assert_not(path_at(&path, THREAD, 150).has_output);
	path_fini(&path);
}

Test(path, header_and_body_are_two_receives_and_one_item)
{
	uint64_t reads, items;

	recv_at(100);
	recv_at(200);
	send_at(300);
	recv_at(400);
	path_count(&path, FEED, 0, 1000, &reads, &items);
	cr_assert_eq(reads, 3);
	cr_assert_eq(items, 2);
	path_fini(&path);
}

Test(path, receives_of_other_sockets_and_groups_are_items_of_their_own)
{
	uint64_t reads, items;

	recv_at(100);
	add(200, PATH_RECV, 0, FEED, 3, THREAD);
	add(300, PATH_RECV, 0, ACKS, 4, THREAD);
	path_count(&path, FEED, 0, 1000, &reads, &items);
	cr_assert_eq(reads, 2);
	cr_assert_eq(items, 2);
	path_count(&path, FEED, 150, 1000, &reads, &items);
	cr_assert_eq(items, 1);
	path_fini(&path);
}

Test(path, stages_lie_where_their_first_hit_is_with_the_probes_taken_off)
{
	const uint32_t cost_ns[] = { 100, 100 };
	struct path_stage stages[2];
	struct path_total total;

	for (uint64_t i = 0; i < 30; i++) {
		recv_at(10000 * i);
		stage_at(10000 * i + 1050, 0);
		stage_at(10000 * i + 2150, 1);
		stage_at(10000 * i + 2250, 1);
		send_at(10000 * i + 4300);
	}
	total = path_stages(&path, FEED, PATH_RECEIVED, cost_ns, stages, 2);
	cr_assert_eq(total.windows, 30);
	cr_assert_eq(total.length_ns, 4000);
	cr_assert_eq(stages[0].offset_ns, 1000);
	cr_assert_eq(stages[0].order_ns, 1050);
	cr_assert_eq(stages[1].offset_ns, 2000);
	cr_assert_eq(stages[1].windows, 30);
	cr_assert_eq(stages[1].hits_in, 60);
	cr_assert_eq(stages[1].hits, 60);
	path_fini(&path);
}

Test(path, a_window_in_which_another_process_ran_does_not_say_where_stages_lie)
{
	const uint32_t cost_ns[] = { 0, 0, 0 };
	struct path_stage stages[3];
	struct path_total total;

	for (uint64_t i = 0; i < 30; i++) {
		uint64_t begin_ns = 10000000 * i, stall_ns = i % 10 == 5 ? 3000000 : 0;

		recv_at(begin_ns);
		stage_at(begin_ns + 1000, 0);
		stage_at(begin_ns + 2000 + stall_ns, 1);
		if (i == 5)
			stage_at(begin_ns + 3000 + stall_ns, 2);
		send_at(begin_ns + 4000 + stall_ns);
	}
	total = path_stages(&path, FEED, PATH_RECEIVED, cost_ns, stages, 3);
	cr_assert_eq(total.windows, 30);
	cr_assert_eq(total.length_ns, 4000);
	cr_assert_eq(stages[1].offset_ns, 2000);
	cr_assert_eq(stages[1].windows, 30);
	cr_assert_eq(stages[1].timed, 27);
	cr_assert_eq(stages[1].hits_in, 30);
	cr_assert_eq(stages[2].windows, 1);
	cr_assert_eq(stages[2].timed, 0);
	path_fini(&path);
}

Test(path, hits_after_the_send_lie_in_no_window)
{
	const uint32_t cost_ns[] = { 0 };
	struct path_stage stages[1];

	recv_at(100);
	send_at(200);
	stage_at(300, 0);
	recv_at(400);
	add(500, PATH_RECV, 0, ACKS, 9, THREAD);
	stage_at(600, 0);
	send_at(700);
	cr_assert_eq(path_stages(&path, FEED, PATH_RECEIVED, cost_ns, stages, 1).windows, 2);
	cr_assert_eq(stages[0].hits, 2);
	cr_assert_eq(stages[0].hits_in, 0);
	cr_assert_eq(stages[0].hits_other, 1);
	path_fini(&path);
}

Test(path, a_header_that_its_body_follows_is_no_window)
{
	const uint32_t cost_ns[] = { 0 };
	struct path_stage stages[1];

	recv_at(100);
	recv_at(150);
	stage_at(200, 0);
	send_at(300);
	cr_assert_eq(path_stages(&path, FEED, PATH_RECEIVED, cost_ns, stages, 1).windows, 1);
	cr_assert_eq(stages[0].windows, 1);
	path_fini(&path);
}

/* A packet of three messages: 0 is entered for each and followed by 1, an order for the first. */
static void packet_at(uint64_t ts_ns)
{
	recv_at(ts_ns);
	for (uint64_t i = 0; i < 3; i++) {
		stage_at(ts_ns + 1050 + 3000 * i, 0);
		stage_at(ts_ns + 2150 + 3000 * i, 1);
		if (!i)
			send_at(ts_ns + 3100);
	}
}

Test(path, windows_of_a_unit_begin_at_each_of_its_entries)
{
	const uint32_t cost_ns[] = { 100, 100 };
	struct path_stage stages[2];
	struct path_total total;

	for (uint64_t i = 0; i < 30; i++)
		packet_at(1000000 * i);
	recv_at(1000000 * 30);
	total = path_stages(&path, FEED, 0, cost_ns, stages, 2);
	cr_assert_eq(total.windows, 90);
	cr_assert_eq(stages[0].windows, 90);
	cr_assert_eq(stages[0].hits_in, 90);
	cr_assert_eq(stages[0].offset_ns, 0);
	cr_assert_eq(stages[0].order_ns, 50);
	cr_assert_eq(stages[1].windows, 90);
	cr_assert_eq(stages[1].offset_ns, 1000);
	path_fini(&path);
}

Test(path, the_sleep_before_the_next_receive_is_no_part_of_a_units_length)
{
	const uint32_t cost_ns[] = { 100, 100 };
	struct path_stage stages[2];
	struct path_total total;

	for (uint64_t i = 0; i < 30; i++)
		packet_at(1000000 * i);
	total = path_stages(&path, FEED, 0, cost_ns, stages, 2);
	cr_assert_eq(total.length_ns, (1900 + 2800) / 2);
	path_fini(&path);
}

Test(path, an_entry_before_anything_of_the_group_was_received_begins_no_window)
{
	const uint32_t cost_ns[] = { 0, 0 };
	struct path_stage stages[2];

	stage_at(100, 0);
	add(200, PATH_RECV, 0, ACKS, 9, THREAD);
	stage_at(300, 0);
	recv_at(400);
	stage_at(500, 1);
	stage_at(600, 0);
	stage_at(700, 1);
	send_at(800);
	stage_at(900, 1);
	add(1000, PATH_STAGE, 0, 0, 0, THREAD + 1);
	add(1100, PATH_SEND, 0, 0, 2, THREAD + 1);
	cr_assert_eq(path_stages(&path, FEED, 0, cost_ns, stages, 2).windows, 1);
	cr_assert_eq(stages[0].hits, 4);
	cr_assert_eq(stages[0].hits_in, 1);
	cr_assert_eq(stages[1].hits, 3);
	cr_assert_eq(stages[1].hits_in, 1);
	path_fini(&path);
}
