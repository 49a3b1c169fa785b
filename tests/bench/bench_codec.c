/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_codec.c - what recording and reading cost per event, and how long the file becomes
 *
 * The stream is one CPU's of a single-threaded server under 50 connections: packets of a few
 * sockets arrive in softirq, the thread wakes, reads and answers each. Times, lengths and the
 * order of sockets are random, in the manner of redis-server.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "src/collect/codec.h"

#include "bpf/event.h"

enum { NR_SOCKETS = 50, BLOCK_EVENTS = 8192, NR_BLOCKS = 64, NR_ROUNDS = 9, SERVER_TID = 48211 };

struct stream {
	struct gemba_event *at;
	struct gemba_event *end;
	uint64_t seed;
	uint64_t now_ns;
	uint32_t cpu;
	uint32_t rx_next[NR_SOCKETS];
	uint32_t rx_bytes[NR_SOCKETS];
	uint32_t tx_next[NR_SOCKETS];
};

static uint32_t draw(struct stream *self, uint32_t from, uint32_t to)
{
	self->seed = self->seed * 6364136223846793005u + 1442695040888963407u;
	return from + (self->seed >> 33) % (to - from);
}

/* Sums of uniform parts with a rare long one: narrow, skewed, with a tail. */
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
	uint32_t bytes = draw(self, 36, 44);

	pass(self, 2500);
	add(self, (struct gemba_event){ .kind = GEMBA_RX,
					.sk = i + 1,
					.seq = self->rx_next[i],
					.len = bytes,
					.aux = self->tx_next[i] });
	self->rx_next[i] += bytes;
	self->rx_bytes[i] = bytes;
	pass(self, 700);
	add(self, (struct gemba_event){ .kind = GEMBA_SOCK, .sk = i + 1, .seq = self->rx_next[i] });
}

static void answer(struct stream *self, uint32_t i)
{
	uint32_t bytes = draw(self, 0, 4) ? 5 : draw(self, 6, 600);

	pass(self, 1200);
	add(self, (struct gemba_event){ .kind = GEMBA_RECV,
					.sk = i + 1,
					.tid = SERVER_TID,
					.seq = self->rx_next[i],
					.len = self->rx_bytes[i] });
	pass(self, 1800);
	add(self, (struct gemba_event){ .kind = GEMBA_SEND,
					.sk = i + 1,
					.tid = SERVER_TID,
					.seq = self->tx_next[i],
					.len = bytes });
	pass(self, 2200);
	add(self, (struct gemba_event){ .kind = GEMBA_TX,
					.flags = GEMBA_F_TXQ,
					.sk = i + 1,
					.seq = self->tx_next[i],
					.len = bytes,
					.aux = draw(self, 200, 420) });
	self->tx_next[i] += bytes;
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
	uint32_t sockets[8], nr = draw(self, 1, 8);

	for (uint32_t i = 0; i < nr; i++)
		arrive(self, sockets[i] = draw(self, 0, NR_SOCKETS));
	change(self, 0, SERVER_TID, GEMBA_F_NEXT);
	for (uint32_t i = 0; i < nr; i++)
		answer(self, sockets[i]);
	change(self, SERVER_TID, 0, GEMBA_F_PREV);
}

static void fill(struct stream *self, struct gemba_event *events, size_t nr)
{
	self->at = events;
	self->end = events + nr;
	while (self->at < self->end)
		turn(self);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

enum stage { ENCODE, COMPRESS, UNCOMPRESS, DECODE, NR_STAGES };

struct bench {
	struct codec *codec;
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	struct gemba_event back[BLOCK_EVENTS];
	uint8_t *plain;
	uint8_t *packed;
	size_t plain_bytes;
	size_t packed_bytes;
};

static size_t plain_bound(void)
{
	return codec_bound(BLOCK_EVENTS * sizeof(struct gemba_event));
}

static bool run_stage(struct bench *self, enum stage stage, const struct gemba_event *events)
{
	size_t bytes = BLOCK_EVENTS * sizeof(*events);

	switch (stage) {
	case ENCODE:
		return !codec_encode(self->codec, events, bytes, self->plain, &self->plain_bytes);
	case COMPRESS:
		self->packed_bytes = ZSTD_compressCCtx(self->cctx, self->packed,
						       ZSTD_compressBound(plain_bound()),
						       self->plain, self->plain_bytes, 1);
		return !ZSTD_isError(self->packed_bytes);
	case UNCOMPRESS:
		return ZSTD_decompressDCtx(self->dctx, self->plain, plain_bound(), self->packed,
					   self->packed_bytes) == self->plain_bytes;
	default:
		return !codec_decode(self->codec, self->plain, self->plain_bytes, self->back,
				     bytes);
	}
}

/* One block through all stages; best_s keeps the least time of each: a shared host is noisy. */
static bool run_block(struct bench *self, const struct gemba_event *events, double best_s[])
{
	for (enum stage stage = 0; stage < NR_STAGES; stage++) {
		double begin_s = now_s(), took_s;

		if (!run_stage(self, stage, events))
			return false;
		took_s = now_s() - begin_s;
		if (took_s < best_s[stage])
			best_s[stage] = took_s;
	}
	return !memcmp(self->back, events, sizeof(self->back));
}

static bool open_bench(struct bench *self)
{
	self->cctx = ZSTD_createCCtx();
	self->dctx = ZSTD_createDCtx();
	self->plain = malloc(plain_bound());
	self->packed = malloc(ZSTD_compressBound(plain_bound()));
	return self->cctx && self->dctx && self->plain && self->packed &&
	       !codec_new(&self->codec, sizeof(self->back));
}

static void print(const double sum_s[], size_t plain_bytes, size_t packed_bytes)
{
	static const char *const names[NR_STAGES] = { "encode", "compress", "uncompress",
						      "decode" };
	double nr = (double)NR_BLOCKS * BLOCK_EVENTS;

	for (enum stage stage = 0; stage < NR_STAGES; stage++)
		printf("%-10s %6.1f ns/event\n", names[stage], sum_s[stage] / nr * 1e9);
	printf("%-10s %6.2f bytes/event, %.2f before compression\n", "size", packed_bytes / nr,
	       plain_bytes / nr);
}

int main(void)
{
	static struct gemba_event events[BLOCK_EVENTS];
	static struct bench bench;
	struct stream stream = { .seed = 1, .now_ns = 1000000000000, .cpu = 1 };
	double sum_s[NR_STAGES] = { 0 };
	size_t plain_bytes = 0, packed_bytes = 0;

	if (!open_bench(&bench))
		return 1;
	for (int i = 0; i < NR_BLOCKS; i++) {
		double best_s[NR_STAGES] = { 1, 1, 1, 1 };

		fill(&stream, events, BLOCK_EVENTS);
		for (int round = 0; round < NR_ROUNDS; round++)
			if (!run_block(&bench, events, best_s))
				return 1;
		for (enum stage stage = 0; stage < NR_STAGES; stage++)
			sum_s[stage] += best_s[stage];
		plain_bytes += bench.plain_bytes;
		packed_bytes += bench.packed_bytes;
	}
	print(sum_s, plain_bytes, packed_bytes);
	return 0;
}
