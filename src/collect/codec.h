/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec.h - records of a block <-> a byte string that compresses well
 *
 * Lossless for every record, sensible or not. A block is packed and unpacked by itself: no
 * state outlives a call. Not thread-safe; one codec per reader or writer. Records are aligned
 * to 8 bytes, as in any buffer from malloc.
 */
#ifndef GEMBA_COLLECT_CODEC_H
#define GEMBA_COLLECT_CODEC_H

#include <stddef.h>

struct codec;

/* For blocks of at most `max_bytes` of records. 0 or -ENOMEM. */
int codec_new(struct codec **out, size_t max_bytes);
void codec_free(struct codec *self);

/* The most that `bytes` of records become. */
size_t codec_bound(size_t bytes);

/*
 * Packs `bytes` of whole records into `to`, which has room for codec_bound(bytes), and tells
 * how many bytes that made. 0; -EINVAL: the last record is cut, -E2BIG: more than max_bytes.
 */
int codec_encode(struct codec *self, const void *records, size_t bytes, void *to, size_t *to_bytes);

/*
 * Unpacks `from_bytes` from anywhere, trusted or not, into exactly `bytes` of records. 0 or
 * -EBADMSG: this is not what codec_encode made of that many bytes; `records` is then undefined.
 */
int codec_decode(struct codec *self, const void *from, size_t from_bytes, void *records,
		 size_t bytes);

#endif
