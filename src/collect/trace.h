/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - the recorded event file, *.gemba, written while it happens and read back
 *
 * A trace is a versioned head, then blocks. Each block has a fixed head (magic, type, cpu, record
 * count, bytes packed and unpacked, time range, checksum over head and body) and a compressed
 * body; types that a reader does not know are skipped. A block is written with one write(2), so
 * that a killed recorder or a full disk costs at most the last one. A reader stops at the first
 * block that is cut or fails its checksum, and what came before is good.
 */
#ifndef GEMBA_COLLECT_TRACE_H
#define GEMBA_COLLECT_TRACE_H

#include "src/collect/capture.h"
#include "src/collect/source.h"

struct trace_writer;

/*
 * Begins a trace in `fd` (empty; owned from now on, closed on failure) with the capture as it
 * is known at start. max_bytes 0: unlimited. 0; -EFBIG: not even head and tail fit into
 * max_bytes; -errno of write(2). SIGXFSZ must be ignored for RLIMIT_FSIZE to be such an error.
 */
int trace_writer_new(struct trace_writer **out, int fd, const struct capture *capture,
		     uint64_t max_bytes);
/*
 * Adds a batch of one CPU or a mark. Blocks go out when they hold about 8 192 events of a CPU,
 * or when trace_writer_flush says so (the recorder does once a second). Of the marks only
 * some are written, each behind all that was added before it, of every CPU: the last one
 * before a flush, and one every 65 536 events.
 * 0; -EFBIG from when max_bytes is reached: the trace ends with the last mark that fitted, what
 * was added after it is given up, trace_writer_close still writes the tail into room kept for
 * it; -EINVAL: a cut record or a CPU past 65 535; -errno of write(2): the trace ends with the
 * last whole block, nothing more can be written, not even the tail.
 */
int trace_writer_add(struct trace_writer *self, const struct batch *batch);
int trace_writer_flush(struct trace_writer *self);
/*
 * Ends the trace with the capture as it is known now (end, observer, exit status), then frees,
 * whatever it returns: 0, or the first error that trace_writer_add or _flush has told, -EFBIG
 * for max_bytes only if it is told here for the first time.
 */
int trace_writer_close(struct trace_writer *self, const struct capture *capture);
uint64_t trace_writer_bytes(const struct trace_writer *self);
/* Records in the file or on their way there, marks aside. */
uint64_t trace_writer_events(const struct trace_writer *self);

/* Whether the file begins like a trace. Reads at most 16 bytes with pread; 1, 0 or -errno. */
int trace_is(int fd);

/*
 * Opens a trace as a source; `fd`, a regular file, is owned from now on, closed on failure.
 * `capture` is overwritten with the head, must live as long as the source, and receives the tail
 * at the end of reading (whoever wants the tail reads the source to its end first). -EBADMSG:
 * not a trace; -EPROTONOSUPPORT: a version newer than this reader; -ENODATA: the head is cut
 * short. A trace that ends with a whole block ends with 0, closed in order or not.
 * Memory: one block packed and unpacked, whatever the length of the file.
 */
int trace_source_new(struct source **out, int fd, struct capture *capture);
/* After the end: whether the trace was closed in order, and the bytes that could not be read. */
bool trace_source_is_whole(const struct source *source);
uint64_t trace_source_bytes_unread(const struct source *source);

#endif
