/*
 * A datagram in, the same datagram back to its sender out; one thread, one socket.
 *
 * The smallest target there is: on one socket and remote address the reply belongs to the request,
 * so every figure of a map of it can be checked by hand.
 */
#include "tests/host/echo.h"

#include "tests/host/clock.h"
#include "tests/host/stop.h"

#include <errno.h>
#include <poll.h>

static int echo_one(int fd, uint64_t *nr_echoed)
{
	static uint8_t bytes[ECHO_MAX_BYTES];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t got =
		recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

	/* Refused: ICMP's answer to an earlier reply, whose client has gone. */
	if (got < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
	if (sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&from, length) == got)
		++*nr_echoed;
	return 0;
}

int echo_serve(int fd, uint64_t end_ns, uint64_t *nr_echoed)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = stop_fd(), .events = POLLIN } };
	int err = 0;

	*nr_echoed = 0;
	while (!err && !is_stop_requested() && now_ns() < end_ns) {
		if (poll(fds, 2, poll_ms_until(end_ns)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[0].revents)
			err = echo_one(fd, nr_echoed);
	}
	return err;
}
