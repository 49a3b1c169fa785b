/*
 * Orders on TCP sessions in, one ack per order out, on a thread of its own.
 *
 * A thread of its own, because the feed's thread sleeps and spins by its schedule and an ack must
 * not wait for that. The end is orderly so that acks equal orders: when the feed is over, sessions
 * are served until nothing came for QUIET_NS, then only the sending side closes, which tells the
 * trader that it is over; the trader closes, and only then does the exchange.
 */
#define _GNU_SOURCE 1

#include "tests/host/exchange_orders.h"

#include "tests/host/clock.h"
#include "tests/host/net.h"
#include "tests/host/stop.h"
#include "tests/host/wire.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_NS (500 * NS_PER_MS)
#define QUIET_STOPPED_NS (50 * NS_PER_MS) /* after a signal: the user waits */
#define FINISH_NS (20 * NS_PER_S)	  /* quiet or not */
#define LEAVE_NS (8 * NS_PER_S)		  /* for a trader that was told to leave */

static void signal_event(int fd)
{
	eventfd_write(fd, 1);
}

static void accept_session(struct orders *self)
{
	int fd = accept4(self->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct stream *session = &self->sessions[self->nr_sessions];

	if (fd < 0)
		return;
	if (self->nr_sessions == MAX_SESSIONS || self->is_half_closed || net_tcp_tune(fd)) {
		close(fd);
		return;
	}
	session->fd = fd;
	session->begin = session->end = 0;
	atomic_store(&self->nr_open, ++self->nr_sessions);
	signal_event(self->connected_fd);
}

static void close_session(struct orders *self, unsigned idx)
{
	close(self->sessions[idx].fd);
	self->sessions[idx] = self->sessions[--self->nr_sessions];
	atomic_store(&self->nr_open, self->nr_sessions);
}

static int send_ack(struct orders *self, const struct stream *session,
		    const struct wire_order *order)
{
	struct order_truth *truth = truth_log_add(&self->log);
	struct wire_ack ack = { .seq = order->seq,
				.client_id = order->client_id,
				.type = WIRE_ACK };
	uint64_t begin_ns = 0, end_ns = 0;
	int err = 0;

	self->nr_orders++;
	if (!self->is_half_closed) {
		begin_ns = now_ns();
		err = stream_send(session->fd, &ack, sizeof(ack));
		end_ns = now_ns();
		self->nr_acks += !err;
	}
	if (truth)
		*truth = (struct order_truth){ le64toh(order->seq), le64toh(order->client_id),
					       session->recv_return_ns, begin_ns, end_ns };
	return err;
}

/* False when the session is over, by the trader's wish or because it talks nonsense. */
static bool serve_session(struct orders *self, struct stream *session)
{
	struct wire_order order;
	int got = stream_read(session);

	if (got < 0)
		return got == -EAGAIN;
	while (stream_next(session, &order, sizeof(order))) {
		if (order.type != WIRE_ORDER) {
			self->nr_malformed++;
			return false;
		}
		if (send_ack(self, session, &order))
			return false;
	}
	return true;
}

/* Number of descriptors that were ready, 0 after the time limit. */
static int serve_once(struct orders *self, int finish_fd, int limit_ms)
{
	struct pollfd fds[MAX_SESSIONS + 2];
	unsigned nr = self->nr_sessions;
	int nr_ready;

	for (unsigned i = 0; i < nr; i++)
		fds[i] = (struct pollfd){ .fd = self->sessions[i].fd, .events = POLLIN };
	fds[nr] = (struct pollfd){ .fd = self->listen_fd, .events = POLLIN };
	fds[nr + 1] = (struct pollfd){ .fd = finish_fd, .events = POLLIN };
	nr_ready = poll(fds, nr + 2, limit_ms);
	if (nr_ready <= 0)
		return nr_ready < 0 && errno == EINTR ? 1 : nr_ready;
	/* Backwards, because closing one moves the last into its place. */
	for (unsigned i = nr; i-- > 0;)
		if (fds[i].revents && !serve_session(self, &self->sessions[i]))
			close_session(self, i);
	if (fds[nr].revents)
		accept_session(self);
	return nr_ready;
}

static bool is_finishing(const struct orders *self)
{
	struct pollfd fd = { .fd = self->finish_fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void half_close(struct orders *self)
{
	self->is_half_closed = true;
	for (unsigned i = 0; i < self->nr_sessions; i++)
		shutdown(self->sessions[i].fd, SHUT_WR);
}

static void serve_until_quiet(struct orders *self, uint64_t quiet_ns, uint64_t end_ns)
{
	while (self->nr_sessions && now_ns() < end_ns)
		if (serve_once(self, -1, (int)(quiet_ns / NS_PER_MS)) <= 0)
			break;
}

static void *serve(void *arg)
{
	struct orders *self = arg;
	uint64_t quiet_ns;

	while (!is_finishing(self) && serve_once(self, self->finish_fd, -1) >= 0)
		;
	quiet_ns = is_stop_requested() ? QUIET_STOPPED_NS : QUIET_NS;
	serve_until_quiet(self, quiet_ns, now_ns() + FINISH_NS);
	half_close(self);
	serve_until_quiet(self, LEAVE_NS, now_ns() + LEAVE_NS);
	while (self->nr_sessions)
		close_session(self, 0);
	return NULL;
}

static void close_all(struct orders *self)
{
	close(self->listen_fd);
	if (self->connected_fd >= 0)
		close(self->connected_fd);
	if (self->finish_fd >= 0)
		close(self->finish_fd);
}

int orders_start(struct orders *self, int listen_fd, const struct truth_log *log)
{
	int err = 0;

	*self = (struct orders){ .listen_fd = listen_fd, .log = *log };
	self->connected_fd = eventfd(0, EFD_CLOEXEC);
	self->finish_fd = eventfd(0, EFD_CLOEXEC);
	if (self->connected_fd < 0 || self->finish_fd < 0)
		err = -errno;
	if (!err)
		err = -pthread_create(&self->thread, NULL, serve, self);
	if (err) {
		close_all(self);
		return err;
	}
	pthread_setname_np(self->thread, "orders");
	return 0;
}

unsigned orders_nr_open(struct orders *self)
{
	return atomic_load(&self->nr_open);
}

int orders_await_trader(struct orders *self, uint64_t until_ns)
{
	struct pollfd fds[] = { { .fd = self->connected_fd, .events = POLLIN },
				{ .fd = stop_fd(), .events = POLLIN } };

	do {
		if (poll(fds, 2, poll_ms_until(until_ns)) < 0 && errno != EINTR)
			return -errno;
		if (is_stop_requested())
			return -EINTR;
		if (fds[0].revents)
			return 0;
	} while (now_ns() < until_ns);
	return -ETIMEDOUT;
}

void orders_finish(struct orders *self)
{
	signal_event(self->finish_fd);
	pthread_join(self->thread, NULL);
	close_all(self);
}

void orders_write_head(FILE *file)
{
	fputs("#order\tseq\tclient_id\trecv_ns\tack_send_begin_ns\tack_send_end_ns\n", file);
}

void orders_write_truth(const struct orders *self, FILE *file)
{
	for (size_t i = 0; i < self->log.nr_rows; i++) {
		const struct order_truth *row = truth_log_row(&self->log, i);

		fprintf(file,
			"order\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
			row->seq, row->client_id, row->recv_ns, row->ack_send_begin_ns,
			row->ack_send_end_ns);
	}
}
