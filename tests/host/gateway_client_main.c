/*
 * gateway_client: the load for cpp_server and rust_server, which checks every reply.
 *
 * Each connection has --pipeline requests on the way, sent by one send call, so that one receive
 * call of the server may hold several items. Every --heartbeat-every'th is a heartbeat and, with
 * --malformed-every, some are of no kind that the server knows.
 */
#include "tests/host/clock.h"
#include "tests/host/gateway.h"
#include "tests/host/net.h"
#include "tests/host/options.h"
#include "tests/host/stop.h"
#include "tests/host/stream.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRAM "gateway_client"
#define MAX_CLIENTS 64
#define MAX_PIPELINE 64

struct client {
	struct stream stream;
	uint64_t nr_sent, nr_replies;
};

static struct endpoint server;
static uint64_t nr_clients = 1, nr_requests = 1000, nr_pipelined = 1, pause_us;
static uint64_t heartbeat_every = 10, malformed_every, for_ns = 30 * NS_PER_S;

static struct client clients[MAX_CLIENTS];
static uint64_t nr_wrong, end_ns;

static const struct option_row rows[] = {
	{ "--to", OPTION_ENDPOINT, &server, 1, 65535, "ADDR:PORT  the server" },
	{ "--clients", OPTION_NUMBER, &nr_clients, 1, MAX_CLIENTS, "N  connections (1)" },
	{ "--requests", OPTION_NUMBER, &nr_requests, 1, 100000000,
	  "N  requests of each connection (1000)" },
	{ "--pipeline", OPTION_NUMBER, &nr_pipelined, 1, MAX_PIPELINE,
	  "N  requests in one send call, then all their replies (1)" },
	{ "--pause-us", OPTION_NUMBER, &pause_us, 0, 1000000,
	  "N  sleep before each round of requests (0)" },
	{ "--heartbeat-every", OPTION_NUMBER, &heartbeat_every, 0, 1000000,
	  "N  each Nth request is a heartbeat; 0: none (10)" },
	{ "--malformed-every", OPTION_NUMBER, &malformed_every, 0, 1000000,
	  "N  each Nth request is of an unknown kind; 0: none (0)" },
	{ "--for", OPTION_SECONDS, &for_ns, 1, 3600000, "SECONDS  end after (30)" },
	{ 0 },
};

static const struct options options = {
	.program = PROGRAM,
	.summary = "Asks cpp_server or rust_server and checks the replies.",
	.rows = rows,
};

static struct gateway_record request_of(uint64_t nr)
{
	struct gateway_record record = { .id = htole32((uint32_t)nr), .kind = GATEWAY_REQUEST };

	if (heartbeat_every && nr % heartbeat_every == 0)
		record.kind = GATEWAY_HEARTBEAT;
	if (malformed_every && nr % malformed_every == 0)
		record.kind = '?';
	record.value = (int64_t)htole64(nr * 1000003);
	return record;
}

static bool is_reply_to(const struct gateway_record *reply, uint64_t nr)
{
	struct gateway_record request = request_of(nr);
	int64_t value = (int64_t)le64toh((uint64_t)request.value), expected = value;
	uint8_t kind = request.kind;

	if (kind == GATEWAY_REQUEST)
		expected = gateway_answer(value);
	if (kind == '?') {
		kind = GATEWAY_MALFORMED;
		expected = 0;
	}
	return le32toh(reply->id) == (uint32_t)nr && reply->kind == kind &&
	       (int64_t)le64toh((uint64_t)reply->value) == expected;
}

static int send_requests(struct client *self)
{
	struct gateway_record records[MAX_PIPELINE];
	size_t nr = 0;

	while (nr < nr_pipelined && self->nr_sent < nr_requests)
		records[nr++] = request_of(++self->nr_sent);
	return nr ? stream_send(self->stream.fd, records, nr * sizeof(records[0])) : 0;
}

static int take_replies(struct client *self)
{
	struct gateway_record reply;
	int got = stream_read(&self->stream);

	if (got < 0)
		return got == -EAGAIN ? 0 : got;
	while (stream_next(&self->stream, &reply, sizeof(reply)))
		nr_wrong += !is_reply_to(&reply, ++self->nr_replies);
	return 0;
}

static int await_replies(struct client *self)
{
	struct pollfd fd = { .fd = self->stream.fd, .events = POLLIN };
	int err = 0;

	while (!err && self->nr_replies < self->nr_sent) {
		if (is_stop_requested() || now_ns() >= end_ns)
			return -ETIMEDOUT;
		if (poll(&fd, 1, poll_ms_until(end_ns)) > 0)
			err = take_replies(self);
	}
	return err;
}

/* All connections ask, then all are waited for. */
static int run(void)
{
	int err = 0;

	while (!err && clients[0].nr_sent < nr_requests) {
		if (pause_us)
			usleep((useconds_t)pause_us);
		for (unsigned i = 0; i < nr_clients && !err; i++)
			err = send_requests(&clients[i]);
		for (unsigned i = 0; i < nr_clients && !err; i++)
			err = await_replies(&clients[i]);
	}
	return err;
}

static int connect_all(void)
{
	for (unsigned i = 0; i < nr_clients; i++) {
		int fd = net_tcp_connect(&server);

		if (fd < 0)
			return fd;
		clients[i].stream.fd = fd;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t nr_sent = 0, nr_replies = 0;
	int err;

	options_parse(&options, argc, argv);
	if (!server.text) {
		fail(PROGRAM, 0, "--to is missing");
		return 2;
	}
	err = stop_init();
	if (err)
		return fail(PROGRAM, err, "cannot handle signals");
	end_ns = now_ns() + for_ns;
	err = connect_all();
	if (!err)
		err = run();
	for (unsigned i = 0; i < nr_clients; i++) {
		nr_sent += clients[i].nr_sent;
		nr_replies += clients[i].nr_replies;
	}
	printf("requests=%" PRIu64 " replies=%" PRIu64 " wrong=%" PRIu64 "\n", nr_sent, nr_replies,
	       nr_wrong);
	if (err)
		return fail(PROGRAM, err, "exchange with %s broke", server.text);
	return nr_wrong != 0;
}
