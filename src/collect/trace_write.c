/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_write.c - batches and marks -> blocks in a file, as they come
 *
 * Records wait per CPU until they fill a block. A mark is a promise about what follows it, so
 * it may be written late but never early: first must go out all that came before it, of every
 * CPU. Drain passes bring marks every few milliseconds, too often for that; so most are passed
 * over, and one is settled (all blocks out, then the mark) once a second by trace_writer_flush,
 * or when so many records came since the last as a reader should be asked to hold.
 *
 * With a limit, a file that is full ends at the last settled mark: up to there all CPUs are
 * complete. The nearer the limit the oftener marks are settled, so that little is cut off.
 * After a failed write the file ends with the last whole block instead: nothing is given up.
 */
#include "src/collect/trace.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "src/collect/codec.h"
#include "src/collect/trace_format.h"

enum {
	LEVEL = 1, /* of zstd: beside a production target time counts, and the codec did the rest */
	NR_CPUS = 65536,
	FIRST_ROOM = 4096,
	SETTLE_MOST = 65536, /* records between two marks */
	SETTLE_LEAST = 512,
	TAIL_GROWTH = 4096, /* of the capture text between start and end */
};

/* The records of one CPU that are not yet in the file. */
struct lane {
	uint8_t *records;
	size_t bytes;
	size_t room;
	uint32_t nr;
	uint64_t first_ns;
	uint64_t last_ns;
};

struct trace_writer {
	int fd;
	int err;	    /* once set nothing is written any more */
	uint64_t bytes;	    /* in the file, whole blocks */
	uint64_t max_bytes; /* UINT64_MAX: no limit */
	uint64_t tail_bytes;
	bool is_full;		/* err is -EFBIG because max_bytes is reached */
	uint64_t nr_written;	/* records in the file, marks aside */
	uint64_t nr_pending;	/* records in the lanes */
	uint64_t nr_settled;	/* nr_written as it was just behind the last mark */
	uint64_t settled_bytes; /* so with bytes; 0: there is no mark yet */
	bool has_mark;		/* a mark came since */
	struct gemba_event mark;
	unsigned int mark_cpu;
	struct lane *lanes;
	size_t nr_lanes;
	struct codec *codec;
	ZSTD_CCtx *zstd;
	uint8_t *plain;
	uint8_t *block; /* head and body */
	size_t block_room;
};

static int write_all(int fd, const void *data, size_t bytes)
{
	const char *at = data;
	ssize_t wrote;

	while (bytes) {
		wrote = write(fd, at, bytes);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote ? -errno : -EIO;
		at += wrote;
		bytes -= wrote;
	}
	return 0;
}

/* Best effort: a pipe keeps what it has got. */
static bool cut_to(struct trace_writer *self, uint64_t bytes)
{
	return !ftruncate(self->fd, bytes) && lseek(self->fd, bytes, SEEK_SET) >= 0;
}

/* The file is full: back to the last mark, if there ever was one, and only the tail follows. */
static int end_full(struct trace_writer *self)
{
	if (self->settled_bytes && cut_to(self, self->settled_bytes)) {
		self->bytes = self->settled_bytes;
		self->nr_written = self->nr_settled;
	}
	self->is_full = true;
	return self->err = -EFBIG;
}

static int put_bytes(struct trace_writer *self, const void *data, size_t bytes)
{
	int err = write_all(self->fd, data, bytes);

	if (err) {
		self->err = err;
		cut_to(self, self->bytes);
		return err;
	}
	self->bytes += bytes;
	return 0;
}

static int make_room(struct trace_writer *self, size_t bytes)
{
	uint8_t *block;

	if (bytes <= self->block_room)
		return 0;
	block = realloc(self->block, bytes);
	if (!block)
		return -ENOMEM;
	self->block = block;
	self->block_room = bytes;
	return 0;
}

/* Makes a block of a body at self->block, behind `lead` bytes; its bytes with them, or -errno. */
static ssize_t pack(struct trace_writer *self, size_t lead, struct trace_block_head head,
		    const void *body, size_t bytes)
{
	size_t bound = ZSTD_compressBound(bytes), packed;
	int err = make_room(self, lead + sizeof(head) + bound);
	uint8_t *at = self->block + lead;

	if (err)
		return err;
	packed = ZSTD_compressCCtx(self->zstd, at + sizeof(head), bound, body, bytes, LEVEL);
	if (ZSTD_isError(packed))
		return -ENOMEM;
	head.magic = TRACE_BLOCK_MAGIC;
	head.bytes_packed = packed;
	head.checksum = trace_checksum(&head, at + sizeof(head));
	memcpy(at, &head, sizeof(head));
	return lead + sizeof(head) + packed;
}

static int put_records(struct trace_writer *self, struct trace_block_head head, const void *records)
{
	size_t plain_bytes;
	ssize_t bytes;
	int err = codec_encode(self->codec, records, head.bytes, self->plain, &plain_bytes);

	if (err)
		return err;
	head.type = TRACE_RECORDS;
	bytes = pack(self, 0, head, self->plain, plain_bytes);
	if (bytes < 0)
		return self->err = bytes;
	if (self->bytes + bytes > self->max_bytes - self->tail_bytes)
		return end_full(self);
	return put_bytes(self, self->block, bytes);
}

static int put_lane(struct trace_writer *self, struct lane *lane)
{
	struct trace_block_head head = {
		.cpu = lane - self->lanes,
		.nr_records = lane->nr,
		.bytes = lane->bytes,
		.first_ns = lane->first_ns,
		.last_ns = lane->last_ns,
	};
	int err = lane->bytes ? put_records(self, head, lane->records) : 0;

	if (err)
		return err;
	self->nr_written += lane->nr;
	self->nr_pending -= lane->nr;
	lane->bytes = 0;
	lane->nr = 0;
	return 0;
}

static int put_mark(struct trace_writer *self)
{
	struct trace_block_head head = {
		.cpu = self->mark_cpu,
		.nr_records = 1,
		.bytes = sizeof(self->mark),
		.first_ns = self->mark.ts_ns,
		.last_ns = self->mark.ts_ns,
	};
	int err = self->has_mark ? put_records(self, head, &self->mark) : 0;

	if (err || !self->has_mark)
		return err;
	self->has_mark = false;
	self->settled_bytes = self->bytes;
	self->nr_settled = self->nr_written;
	return 0;
}

/* Everything, then the mark. */
static int settle(struct trace_writer *self)
{
	int err = self->err;

	for (size_t i = 0; i < self->nr_lanes && !err; i++)
		err = put_lane(self, &self->lanes[i]);
	return err ? err : put_mark(self);
}

/* At 8 bytes each, this many records take a quarter of the room that is left. */
static uint64_t settle_at(const struct trace_writer *self)
{
	uint64_t nr = (self->max_bytes - self->tail_bytes - self->bytes) / 32;

	if (nr > SETTLE_MOST)
		return SETTLE_MOST;
	return nr < SETTLE_LEAST ? SETTLE_LEAST : nr;
}

static bool is_mark(const struct batch *batch)
{
	const uint8_t *record = batch->records;

	return batch->bytes == sizeof(struct gemba_event) &&
	       record[offsetof(struct gemba_event, kind)] == GEMBA_MARK;
}

static int add_mark(struct trace_writer *self, const struct batch *batch)
{
	memcpy(&self->mark, batch->records, sizeof(self->mark));
	self->mark_cpu = batch->cpu;
	self->has_mark = true;
	return trace_writer_events(self) - self->nr_settled >= settle_at(self) ? settle(self) : 0;
}

static int lane_of(struct trace_writer *self, unsigned int cpu, struct lane **out)
{
	struct lane *lanes;

	if (cpu >= self->nr_lanes) {
		lanes = realloc(self->lanes, (cpu + 1) * sizeof(*lanes));
		if (!lanes)
			return -ENOMEM;
		memset(lanes + self->nr_lanes, 0, (cpu + 1 - self->nr_lanes) * sizeof(*lanes));
		self->lanes = lanes;
		self->nr_lanes = cpu + 1;
	}
	*out = &self->lanes[cpu];
	return 0;
}

static int lane_make_room(struct lane *self, size_t bytes)
{
	size_t room = self->room ? self->room : FIRST_ROOM;
	uint8_t *records;

	while (room < bytes)
		room *= 2;
	if (room == self->room)
		return 0;
	records = realloc(self->records, room);
	if (!records)
		return -ENOMEM;
	self->records = records;
	self->room = room;
	return 0;
}

/* How much of `records` may join the lane: whole ones, up to a full block. */
static size_t lane_count(struct lane *self, const uint8_t *records, size_t bytes)
{
	size_t at = 0, room = TRACE_BLOCK_RECORDS - self->bytes;
	struct gemba_event ev;

	while (bytes - at >= sizeof(ev)) {
		size_t size;

		memcpy(&ev, records + at, sizeof(ev));
		size = gemba_record_bytes(ev.kind);
		if (size > bytes - at || size > room - at)
			break;
		if (!self->nr || ev.ts_ns < self->first_ns)
			self->first_ns = ev.ts_ns;
		if (!self->nr || ev.ts_ns > self->last_ns)
			self->last_ns = ev.ts_ns;
		self->nr++;
		at += size;
	}
	return at;
}

/* One record at least, or the lane is full: 0 with *took 0. -EINVAL: a cut record. */
static int add_some(struct trace_writer *self, struct lane *lane, const uint8_t *records,
		    size_t bytes, size_t *took)
{
	uint32_t nr = lane->nr;
	int err;

	*took = lane_count(lane, records, bytes);
	if (!*took)
		return lane->bytes ? put_lane(self, lane) : -EINVAL;
	err = lane_make_room(lane, lane->bytes + *took);
	if (err)
		return self->err = err;
	memcpy(lane->records + lane->bytes, records, *took);
	lane->bytes += *took;
	self->nr_pending += lane->nr - nr;
	return 0;
}

int trace_writer_add(struct trace_writer *self, const struct batch *batch)
{
	const uint8_t *at = batch->records, *end = at + batch->bytes;
	struct lane *lane;
	size_t took;
	int err = self->err;

	if (err)
		return err;
	if (batch->cpu >= NR_CPUS)
		return -EINVAL;
	if (is_mark(batch))
		return add_mark(self, batch);
	err = lane_of(self, batch->cpu, &lane);
	for (; at < end && !err; at += took)
		err = add_some(self, lane, at, end - at, &took);
	return err;
}

int trace_writer_flush(struct trace_writer *self)
{
	return settle(self);
}

/* The longest part of at most `bytes` that ends with a line. */
static size_t whole_lines(const char *text, size_t bytes)
{
	while (bytes && text[bytes - 1] != '\n')
		bytes--;
	return bytes;
}

static ssize_t pack_text(struct trace_writer *self, size_t lead, enum trace_type type,
			 const char *text, size_t bytes)
{
	struct trace_block_head head = { .type = type };

	if (bytes > TRACE_MAX_TEXT)
		bytes = whole_lines(text, TRACE_MAX_TEXT);
	head.bytes = bytes;
	return pack(self, lead, head, text, bytes);
}

/* File head and capture in one write: there is no trace without a capture. */
static int put_head(struct trace_writer *self, const char *text, size_t text_bytes)
{
	struct trace_file_head head = { .magic = TRACE_MAGIC, .version = TRACE_VERSION };
	ssize_t bytes = pack_text(self, sizeof(head), TRACE_HEAD, text, text_bytes);

	if (bytes < 0)
		return bytes;
	memcpy(self->block, &head, sizeof(head));
	if (self->max_bytes < self->tail_bytes || bytes + self->tail_bytes > self->max_bytes)
		return -EFBIG;
	return put_bytes(self, self->block, bytes);
}

/* Should the text have outgrown the room kept for it, its first lines must do. */
static int put_tail(struct trace_writer *self, const char *text, size_t text_bytes)
{
	ssize_t bytes = pack_text(self, 0, TRACE_TAIL, text, text_bytes);

	while (bytes > 0 && self->bytes + bytes > self->max_bytes && text_bytes) {
		text_bytes = whole_lines(text, text_bytes / 2);
		bytes = pack_text(self, 0, TRACE_TAIL, text, text_bytes);
	}
	return bytes < 0 ? (int)bytes : put_bytes(self, self->block, bytes);
}

static void trace_writer_free(struct trace_writer *self)
{
	for (size_t i = 0; i < self->nr_lanes; i++)
		free(self->lanes[i].records);
	free(self->lanes);
	codec_free(self->codec);
	ZSTD_freeCCtx(self->zstd);
	free(self->plain);
	free(self->block);
	free(self);
}

static int trace_writer_init(struct trace_writer *self, uint64_t max_bytes,
			     const struct capture *capture)
{
	char *text = capture_write(capture);
	size_t bytes;
	int err = -ENOMEM;

	self->zstd = ZSTD_createCCtx();
	self->plain = malloc(codec_bound(TRACE_BLOCK_RECORDS));
	if (text && self->zstd && self->plain)
		err = codec_new(&self->codec, TRACE_BLOCK_RECORDS);
	if (!err) {
		bytes = strlen(text);
		self->max_bytes = max_bytes ? max_bytes : UINT64_MAX;
		self->tail_bytes =
			sizeof(struct trace_block_head) + ZSTD_compressBound(bytes + TAIL_GROWTH);
		err = put_head(self, text, bytes);
	}
	free(text);
	return err;
}

int trace_writer_new(struct trace_writer **out, int fd, const struct capture *capture,
		     uint64_t max_bytes)
{
	struct trace_writer *self = calloc(1, sizeof(*self));
	int err;

	if (!self) {
		close(fd);
		return -ENOMEM;
	}
	self->fd = fd;
	err = trace_writer_init(self, max_bytes, capture);
	if (err) {
		close(fd);
		trace_writer_free(self);
		return err;
	}
	*out = self;
	return 0;
}

int trace_writer_close(struct trace_writer *self, const struct capture *capture)
{
	bool was_full = self->is_full;
	int err = settle(self), tail_err = 0;
	char *text = capture_write(capture);

	if (!err || self->is_full)
		tail_err = text ? put_tail(self, text, strlen(text)) : -ENOMEM;
	free(text);
	if (close(self->fd) && !tail_err) /* a network file system says only now that it is full */
		tail_err = -errno;
	trace_writer_free(self);
	return err && !was_full ? err : tail_err;
}

uint64_t trace_writer_bytes(const struct trace_writer *self)
{
	return self->bytes;
}

uint64_t trace_writer_events(const struct trace_writer *self)
{
	return self->nr_written + (self->err ? 0 : self->nr_pending);
}
