/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cast.c - the openings and the endings that the stories share
 */
#include "tests/unit/cast.h"

#include <criterion/criterion.h>

struct stream server(void)
{
	struct stream s = stream_new();

	listens(&s, 80);
	for (uint32_t sk = A; sk <= D; sk++)
		tcp_accepted(&s, sk, 80, 5000 + sk);
	tcp_opened(&s, S, 41000, 9000);
	tcp_opened(&s, F, 41001, 9001);
	udp_bound(&s, U, 7000, 0);
	udp_bound(&s, V, 7001, 0);
	return s;
}

struct outcome_of_run ends(struct stream *s)
{
	struct outcome_of_run o = run(s);

	stream_free(s);
	return o;
}

struct outcome_of_run ends_with(struct stream *s, struct correlate_opts opts)
{
	struct outcome_of_run o = run_with(s, &opts);

	stream_free(s);
	return o;
}

const struct journey *item_at(const struct outcome_of_run *o, uint32_t sk, uint32_t byte)
{
	for (size_t i = 0; i < o->nr; i++)
		if (o->journeys[i].in_sk == sk && o->journeys[i].in_seq == 7000 + byte)
			return &o->journeys[i];
	cr_assert_fail("no item came in on %u at %u", sk, byte);
	return NULL;
}

uint32_t out_byte(const struct journey *journey)
{
	return journey->out_seq - 90000;
}

void asked(struct stream *s)
{
	at(s, 10), tcp_arrives(s, A, 0, 100);
	at(s, 20), tcp_reads(s, A, T, 0, 100);
}

void pipeline(struct stream *s, int k)
{
	at(s, 5), tcp_arrives(s, B, 0, k);
	for (int i = 0; i < k; i++)
		at(s, 10 + i), tcp_arrives(s, A, i * 10, 10);
	for (int i = 0; i < k; i++) {
		at(s, 20 + i * 2), tcp_reads(s, A, T, i * 10, 10);
		at(s, 21 + i * 2), tcp_reads(s, B, T, i, 1);
	}
}

void tick_arrives(struct stream *s, uint32_t sk, uint32_t bytes, uint32_t queued)
{
	uint32_t tag = s->now_ns / 1000 & 0xffff;

	udp_rx(s, sk, FEED, 4000, bytes, tag);
	s->now_ns += 1000;
	udp_ready(s, sk, bytes, queued, tag);
}

void asks(struct stream *s, uint32_t raddr, uint16_t rport, uint32_t tag, uint32_t queued)
{
	udp_rx(s, U, raddr, rport, 64, tag);
	s->now_ns += 1000;
	udp_ready(s, U, 64, queued, tag);
}
