#ifndef TESTS_HOST_TRADER_H
#define TESTS_HOST_TRADER_H

#include "tests/host/net.h"
#include "tests/host/pipeline.h"
#include "tests/host/stream.h"
#include "tests/host/truth.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct ack_truth {
	uint64_t seq, client_id, recv_return_ns, tid;
};

struct trader {
	/* set by the caller */
	bool is_spinning;
	uint64_t nr_packets_max; /* 0: no limit */
	uint64_t for_ns;
	int feed_fd;
	struct stream session;
	struct pipeline pipeline;
	struct truth_log packet_log, message_log, ack_log;

	/* counted while running */
	uint64_t nr_packets, nr_messages, nr_lost_messages, nr_malformed, nr_acks;
	uint64_t next_seq; /* expected, 0 before the first packet */

	uint64_t end_ns, last_packet_ns;
	bool is_session_over;
	struct packet packet;
};

/*
 * Works until the packets or the time are used up, a signal came, or the exchange closed the
 * session and no packet is left; waits for outstanding acks at most a second. 0 or -errno of the
 * feed or the session.
 */
int trader_run(struct trader *self);

/* Rows that had no room, of all three logs. */
uint64_t trader_nr_unlogged(const struct trader *self);

/* All logs, columns named in the head lines; closes the file. 0 or -errno. */
int trader_write_truth(const struct trader *self, FILE *file);

#endif
