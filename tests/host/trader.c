/*
 * The trading host's receiving thread: feed and order session in, messages to the pipeline out.
 *
 * It sleeps in poll(2) on both sockets or, with is_spinning, asks both in turn and never sleeps.
 * One datagram is taken per readiness and worked on before the next, so the wait of a burst is in
 * the socket queue, where a tracer can see it. Acks come in on the same thread, are counted and
 * cause nothing.
 */
#include "tests/host/trader.h"

#include "tests/host/clock.h"
#include "tests/host/stop.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>

#define SPIN_TRIES 64
#define FEED_IDLE_NS (100 * NS_PER_MS) /* after the session's end: nothing more will come */
#define ACK_WAIT_NS NS_PER_S

static void count_gap(struct trader *self, uint64_t first_seq, unsigned nr_messages)
{
	if (self->next_seq && first_seq > self->next_seq)
		self->nr_lost_messages += first_seq - self->next_seq;
	self->next_seq = first_seq + nr_messages;
	self->nr_packets++;
	self->nr_messages += nr_messages;
}

static struct packet_truth *log_packet(struct trader *self, uint64_t first_seq, unsigned nr)
{
	struct packet_truth *truth = truth_log_add(&self->packet_log);

	if (truth) {
		truth->first_seq = first_seq;
		truth->nr_messages = nr;
		truth->recv_return_ns = self->packet.recv_return_ns;
	}
	return truth;
}

static struct message_truth *log_message(struct trader *self, uint64_t first_seq, uint64_t seq)
{
	struct message_truth *truth = truth_log_add(&self->message_log);

	if (truth) {
		truth->seq = seq;
		truth->first_seq = first_seq;
		truth->receive_packet_entry_ns = self->packet.receive_packet_entry_ns;
		truth->recv_return_ns = self->packet.recv_return_ns;
		truth->decode_packet_entry_ns = self->packet.decode_packet_entry_ns;
	}
	return truth;
}

static void work_packet(struct trader *self)
{
	const struct wire_message *messages = wire_messages(self->packet.bytes);
	struct packet_truth *truth;
	uint64_t first_seq;
	unsigned nr = decode_packet(&self->packet, &first_seq);

	if (!nr) {
		self->nr_malformed++;
		return;
	}
	count_gap(self, first_seq, nr);
	truth = log_packet(self, first_seq, nr);
	for (unsigned i = 0; i < nr; i++) {
		struct work work = {
			.message = { .is_first = i == 0,
				     .truth = log_message(self, first_seq, first_seq + i) },
			.wire = &messages[i],
			.truth = truth,
		};

		pipeline_feed(&self->pipeline, &work);
	}
}

static int take_packet(struct trader *self, unsigned max_tries)
{
	int err;

	if (receive_packet(&self->packet, self->feed_fd, max_tries, &err)) {
		work_packet(self);
		self->last_packet_ns = now_ns();
	}
	return err;
}

static void count_ack(struct trader *self, const struct wire_ack *ack)
{
	struct ack_truth *truth;

	if (ack->type != WIRE_ACK) {
		self->nr_malformed++;
		return;
	}
	self->nr_acks++;
	truth = truth_log_add(&self->ack_log);
	if (truth)
		*truth = (struct ack_truth){ .seq = le64toh(ack->seq),
					     .client_id = le64toh(ack->client_id),
					     .recv_return_ns = self->session.recv_return_ns,
					     .tid = self->pipeline.lanes[0].tid };
}

static int take_acks(struct trader *self)
{
	struct wire_ack ack;
	int got = stream_read(&self->session);

	if (got == -EPIPE)
		self->is_session_over = true;
	if (got == -EPIPE || got == -EAGAIN)
		return 0;
	if (got < 0)
		return got;
	while (stream_next(&self->session, &ack, sizeof(ack)))
		count_ack(self, &ack);
	return 0;
}

static bool is_done(const struct trader *self)
{
	uint64_t now;

	if (is_stop_requested() || atomic_load(&self->pipeline.err))
		return true;
	if (self->nr_packets_max && self->nr_packets == self->nr_packets_max)
		return true;
	now = now_ns();
	return now >= self->end_ns ||
	       (self->is_session_over && now > self->last_packet_ns + FEED_IDLE_NS);
}

static int spin_once(struct trader *self)
{
	int err = take_packet(self, SPIN_TRIES);

	return err || self->is_session_over ? err : take_acks(self);
}

static int poll_once(struct trader *self)
{
	struct pollfd fds[] = {
		{ .fd = self->feed_fd, .events = POLLIN },
		{ .fd = self->is_session_over ? -1 : self->session.fd, .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN },
	};
	int limit_ms = poll_ms_until(self->end_ns);
	int err = 0;

	if (self->is_session_over && limit_ms > 50)
		limit_ms = 50;
	if (poll(fds, 3, limit_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents)
		err = take_packet(self, 1);
	if (!err && fds[1].revents)
		err = take_acks(self);
	return err;
}

/* Only after the pipeline stopped: the number of orders is final then. */
static int await_acks(struct trader *self)
{
	uint64_t end_ns = now_ns() + ACK_WAIT_NS;
	int err = 0;

	while (!err && !self->is_session_over && now_ns() < end_ns &&
	       self->nr_acks < self->pipeline.gateway.nr_sent) {
		struct pollfd fd = { .fd = self->session.fd, .events = POLLIN };

		if (poll(&fd, 1, poll_ms_until(end_ns)) > 0)
			err = take_acks(self);
	}
	return err;
}

int trader_run(struct trader *self)
{
	int err = 0;

	self->packet.is_logged = self->message_log.rows;
	self->end_ns = now_ns() + self->for_ns;
	while (!err && !is_done(self))
		err = self->is_spinning ? spin_once(self) : poll_once(self);
	pipeline_stop(&self->pipeline);
	if (!err)
		err = atomic_load(&self->pipeline.err);
	return err ? err : await_acks(self);
}
