/*
 * exchange: numbered market data by UDP out, orders by TCP in, an ack for each out.
 *
 * The feed runs on the main thread, orders on a second one. It prints "ready PORT" when a trader
 * may connect, waits for one, pauses so that a tracer can attach, and sends. Both logs are written
 * only after both sides are over.
 */
#include "tests/host/clock.h"
#include "tests/host/exchange_feed.h"
#include "tests/host/exchange_orders.h"
#include "tests/host/net.h"
#include "tests/host/options.h"
#include "tests/host/stop.h"
#include "tests/host/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRAM "exchange"
#define TRADER_WAIT_NS (30 * NS_PER_S)

static struct feed feed = {
	.fd = -1, .rate_hz = 2000, .burst = 1, .per_packet = 3, .for_ns = 30 * NS_PER_S
};
static struct orders orders;
static struct endpoint orders_at;
static struct in_addr interface;
static bool waits_for_trader, is_not_waiting;
static uint64_t start_after_ms;
static const char *truth_path;

static const struct option_row rows[] = {
	{ "--feed", OPTION_ENDPOINT, &feed.to, 1, 65535,
	  "ADDR:PORT  where market data goes; may be a group (127.0.0.1:17001)" },
	{ "--interface", OPTION_INTERFACE, &interface, 0, 0,
	  "ADDR  from where a group is sent to (127.0.0.1)" },
	{ "--orders", OPTION_ENDPOINT, &orders_at, 0, 65535,
	  "ADDR:PORT  where orders are taken; port 0 picks one (127.0.0.1:17002)" },
	{ "--rate", OPTION_NUMBER, &feed.rate_hz, 1, 1000000, "N  packets per second (2000)" },
	{ "--burst", OPTION_NUMBER, &feed.burst, 1, 10000,
	  "N  packets back to back, at the same mean rate (1)" },
	{ "--per-packet", OPTION_NUMBER, &feed.per_packet, 1, WIRE_MAX_MESSAGES,
	  "N  messages per packet (3)" },
	{ "--packets", OPTION_NUMBER, &feed.nr_packets_max, 1, 100000000,
	  "N  end after so many packets (no limit)" },
	{ "--for", OPTION_SECONDS, &feed.for_ns, 1, 3600000,
	  "SECONDS  end so long after the first packet (30)" },
	{ "--wait-for-trader", OPTION_FLAG, &waits_for_trader, 0, 0,
	  "begin when a trader connects, at most 30 s from now;\n"
	  "                     end when the last one left (on)" },
	{ "--no-wait", OPTION_FLAG, &is_not_waiting, 0, 0,
	  "begin at once, go on without a trader" },
	{ "--start-after-ms", OPTION_NUMBER, &start_after_ms, 0, 60000,
	  "N  pause before the first packet (0)" },
	{ "--truth", OPTION_TEXT, &truth_path, 0, 0,
	  "FILE  write at the end when everything happened" },
	{ 0 },
};

static const struct options options = {
	.program = PROGRAM,
	.summary = "Sends numbered market data by UDP and acknowledges orders on TCP.\n"
		   "Prints \"ready PORT\" when it takes orders.",
	.rows = rows,
};

static void read_options(int argc, char **argv)
{
	endpoint_parse("127.0.0.1:17001", &feed.to);
	endpoint_parse("127.0.0.1:17002", &orders_at);
	interface.s_addr = htonl(INADDR_LOOPBACK);
	options_parse(&options, argc, argv);
	if (waits_for_trader && is_not_waiting) {
		fail(PROGRAM, 0, "--wait-for-trader and --no-wait exclude each other");
		exit(2);
	}
}

/* Orders beyond one per packet are possible with several traders; they are counted as unlogged. */
static int open_truth(struct truth_log *order_log, FILE **out)
{
	uint64_t nr_rows = feed.for_ns / NS_PER_MS * feed.rate_hz / 1000 + feed.burst + 1;
	int err;

	if (!truth_path)
		return 0;
	if (feed.nr_packets_max && feed.nr_packets_max < nr_rows)
		nr_rows = feed.nr_packets_max;
	err = truth_log_init(&feed.log, nr_rows, sizeof(struct packet_sent));
	if (!err)
		err = truth_log_init(order_log, nr_rows, sizeof(struct order_truth));
	if (err)
		return fail(PROGRAM, err, "cannot get memory for the truth log");
	*out = fopen(truth_path, "w");
	return *out ? 0 : fail(PROGRAM, errno, "cannot write %s", truth_path);
}

static int open_sockets(const struct truth_log *order_log)
{
	int err, port, listen_fd = net_tcp_listen(&orders_at);

	if (listen_fd < 0)
		return fail(PROGRAM, listen_fd, "cannot take orders on %s", orders_at.text);
	port = net_local_port(listen_fd);
	feed.fd = net_feed_sender(&feed.to, interface);
	if (feed.fd < 0) {
		close(listen_fd);
		return fail(PROGRAM, feed.fd, "cannot send the feed to %s", feed.to.text);
	}
	err = orders_start(&orders, listen_fd, order_log);
	if (err)
		return fail(PROGRAM, err, "cannot start the order thread");
	printf("ready %d\n", port);
	fflush(stdout);
	return 0;
}

static int run_feed(void)
{
	struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };
	int err = is_not_waiting ? 0 : orders_await_trader(&orders, now_ns() + TRADER_WAIT_NS);

	if (err == -EINTR)
		return 0;
	if (err)
		return fail(PROGRAM, err, "no trader connected to %s", orders_at.text);
	poll(&stop, 1, (int)start_after_ms);
	err = feed_run(&feed, &orders, !is_not_waiting);
	return err ? fail(PROGRAM, err, "cannot send to %s", feed.to.text) : 0;
}

static int report(FILE *truth)
{
	uint64_t nr_unlogged = feed.log.nr_unlogged + orders.log.nr_unlogged;
	int err = 0;

	if (truth) {
		feed_write_head(truth);
		orders_write_head(truth);
		feed_write_truth(&feed, truth);
		orders_write_truth(&orders, truth);
		err = truth_close(truth, nr_unlogged);
	}
	printf("packets=%" PRIu64 " messages=%" PRIu64 " orders=%" PRIu64 " acks=%" PRIu64
	       " malformed=%" PRIu64 " late_ns=%" PRIu64 " unlogged=%" PRIu64 "\n",
	       feed.nr_packets, feed.nr_packets * feed.per_packet, orders.nr_orders, orders.nr_acks,
	       orders.nr_malformed, feed.late_ns, nr_unlogged);
	return err ? fail(PROGRAM, err, "cannot write %s", truth_path) : 0;
}

int main(int argc, char **argv)
{
	struct truth_log order_log = { 0 };
	FILE *truth = NULL;
	int err, status;

	read_options(argc, argv);
	err = stop_init();
	if (err)
		return fail(PROGRAM, err, "cannot handle signals");
	status = open_truth(&order_log, &truth);
	if (!status)
		status = open_sockets(&order_log);
	if (!status) {
		status = run_feed();
		orders_finish(&orders);
		order_log = orders.log;
		status |= report(truth);
	} else if (truth) {
		fclose(truth);
	}
	if (feed.fd >= 0)
		close(feed.fd);
	truth_log_fini(&feed.log);
	truth_log_fini(&order_log);
	return status;
}
