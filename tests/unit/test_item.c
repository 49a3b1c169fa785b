/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_item.c - what an item is, and when it came: DEFINITIONS, "Item"
 */
#include <string.h>

#include "tests/unit/cast.h"

Test(item, a_request_and_its_answer_have_all_six_stations)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_rx(&s, A, 0, 100);
	at(&s, 12), tcp_ready(&s, A, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 100);
	at(&s, 30), tcp_sends(&s, A, T, 0, 50);
	at(&s, 33), tcp_leaves(&s, A, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_route(o.journeys[0], "rx sock recv send txq tx");
	assert_us(o.journeys[0], STATION_RX, 10);
	assert_us(o.journeys[0], STATION_SOCK, 12);
	assert_us(o.journeys[0], STATION_RECV, 20);
	assert_us(o.journeys[0], STATION_SEND, 30);
	assert_us(o.journeys[0], STATION_TXQ, 32.7);
	assert_us(o.journeys[0], STATION_TX, 33);
	cr_assert_eq(o.journeys[0].outcome, OUTCOME_OUT);
	cr_assert_eq(o.journeys[0].attribution, ATTRIBUTED_CONNECTION);
	cr_assert_eq(o.journeys[0].bytes_in, 100);
	cr_assert_eq(o.journeys[0].bytes_out, 50);
	cr_assert(!o.journeys[0].is_queued);
	cr_assert(!o.journeys[0].is_deferred_send);
	cr_assert_eq(o.account.attributed[ATTRIBUTED_CONNECTION], 1);
	outcome_free(&o);
}

Test(item, header_and_body_are_one_item_stamped_by_first_byte_in_and_last_byte_read)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 8);
	at(&s, 15), tcp_arrives(&s, A, 8, 92);
	at(&s, 20), tcp_reads(&s, A, T, 0, 8);
	at(&s, 25), tcp_reads(&s, A, T, 8, 92);
	at(&s, 30), tcp_answers(&s, A, T, 0, 50);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	cr_assert_eq(o.journeys[0].merges, 1);
	cr_assert_eq(o.journeys[0].bytes_in, 100);
	assert_us(o.journeys[0], STATION_RX, 10);
	assert_us(o.journeys[0], STATION_RECV, 25);
	cr_assert_eq(o.account.merges, 1);
	outcome_free(&o);
}

Test(item, what_other_threads_do_meanwhile_does_not_part_header_from_body)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 11), tcp_arrives(&s, B, 0, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 8);
	at(&s, 21), tcp_reads(&s, B, W, 0, 100);
	at(&s, 25), tcp_reads(&s, A, T, 8, 92);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(item_at(&o, A, 0)->merges, 1);
	outcome_free(&o);
}

Test(item, a_station_of_the_thread_between_two_reads_makes_two_items)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 11), tcp_arrives(&s, B, 0, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 8);
	at(&s, 21), tcp_reads(&s, B, T, 0, 100);
	at(&s, 25), tcp_reads(&s, A, T, 8, 92);
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	outcome_free(&o);
}

Test(item, at_most_eight_reads_are_merged)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	for (int i = 0; i < 10; i++)
		at(&s, 20 + i), tcp_reads(&s, A, T, i * 10, 10);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(o.journeys[0].merges, 7);
	cr_assert_eq(o.journeys[0].bytes_in, 80);
	cr_assert_eq(o.journeys[1].merges, 1);
	outcome_free(&o);
}

Test(item, reads_within_a_millisecond_are_merged_and_later_ones_not)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 10);
	at(&s, 1020), tcp_reads(&s, A, T, 10, 10);
	at(&s, 1020.001), tcp_reads(&s, A, T, 20, 10);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(o.journeys[0].bytes_in, 20);
	outcome_free(&o);
}

Test(item, a_message_in_several_segments_is_stamped_by_its_first_byte)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_rx(&s, A, 0, 1000);
	at(&s, 11), tcp_rx(&s, A, 1000, 1000);
	at(&s, 12), tcp_ready(&s, A, 2000);
	at(&s, 20), tcp_reads(&s, A, T, 0, 2000);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_RX, 10);
	assert_us(o.journeys[0], STATION_SOCK, 12);
	outcome_free(&o);
}

Test(item, two_messages_in_one_segment_share_its_arrival)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 200);
	at(&s, 20), tcp_reads(&s, A, T, 0, 100);
	at(&s, 21), tcp_answers(&s, A, T, 0, 10);
	at(&s, 30), tcp_reads(&s, A, T, 100, 100);
	at(&s, 31), tcp_answers(&s, A, T, 10, 10);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	for (int i = 0; i < 2; i++)
		assert_us(o.journeys[i], STATION_RX, 10);
	outcome_free(&o);
}

Test(item, retransmitted_and_reordered_segments_keep_the_first_arrival_of_each_byte)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_rx(&s, A, 0, 100), tcp_ready(&s, A, 100);
	at(&s, 11), tcp_rx(&s, A, 200, 100); /* 100 to 200 were lost on the way */
	at(&s, 12), tcp_rx(&s, A, 0, 100);   /* a spurious repeat */
	at(&s, 13), tcp_rx(&s, A, 100, 200); /* the sender joined two segments */
	at(&s, 14), tcp_ready(&s, A, 300);
	at(&s, 20), tcp_reads(&s, A, T, 0, 100), tcp_answers(&s, A, T, 0, 1);
	at(&s, 23), tcp_reads(&s, A, T, 100, 100), tcp_answers(&s, A, T, 1, 1);
	at(&s, 26), tcp_reads(&s, A, T, 200, 100);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_RX, 10);
	assert_us(o.journeys[1], STATION_RX, 13);
	assert_us(o.journeys[1], STATION_SOCK, 14);
	assert_us(o.journeys[2], STATION_RX, 11);
	assert_us(o.journeys[2], STATION_SOCK, 14);
	outcome_free(&o);
}

Test(item, a_joined_retransmission_that_brings_new_bytes_fills_its_hole)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_rx(&s, A, 100, 100); /* 0 to 100 were lost on the way */
	at(&s, 15), tcp_rx(&s, A, 0, 300), tcp_ready(&s, A, 300);
	at(&s, 20), tcp_reads(&s, A, T, 0, 300);
	o = ends(&s);
	assert_us(o.journeys[0], STATION_RX, 15);
	cr_assert(!o.journeys[0].is_partial);
	outcome_free(&o);
}

Test(item, positions_go_round_the_32_bits)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	s.in_base = UINT32_MAX - 149;
	s.out_base = UINT32_MAX - 14;
	tcp_accepted(&s, A, 80, 5000);
	for (int i = 0; i < 4; i++) {
		at(&s, 10 + i * 10), tcp_arrives(&s, A, i * 100, 100);
		at(&s, 12 + i * 10), tcp_reads(&s, A, T, i * 100, 100);
		at(&s, 15 + i * 10), tcp_answers(&s, A, T, i * 10, 10);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 4);
	for (int i = 0; i < 4; i++) {
		assert_route(o.journeys[i], "rx sock recv send txq tx");
		assert_us(o.journeys[i], STATION_RX, 10 + i * 10);
		assert_us(o.journeys[i], STATION_TX, 16 + i * 10);
	}
	outcome_free(&o);
}

Test(item, an_item_whose_packet_came_before_us_is_partial)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 20), tcp_reads(&s, A, T, 0, 100);
	at(&s, 25), tcp_answers(&s, A, T, 0, 10);
	o = ends(&s);
	assert_route(o.journeys[0], "recv send txq tx");
	cr_assert(o.journeys[0].is_partial);
	cr_assert_eq(o.account.partial, 1);
	outcome_free(&o);
}

Test(item, bytes_that_splice_took_are_counted_and_shift_nothing)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 500);
	at(&s, 12), tcp_arrives(&s, A, 500, 100);
	at(&s, 20), tcp_reads(&s, A, T, 500, 100);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	assert_us(o.journeys[0], STATION_RX, 12);
	cr_assert_eq(o.account.bytes_read_unseen, 500);
	outcome_free(&o);
}

Test(item, reads_of_unknown_length_are_ranges_between_positions)
{
	struct stream s = server();
	struct outcome_of_run o;

	/* before 6.3 a read says how far it got, not how much it took */
	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 20), tcp_reads(&s, A, T, 100, 0);
	at(&s, 25), tcp_answers(&s, A, T, 0, 10);
	at(&s, 30), tcp_arrives(&s, A, 100, 50);
	at(&s, 35), tcp_reads(&s, A, T, 150, 0);
	o = ends(&s);
	cr_assert_eq(o.nr, 2);
	cr_assert_eq(item_at(&o, A, 0)->bytes_in, 100);
	cr_assert_eq(item_at(&o, A, 100)->bytes_in, 50);
	outcome_free(&o);
}

Test(item, a_repeated_position_is_no_item)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 20), tcp_reads(&s, A, T, 0, 100);
	at(&s, 21), tcp_reads(&s, A, T, 0, 100);
	o = ends(&s);
	cr_assert_eq(o.nr, 1);
	outcome_free(&o);
}

Test(item, a_socket_whose_telling_was_lost_still_has_items)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	at(&s, 1), loses(&s, GEMBA_CONN, 1, 2);
	for (int i = 0; i < 3; i++) {
		at(&s, 10 + i * 10), tcp_arrives(&s, A, i * 100, 100);
		at(&s, 12 + i * 10), tcp_reads(&s, A, T, i * 100, 100);
		at(&s, 15 + i * 10), tcp_answers(&s, A, T, i * 10, 10);
	}
	o = ends(&s);
	cr_assert_eq(o.nr, 3);
	assert_route(o.journeys[2], "rx sock recv send txq tx");
	outcome_free(&o);
}

Test(item, an_unknown_socket_without_loss_is_not_the_targets)
{
	struct stream s = stream_new();
	struct outcome_of_run o;

	at(&s, 10), tcp_arrives(&s, A, 0, 100);
	at(&s, 12), tcp_reads(&s, A, T, 0, 100);
	o = ends(&s);
	cr_assert_eq(o.nr, 0);
	cr_assert_eq(o.account.sockets, 0);
	outcome_free(&o);
}

Test(ends, connections_from_one_address_are_one_supplier)
{
	struct stream s = server();
	struct outcome_of_run o;

	for (uint32_t sk = A; sk <= D; sk++) {
		at(&s, sk * 10), tcp_arrives(&s, sk, 0, 10);
		at(&s, sk * 10 + 5), tcp_reads(&s, sk, T, 0, 10);
	}
	o = ends(&s);
	cr_assert_eq(o.nr_endpoints, 1);
	cr_assert_eq(o.endpoints[0].flows, 4);
	cr_assert_eq(o.endpoints[0].port, 80);
	outcome_free(&o);
}

Test(ends, a_peer_of_ipv6_is_known_by_its_whole_address)
{
	struct stream s = server();
	struct outcome_of_run o;

	at(&s, 1);
	memcpy(stream_add(&s, (struct gemba_event){ .kind = GEMBA_PEER, .seq = 77 })->peer.addr,
	       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x42", 16);
	at(&s, 10), udp_rx(&s, U, 77, 4000, 64, 1), s.records[s.nr - 1].ev.flags |= GEMBA_F_V6;
	at(&s, 11), udp_ready(&s, U, 64, 1, 1);
	at(&s, 12), udp_reads(&s, U, T, 64, 0);
	o = ends(&s);
	cr_assert_eq(o.nr_endpoints, 1);
	cr_assert_arr_eq(o.endpoints[0].raddr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x42", 16);
	outcome_free(&o);
}
