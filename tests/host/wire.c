/*
 * The feed's packets: sequence numbers in, bytes out, and the check of bytes that came in.
 *
 * The market is invented, but a function of the sequence number alone: every run sends the same
 * prices, so that two runs differ in time only.
 */
#include "tests/host/wire.h"

#include <endian.h>

_Static_assert(sizeof(struct wire_header) == 12, "packed");
_Static_assert(sizeof(struct wire_message) == 32, "packed");
_Static_assert(sizeof(struct wire_order) == 32, "packed");
_Static_assert(sizeof(struct wire_ack) == 17, "packed");

static void write_message(struct wire_message *message, uint64_t seq)
{
	uint64_t noise = seq * 0x9e3779b97f4a7c15ULL;

	message->seq = htole64(seq);
	message->type = noise >> 63 ? WIRE_TRADE : WIRE_ADD;
	message->side = noise >> 62 & 1 ? WIRE_BUY : WIRE_SELL;
	message->instrument = htole16((uint16_t)(noise >> 56 & 63));
	message->qty = htole32((uint32_t)(1 + (noise >> 40) % 100));
	message->price = (int64_t)htole64(100000 + (noise >> 32) % 1000);
	message->sent_ns = 0;
}

size_t wire_write_packet(uint8_t *bytes, uint64_t first_seq, unsigned nr_messages)
{
	struct wire_header *header = (struct wire_header *)bytes;
	struct wire_message *messages = (struct wire_message *)(header + 1);

	header->first_seq = htole64(first_seq);
	header->magic = htole16(WIRE_MAGIC);
	header->nr_messages = htole16((uint16_t)nr_messages);
	for (unsigned i = 0; i < nr_messages; i++)
		write_message(&messages[i], first_seq + i);
	return sizeof(*header) + nr_messages * sizeof(*messages);
}

void wire_stamp_packet(uint8_t *bytes, uint64_t sent_ns)
{
	struct wire_header *header = (struct wire_header *)bytes;
	struct wire_message *messages = (struct wire_message *)(header + 1);

	for (unsigned i = 0; i < le16toh(header->nr_messages); i++)
		messages[i].sent_ns = htole64(sent_ns);
}

unsigned wire_check_packet(const uint8_t *bytes, size_t nr_bytes, uint64_t *first_seq)
{
	const struct wire_header *header = (const struct wire_header *)bytes;
	unsigned nr_messages;

	if (nr_bytes < sizeof(*header) || le16toh(header->magic) != WIRE_MAGIC)
		return 0;
	nr_messages = le16toh(header->nr_messages);
	if (nr_bytes != sizeof(*header) + nr_messages * sizeof(struct wire_message))
		return 0;
	*first_seq = le64toh(header->first_seq);
	return nr_messages;
}

const struct wire_message *wire_messages(const uint8_t *bytes)
{
	return (const struct wire_message *)(bytes + sizeof(struct wire_header));
}
