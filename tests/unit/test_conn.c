/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_conn.c - pairing on one socket, against a model that remembers every byte
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/correlate/conn.h"
#include "tests/unit/events.h"

enum { NR_BYTES = 20000 };

static struct conn *stream_at(uint32_t copied)
{
	const struct gemba_conn is = { .ev = { .sk = 1, .seq = copied }, .rcv_nxt = copied };

	return conn_new(&is, 0);
}

static void arrives(struct conn *conn, uint64_t ts_ns, uint32_t seq, uint32_t bytes)
{
	const struct gemba_event ev = { .ts_ns = ts_ns, .seq = seq, .len = bytes };

	conn_tcp_arrived(conn, &ev);
}

static void becomes_ready(struct conn *conn, uint64_t ts_ns, uint32_t upto)
{
	const struct gemba_event ev = { .ts_ns = ts_ns, .seq = upto };

	conn_tcp_ready(conn, &ev);
}

Test(conn, what_was_read_before_is_not_unread)
{
	struct conn *conn = stream_at(1000);

	cr_assert(!conn_tcp_has_unread(conn));
	becomes_ready(conn, 1, 1000);
	cr_assert(!conn_tcp_has_unread(conn));
	becomes_ready(conn, 2, 1001);
	cr_assert(conn_tcp_has_unread(conn));
	conn_free(conn);
}

Test(conn, a_first_read_of_unknown_length_at_an_unknown_place_says_where_the_next_begins)
{
	const struct gemba_conn is = { .ev = { .sk = 1 } };
	struct conn *conn = conn_new(&is, 0);
	struct arrival arrival;
	uint32_t unseen;

	cr_assert(!conn_tcp_take(conn, 500, 0, &arrival, &unseen));
	cr_assert(conn_tcp_take(conn, 600, 0, &arrival, &unseen));
	cr_assert_eq(arrival.first_seq, 500);
	cr_assert_eq(arrival.bytes, 100);
	conn_free(conn);
}

Test(conn, a_syn_takes_one_number_and_its_data_the_next)
{
	struct conn *conn = stream_at(1001);
	const struct gemba_event ev = { .ts_ns = 5, .seq = 1000, .len = 10, .flags = GEMBA_F_SYN };
	struct arrival arrival;
	uint32_t unseen;

	conn_tcp_arrived(conn, &ev);
	cr_assert(conn_tcp_take(conn, 1011, 10, &arrival, &unseen));
	cr_assert(arrival.has_rx);
	cr_assert_eq(arrival.rx_ns, 5);
	conn_free(conn);
}

struct bytes {
	uint64_t rx_ns[NR_BYTES]; /* first arrival, 0: none yet */
	uint64_t sock_ns[NR_BYTES];
	uint32_t rcv_nxt;
	uint32_t copied;
};

/* A segment anywhere near the edge: new, old, overlapping, beyond a hole. */
static void random_segment(struct conn *conn, struct bytes *model, uint32_t base, uint64_t ts_ns,
			   uint64_t *seed)
{
	uint32_t from = model->rcv_nxt + draw(seed, 300), to;

	from -= from < 150 ? from : 150;
	to = from + 1 + draw(seed, 200);
	if (to > NR_BYTES)
		return;
	arrives(conn, ts_ns, base + from, to - from);
	for (uint32_t i = from; i < to; i++)
		if (i >= model->copied && !model->rx_ns[i])
			model->rx_ns[i] = ts_ns;
	if (from > model->rcv_nxt)
		return;
	while (model->rcv_nxt < NR_BYTES && model->rx_ns[model->rcv_nxt])
		model->sock_ns[model->rcv_nxt++] = ts_ns;
	becomes_ready(conn, ts_ns, base + model->rcv_nxt);
}

static void random_read(struct conn *conn, struct bytes *model, uint32_t base, uint64_t *seed)
{
	uint32_t can = model->rcv_nxt - model->copied, bytes, unseen;
	struct arrival arrival;

	if (!can)
		return;
	bytes = 1 + draw(seed, can);
	cr_assert(conn_tcp_take(conn, base + model->copied + bytes, bytes, &arrival, &unseen));
	cr_assert_eq(unseen, 0);
	cr_assert_eq(arrival.first_seq, base + model->copied);
	cr_assert(arrival.has_rx);
	cr_assert_eq(arrival.rx_ns, model->rx_ns[model->copied]);
	cr_assert(arrival.has_sock);
	cr_assert_eq(arrival.sock_ns, model->sock_ns[model->copied]);
	model->copied += bytes;
	cr_assert_eq(conn_tcp_has_unread(conn), model->copied < model->rcv_nxt);
}

Test(conn, every_read_finds_the_first_arrival_of_its_first_byte)
{
	static struct bytes model;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t rest = seed;
		uint32_t base = UINT32_MAX - draw(&rest, NR_BYTES);
		struct conn *conn = stream_at(base);

		memset(&model, 0, sizeof(model));
		for (uint64_t ts_ns = 1; model.copied + 500 < NR_BYTES && ts_ns < 2000; ts_ns++) {
			if (draw(&rest, 3))
				random_segment(conn, &model, base, ts_ns, &rest);
			else
				random_read(conn, &model, base, &rest);
		}
		cr_assert_gt(model.copied, 1000);
		conn_free(conn);
	}
}

Test(conn, every_ack_gives_each_segment_that_it_covers_once_and_no_resent_one)
{
	struct conn *conn = stream_at(0);

	for (uint32_t i = 1; i <= 5; i++)
		conn_tcp_left(conn, i * 100, i);
	conn_tcp_resent(conn, 150);
	cr_assert_eq(conn_tcp_acked(conn, 350), 1);
	cr_assert_eq(conn_tcp_acked(conn, 350), 3);
	cr_assert_eq(conn_tcp_acked(conn, 350), 0);
	cr_assert_eq(conn_tcp_acked(conn, 500), 4);
	cr_assert_eq(conn_tcp_acked(conn, 500), 5);
	cr_assert_eq(conn_tcp_acked(conn, 500), 0);
	conn_free(conn);
}

Test(conn, a_fifo_grows_goes_round_and_lets_the_oldest_go_at_its_bound)
{
	struct fifo fifo;
	uint32_t first = 0, next = 0;
	uint64_t seed = 1;

	fifo_init(&fifo, sizeof(uint32_t), 64);
	for (int i = 0; i < 10000; i++) {
		if (draw(&seed, 3)) {
			*(uint32_t *)fifo_push(&fifo) = next++;
			first += next - first > 64;
		} else if (fifo.nr) {
			fifo_pop(&fifo);
			first++;
		}
		cr_assert_eq(fifo.nr, next - first);
		for (uint32_t k = 0; k < fifo.nr; k++)
			cr_assert_eq(*(uint32_t *)fifo_at(&fifo, k), first + k);
	}
	fifo_fini(&fifo);
}
