/*
 * A number of clients and requests in, per client counts and round trips out.
 *
 * Each client has its own socket, its own request size and its own bytes, and one request on the
 * way: a reply that was joined with the wrong request, here or in a map, shows. One thread serves
 * all of them by poll(2), so N clients are N requests in flight and not N threads.
 */
#include "tests/host/echo.h"

#include "tests/host/clock.h"
#include "tests/host/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES 32
#define STEP_BYTES 4
#define MAX_REQUEST_BYTES (FIRST_BYTES + STEP_BYTES * ECHO_MAX_CLIENTS)
#define REPLY_WAIT_NS (500 * NS_PER_MS)

struct client {
	uint64_t id, nr_sent, nr_replies, nr_wrong, nr_late, nr_missing;
	uint64_t sent_ns; /* 0: nothing on the way */
	uint64_t *round_trips_ns;
	size_t nr_bytes;
	uint8_t bytes[MAX_REQUEST_BYTES];
	int fd;
};

static int open_client(struct client *self, const struct endpoint *to, uint64_t nr_requests)
{
	self->nr_bytes = FIRST_BYTES + STEP_BYTES * self->id;
	for (size_t i = 0; i < self->nr_bytes; i++)
		self->bytes[i] = (uint8_t)(self->id * 31 + i);
	self->round_trips_ns = calloc(nr_requests, sizeof(*self->round_trips_ns));
	if (!self->round_trips_ns)
		return -ENOMEM;
	self->fd = net_udp_connect(to);
	return self->fd < 0 ? self->fd : 0;
}

static int send_request(struct client *self)
{
	uint64_t mark[] = { self->id, ++self->nr_sent };

	memcpy(self->bytes, mark, sizeof(mark));
	self->sent_ns = now_ns();
	if (send(self->fd, self->bytes, self->nr_bytes, 0) < 0)
		return -errno;
	return 0;
}

/* An answer to an earlier request that was given up for missing. */
static bool is_late(const struct client *self, const uint8_t *bytes, size_t nr_bytes)
{
	uint64_t mark[2];

	if (nr_bytes != self->nr_bytes)
		return false;
	memcpy(mark, bytes, sizeof(mark));
	return mark[0] == self->id && mark[1] < self->nr_sent &&
	       !memcmp(bytes + sizeof(mark), self->bytes + sizeof(mark), nr_bytes - sizeof(mark));
}

static int take_reply(struct client *self)
{
	uint8_t bytes[MAX_REQUEST_BYTES + 1];
	ssize_t got = recv(self->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	uint64_t now = now_ns();

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (self->sent_ns && (size_t)got == self->nr_bytes &&
	    !memcmp(bytes, self->bytes, (size_t)got)) {
		self->round_trips_ns[self->nr_replies++] = now - self->sent_ns;
		self->sent_ns = 0;
	} else if (is_late(self, bytes, (size_t)got)) {
		self->nr_late++;
	} else {
		self->nr_wrong++;
	}
	return 0;
}

/* Sends the next request if it is time; true while the client has something to do. */
static bool advance(struct client *self, uint64_t nr_requests, int *err)
{
	if (self->sent_ns && now_ns() > self->sent_ns + REPLY_WAIT_NS) {
		self->nr_missing++;
		self->sent_ns = 0;
	}
	if (self->sent_ns)
		return true;
	if (self->nr_sent == nr_requests)
		return false;
	*err = send_request(self);
	return true;
}

static int run_clients(struct client *clients, unsigned nr_clients, uint64_t nr_requests,
		       uint64_t end_ns)
{
	struct pollfd fds[ECHO_MAX_CLIENTS];

	while (!is_stop_requested() && now_ns() < end_ns) {
		unsigned nr_busy = 0;
		int err = 0;

		for (unsigned i = 0; i < nr_clients && !err; i++) {
			fds[i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
			nr_busy += advance(&clients[i], nr_requests, &err);
		}
		if (err || !nr_busy)
			return err;
		if (poll(fds, nr_clients, 50) < 0 && errno != EINTR)
			return -errno;
		for (unsigned i = 0; i < nr_clients && !err; i++)
			if (fds[i].revents)
				err = take_reply(&clients[i]);
		if (err)
			return err;
	}
	return 0;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print_client(struct client *self)
{
	uint64_t sum_ns = 0, n = self->nr_replies, mean_ns = 0, p50_ns = 0;

	qsort(self->round_trips_ns, n, sizeof(*self->round_trips_ns), compare_ns);
	for (uint64_t i = 0; i < n; i++)
		sum_ns += self->round_trips_ns[i];
	if (n) {
		mean_ns = sum_ns / n;
		p50_ns = self->round_trips_ns[(n + 1) / 2 - 1];
	}
	printf("client\t%" PRIu64 "\t%zu\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
	       "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
	       self->id, self->nr_bytes, self->nr_sent, n, self->nr_wrong, self->nr_late,
	       self->nr_missing, mean_ns, p50_ns);
}

/* A request that got a wrong reply only is one, not two. */
static uint64_t count_bad(const struct client *self, uint64_t nr_requests)
{
	uint64_t nr_unanswered = nr_requests - self->nr_replies;

	return self->nr_wrong > nr_unanswered ? self->nr_wrong : nr_unanswered;
}

int echo_load(const struct endpoint *to, unsigned nr_clients, uint64_t nr_requests, uint64_t end_ns,
	      uint64_t *nr_bad)
{
	struct client *clients = calloc(nr_clients, sizeof(*clients));
	int err = clients ? 0 : -ENOMEM;
	unsigned nr_open = 0;

	*nr_bad = 0;
	while (!err && nr_open < nr_clients) {
		clients[nr_open].id = nr_open;
		clients[nr_open].fd = -1;
		err = open_client(&clients[nr_open++], to, nr_requests);
	}
	if (!err)
		err = run_clients(clients, nr_clients, nr_requests, end_ns);
	if (!err)
		puts("#client\tid\tbytes\trequests\treplies\twrong\tlate\tmissing\tmean_ns"
		     "\tp50_ns");
	for (unsigned i = 0; i < nr_open; i++) {
		if (!err)
			print_client(&clients[i]);
		*nr_bad += count_bad(&clients[i], nr_requests);
		if (clients[i].fd >= 0)
			close(clients[i].fd);
		free(clients[i].round_trips_ns);
	}
	free(clients);
	return err;
}
