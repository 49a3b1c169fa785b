// SPDX-License-Identifier: BSD-2-Clause
/*
 * conn.c - pairing on one socket
 *
 * TCP: packets are ranges of bytes and heal themselves after a loss; the arrival of a read is
 * the first one of its first byte, its sock the first data-ready whose rcv_nxt has passed it.
 *
 * UDP: the n-th ready is the n-th read. A ready finds its packet by the skb's tag among those
 * that arrived just before; failing that (a clone for a second socket or a packet tap, segments
 * of one large packet) by size and order: a CPU delivers in the order in which it receives, and
 * of the copies of one packet the original last. The kernel's own queue length puts the count
 * right when it was wrong for long; a read that found nothing puts it right at once. When events
 * were lost, it is put right at every read, and all is doubtful, until the queue was empty.
 */
#include "src/correlate/conn.h"

#include "src/correlate/journey.h"

#define MAX_RANGES 4096
#define MAX_DATAGRAMS 65536
#define MAX_ARRIVED 256 /* packets of one burst on all CPUs, not yet queued */
#define MAX_TAKERS 8
#define MAX_SENDS 4096
#define MAX_SENT 4096
#define MAX_LOOSE 1024
#define DRIFT_LIMIT 16
#define BURST_NS 1000000 /* between the packets of one softirq's batch and their delivery */
#define RACE_NS 5000
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
	bool is_over; /* the original has been delivered, so have its copies */
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
	self->last_used_ns = self->depth_since_ns = self->sure_ns = now_ns;
	list_init(&self->by_time);
	list_init(&self->items);
	fifo_init(&self->rx, udp ? sizeof(struct rx_datagram) : sizeof(struct rx_range),
		  udp ? MAX_ARRIVED : MAX_RANGES);
	fifo_init(&self->ready, udp ? sizeof(struct arrival) : sizeof(struct ready_mark),
		  udp ? MAX_DATAGRAMS : MAX_RANGES);
	fifo_init(&self->sends, sizeof(struct sending), MAX_SENDS);
	fifo_init(&self->sent, sizeof(struct sent_segment), MAX_SENT);
	fifo_init(&self->owed, sizeof(struct owed), MAX_SENT);
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
			*before = (struct arrival){ 0 };
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
	fifo_fini(&self->owed);
	fifo_fini(&self->loose);
	free(self);
}

/* In order of the first byte; ranges may overlap. */
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

static bool is_contained(const struct fifo *rx, const struct rx_range *in)
{
	for (uint32_t i = rx->nr; i > 0; i--) {
		const struct rx_range *range = fifo_at(rx, i - 1);

		if (!seq_after(range->seq, in->seq))
			return !seq_after(in->end, range->end);
	}
	return false;
}

void conn_tcp_arrived(struct conn *self, const struct gemba_event *ev)
{
	struct rx_range range = { ev->ts_ns, ev->seq, ev->seq + ev->len, ev->cpu };
	bool is_new;

	if (!ev->len)
		return;
	if (ev->flags & GEMBA_F_SYN)
		range.seq++, range.end++;
	if (self->has_copied && !seq_after(range.end, self->copied))
		return; /* a repeat of what has been read */
	is_new = !self->has_rx_high || seq_after(range.end, self->rx_high);
	if (!is_new && is_contained(&self->rx, &range))
		return;
	insert_range(&self->rx, range);
	if (is_new)
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
		*mark = (struct ready_mark){ ev->ts_ns, ev->seq, ev->cpu };
	self->ready_high = ev->seq;
}

static void find_rx(struct conn *self, uint32_t first, uint32_t copied, struct arrival *arrival)
{
	const struct rx_range *range;

	for (uint32_t i = 0; i < self->rx.nr; i++) {
		range = fifo_at(&self->rx, i);
		if (seq_after(range->seq, first))
			break;
		if (!seq_after(range->end, first) ||
		    (arrival->has_rx && arrival->rx_ns <= range->at_ns))
			continue;
		arrival->has_rx = true;
		arrival->rx_ns = range->at_ns;
		arrival->rx_cpu = range->cpu;
	}
	while ((range = fifo_first(&self->rx)) && !seq_after(range->end, copied))
		fifo_pop(&self->rx);
}

static void find_ready(struct conn *self, uint32_t first, uint32_t copied, struct arrival *arrival)
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

	*arrival = (struct arrival){ 0 };
	*unseen = 0;
	if (!self->has_copied) {
		self->copied = first;
		self->has_copied = true;
	}
	if (!seq_after(copied, first))
		return false;
	if (bytes && seq_after(copied - bytes, first)) {
		*unseen = copied - bytes - first;
		first = copied - bytes;
	}
	self->copied = copied;
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

/*
 * The packet of that tag, else the oldest of that size (0: any) that this CPU may still be about
 * to deliver here, else the large one that this is a segment of. What it received before the
 * last one that it delivered here, or as an original anywhere, it will not deliver any more.
 */
static struct rx_datagram *find_datagram(const struct conn *self, const struct gemba_event *ev,
					 uint32_t bytes)
{
	const struct fifo *rx = &self->group->rx;
	struct rx_datagram *by_size = NULL, *large = NULL;
	bool is_past = false;

	for (uint32_t i = rx->nr; i > 0; i--) {
		struct rx_datagram *one = fifo_at(rx, i - 1);
		bool is_here = one->cpu == ev->cpu, taken = is_taken(one, self->id);

		is_past |= is_here && taken;
		if (is_here && bytes && one->bytes > bytes && !large)
			large = one;
		if (taken || (is_here && is_past))
			continue;
		if (bytes && one->tag == ev->aux && one->bytes == bytes) {
			one->is_over = true;
			return one;
		}
		is_past |= is_here && one->is_over;
		if (is_past && (by_size || large))
			break;
		if (!is_here || is_past || (bytes && one->bytes != bytes))
			continue;
		if (!by_size || ev->ts_ns - one->at_ns < BURST_NS)
			by_size = one;
	}
	return by_size ?: large;
}

/* How far our count is from the kernel's queue length; below it only by lost readies. */
static int64_t count_queued(const struct conn *self)
{
	return (int64_t)(self->nr_ready - self->nr_read);
}

/* The oldest that we hold are not in the kernel's queue any more. */
static void let_go(struct conn *self, uint64_t nr)
{
	uint64_t missing = nr < self->nr_missing ? nr : self->nr_missing;

	self->nr_missing -= missing;
	self->nr_read += missing;
	for (nr -= missing; nr && self->ready.nr; nr--) {
		fifo_pop(&self->ready);
		self->nr_read++;
	}
}

static void keep_ready(struct conn *self, const struct arrival *arrival)
{
	struct arrival *queued;

	if (self->ready.nr == MAX_DATAGRAMS) {
		fifo_pop(&self->ready);
		self->nr_missing++;
	}
	queued = fifo_push(&self->ready);
	if (queued)
		*queued = *arrival;
}

static bool is_drifting(uint32_t *run, uint32_t *least, int64_t by)
{
	if (by <= 0) {
		*run = 0;
		return false;
	}
	if (!*run || by < *least)
		*least = by < UINT32_MAX ? by : UINT32_MAX;
	if (++*run < DRIFT_LIMIT)
		return false;
	*run = 0;
	return true;
}

/* Events were lost since our count was known to be right. */
static bool is_unsure(const struct conn *self)
{
	const struct lost *lost = &self->lost;

	return (lost->arrivals_until_ns && lost->arrivals_until_ns >= self->sure_ns) ||
	       (lost->reads_until_ns && lost->reads_until_ns >= self->sure_ns);
}

/* So many are queued. Where both arrivals and reads were lost, which of the older ones are
 * still there cannot be known. */
static void recount(struct conn *self, uint64_t queued)
{
	const struct lost *lost = &self->lost;
	uint64_t until_ns = lost->arrivals_until_ns < lost->reads_until_ns ?
				    lost->arrivals_until_ns :
				    lost->reads_until_ns;
	const struct arrival *first;

	while ((first = fifo_first(&self->ready)) &&
	       (first->sock_ns <= until_ns || self->ready.nr > queued))
		fifo_pop(&self->ready);
	self->nr_missing = queued - self->ready.nr;
	self->nr_ready = self->nr_read + queued;
	self->deep = self->lean = self->over = 0;
}

/* Against the kernel's own queue length, this datagram included. */
static void check_ready(struct conn *self, uint32_t queued)
{
	int64_t mine = count_queued(self);

	if (is_unsure(self))
		return;
	/* some were read by ways we do not see */
	self->deep = mine > (int64_t)queued + 1 ? self->deep + 1 : 0;
	if (self->deep >= DRIFT_LIMIT)
		let_go(self, mine - queued);
	/* some readies were lost: those datagrams are read first, with no arrival */
	if (is_drifting(&self->lean, &self->lean_by, queued - mine)) {
		self->nr_ready += self->lean_by;
		if (count_queued(self) > self->ready.nr)
			self->nr_missing = count_queued(self) - self->ready.nr;
	}
}

/* Datagrams that two CPUs queue at once may stand in either order. */
static void mark_race(struct conn *self, struct arrival *arrival)
{
	struct arrival *last = fifo_last(&self->ready);

	if (!last || !last->has_sock || last->sock_cpu == arrival->sock_cpu ||
	    arrival->sock_ns - last->sock_ns > RACE_NS)
		return;
	last->is_doubtful = arrival->is_doubtful = true;
}

/* When a CPU other than this one last told of a datagram here; 0: never. */
static uint64_t last_ready_elsewhere(const struct conn *self, uint16_t cpu)
{
	return self->last_ready_cpu != cpu ? self->last_ready_ns : self->other_ready_ns;
}

static void note_ready(struct conn *self, const struct gemba_event *ev)
{
	self->other_ready_ns = last_ready_elsewhere(self, ev->cpu);
	self->last_ready_ns = ev->ts_ns;
	self->last_ready_cpu = ev->cpu;
}

uint64_t conn_udp_ready(struct conn *self, const struct gemba_event *ev, struct arrival *arrival)
{
	struct rx_datagram *rx = find_datagram(self, ev, ev->seq);
	uint64_t number;

	if (rx && rx->at_ns <= self->lost.arrivals_until_ns &&
	    ev->ts_ns > self->lost.arrivals_until_ns)
		rx = NULL; /* another one's, whose ready was lost */
	*arrival = (struct arrival){
		.has_sock = true,
		.sock_ns = ev->ts_ns,
		.sock_cpu = ev->cpu,
		.bytes = ev->seq,
	};
	if (rx) {
		arrival_of(rx, arrival);
		arrival->is_doubtful = rx->cpu != ev->cpu && rx->tag != ev->aux;
		take(rx, self->id);
	}
	/* a reader is seen before the ready by a moment: later than that, the ready was lost */
	if (count_queued(self) < 0 && ev->ts_ns - self->last_read_ns > EMPTY_SLACK_NS)
		self->nr_ready = self->nr_read;
	number = ++self->nr_ready;
	if (number > self->nr_read) {
		mark_race(self, arrival);
		keep_ready(self, arrival);
	} else if (!rx || last_ready_elsewhere(self, ev->cpu) >= arrival->rx_ns) {
		/* read before its ready: alone since it came in, the count cannot be wrong */
		arrival->is_doubtful = true;
	}
	arrival->is_doubtful |= is_unsure(self);
	note_ready(self, ev);
	check_ready(self, ev->len);
	return number;
}

/* The kernel's queue length after this read, by the one who reads: ours cannot be above. */
static void check_read(struct conn *self, const struct gemba_event *ev)
{
	if (self->last_reader != ev->tid)
		self->over = 0;
	self->last_reader = ev->tid;
	if (is_unsure(self))
		recount(self, ev->aux + 1ull);
	else if (is_drifting(&self->over, &self->over_by, count_queued(self) - 1 - ev->aux))
		let_go(self, self->over_by);
}

/* Whether the first one queued is known, then it is *arrival. */
static bool take_first(struct conn *self, struct arrival *arrival, uint64_t *waits)
{
	const struct arrival *ready = self->nr_missing ? NULL : fifo_first(&self->ready);

	self->nr_read++;
	if (ready) {
		*arrival = *ready;
		fifo_pop(&self->ready);
		return true;
	}
	if (self->nr_missing)
		self->nr_missing--;
	else
		*waits = self->nr_read;
	return false;
}

bool conn_udp_take(struct conn *self, const struct gemba_event *ev, struct arrival *arrival,
		   uint64_t *waits)
{
	bool is_known, is_doubtful = is_unsure(self);

	check_read(self, ev);
	*arrival = (struct arrival){ 0 };
	*waits = 0;
	is_known = take_first(self, arrival, waits);
	self->last_read_ns = ev->ts_ns;
	arrival->bytes = ev->len;
	arrival->is_doubtful |= is_doubtful;
	if (is_known && !ev->aux && !self->ready.nr)
		self->sure_ns = ev->ts_ns;
	return is_known;
}

void conn_udp_empty(struct conn *self, uint64_t now_ns)
{
	const struct arrival *first;

	let_go(self, self->nr_missing);
	while ((first = fifo_first(&self->ready)) && first->sock_ns + EMPTY_SLACK_NS < now_ns)
		let_go(self, 1);
	if (count_queued(self) < 0 && now_ns - self->last_read_ns > EMPTY_SLACK_NS)
		self->nr_ready = self->nr_read; /* those readies will never be seen */
	if (!self->ready.nr)
		self->sure_ns = now_ns;
}

bool conn_udp_drop(struct conn *self, const struct gemba_event *ev, struct arrival *arrival)
{
	struct rx_datagram *rx = find_datagram(self, ev, 0);

	*arrival = (struct arrival){ 0 };
	if (!rx)
		return false;
	arrival_of(rx, arrival);
	arrival->bytes = rx->bytes;
	take(rx, self->id);
	return true;
}

void conn_tcp_left(struct conn *self, uint32_t end, uint64_t now_ns)
{
	struct sent_segment *segment = fifo_push(&self->sent);

	if (segment)
		*segment = (struct sent_segment){ .at_ns = now_ns, .end = end };
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
