// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_codec.c - what recording and reading cost per event, and how long the file becomes
 *
 * The stream is one CPU's of a single-threaded server under 50 connections.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "src/collect/codec.h"
#include "tests/bench/stream.h"

enum { BLOCK_EVENTS = 8192, NR_BLOCKS = 64, NR_ROUNDS = 9 };

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
	struct stream stream;
	double sum_s[NR_STAGES] = { 0 };
	size_t plain_bytes = 0, packed_bytes = 0;

	if (!open_bench(&bench))
		return 1;
	stream_init(&stream, 1, 1000000000000, 1);
	for (int i = 0; i < NR_BLOCKS; i++) {
		double best_s[NR_STAGES] = { 1, 1, 1, 1 };

		stream_fill(&stream, events, BLOCK_EVENTS);
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
