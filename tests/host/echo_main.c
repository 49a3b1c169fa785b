/*
 * echo: a UDP echo server, or with --client the load for one that checks every reply.
 *
 * Both in one program, so that a test starts two processes of one binary, of which a tracer is to
 * look at one.
 */
#include "tests/host/clock.h"
#include "tests/host/echo.h"
#include "tests/host/options.h"
#include "tests/host/stop.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRAM "echo"
#define RCVBUF_BYTES (4 << 20)	 /* room for a request of every client */
#define MAX_ROUND_TRIPS 10000000 /* all are kept for the median */

static struct endpoint listen_at, client_to;
static uint64_t nr_clients = 1, nr_requests = 1000, for_ns = 30 * NS_PER_S;

static const struct option_row rows[] = {
	{ "--listen", OPTION_ENDPOINT, &listen_at, 0, 65535,
	  "ADDR:PORT  serve there; port 0 picks one (127.0.0.1:17003)" },
	{ "--client", OPTION_ENDPOINT, &client_to, 1, 65535,
	  "ADDR:PORT  be the clients of the server there" },
	{ "--clients", OPTION_NUMBER, &nr_clients, 1, ECHO_MAX_CLIENTS,
	  "N  clients, each with its own socket and request size (1)" },
	{ "--requests", OPTION_NUMBER, &nr_requests, 1, 1000000,
	  "N  requests of each client (1000)" },
	{ "--for", OPTION_SECONDS, &for_ns, 1, 3600000, "SECONDS  end after (30)" },
	{ 0 },
};

static const struct options options = {
	.program = PROGRAM,
	.summary = "Sends every datagram back to its sender. Prints \"ready PORT\" when it does.",
	.rows = rows,
};

static int serve(uint64_t end_ns)
{
	int err, fd = net_udp_bind(&listen_at, RCVBUF_BYTES);
	uint64_t nr_echoed;

	if (fd < 0)
		return fail(PROGRAM, fd, "cannot serve on %s", listen_at.text);
	printf("ready %d\n", net_local_port(fd));
	fflush(stdout);
	err = echo_serve(fd, end_ns, &nr_echoed);
	close(fd);
	printf("echoed=%" PRIu64 "\n", nr_echoed);
	return err ? fail(PROGRAM, err, "socket on %s broke", listen_at.text) : 0;
}

static int load(uint64_t end_ns)
{
	uint64_t nr_bad;
	int err = echo_load(&client_to, (unsigned)nr_clients, nr_requests, end_ns, &nr_bad);

	if (err)
		return fail(PROGRAM, err, "cannot exchange datagrams with %s", client_to.text);
	if (nr_bad)
		return fail(PROGRAM, 0, "%" PRIu64 " replies of %s wrong or missing", nr_bad,
			    client_to.text);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t end_ns;
	int err;

	endpoint_parse("127.0.0.1:17003", &listen_at);
	options_parse(&options, argc, argv);
	if (nr_clients * nr_requests > MAX_ROUND_TRIPS) {
		fail(PROGRAM, 0, "--clients times --requests is more than %d", MAX_ROUND_TRIPS);
		return 2;
	}
	err = stop_init();
	if (err)
		return fail(PROGRAM, err, "cannot handle signals");
	end_ns = now_ns() + for_ns;
	return client_to.text ? load(end_ns) : serve(end_ns);
}
