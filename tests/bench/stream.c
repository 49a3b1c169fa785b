// SPDX-License-Identifier: BSD-2-Clause
/*
 * stream.c - a seed in, events of one CPU out
 *
 * Durations are sums of uniform parts with a rare long one, as latencies are: narrow, skewed,
 * with a tail. Byte positions go on per socket, so that what is joined by position joins.
 */
#include "tests/bench/stream.h"

#include <string.h>

enum { PORT = 6379, MAX_AT_ONCE = 8, FIRST_TID = 48211 };

_Static_assert(5 * (MAX_AT_ONCE - 1) + 2 <= STREAM_TURN_EVENTS, "a turn fits");

static uint32_t draw(struct stream *self, uint32_t from, uint32_t to)
{
	self->seed = self->seed * 6364136223846793005u + 1442695040888963407u;
	return from + (self->seed >> 33) % (to - from);
}

static void pass(struct stream *self, uint32_t about_ns)
{
	self->now_ns += draw(self, about_ns / 2, about_ns) + draw(self, 0, about_ns / 2);
	if (!draw(self, 0, 64))
		self->now_ns += draw(self, 0, about_ns * 16);
}

static void add(struct stream *self, struct gemba_event ev)
{
	if (self->at == self->end)
		return;
	ev.ts_ns = self->now_ns;
	ev.cpu = self->cpu;
	*self->at++ = ev;
}

static void arrive(struct stream *self, uint32_t i)
{
	struct stream_socket *socket = &self->sockets[i];
	uint32_t bytes = draw(self, 36, 44);

	pass(self, 2500);
	add(self, (struct gemba_event){ .kind = GEMBA_RX,
					.sk = socket->sk,
					.seq = socket->rx_next,
					.len = bytes,
					.aux = socket->tx_next });
	socket->rx_next += bytes;
	socket->rx_bytes = bytes;
	pass(self, 700);
	add(self,
	    (struct gemba_event){ .kind = GEMBA_SOCK, .sk = socket->sk, .seq = socket->rx_next });
}

static void answer(struct stream *self, uint32_t i)
{
	struct stream_socket *socket = &self->sockets[i];
	uint32_t bytes = draw(self, 0, 4) ? 5 : draw(self, 6, 600);

	pass(self, 1200);
	add(self, (struct gemba_event){ .kind = GEMBA_RECV,
					.sk = socket->sk,
					.tid = self->tid,
					.seq = socket->rx_next,
					.len = socket->rx_bytes });
	pass(self, 1800);
	add(self, (struct gemba_event){ .kind = GEMBA_SEND,
					.sk = socket->sk,
					.tid = self->tid,
					.seq = socket->tx_next,
					.len = bytes });
	pass(self, 2200);
	add(self, (struct gemba_event){ .kind = GEMBA_TX,
					.flags = GEMBA_F_TXQ,
					.sk = socket->sk,
					.seq = socket->tx_next,
					.len = bytes,
					.aux = draw(self, 200, 420) });
	socket->tx_next += bytes;
}

static void change(struct stream *self, uint32_t from, uint32_t to, uint32_t flags)
{
	pass(self, 1500);
	add(self, (struct gemba_event){ .kind = GEMBA_SWITCH,
					.flags = flags,
					.tid = to,
					.seq = from,
					.len = to ? draw(self, 1500, 9000) : 0 });
}

static void turn(struct stream *self)
{
	uint32_t sockets[MAX_AT_ONCE], nr = draw(self, 1, MAX_AT_ONCE), first, step;

	/* one client never asks twice before it is answered */
	first = draw(self, 0, STREAM_NR_SOCKETS);
	step = draw(self, 1, STREAM_NR_SOCKETS / MAX_AT_ONCE);
	for (uint32_t i = 0; i < nr; i++)
		arrive(self, sockets[i] = (first + i * step) % STREAM_NR_SOCKETS);
	change(self, 0, self->tid, GEMBA_F_NEXT);
	for (uint32_t i = 0; i < nr; i++)
		answer(self, sockets[i]);
	change(self, self->tid, 0, GEMBA_F_PREV);
}

void stream_init(struct stream *self, uint32_t cpu, uint64_t start_ns, uint32_t first_sk)
{
	*self = (struct stream){
		.seed = cpu, .now_ns = start_ns, .cpu = cpu, .tid = FIRST_TID + cpu
	};
	for (uint32_t i = 0; i < STREAM_NR_SOCKETS; i++)
		self->sockets[i].sk = first_sk + i;
}

void stream_fill(struct stream *self, struct gemba_event events[], size_t nr)
{
	self->at = events;
	self->end = events + nr;
	while (self->at < self->end)
		turn(self);
}

size_t stream_run(struct stream *self, struct gemba_event events[], size_t nr, uint64_t until_ns)
{
	self->at = events;
	self->end = events + nr;
	while (self->now_ns < until_ns && self->end - self->at >= STREAM_TURN_EVENTS)
		turn(self);
	return self->at - events;
}

static void put_address(uint8_t to[16], uint32_t host)
{
	const uint8_t address[16] = { [10] = 0xff,	 [11] = 0xff,	   [12] = 10,
				      [13] = host >> 16, [14] = host >> 8, [15] = host };

	memcpy(to, address, sizeof(address));
}

struct gemba_conn stream_conn(const struct stream *self, uint32_t i)
{
	const struct stream_socket *socket = &self->sockets[i];
	struct gemba_conn conn = {
		.ev = { .ts_ns = self->now_ns,
			.kind = GEMBA_CONN,
			.cpu = self->cpu,
			.sk = socket->sk,
			.tid = self->tid,
			.seq = socket->rx_next,
			.len = socket->tx_next },
		.lport = PORT,
		.rport = 1024 + socket->sk % 60000,
		.rcv_nxt = socket->rx_next,
		.how = GEMBA_HOW_ACCEPTED,
	};

	put_address(conn.laddr, 1);
	put_address(conn.raddr, 256 + self->cpu);
	return conn;
}
