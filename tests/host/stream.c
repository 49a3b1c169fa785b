/*
 * Bytes of a TCP session in, whole fixed-size records out.
 *
 * One stream_read is exactly one receive call, because the truth log says when that call returned
 * and a tracer counts such calls as items. A record cut by the segment boundary stays in the
 * buffer until its rest arrives.
 */
#include "tests/host/stream.h"

#include "tests/host/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int stream_read(struct stream *self)
{
	ssize_t got;

	memmove(self->bytes, self->bytes + self->begin, self->end - self->begin);
	self->end -= self->begin;
	self->begin = 0;
	do {
		got = recv(self->fd, self->bytes + self->end, sizeof(self->bytes) - self->end,
			   MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (!got)
		return -EPIPE;
	self->recv_return_ns = now_ns();
	self->end += (size_t)got;
	return (int)got;
}

bool stream_next(struct stream *self, void *record, size_t record_bytes)
{
	if (self->end - self->begin < record_bytes)
		return false;
	memcpy(record, self->bytes + self->begin, record_bytes);
	self->begin += record_bytes;
	return true;
}

int stream_send(int fd, const void *record, size_t record_bytes)
{
	const uint8_t *bytes = record;

	while (record_bytes) {
		ssize_t sent = send(fd, bytes, record_bytes, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		bytes += sent;
		record_bytes -= (size_t)sent;
	}
	return 0;
}
