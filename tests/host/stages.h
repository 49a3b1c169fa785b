#ifndef TESTS_HOST_STAGES_H
#define TESTS_HOST_STAGES_H

#include "tests/host/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The functions a tracer probes, in the order of the way. Each stays one symbol with one entry:
 * never inlined, cloned or folded. u64(arg0) is the market data sequence in all of them but
 * receive_packet; in decode_packet that of the packet's first message.
 *
 *	receive_packet  per readiness; the receive call is inside, so its entry is before the item
 *	decode_packet   per packet, malformed ones too
 *	decode_message  per message of a packet
 *	update_book     per message
 *	run_strategy    per message
 *	check_risk      per order wanted: at most one a packet, for its first message
 *	send_order      per order allowed
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
	bool is_logged; /* by the caller: both entries are noted below */
	uint64_t receive_packet_entry_ns, decode_packet_entry_ns;
};

/* When each stage was entered for one message: the first thing that the stage itself does. */
struct message_truth {
	uint64_t seq, first_seq;
	uint64_t receive_packet_entry_ns, recv_return_ns, decode_packet_entry_ns;
	uint64_t decode_message_entry_ns, update_book_entry_ns, run_strategy_entry_ns;
	uint64_t check_risk_entry_ns, send_order_entry_ns;
	uint64_t send_begin_ns, send_end_ns;
};

struct message {
	uint64_t seq; /* first, for the key */
	uint64_t sent_ns;
	int64_t price;
	uint32_t qty;
	uint16_t instrument; /* below NR_INSTRUMENTS */
	uint8_t type, side;
	/* set by the caller, decode_message leaves them alone */
	bool is_first;		     /* of its packet */
	struct message_truth *truth; /* NULL: not logged */
};

struct order {
	uint64_t seq; /* of the message that caused it; first, for the key */
	uint64_t client_id;
	int64_t price;
	uint32_t qty;
	uint16_t instrument;
	uint8_t side;
	struct message_truth *truth; /* the message's */
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

/* As wire_check_packet. */
unsigned decode_packet(struct packet *packet, uint64_t *first_seq);

void decode_message(const struct wire_message *wire, struct message *message, uint64_t delay_ns);
void update_book(const struct message *message, struct book *book);

/* True when an order should go out; at most one per packet, caused by its first message. */
bool run_strategy(const struct message *message, struct strategy *strategy, struct order *order);

bool check_risk(const struct order *order, struct risk *risk);

/* 0 or -errno of the send call. */
int send_order(const struct order *order, struct gateway *gateway);

#endif
