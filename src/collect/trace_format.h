/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_format.h - the bytes of a trace, shared by its writer and its reader
 *
 * A file head, then blocks, all numbers little-endian:
 *
 *     TRACE_HEAD     the capture as it was known at the start, capture_write's text
 *     TRACE_RECORDS  records of one CPU, or one GEMBA_MARK, through the codec
 *     TRACE_TAIL     the capture as it was known at the end; nothing follows
 *
 * Every body is one zstd frame. The checksum covers head and body, of unknown types too: a
 * damaged type must not pass for a new one.
 */
#ifndef GEMBA_COLLECT_TRACE_FORMAT_H
#define GEMBA_COLLECT_TRACE_FORMAT_H

#include <stdint.h>

#define TRACE_MAGIC "gemba\r\n\x1a"   /* as PNG: a transfer as text would show */
#define TRACE_BLOCK_MAGIC 0x6b6c6267u /* gblk */

enum {
	TRACE_VERSION = 1,
	TRACE_BLOCK_RECORDS = 8192 * 32,     /* bytes of records at which a writer ends a block */
	TRACE_MAX_RECORDS = 1024 * 1024,     /* ... and that a reader accepts */
	TRACE_MAX_TEXT = 4 * 1024 * 1024,    /* bytes of capture text */
	TRACE_MAX_PACKED = 16 * 1024 * 1024, /* bytes of any body */
};

enum trace_type { TRACE_HEAD = 1, TRACE_RECORDS = 2, TRACE_TAIL = 3 };

struct trace_file_head {
	char magic[8];
	uint32_t version;
	uint32_t flags; /* what this version does not know it cannot read */
};

struct trace_block_head {
	uint32_t magic;
	uint16_t type;
	uint16_t cpu;
	uint32_t nr_records;
	uint32_t bytes;	       /* of the body unpacked: records or text */
	uint32_t bytes_packed; /* of the body as it lies in the file */
	uint32_t reserved;
	uint64_t first_ns; /* the least and the greatest time among the records */
	uint64_t last_ns;
	uint64_t checksum; /* last: it covers what stands before it, then the body */
};

_Static_assert(sizeof(struct trace_file_head) == 16, "as it lies in the file");
_Static_assert(sizeof(struct trace_block_head) == 48, "as it lies in the file");

/* XXH3, 64 bits. */
uint64_t trace_checksum(const struct trace_block_head *head, const void *body);

#endif
