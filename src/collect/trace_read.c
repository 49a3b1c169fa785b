/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_read.c - a trace file -> batches, a block at a time
 *
 * The file may be cut, damaged or made by an enemy: nothing in it is believed before its
 * checksum held, and nothing is used as a length before it was compared with a limit. Reading
 * is by offset, so the descriptor's position does not matter; `at` is where the first block
 * stands that was not yet found good, and stays there when reading ends.
 */
#include "src/collect/trace.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "src/collect/codec.h"
#include "src/collect/trace_format.h"

struct trace_source {
	struct source source;
	int fd;
	struct capture *capture;
	uint64_t at;
	bool has_ended;
	int err; /* with which it ended */
	bool is_whole;
	struct trace_block_head head;
	struct codec *codec;
	ZSTD_DCtx *zstd;
	uint8_t *packed;
	size_t packed_room;
	uint8_t *plain; /* packed no longer by zstd but by the codec, or text */
	size_t plain_room;
	uint8_t *records;
};

static struct trace_source *of(const struct source *source)
{
	return (struct trace_source *)((char *)source - offsetof(struct trace_source, source));
}

/* Bytes read, fewer only at the end of the file; or -errno. */
static ssize_t read_at(int fd, void *to, size_t bytes, uint64_t at)
{
	size_t done = 0;
	ssize_t got;

	while (done < bytes) {
		got = pread(fd, (char *)to + done, bytes - done, at + done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		done += got;
	}
	return done;
}

static int grow(uint8_t **buffer, size_t *room, size_t bytes)
{
	uint8_t *grown;

	if (bytes <= *room)
		return 0;
	grown = realloc(*buffer, bytes);
	if (!grown)
		return -ENOMEM;
	*buffer = grown;
	*room = bytes;
	return 0;
}

static int read_body(struct trace_source *self)
{
	const struct trace_block_head *head = &self->head;
	ssize_t got;
	int err;

	if (head->magic != TRACE_BLOCK_MAGIC || head->bytes_packed > TRACE_MAX_PACKED)
		return -EBADMSG;
	err = grow(&self->packed, &self->packed_room, head->bytes_packed);
	if (err)
		return err;
	got = read_at(self->fd, self->packed, head->bytes_packed, self->at + sizeof(*head));
	if (got < 0)
		return got;
	if (got < head->bytes_packed)
		return -ENODATA;
	return trace_checksum(head, self->packed) == head->checksum ? 0 : -EBADMSG;
}

/* The next block, packed, checked: 1; 0: the file ends here; -errno. */
static int read_block(struct trace_source *self)
{
	ssize_t got = read_at(self->fd, &self->head, sizeof(self->head), self->at);
	int err;

	if (got <= 0)
		return got;
	if (got < (ssize_t)sizeof(self->head))
		return -ENODATA;
	err = read_body(self);
	return err ? err : 1;
}

static void pass_block(struct trace_source *self)
{
	self->at += sizeof(self->head) + self->head.bytes_packed;
}

/* The body as it was before compression, at most `limit` bytes of it; *bytes of them. */
static int unpack(struct trace_source *self, size_t limit, size_t *bytes)
{
	int err = grow(&self->plain, &self->plain_room, limit);

	if (err)
		return err;
	*bytes = ZSTD_decompressDCtx(self->zstd, self->plain, limit, self->packed,
				     self->head.bytes_packed);
	return ZSTD_isError(*bytes) ? -EBADMSG : 0;
}

static int read_capture(struct trace_source *self)
{
	size_t bytes;
	int err;

	if (self->head.bytes > TRACE_MAX_TEXT)
		return -EBADMSG;
	err = unpack(self, self->head.bytes, &bytes);
	if (err)
		return err;
	if (bytes != self->head.bytes)
		return -EBADMSG;
	return capture_read(self->capture, (const char *)self->plain, bytes);
}

static int read_records(struct trace_source *self, struct batch *batch)
{
	size_t bytes;
	int err;

	if (self->head.bytes > TRACE_MAX_RECORDS)
		return -EBADMSG;
	err = unpack(self, codec_bound(self->head.bytes), &bytes);
	if (err)
		return err;
	err = codec_decode(self->codec, self->plain, bytes, self->records, self->head.bytes);
	if (err)
		return err;
	*batch = (struct batch){ self->records, self->head.bytes, self->head.cpu };
	return 0;
}

static int read_tail(struct trace_source *self)
{
	int err = read_capture(self);

	if (err)
		return err;
	pass_block(self);
	self->is_whole = true;
	return 0;
}

/* 1 and a batch, 0 at the end, or -errno. Types of newer versions are passed over. */
static int next_batch(struct trace_source *self, struct batch *batch)
{
	int err;

	for (;;) {
		err = read_block(self);
		if (err <= 0)
			return err;
		if (self->head.type == TRACE_TAIL)
			return read_tail(self);
		if (self->head.type == TRACE_RECORDS) {
			err = read_records(self, batch);
			if (err)
				return err;
		}
		pass_block(self);
		if (self->head.type == TRACE_RECORDS)
			return 1;
	}
}

static int trace_source_read(struct source *source, struct batch *batch)
{
	struct trace_source *self = of(source);
	int err = self->has_ended ? self->err : next_batch(self, batch);

	if (err <= 0) {
		self->has_ended = true;
		self->err = err;
	}
	return err;
}

static void trace_source_free(struct source *source)
{
	struct trace_source *self = of(source);

	codec_free(self->codec);
	ZSTD_freeDCtx(self->zstd);
	free(self->packed);
	free(self->plain);
	free(self->records);
	close(self->fd);
	free(self);
}

static int read_file_head(struct trace_source *self)
{
	struct trace_file_head head = { 0 };
	ssize_t got = read_at(self->fd, &head, sizeof(head), 0);
	size_t magic_bytes = got < (ssize_t)sizeof(head.magic) ? got : (ssize_t)sizeof(head.magic);

	if (got < 0)
		return got;
	if (memcmp(head.magic, TRACE_MAGIC, magic_bytes))
		return -EBADMSG;
	if (got < (ssize_t)sizeof(head))
		return -ENODATA;
	if (!head.version)
		return -EBADMSG;
	if (head.version > TRACE_VERSION || head.flags)
		return -EPROTONOSUPPORT;
	self->at = sizeof(head);
	return 0;
}

static int read_head(struct trace_source *self)
{
	int err = read_file_head(self);

	if (err)
		return err;
	err = read_block(self);
	if (err <= 0)
		return err ? err : -ENODATA;
	if (self->head.type != TRACE_HEAD)
		return -EBADMSG;
	err = read_capture(self);
	if (!err)
		pass_block(self);
	return err;
}

/*
 * A stage of a command that gemba started is found only after the head was written; its cost must
 * be known before the first item is mapped. Of the tail, where there is one, only that is taken
 * now: the rest holds for a trace that has been read to its end.
 */
static void look_ahead(struct trace_source *self)
{
	struct capture tail = { 0 }, *head = self->capture;
	uint64_t at = self->at;

	while (read_at(self->fd, &self->head, sizeof(self->head), self->at) == sizeof(self->head) &&
	       self->head.magic == TRACE_BLOCK_MAGIC && self->head.type != TRACE_TAIL &&
	       self->head.bytes_packed <= TRACE_MAX_PACKED)
		pass_block(self);
	self->capture = &tail;
	if (self->head.type == TRACE_TAIL && !read_body(self) && !read_capture(self) &&
	    tail.nr_stages == head->nr_stages) {
		struct stage_info *stages = head->stages;

		head->stages = tail.stages;
		tail.stages = stages;
	}
	capture_fini(&tail);
	self->capture = head;
	self->at = at;
}

static int trace_source_init(struct trace_source *self)
{
	int err = codec_new(&self->codec, TRACE_MAX_RECORDS);

	if (err)
		return err;
	self->records = malloc(TRACE_MAX_RECORDS);
	self->zstd = ZSTD_createDCtx();
	err = self->records && self->zstd ? read_head(self) : -ENOMEM;
	if (!err && self->capture->nr_stages)
		look_ahead(self);
	return err;
}

int trace_source_new(struct source **out, int fd, struct capture *capture)
{
	struct trace_source *self = calloc(1, sizeof(*self));
	struct capture head = { 0 };
	int err;

	if (!self) {
		close(fd);
		return -ENOMEM;
	}
	self->source = (struct source){ trace_source_read, trace_source_free };
	self->fd = fd;
	self->capture = &head;
	err = trace_source_init(self);
	if (err) {
		capture_fini(&head);
		trace_source_free(&self->source);
		return err;
	}
	*capture = head;
	self->capture = capture;
	*out = &self->source;
	return 0;
}

bool trace_source_is_whole(const struct source *source)
{
	return of(source)->is_whole;
}

uint64_t trace_source_bytes_unread(const struct source *source)
{
	const struct trace_source *self = of(source);
	struct stat st;

	if (fstat(self->fd, &st) || (uint64_t)st.st_size < self->at)
		return 0;
	return st.st_size - self->at;
}
