/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - what the writer (trace_write.c) and the reader (trace_read.c) have in common
 */
#include "src/collect/trace.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "src/collect/trace_format.h"

uint64_t trace_checksum(const struct trace_block_head *head, const void *body)
{
	uint64_t seed = XXH3_64bits(head, offsetof(struct trace_block_head, checksum));

	return XXH3_64bits_withSeed(body, head->bytes_packed, seed);
}

int trace_is(int fd)
{
	char magic[sizeof(TRACE_MAGIC) - 1];
	ssize_t got;

	do {
		got = pread(fd, magic, sizeof(magic), 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return got == sizeof(magic) && !memcmp(magic, TRACE_MAGIC, sizeof(magic));
}
