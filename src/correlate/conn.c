// SPDX-License-Identifier: BSD-2-Clause
/*
 * conn.c - pairing on one socket
 *
 * TCP: packets are ranges of bytes and heal themselves after a loss; the arrival of a read is
 * that of its first byte, its sock the first data-ready whose rcv_nxt has passed that byte.
 *
 * UDP: the n-th ready is the n-th read. A ready finds its packet by the skb's tag among those
 * that arrived on the same CPU just before; failing that (a clone for a second socket, segments
 * of one large packet) by size and order. The kernel's own queue length puts the count right
 * when it was wrong for long; a read that found nothing puts it right at once.
 */
#include "src/correlate/conn.h"

#include "src/correlate/journey.h"

#define MAX_RANGES 4096
#define MAX_DATAGRAMS 65536
#define MAX_ARRIVED 256 /* packets of one burst on all CPUs, not yet queued */
#define MAX_TAKERS 4
#define MAX_SENDS 4096
#define MAX_SENT 4096
#define MAX_LOOSE 16
#define DEEP_LIMIT 16
#define EMPTY_SLACK_NS 50000

struct rx_range {
	uint64_t at_ns;
	uint32_t seq;
	uint32_t end;
	uint16_t cpu;
};

struct ready_mark {
	uint64_t at_ns;
	uint32_t rcv_nxt;
	uint16_t cpu;
};

struct rx_datagram {
	uint64_t at_ns;
	uint32_t takers[MAX_TAKERS]; /* sockets that have queued it */
	uint32_t raddr;
	uint32_t bytes;
	uint16_t rport;
	uint16_t tag;
	uint16_t cpu;
	bool is_v6;
};

struct sent_segment {
	uint64_t at_ns;
	uint32_t end;
	bool was_resent;
};

struct conn *conn_new(const struct gemba_conn *is, uint64_t now_ns)
{
	struct conn *self = calloc(1, sizeof(*self));
	bool udp = is->ev.flags & GEMBA_F_UDP;

	if (!self)
		return NULL;
	self->id = is->ev.sk;
	self->is = *is;
	self->is_udp = udp;
	self->group = self;
	self->supplier = ENDPOINT_NONE;
	self->last_used_ns = self->depth_since_ns = now_ns;
	list_init(&self->by_time);
	list_init(&self->items);
	fifo_init(&self->rx, udp ? sizeof(struct rx_datagram) : sizeof(struct rx_range),
		  udp ? MAX_ARRIVED : MAX_RANGES);
	fifo_init(&self->ready, udp ? sizeof(struct arrival) : sizeof(struct ready_mark),
		  udp ? MAX_DATAGRAMS : MAX_RANGES);
	fifo_init(&self->sends, sizeof(struct sending), MAX_SENDS);
	fifo_init(&self->sent, sizeof(struct sent_segment), MAX_SENT);
	fifo_init(&self->loose, sizeof(struct loose_tx), MAX_LOOSE);
	if (!udp && (is->ev.seq || is->rcv_nxt)) {
		self->has_copied = true;
		self->copied = is->ev.seq;
		self->rx_high = self->ready_high = is->rcv_nxt;
		self->has_rx_high = true;
		self->tx_high = is->ev.len;
		self->has_tx_high = true;
	}
	/* datagrams that were queued before us: read first, with no arrival of ours */
	for (uint32_t i = 0; udp && i < is->ev.len && i < MAX_DATAGRAMS; i++) {
		struct arrival *before = fifo_push(&self->ready);

		if (before)
			*before = (struct arrival){0};
		self->nr_ready++;
	}
	return self;
}

void conn_free(struct conn *self)
{
	if (!self)
		return;
	fifo_fini(&self->rx);
	fifo_fini(&self->ready);
	fifo_fini(&self->sends);
	fifo_fini(&self->sent);
	fifo_fini(&self->loose);
	free(self);
}

/* A range that fills a hole goes to its place; what is there already is a duplicate. */
static void insert_range(struct fifo *rx, struct rx_range range)
{
	struct rx_range *at = fifo_push(rx);
	uint32_t i = rx->nr - 1;

	if (!at)
		return;
	for (; i > 0; i--) {
		struct rx_range *before = fifo_at(rx, i - 1);

		if (!seq_after(before->seq, range.seq))
			break;
		*(struct rx_range *)fifo_at(rx, i) = *before;
	}
	*(struct rx_range *)fifo_at(rx, i) = range;
}

static bool is_covered(const struct fifo *rx, uint32_t seq)
{
	for (uint32_t i = rx->nr; i > 0; i--) {
		const struct rx_range *range = fifo_at(rx, i - 1);

		if (!seq_after(range->seq, seq))
			return seq_after(range->end, seq);
	}
	return false;
}

void conn_tcp_arrived(struct conn *self, const struct gemba_event *ev)
{
	struct rx_range range = {ev->ts_ns, ev->seq, ev->seq + ev->len, ev->cpu};

	if (!ev->len)
		return;
	if (ev->flags & GEMBA_F_SYN)
		range.seq++, range.end++;
	if (self->has_copied && !seq_after(range.end, self->copied))
		return; /* a repeat of what has been read */
	if (self->has_rx_high && !seq_after(range.end, self->rx_high)) {
		/* below the highest: a duplicate, or the filler of a hole */
		if (!is_covered(&self->rx, range.seq))
			insert_range(&self->rx, range);
		return;
	}
	if (self->has_rx_high && seq_after(self->rx_high, range.seq))
		range.seq = self->rx_high;
	*(struct rx_range *)(fifo_push(&self->rx) ?: &range) = range;
	self->rx_high = range.end;
	self->has_rx_high = true;
}

void conn_tcp_ready(struct conn *self, const struct gemba_event *ev)
{
	struct ready_mark *last = fifo_last(&self->ready), *mark;

	if (last ? !seq_after(ev->seq, last->rcv_nxt) :
		   self->has_copied && !seq_after(ev->seq, self->copied))
		return;
	mark = fifo_push(&self->ready);
	if (mark)
		*mark = (struct ready_mark){ev->ts_ns, ev->seq, ev->cpu};
	self->ready_high = ev->seq;
}

static void find_rx(struct conn *self, uint32_t first, uint32_t copied, struct arrival *arrival)
{
	struct rx_range *range;

	while ((range = fifo_first(&self->rx))) {
		if (!seq_after(range->seq, first) && seq_after(range->end, first)) {
			arrival->has_rx = true;
			arrival->rx_ns = range->at_ns;
			arrival->rx_cpu = range->cpu;
		}
		if (seq_after(range->end, copied))
			return; /* more of it is unread */
		fifo_pop(&self->rx);
	}
}

static void find_ready(struct conn *self, uint32_t first, uint32_t copied,
		       struct arrival *arrival)
{
	struct ready_mark *mark;

	while ((mark = fifo_first(&self->ready))) {
		if (!arrival->has_sock && seq_after(mark->rcv_nxt, first)) {
			arrival->has_sock = true;
			arrival->sock_ns = mark->at_ns;
			arrival->sock_cpu = mark->cpu;
		}
		if (seq_after(mark->rcv_nxt, copied))
			return;
		fifo_pop(&self->ready);
	}
}

bool conn_tcp_take(struct conn *self, uint32_t copied, uint32_t bytes, struct arrival *arrival,
		   uint32_t *unseen)
{
	uint32_t first = self->has_copied ? self->copied : copied - bytes;

	*arrival = (struct arrival){0};
	*unseen = 0;
	if (!seq_after(copied, first))
		return false;
	if (bytes && seq_after(copied - bytes, first)) {
		*unseen = copied - bytes - first;
		first = copied - bytes;
	}
	self->copied = copied;
	self->has_copied = true;
	arrival->first_seq = first;
	arrival->bytes = copied - first;
	find_rx(self, first, copied, arrival);
	find_ready(self, first, copied, arrival);
	return true;
}

bool conn_tcp_has_unread(const struct conn *self)
{
	return self->has_copied && self->ready.nr && seq_after(self->ready_high, self->copied);
}

void conn_udp_arrived(struct conn *self, const struct gemba_event *ev)
{
	struct rx_datagram *rx = fifo_push(&self->rx);

	if (!rx)
		return;
	*rx = (struct rx_datagram){
		.at_ns = ev->ts_ns,
		.raddr = ev->seq,
		.bytes = ev->len & 0xffff,
		.rport = ev->len >> 16,
		.tag = ev->aux,
		.cpu = ev->cpu,
		.is_v6 = ev->flags & GEMBA_F_V6,
	};
}

static bool is_taken(const struct rx_datagram *rx, uint32_t id)
{
	for (size_t i = 0; i < MAX_TAKERS && rx->takers[i]; i++)
		if (rx->takers[i] == id)
			return true;
	return false;
}

static void take(struct rx_datagram *rx, uint32_t id)
{
	for (size_t i = 0; i < MAX_TAKERS; i++) {
		if (!rx->takers[i]) {
			rx->takers[i] = id;
			return;
		}
	}
}

static void arrival_of(const struct rx_datagram *rx, struct arrival *arrival)
{
	arrival->has_rx = true;
	arrival->rx_ns = rx->at_ns;
	arrival->rx_cpu = rx->cpu;
	arrival->raddr = rx->raddr;
	arrival->rport = rx->rport;
	arrival->is_v6 = rx->is_v6;
}

/* The packet of that tag, else the oldest of that size on this CPU, else the large one that
 * this is a segment of. */
static struct rx_datagram *find_datagram(const struct conn *self, uint32_t bytes, uint32_t tag,
					 uint16_t cpu)
{
	const struct fifo *rx = &self->group->rx;
	struct rx_datagram *by_size = NULL, *large = NULL;

	for (uint32_t i = rx->nr; i > 0; i--) {
		struct rx_datagram *one = fifo_at(rx, i - 1);
		bool taken = is_taken(one, self->id);

		if (!taken && one->tag == tag && one->bytes == bytes)
			return one;
		if (one->cpu != cpu)
			continue;
		if (!taken && one->bytes == bytes)
			by_size = one;
		else if (one->bytes > bytes && !large)
			large = one;
	}
	return by_size ?: large;
}

uint64_t conn_udp_ready(struct conn *self, const struct gemba_event *ev, struct arrival *arrival)
{
	struct rx_datagram *rx = find_datagram(self, ev->seq, ev->aux, ev->cpu);

	*arrival = (struct arrival){
		.has_sock = true,
		.sock_ns = ev->ts_ns,
		.sock_cpu = ev->cpu,
		.bytes = ev->seq,
	};
	if (rx) {
		arrival_of(rx, arrival);
		arrival->is_doubtful = rx->cpu != ev->cpu;
		take(rx, self->id);
	}
	self->nr_ready++;
	if (self->nr_ready > self->nr_read) {
		struct arrival *queued = fifo_push(&self->ready);

		if (queued)
			*queued = *arrival;
	}
	/* our count stays above the kernel's: some were read by ways we do not see */
	self->deep = self->ready.nr > ev->len + 1 ? self->deep + 1 : 0;
	while (self->deep >= DEEP_LIMIT && self->ready.nr > ev->len) {
		fifo_pop(&self->ready);
		self->nr_read++;
	}
	return self->nr_ready;
}

bool conn_udp_take(struct conn *self, uint32_t bytes, struct arrival *arrival, uint64_t *waits)
{
	const struct arrival *ready = fifo_first(&self->ready);

	self->nr_read++;
	*waits = 0;
	if (!ready) {
		*arrival = (struct arrival){.bytes = bytes};
		*waits = self->nr_read;
		return false;
	}
	*arrival = *ready;
	arrival->bytes = bytes;
	fifo_pop(&self->ready);
	return true;
}

void conn_udp_empty(struct conn *self, uint64_t now_ns)
{
	const struct arrival *first;

	while ((first = fifo_first(&self->ready)) && first->sock_ns + EMPTY_SLACK_NS < now_ns) {
		fifo_pop(&self->ready);
		self->nr_read++;
	}
	if (self->nr_read > self->nr_ready)
		self->nr_ready = self->nr_read; /* those readies will never be seen */
}

bool conn_udp_drop(struct conn *self, const struct gemba_event *ev, struct arrival *arrival)
{
	const struct fifo *rx = &self->group->rx;

	*arrival = (struct arrival){0};
	for (uint32_t i = rx->nr; i > 0; i--) {
		struct rx_datagram *one = fifo_at(rx, i - 1);

		if (one->cpu != ev->cpu || is_taken(one, self->id))
			continue;
		arrival_of(one, arrival);
		arrival->bytes = one->bytes;
		take(one, self->id);
		return true;
	}
	return false;
}

void conn_tcp_left(struct conn *self, uint32_t end, uint64_t now_ns)
{
	struct sent_segment *segment = fifo_push(&self->sent);

	if (segment)
		*segment = (struct sent_segment){.at_ns = now_ns, .end = end};
}

void conn_tcp_resent(struct conn *self, uint32_t seq)
{
	for (uint32_t i = 0; i < self->sent.nr; i++) {
		struct sent_segment *segment = fifo_at(&self->sent, i);

		if (seq_after(segment->end, seq)) {
			segment->was_resent = true;
			return;
		}
	}
}

uint64_t conn_tcp_acked(struct conn *self, uint32_t ack)
{
	const struct sent_segment *segment;

	while ((segment = fifo_first(&self->sent)) && !seq_after(segment->end, ack)) {
		uint64_t at_ns = segment->was_resent ? 0 : segment->at_ns;

		fifo_pop(&self->sent);
		if (at_ns)
			return at_ns;
	}
	return 0;
}
