#ifndef TESTS_HOST_EXCHANGE_ORDERS_H
#define TESTS_HOST_EXCHANGE_ORDERS_H

#include "tests/host/stream.h"
#include "tests/host/truth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_SESSIONS 16

struct order_truth {
	uint64_t seq, client_id, recv_ns, ack_send_begin_ns, ack_send_end_ns;
};

/* The order side of the exchange, on a thread of its own. */
struct orders {
	struct stream sessions[MAX_SESSIONS];
	unsigned nr_sessions;
	atomic_uint nr_open; /* nr_sessions, for the feed's thread */
	int listen_fd;
	int connected_fd; /* eventfd, readable from the first session on */
	int finish_fd;	  /* eventfd, readable when the feed is over */
	bool is_half_closed;
	pthread_t thread;
	struct truth_log log;
	uint64_t nr_orders, nr_acks, nr_malformed; /* valid after orders_finish */
};

/* Takes over the listening socket; the log may be empty. 0 or -errno, then nothing is open. */
int orders_start(struct orders *self, int listen_fd, const struct truth_log *log);

/* Traders connected now. */
unsigned orders_nr_open(struct orders *self);

/* 0 when a trader connected, -ETIMEDOUT, or -EINTR after a stop request. */
int orders_await_trader(struct orders *self, uint64_t until_ns);

/*
 * Answers what is still under way, until traders left or went quiet, then closes everything and
 * joins the thread; bounded by 28 s. The log stays valid for the caller to free.
 */
void orders_finish(struct orders *self);

void orders_write_head(FILE *file);
void orders_write_truth(const struct orders *self, FILE *file);

#endif
