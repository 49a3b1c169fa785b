/*
 * A rate in, numbered market data packets out at their instants.
 *
 * Packet k is due at start + k / rate (whole bursts at once), whatever the packets before it cost,
 * so the rate is exact over any length. Only after a stall longer than MAX_LAG_NS is the schedule
 * moved instead of caught up with: the pile of packets would overflow the trader's socket, a loss
 * that nobody asked for.
 */
#include "tests/host/exchange_feed.h"

#include "tests/host/clock.h"
#include "tests/host/stop.h"
#include "tests/host/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/prctl.h>

#define MAX_LAG_NS (10 * NS_PER_MS)
#define MAX_SLEEP_NS (50 * NS_PER_MS) /* a stop request is seen at least so often */

static int send_packet(struct feed *self)
{
	uint8_t bytes[WIRE_MAX_PACKET_BYTES];
	size_t nr_bytes = wire_write_packet(bytes, self->next_seq, (unsigned)self->per_packet);
	struct packet_sent *truth = truth_log_add(&self->log);
	uint64_t begin_ns = now_ns();
	ssize_t sent;

	wire_stamp_packet(bytes, begin_ns);
	do {
		sent = sendto(self->fd, bytes, nr_bytes, 0,
			      (const struct sockaddr *)&self->to.address, self->to.length);
	} while (sent < 0 && errno == EINTR);
	if (truth)
		*truth = (struct packet_sent){ self->next_seq, self->per_packet, begin_ns,
					       now_ns() };
	if (sent < 0)
		return -errno;
	self->next_seq += self->per_packet;
	self->nr_packets++;
	return 0;
}

static uint64_t due_ns(const struct feed *self, uint64_t start_ns)
{
	uint64_t nr_before = self->nr_packets / self->burst * self->burst;

	/* Whole seconds apart, so that the product stays within 64 bits. */
	return start_ns + self->late_ns + nr_before / self->rate_hz * NS_PER_S +
	       nr_before % self->rate_hz * NS_PER_S / self->rate_hz;
}

static bool is_over(const struct feed *self, struct orders *orders, bool until_alone,
		    uint64_t end_ns)
{
	if (is_stop_requested() || (until_alone && !orders_nr_open(orders)))
		return true;
	if (self->nr_packets_max && self->nr_packets == self->nr_packets_max)
		return true;
	return now_ns() >= end_ns;
}

int feed_run(struct feed *self, struct orders *orders, bool until_alone)
{
	uint64_t start_ns, end_ns;
	int err = 0;

	/* The default slack of 50 us would eat the whole of what wait_until_ns leaves to spin. */
	prctl(PR_SET_TIMERSLACK, 1000UL);
	start_ns = now_ns();
	end_ns = start_ns + self->for_ns;
	self->next_seq = 1;
	while (!err && !is_over(self, orders, until_alone, end_ns)) {
		uint64_t now = now_ns(), due = due_ns(self, start_ns);

		if (due > now + MAX_SLEEP_NS) {
			wait_until_ns(now + MAX_SLEEP_NS);
			continue;
		}
		if (now > due + MAX_LAG_NS)
			self->late_ns += now - due;
		wait_until_ns(due);
		err = send_packet(self);
	}
	return err;
}

void feed_write_head(FILE *file)
{
	fputs("#packet\tfirst_seq\tnr_messages\tsend_begin_ns\tsend_end_ns\n", file);
}

void feed_write_truth(const struct feed *self, FILE *file)
{
	for (size_t i = 0; i < self->log.nr_rows; i++) {
		const struct packet_sent *row = truth_log_row(&self->log, i);

		fprintf(file, "packet\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
			row->first_seq, row->nr_messages, row->send_begin_ns, row->send_end_ns);
	}
}
