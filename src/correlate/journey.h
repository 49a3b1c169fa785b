/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journey.h - what correlate/ makes of events: finished items, and the account of them
 *
 * A journey is the ordered stations of one item, each with the parts of the step that ends
 * there. The account says what became of every item and every event. Both are passed to a
 * sink as they are ready, in an order that depends on event time alone.
 */
#ifndef GEMBA_CORRELATE_JOURNEY_H
#define GEMBA_CORRELATE_JOURNEY_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

#define JOURNEY_MAX_STATIONS 128
#define JOURNEY_MAX_RAN 2

/* Stations by number, in the order of the built-in route; stage i is STATION_STAGE + i, and where
 * another thread takes over from it, STATION_HANDOFF + i. */
enum station {
	STATION_RX,
	STATION_SOCK,
	STATION_RECV,
	STATION_SEND,
	STATION_TXQ,
	STATION_TX,
	STATION_STAGE,
	STATION_HANDOFF = STATION_STAGE + GEMBA_MAX_STAGES,
	STATION_NR = STATION_HANDOFF + GEMBA_MAX_STAGES,
};

enum outcome {
	OUTCOME_OUT,
	OUTCOME_ENDED,
	OUTCOME_MERGED,
	OUTCOME_DROPPED,
	OUTCOME_UNOBSERVED,
	OUTCOME_IN_FLIGHT,
	OUTCOME_NR,
};

/* How the item got its (first) output. */
enum attribution {
	ATTRIBUTED_NONE,
	ATTRIBUTED_KEY,
	ATTRIBUTED_CONNECTION,
	ATTRIBUTED_THREAD,
	ATTRIBUTED_GUESSED,
	ATTRIBUTED_NR,
};

/*
 * The step [previous station, this one), split by the timeline of the thread that ended it.
 * Known: the five add up to the step exactly. Not known (no thread ends it, scheduler events
 * absent or lost): all of it is null in the map.
 */
struct parts {
	bool is_known;
	uint64_t on_cpu_ns;
	uint64_t run_queue_ns;
	uint64_t blocked_ns;
	uint64_t busy_item_ns;
	uint64_t busy_other_ns;
	uint32_t preemptions;
	struct {
		uint32_t pid; /* thread id of who ran instead; 0 is the idle task */
		uint64_t ns;
	} ran[JOURNEY_MAX_RAN]; /* unused: ns 0 */
};

struct stamp {
	uint16_t station; /* enum station */
	uint16_t cpu;
	uint32_t tid; /* 0: not in a thread's context */
	uint64_t at_ns;
	uint32_t more_visits; /* of the same station, with no other between */
	struct parts parts;   /* of the step that ends here; of the first station: not known */
};

struct journey {
	uint64_t id;	   /* order of arrival in the capture, from 1 */
	uint32_t supplier; /* index of struct endpoint, or ENDPOINT_NONE */
	uint32_t customer;
	uint32_t in_sk; /* socket ids, 0: none; for tests and items */
	uint32_t out_sk;
	uint32_t in_seq;   /* TCP: position of the first byte; UDP: datagrams received before it */
	uint32_t out_seq;  /* TCP: position of the first byte of its first output */
	uint16_t in_lport; /* ports of the sockets it came and left by, 0: none */
	uint16_t in_rport;
	uint16_t out_lport;
	uint16_t out_rport;
	uint32_t bytes_in;
	uint64_t bytes_out;
	uint64_t key; /* what named it last, with has_key */
	bool has_key;
	bool is_udp; /* the way in; for originated ones the way out */
	bool is_originated;
	bool is_partial;       /* its rx is unknown: in no lead time */
	bool is_warmup;	       /* began within 100 ms of attach: counted, in no distribution */
	bool is_doubtful;      /* its arrival was paired by count among CPUs that raced */
	bool is_deferred_send; /* its txq lay outside the context of its sender */
	bool is_queued;	       /* a queue lay between its txq and tx */
	uint8_t outcome;
	uint8_t attribution;
	uint32_t merges;	 /* receive calls beyond the first */
	uint32_t outputs;	 /* send calls */
	uint32_t outputs_shared; /* items that its first send call answered, itself included */
	uint32_t retransmits;	 /* of its output */
	uint64_t last_output_ns; /* tx (else send) of the last output; 0: none */
	uint32_t nr_stamps;	 /* >= 1 */
	struct stamp stamps[JOURNEY_MAX_STATIONS];
};

#define ENDPOINT_NONE UINT32_MAX

/* A supplier or customer: one remote address on one local port, its connections together. */
struct endpoint {
	uint8_t raddr[16]; /* network order, IPv4 mapped */
	uint8_t laddr[16]; /* the group of a socket bound to one; all zero: irrelevant */
	uint16_t port;	   /* the local one; for what the target opened itself the remote one */
	bool is_udp;
	bool is_opened; /* by the target: port is the remote one */
	char comm[16];	/* of the process on this host at the other end; "" unknown */
	uint32_t comm_pid;
	uint32_t flows; /* connections (UDP: remote ports) seen */
};

/* What came of a stage's hits, and of their keys in the window. */
struct stage_keys {
	uint64_t hits;	    /* in the trace, the warm-up included */
	uint64_t nr;	    /* hits with a key, that could be read */
	uint64_t unread;    /* whose memory could not be read: thread context decided */
	uint64_t unmatched; /* of no open item; of the entry stage: none */
	uint64_t first;	    /* the value of the first one */
	bool varies;
};

/*
 * What became of everything. Balance, always:
 * in_flight_start + in + originated = out + ended + merged + dropped + unobserved + in_flight_end.
 * All but `warmup` are of the window after the warm-up.
 */
struct account {
	uint64_t in_flight_start;
	uint64_t in;
	uint64_t originated;
	uint64_t by_outcome[OUTCOME_NR]; /* [OUTCOME_IN_FLIGHT] is in_flight_end */
	uint64_t partial;
	uint64_t warmup;
	uint64_t attributed[ATTRIBUTED_NR];
	uint64_t events;
	uint64_t events_by_kind[GEMBA_NR_KINDS];
	uint64_t lost_by_kind[GEMBA_NR_KINDS];
	uint64_t lost;		  /* sum of the above and the recursion misses */
	uint64_t late;		  /* events that came after later ones had been used */
	uint64_t switches_unseen; /* threads seen running that no switch had put on a CPU: some
				   * kernels leave out a switch in ten thousand */
	uint64_t let_go;	  /* items closed early because too many were open */
	uint64_t forks;	     /* items made of one packet's by a further hit of the entry stage */
	uint64_t stage_hits; /* of stages, in the window */
	uint64_t stage_hits_unowned; /* of them those of a thread that worked on no item */
	uint64_t stage_hits_skipped; /* of an item that had too many stations already */
	uint64_t handoffs;	     /* from one thread to another, by key */
	uint64_t keys_reused;	     /* of an item that was still open: the newer one has it */
	struct stage_keys keys[GEMBA_MAX_STAGES];
	uint64_t unpaired_tx; /* packets sent that belong to no send seen */
	uint64_t doubtful_pairs;
	uint64_t bytes_read_unseen; /* taken off a stream by no receive call: splice, zero copy */
	uint64_t shared_outputs;
	uint64_t merges;
	uint64_t retransmits;
	uint64_t drops;
	uint64_t sockets; /* seen, and what can be said when the map is empty */
	uint64_t listeners;
	uint64_t packets_in;
	uint64_t packets_out;
	uint64_t threads_ran;
	uint64_t first_ns; /* window of events seen, event time */
	uint64_t last_ns;
};

struct journey_sink {
	void *ctx;
	/* An item is finished; valid during the call. */
	void (*journey)(void *ctx, const struct journey *journey);
	/* Round trip of a sent segment to the ack that covers it, by endpoint. */
	void (*round_trip)(void *ctx, uint32_t endpoint, uint64_t rtt_ns);
	/* A depth of a socket's queue counted without journeys: integral of items over time. */
	void (*queue_depth)(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t depth);
	/* A thread ran for so long in the window, and was seen (tid, comm may be ""). */
	void (*thread_time)(void *ctx, uint32_t tid, const char *comm, uint64_t on_cpu_ns);
};

#endif
