#ifndef TESTS_HOST_STREAM_H
#define TESTS_HOST_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The receiving side of a TCP session of fixed-size records. */
struct stream {
	int fd; /* -1: none */
	size_t begin, end;
	uint64_t recv_return_ns; /* when the last stream_read came back with bytes */
	uint8_t bytes[4096];
};

/*
 * One receive call, never blocking. Bytes read, -EAGAIN for none, -EPIPE when the peer closed its
 * side, else -errno. Take all whole records before the next call.
 */
int stream_read(struct stream *self);

/* Copies the next whole record out; false when there is none. */
bool stream_next(struct stream *self, void *record, size_t record_bytes);

/* Sends all bytes or returns -errno; waits as long as the socket's own limit allows. */
int stream_send(int fd, const void *record, size_t record_bytes);

#endif
