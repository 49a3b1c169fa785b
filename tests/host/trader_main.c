/*
 * trader: market data by UDP in, orders by TCP out; the host that gemba's tests look at.
 *
 * Options become one struct trader before anything is opened. The feed socket is bound before the
 * order session connects, because the exchange takes that connection as the sign to start.
 */
#include "tests/host/clock.h"
#include "tests/host/net.h"
#include "tests/host/options.h"
#include "tests/host/stop.h"
#include "tests/host/trader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define PROGRAM "trader"
#define MAX_DELAY_NS (100 * NS_PER_MS)
#define MAX_RATE_HZ 10000 /* rows of truth per second of run time when --packets is not given */

static struct trader trader = {
	.for_ns = 30 * NS_PER_S,
	.feed_fd = -1,
	.session.fd = -1,
	.pipeline = { .decode_delay_ns = 2000,
		      .book.delay_ns = 1500,
		      .strategy = { .delay_ns = 3000, .order_every = 1 },
		      .risk = { .delay_ns = 1000, .max_qty = 1000 },
		      .gateway = { .delay_ns = 500, .fd = -1 } },
};
static struct endpoint feed, orders;
static struct in_addr interface;
static uint64_t nr_threads = 1, rcvbuf_bytes = 4 << 20;
static bool busy_poll;
static const char *truth_path;

static const struct option_row rows[] = {
	{ "--feed", OPTION_ENDPOINT, &feed, 1, 65535,
	  "ADDR:PORT  market data; a group is joined (127.0.0.1:17001)" },
	{ "--interface", OPTION_INTERFACE, &interface, 0, 0,
	  "ADDR  where to join a group (127.0.0.1)" },
	{ "--orders", OPTION_ENDPOINT, &orders, 1, 65535,
	  "ADDR:PORT  the exchange's order port (127.0.0.1:17002)" },
	{ "--packets", OPTION_NUMBER, &trader.nr_packets_max, 1, 100000000,
	  "N  end after so many packets (no limit)" },
	{ "--for", OPTION_SECONDS, &trader.for_ns, 1, 3600000, "SECONDS  end after (30)" },
	{ "--order-every", OPTION_NUMBER, &trader.pipeline.strategy.order_every, 1, 1000000000,
	  "N  an order at every Nth packet (1)" },
	{ "--decode-ns", OPTION_NUMBER, &trader.pipeline.decode_delay_ns, 0, MAX_DELAY_NS,
	  "N  work per message in decode_message (2000)" },
	{ "--book-ns", OPTION_NUMBER, &trader.pipeline.book.delay_ns, 0, MAX_DELAY_NS,
	  "N  the same in update_book (1500)" },
	{ "--strategy-ns", OPTION_NUMBER, &trader.pipeline.strategy.delay_ns, 0, MAX_DELAY_NS,
	  "N  the same in run_strategy (3000)" },
	{ "--risk-ns", OPTION_NUMBER, &trader.pipeline.risk.delay_ns, 0, MAX_DELAY_NS,
	  "N  work per order in check_risk (1000)" },
	{ "--order-ns", OPTION_NUMBER, &trader.pipeline.gateway.delay_ns, 0, MAX_DELAY_NS,
	  "N  the same in send_order, before the send call (500)" },
	{ "--spin", OPTION_FLAG, &trader.is_spinning, 0, 0,
	  "ask the sockets all the time instead of sleeping in poll" },
	{ "--threads", OPTION_NUMBER, &nr_threads, 1, MAX_LANES,
	  "N  1: all in one; 2: receive decode book | strategy risk order;\n"
	  "                     3: receive decode | book strategy | risk order (1)" },
	{ "--busy-poll", OPTION_FLAG, &busy_poll, 0, 0,
	  "threads spin on their rings instead of sleeping" },
	{ "--rcvbuf", OPTION_NUMBER, &rcvbuf_bytes, 1, 1 << 30,
	  "BYTES  feed socket buffer, as far as the kernel allows (4194304)" },
	{ "--truth", OPTION_TEXT, &truth_path, 0, 0,
	  "FILE  write at the end when everything happened: each stage's entry and more" },
	{ 0 },
};

static const struct options options = {
	.program = PROGRAM,
	.summary =
		"Market data in, orders out, through receive_packet and decode_packet (per packet),\n"
		"decode_message update_book run_strategy (per message), check_risk send_order\n"
		"(per order).",
	.rows = rows,
};

static void read_options(int argc, char **argv)
{
	endpoint_parse("127.0.0.1:17001", &feed);
	endpoint_parse("127.0.0.1:17002", &orders);
	interface.s_addr = htonl(INADDR_LOOPBACK);
	options_parse(&options, argc, argv);
}

static int open_truth(FILE **out)
{
	uint64_t nr_rows = trader.nr_packets_max ? trader.nr_packets_max :
						   trader.for_ns / (NS_PER_S / MAX_RATE_HZ) + 1;
	uint64_t nr_messages = trader.nr_packets_max ? nr_rows * WIRE_MAX_MESSAGES : nr_rows;
	int err;

	if (!truth_path)
		return 0;
	err = truth_log_init(&trader.packet_log, nr_rows, sizeof(struct packet_truth));
	if (!err)
		err = truth_log_init(&trader.message_log, nr_messages,
				     sizeof(struct message_truth));
	if (!err)
		err = truth_log_init(&trader.ack_log, nr_rows, sizeof(struct ack_truth));
	if (err)
		return fail(PROGRAM, err, "cannot get memory for the truth log");
	*out = fopen(truth_path, "w");
	return *out ? 0 : fail(PROGRAM, errno, "cannot write %s", truth_path);
}

static int open_sockets(void)
{
	int err = pipeline_start(&trader.pipeline, (unsigned)nr_threads, busy_poll);

	if (err)
		return fail(PROGRAM, err, "cannot start %" PRIu64 " threads", nr_threads);
	trader.feed_fd = net_feed_receiver(&feed, interface, (int)rcvbuf_bytes);
	if (trader.feed_fd < 0)
		return fail(PROGRAM, trader.feed_fd, "cannot receive the feed on %s", feed.text);
	trader.session.fd = net_tcp_connect(&orders);
	if (trader.session.fd < 0)
		return fail(PROGRAM, trader.session.fd, "cannot connect to the exchange at %s",
			    orders.text);
	trader.pipeline.gateway.fd = trader.session.fd;
	return 0;
}

static int report(FILE *truth)
{
	int err = truth ? trader_write_truth(&trader, truth) : 0;

	printf("packets=%" PRIu64 " messages=%" PRIu64 " lost_messages=%" PRIu64
	       " malformed=%" PRIu64 " orders=%" PRIu64 " acks=%" PRIu64 " refused=%" PRIu64
	       " discarded=%llu unlogged=%" PRIu64 "\n",
	       trader.nr_packets, trader.nr_messages, trader.nr_lost_messages, trader.nr_malformed,
	       trader.pipeline.gateway.nr_sent, trader.nr_acks, trader.pipeline.risk.nr_refused,
	       atomic_load(&trader.pipeline.nr_discarded), trader_nr_unlogged(&trader));
	return err ? fail(PROGRAM, err, "cannot write %s", truth_path) : 0;
}

int main(int argc, char **argv)
{
	FILE *truth = NULL;
	int err, status;

	read_options(argc, argv);
	err = stop_init();
	if (err)
		return fail(PROGRAM, err, "cannot handle signals");
	status = open_truth(&truth);
	if (!status)
		status = open_sockets();
	if (!status) {
		err = trader_run(&trader);
		if (err)
			status = fail(PROGRAM, err, "feed or order session broke");
		status |= report(truth);
	} else {
		pipeline_stop(&trader.pipeline);
		if (truth)
			fclose(truth);
	}
	if (trader.session.fd >= 0)
		close(trader.session.fd);
	if (trader.feed_fd >= 0)
		close(trader.feed_fd);
	truth_log_fini(&trader.packet_log);
	truth_log_fini(&trader.message_log);
	truth_log_fini(&trader.ack_log);
	return status;
}
