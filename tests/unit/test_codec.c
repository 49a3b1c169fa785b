/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_codec.c - every record comes back as it was, and nothing else is believed
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"
#include "src/collect/codec.h"

enum { MAX_BYTES = 256 * 1024 };

struct records {
	uint8_t *bytes;
	size_t nr_bytes;
	uint64_t seed;
};

static struct records records_new(uint64_t seed)
{
	return (struct records){ .bytes = malloc(MAX_BYTES), .seed = seed };
}

static uint64_t draw(struct records *self)
{
	self->seed = self->seed * 6364136223846793005u + 1442695040888963407u;
	return self->seed >> 31;
}

/* Small, large, all ones or zero: what a field can be. */
static uint32_t draw_field(struct records *self)
{
	switch (draw(self) % 4) {
	case 0:
		return draw(self) % 4;
	case 1:
		return draw(self);
	case 2:
		return UINT32_MAX - draw(self) % 2;
	default:
		return 0;
	}
}

static void add(struct records *self, struct gemba_event ev)
{
	size_t bytes = gemba_record_bytes(ev.kind);

	cr_assert_leq(self->nr_bytes + bytes, MAX_BYTES);
	memcpy(self->bytes + self->nr_bytes, &ev, sizeof(ev));
	for (size_t i = sizeof(ev); i < bytes; i++)
		self->bytes[self->nr_bytes + i] = draw(self);
	self->nr_bytes += bytes;
}

static void add_any(struct records *self, unsigned int kind)
{
	add(self, (struct gemba_event){ .ts_ns = (uint64_t)draw_field(self) << draw(self) % 33,
					.kind = kind,
					.flags = draw_field(self),
					.cpu = draw_field(self),
					.tid = draw_field(self),
					.sk = draw_field(self),
					.seq = draw_field(self),
					.len = draw_field(self),
					.aux = draw_field(self) });
}

static struct codec *any_codec(void)
{
	struct codec *codec;

	cr_assert_eq(codec_new(&codec, MAX_BYTES), 0);
	return codec;
}

/* Packs and unpacks through buffers without a spare byte, for valgrind and the sanitizers. */
static size_t assert_round_trip(const struct records *records)
{
	struct codec *codec = any_codec();
	uint8_t *to = malloc(codec_bound(records->nr_bytes)), *exact, *back;
	size_t bytes;

	cr_assert_eq(codec_encode(codec, records->bytes, records->nr_bytes, to, &bytes), 0);
	cr_assert_leq(bytes, codec_bound(records->nr_bytes));
	exact = malloc(bytes);
	back = malloc(records->nr_bytes + 1);
	memcpy(exact, to, bytes);
	cr_assert_eq(codec_decode(codec, exact, bytes, back, records->nr_bytes), 0);
	cr_assert_eq(memcmp(back, records->bytes, records->nr_bytes), 0);
	free(to);
	free(exact);
	free(back);
	codec_free(codec);
	return bytes;
}

/* Requests and answers over 20 connections; returns how many records. */
static size_t add_steady_stream(struct records *self)
{
	uint32_t rx[20] = { 0 }, tx[20] = { 0 }, i;
	uint64_t ts_ns = 1000000000;
	size_t nr = 0;

	for (; nr < 5000; nr += 5) {
		i = draw(self) % 20;
		add(self, (struct gemba_event){ .ts_ns = ts_ns += 900,
						.kind = GEMBA_RX,
						.cpu = 3,
						.sk = i + 1,
						.seq = rx[i],
						.len = 40,
						.aux = tx[i] });
		rx[i] += 40;
		add(self, (struct gemba_event){ .ts_ns = ts_ns += 700,
						.kind = GEMBA_SOCK,
						.cpu = 3,
						.sk = i + 1,
						.seq = rx[i] });
		add(self, (struct gemba_event){ .ts_ns = ts_ns += 1200,
						.kind = GEMBA_RECV,
						.cpu = 3,
						.sk = i + 1,
						.tid = 77,
						.seq = rx[i],
						.len = 40 });
		add(self, (struct gemba_event){ .ts_ns = ts_ns += 1800,
						.kind = GEMBA_SEND,
						.cpu = 3,
						.sk = i + 1,
						.tid = 77,
						.seq = tx[i],
						.len = 5 });
		add(self, (struct gemba_event){ .ts_ns = ts_ns += 2100,
						.kind = GEMBA_TX,
						.cpu = 3,
						.sk = i + 1,
						.seq = tx[i],
						.len = 5,
						.flags = GEMBA_F_TXQ,
						.aux = 300 });
		tx[i] += 5;
	}
	return nr;
}

static struct records few_of_every_kind(void)
{
	struct records records = records_new(5);

	for (unsigned int kind = 0; kind < GEMBA_NR_KINDS; kind++)
		for (int i = 0; i < 2; i++)
			add_any(&records, kind);
	return records;
}

Test(codec, nothing_comes_back_as_nothing)
{
	struct records records = records_new(1);

	assert_round_trip(&records);
	free(records.bytes);
}

Test(codec, any_record_of_any_kind_comes_back_as_it_was)
{
	for (int seed = 0; seed < 200; seed++) {
		struct records records = records_new(seed);

		for (int i = 0; i < 300; i++)
			add_any(&records, draw(&records) % GEMBA_NR_KINDS);
		assert_round_trip(&records);
		free(records.bytes);
	}
}

Test(codec, kinds_that_do_not_exist_yet_come_back_as_they_were)
{
	struct records records = records_new(2);

	for (int i = 0; i < 3; i++)
		for (unsigned int kind = GEMBA_NR_KINDS; kind < 256; kind++)
			add_any(&records, kind);
	assert_round_trip(&records);
	free(records.bytes);
}

Test(codec, the_least_compressible_block_stays_within_the_bound)
{
	struct records records = records_new(3);

	while (records.nr_bytes + sizeof(struct gemba_conn) <= MAX_BYTES)
		add(&records, (struct gemba_event){ .ts_ns = draw(&records) << 40,
						    .kind = draw(&records),
						    .flags = draw(&records),
						    .cpu = draw(&records),
						    .tid = draw(&records),
						    .sk = draw(&records),
						    .seq = draw(&records),
						    .len = draw(&records),
						    .aux = draw(&records) });
	assert_round_trip(&records);
	free(records.bytes);
}

Test(codec, time_may_go_back_and_wrap)
{
	static const uint64_t times[] = { 5, 4, UINT64_MAX, 0, 1ull << 63, 65535, 131070, 131071 };
	struct records records = records_new(4);

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		add(&records, (struct gemba_event){ .ts_ns = times[i], .kind = GEMBA_RX });
	assert_round_trip(&records);
	free(records.bytes);
}

Test(codec, a_block_does_not_depend_on_the_one_before)
{
	struct records first = few_of_every_kind(), second = records_new(9);
	struct codec *codec = any_codec();
	uint8_t fresh[4096], used[4096];
	size_t fresh_bytes, used_bytes;

	add_any(&second, GEMBA_RX);
	codec_encode(codec, second.bytes, second.nr_bytes, fresh, &fresh_bytes);
	codec_encode(codec, first.bytes, first.nr_bytes, used, &used_bytes);
	codec_encode(codec, second.bytes, second.nr_bytes, used, &used_bytes);
	cr_assert_eq(used_bytes, fresh_bytes);
	cr_assert_eq(memcmp(used, fresh, fresh_bytes), 0);
	free(first.bytes);
	free(second.bytes);
	codec_free(codec);
}

Test(codec, a_steady_stream_takes_few_bytes)
{
	struct records records = records_new(6);
	size_t nr = add_steady_stream(&records);

	cr_assert_lt(assert_round_trip(&records), nr * 5);
	free(records.bytes);
}

Test(codec, a_cut_record_is_refused)
{
	struct records records = records_new(7);
	struct codec *codec = any_codec();
	uint8_t to[512];
	size_t bytes = 12345;

	add_any(&records, GEMBA_CONN);
	for (size_t cut = 1; cut < records.nr_bytes; cut++)
		cr_assert_eq(codec_encode(codec, records.bytes, cut, to, &bytes), -EINVAL);
	cr_assert_eq(bytes, 12345);
	free(records.bytes);
	codec_free(codec);
}

Test(codec, more_than_was_agreed_is_refused)
{
	static const struct gemba_event events[3];
	struct codec *codec;
	uint8_t to[512];
	size_t bytes;

	cr_assert_eq(codec_new(&codec, 2 * sizeof(events[0])), 0);
	cr_assert_eq(codec_encode(codec, events, sizeof(events), to, &bytes), -E2BIG);
	codec_free(codec);
}

Test(codec, a_string_of_the_wrong_length_is_refused)
{
	struct records records = few_of_every_kind();
	struct codec *codec = any_codec();
	uint8_t to[8192], back[8192], *exact;
	size_t bytes;

	codec_encode(codec, records.bytes, records.nr_bytes, to, &bytes);
	for (size_t cut = 0; cut < bytes; cut++) {
		exact = malloc(cut + 1);
		memcpy(exact, to, cut);
		cr_assert_eq(codec_decode(codec, exact, cut, back, records.nr_bytes), -EBADMSG);
		free(exact);
	}
	to[bytes] = 0;
	cr_assert_eq(codec_decode(codec, to, bytes + 1, back, records.nr_bytes), -EBADMSG);
	cr_assert_eq(codec_decode(codec, to, bytes, back, records.nr_bytes - 32), -EBADMSG);
	cr_assert_eq(codec_decode(codec, to, bytes, back, records.nr_bytes + 32), -EBADMSG);
	free(records.bytes);
	codec_free(codec);
}

Test(codec, damaged_strings_are_unpacked_without_harm)
{
	struct records records = few_of_every_kind();
	struct codec *codec = any_codec();
	uint8_t to[8192], *exact, *back = malloc(records.nr_bytes);
	size_t bytes;

	codec_encode(codec, records.bytes, records.nr_bytes, to, &bytes);
	exact = malloc(bytes);
	for (int round = 0; round < 50000; round++) {
		memcpy(exact, to, bytes);
		for (uint64_t i = draw(&records) % 4; i < 4; i++)
			exact[draw(&records) % bytes] = draw(&records);
		codec_decode(codec, exact, bytes, back, records.nr_bytes);
	}
	free(exact);
	free(back);
	free(records.bytes);
	codec_free(codec);
}
