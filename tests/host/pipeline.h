#ifndef TESTS_HOST_PIPELINE_H
#define TESTS_HOST_PIPELINE_H

#include "tests/host/stages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_LANES 3

struct ring;
struct pipeline;

/* When one stage worked on the messages of one packet. */
struct stage_truth {
	uint64_t begin_ns, end_ns;	     /* first message */
	uint64_t last_begin_ns, last_end_ns; /* last message */
	uint64_t sum_ns;		     /* all messages */
	uint64_t tid;
};

struct packet_truth {
	uint64_t first_seq, nr_messages, recv_return_ns;
	struct stage_truth decode, book, strategy, risk, order;
	uint64_t order_send_begin_ns, order_send_end_ns; /* the send call itself */
};

/* One message on its way through the stages. */
struct work {
	struct message message;
	struct order order;
	const struct wire_message *wire; /* until decoded */
	struct packet_truth *truth;	 /* NULL: not logged */
	bool is_end;			 /* no message: the stream is over */
};

/* The stages [first, end) that one thread runs, and where it hands on. */
struct lane {
	struct pipeline *pipeline;
	unsigned first, end;
	struct ring *in, *out; /* NULL at the ends */
	pthread_t thread;
	bool is_started;
	uint64_t tid;
};

struct pipeline {
	uint64_t decode_delay_ns;
	struct book book;
	struct strategy strategy;
	struct risk risk;
	struct gateway gateway;
	struct lane lanes[MAX_LANES];
	unsigned nr_lanes;
	atomic_int err;		    /* first failed send, 0 or -errno */
	atomic_ullong drain_end_ns; /* 0 until pipeline_stop */
	atomic_ullong nr_discarded; /* works given up by pipeline_stop */
};

/*
 * Lane 0 is the calling thread; nr_lanes - 1 more are started. 0 or -errno; after a failure
 * pipeline_stop is still due. Delays, limits and the gateway may be set until the first work.
 */
int pipeline_start(struct pipeline *self, unsigned nr_lanes, bool busy_poll);

/* Runs lane 0 on the work and hands it on. */
void pipeline_feed(struct pipeline *self, struct work *work);

/* Lets what was handed on go through, for a few seconds at most, joins the threads, frees the
 * rings. */
void pipeline_stop(struct pipeline *self);

#endif
