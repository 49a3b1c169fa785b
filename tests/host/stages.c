/*
 * The stations of a trading host: a datagram in, an order on the session out, one function each.
 *
 * Their work is a set delay, so that a map of them has a known answer; the little real work keeps
 * the compiler and the caches honest. State comes in by pointer, so that any stage can run on any
 * thread, but each on one only. When logged, the first thing that each does is to note the instant:
 * a probe at the entry has done its work just before. Nothing else is stamped but the send call,
 * which no caller can see.
 */
#include "tests/host/stages.h"

#include "tests/host/clock.h"
#include "tests/host/stream.h"

#include <endian.h>
#include <errno.h>
#include <sys/socket.h>

#define ENTER(truth, field)                                                                        \
	do {                                                                                       \
		if (truth)                                                                         \
			(truth)->field = now_ns();                                                 \
	} while (0)

STAGE bool receive_packet(struct packet *packet, int fd, unsigned max_tries, int *err)
{
	ssize_t got;

	ENTER(packet->is_logged ? packet : NULL, receive_packet_entry_ns);
	*err = 0;
	do {
		got = recv(fd, packet->bytes, sizeof(packet->bytes), MSG_DONTWAIT);
	} while (got < 0 && (errno == EAGAIN || errno == EINTR) && --max_tries);
	if (got < 0) {
		*err = errno == EAGAIN || errno == EINTR ? 0 : -errno;
		return false;
	}
	packet->recv_return_ns = now_ns();
	packet->nr_bytes = (size_t)got;
	return true;
}

STAGE unsigned decode_packet(struct packet *packet, uint64_t *first_seq)
{
	ENTER(packet->is_logged ? packet : NULL, decode_packet_entry_ns);
	return wire_check_packet(packet->bytes, packet->nr_bytes, first_seq);
}

STAGE void decode_message(const struct wire_message *wire, struct message *message,
			  uint64_t delay_ns)
{
	ENTER(message->truth, decode_message_entry_ns);
	message->seq = le64toh(wire->seq);
	message->sent_ns = le64toh(wire->sent_ns);
	message->price = (int64_t)le64toh((uint64_t)wire->price);
	message->qty = le32toh(wire->qty);
	message->instrument = le16toh(wire->instrument) % NR_INSTRUMENTS;
	message->type = wire->type;
	message->side = wire->side;
	spin_ns(delay_ns);
}

STAGE void update_book(const struct message *message, struct book *book)
{
	ENTER(message->truth, update_book_entry_ns);
	if (message->type == WIRE_TRADE)
		book->instruments[message->instrument].last = message->price;
	else if (message->side == WIRE_BUY)
		book->instruments[message->instrument].bid = message->price;
	else
		book->instruments[message->instrument].ask = message->price;
	spin_ns(book->delay_ns);
}

STAGE bool run_strategy(const struct message *message, struct strategy *strategy,
			struct order *order)
{
	bool is_wanted;

	ENTER(message->truth, run_strategy_entry_ns);
	is_wanted = message->is_first && ++strategy->nr_packets % strategy->order_every == 0;
	if (is_wanted) {
		order->seq = message->seq;
		order->client_id = ++strategy->nr_orders;
		order->price = message->price;
		order->qty = message->qty;
		order->instrument = message->instrument;
		order->side = message->side == WIRE_BUY ? WIRE_SELL : WIRE_BUY;
		order->truth = message->truth;
	}
	spin_ns(strategy->delay_ns);
	return is_wanted;
}

STAGE bool check_risk(const struct order *order, struct risk *risk)
{
	bool is_allowed;

	ENTER(order->truth, check_risk_entry_ns);
	is_allowed = order->qty <= risk->max_qty && order->price > 0;
	if (!is_allowed)
		risk->nr_refused++;
	spin_ns(risk->delay_ns);
	return is_allowed;
}

STAGE int send_order(const struct order *order, struct gateway *gateway)
{
	struct wire_order wire;
	int err;

	ENTER(order->truth, send_order_entry_ns);
	wire = (struct wire_order){
		.seq = htole64(order->seq),
		.client_id = htole64(order->client_id),
		.type = WIRE_ORDER,
		.side = order->side,
		.instrument = htole16(order->instrument),
		.qty = htole32(order->qty),
		.price = (int64_t)htole64((uint64_t)order->price),
	};
	spin_ns(gateway->delay_ns);
	gateway->send_begin_ns = now_ns();
	err = stream_send(gateway->fd, &wire, sizeof(wire));
	gateway->send_end_ns = now_ns();
	if (order->truth) {
		order->truth->send_begin_ns = gateway->send_begin_ns;
		order->truth->send_end_ns = gateway->send_end_ns;
	}
	if (!err)
		gateway->nr_sent++;
	return err;
}
