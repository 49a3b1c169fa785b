#ifndef TESTS_HOST_EXCHANGE_FEED_H
#define TESTS_HOST_EXCHANGE_FEED_H

#include "tests/host/exchange_orders.h"
#include "tests/host/net.h"
#include "tests/host/truth.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct packet_sent {
	uint64_t first_seq, nr_messages, send_begin_ns, send_end_ns;
};

/* The market data side of the exchange. */
struct feed {
	/* set by the caller */
	int fd;
	struct endpoint to;
	uint64_t rate_hz, burst, per_packet;
	uint64_t nr_packets_max; /* 0: no limit */
	uint64_t for_ns;
	struct truth_log log;

	/* counted while running */
	uint64_t nr_packets, next_seq;
	uint64_t late_ns; /* by how much the schedule was moved, stalls of this process */
};

/*
 * Sends until the packets or the time are used up, a signal came, or, with until_alone, no trader
 * is connected any more. 0 or -errno of the send call.
 */
int feed_run(struct feed *self, struct orders *orders, bool until_alone);

void feed_write_head(FILE *file);
void feed_write_truth(const struct feed *self, FILE *file);

#endif
