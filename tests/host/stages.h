#ifndef TESTS_HOST_STAGES_H
#define TESTS_HOST_STAGES_H

#include "tests/host/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The functions a tracer probes. Each stays one symbol with one entry: never inlined, cloned or
 * folded. u64(arg0) is the market data sequence in all of them but receive_packet.
 */
#if defined(__has_attribute)
#if __has_attribute(noipa)
#define STAGE __attribute__((noipa))
#endif
#endif
#ifndef STAGE
#define STAGE __attribute__((noinline))
#endif

#define NR_INSTRUMENTS 64

struct packet {
	uint8_t bytes[WIRE_MAX_PACKET_BYTES + 1]; /* one more, to notice what is too long */
	size_t nr_bytes;
	uint64_t recv_return_ns;
};

struct message {
	uint64_t seq; /* first, for the key */
	uint64_t sent_ns;
	int64_t price;
	uint32_t qty;
	uint16_t instrument; /* below NR_INSTRUMENTS */
	uint8_t type, side;
	bool is_first; /* of its packet; decode_message leaves it alone */
};

struct order {
	uint64_t seq; /* of the message that caused it; first, for the key */
	uint64_t client_id;
	int64_t price;
	uint32_t qty;
	uint16_t instrument;
	uint8_t side;
};

struct book {
	uint64_t delay_ns;
	struct {
		int64_t bid, ask, last;
	} instruments[NR_INSTRUMENTS];
};

struct strategy {
	uint64_t delay_ns;
	uint64_t order_every; /* packets per order */
	uint64_t nr_packets, nr_orders;
};

struct risk {
	uint64_t delay_ns;
	uint32_t max_qty;
	uint64_t nr_refused;
};

struct gateway {
	uint64_t delay_ns;
	int fd;
	uint64_t nr_sent;
	uint64_t send_begin_ns, send_end_ns; /* around the last order's send call */
};

/* One datagram in at most max_tries calls that do not block. True when packet holds one, false for
 * none; *err is 0 or -errno. */
bool receive_packet(struct packet *packet, int fd, unsigned max_tries, int *err);

void decode_message(const struct wire_message *wire, struct message *message, uint64_t delay_ns);
void update_book(const struct message *message, struct book *book);

/* True when an order should go out; at most one per packet, caused by its first message. */
bool run_strategy(const struct message *message, struct strategy *strategy, struct order *order);

bool check_risk(const struct order *order, struct risk *risk);

/* 0 or -errno of the send call. */
int send_order(const struct order *order, struct gateway *gateway);

#endif
