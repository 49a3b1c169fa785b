#ifndef TESTS_HOST_WIRE_H
#define TESTS_HOST_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What travels: little-endian, packed. Everything begins with a u64 market data sequence, so that
 * the key expression is u64(payload) on the feed, on orders and on acks alike.
 */
#define WIRE_MAGIC 0x4d47 /* "GM" */
#define WIRE_MAX_MESSAGES 40
#define WIRE_MAX_PACKET_BYTES                                                                      \
	(sizeof(struct wire_header) + WIRE_MAX_MESSAGES * sizeof(struct wire_message))

enum wire_type { WIRE_ADD = 'A', WIRE_TRADE = 'T', WIRE_ORDER = 'O', WIRE_ACK = 'K' };
enum wire_side { WIRE_BUY = 'B', WIRE_SELL = 'S' };

struct wire_header {
	uint64_t first_seq; /* that of the first message; the others count on from it */
	uint16_t magic;
	uint16_t nr_messages;
} __attribute__((packed));

struct wire_message {
	uint64_t seq;
	uint8_t type, side;
	uint16_t instrument;
	uint32_t qty;
	int64_t price;
	uint64_t sent_ns; /* exchange's clock, just before its send call */
} __attribute__((packed));

struct wire_order {
	uint64_t seq; /* the message that caused it */
	uint64_t client_id;
	uint8_t type, side;
	uint16_t instrument;
	uint32_t qty;
	int64_t price;
} __attribute__((packed));

struct wire_ack {
	uint64_t seq;
	uint64_t client_id;
	uint8_t type;
} __attribute__((packed));

/* Writes one packet of invented, deterministic messages; returns its length. */
size_t wire_write_packet(uint8_t *bytes, uint64_t first_seq, unsigned nr_messages);

/* Stamps the send instant into every message of a packet that wire_write_packet made. */
void wire_stamp_packet(uint8_t *bytes, uint64_t sent_ns);

/* Number of messages, 0 when the bytes are not one whole packet of ours. */
unsigned wire_check_packet(const uint8_t *bytes, size_t nr_bytes, uint64_t *first_seq);

/* The messages of a checked packet. */
const struct wire_message *wire_messages(const uint8_t *bytes);

#endif
