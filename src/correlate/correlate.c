// SPDX-License-Identifier: BSD-2-Clause
/*
 * correlate.c - takes events in time order and hands each to the part that knows it
 *
 * In: records, sorted. Out: journeys, round trips, queue depths, the account. One table maps
 * kinds to handlers; the socket and thread of an event are looked up once, here. Event time is
 * the only clock: the warm-up, the item timeout and every bound are of it.
 */
#include "src/correlate/correlate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/correlate/state.h"

#define WARMUP_NS 100000000ull
#define ITEM_TIMEOUT_NS 1000000000ull
#define MAX_THREADS 65536

int correlate_new(struct correlate **out, const struct correlate_opts *opts,
		  struct journey_sink sink)
{
	struct correlate *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->opts = *opts;
	self->sink = sink;
	if (!self->opts.item_timeout_ns)
		self->opts.item_timeout_ns = ITEM_TIMEOUT_NS;
	self->warm_ns = opts->start_ns + WARMUP_NS;
	list_init(&self->items);
	list_init(&self->conns_by_time);
	self->endpoints = calloc(MAX_ENDPOINTS, sizeof(*self->endpoints));
	self->peer_ports = calloc(MAX_ENDPOINTS, sizeof(*self->peer_ports));
	if (!self->endpoints || !self->peer_ports) {
		correlate_free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

static void free_items(struct correlate *self)
{
	while (!list_is_empty(&self->items)) {
		struct item *item = list_entry(self->items.next, struct item, by_time);

		list_del(&item->by_time);
		free(item->stamps);
		free(item);
	}
	while (self->free_items) {
		struct item *next = (struct item *)self->free_items->by_time.next;

		free(self->free_items->stamps);
		free(self->free_items);
		self->free_items = next;
	}
}

void correlate_free(struct correlate *self)
{
	if (!self)
		return;
	free_items(self);
	state_fini_conns(self);
	for (size_t i = 0; i < self->threads.room; i++)
		if (self->threads.slots[i].key)
			thread_free(self->threads.slots[i].value);
	idmap_fini(&self->keys);
	idmap_fini(&self->threads);
	for (size_t i = 0; i < self->nr_endpoints; i++)
		free(self->peer_ports[i]);
	free(self->peer_ports);
	free(self->endpoints);
	free(self);
}

/* The socket of an event. One whose GEMBA_CONN may be among the lost is made of the event. */
static __attribute__((noinline)) struct conn *invent_conn(struct correlate *self,
							  const struct gemba_event *ev)
{
	struct gemba_conn is = { .ev = { .sk = ev->sk, .flags = ev->flags & GEMBA_F_UDP } };

	if (!ev->sk || !self->account.lost_by_kind[GEMBA_CONN])
		return NULL;
	is.how = is.ev.flags ? GEMBA_HOW_DATAGRAM : GEMBA_HOW_UNKNOWN;
	state_conn_told(self, &is);
	return state_conn(self, ev->sk);
}

static struct conn *find_conn(struct correlate *self, const struct gemba_event *ev)
{
	struct conn *conn = state_conn(self, ev->sk);

	return conn ? conn : invent_conn(self, ev);
}

static struct thread *find_thread(struct correlate *self, uint32_t tid)
{
	struct thread *thread = self->last_thread;

	if (thread && thread->tid == tid)
		return thread;
	thread = idmap_get(&self->threads, tid);
	if (thread)
		self->last_thread = thread;
	return thread;
}

static struct thread *make_thread(struct correlate *self, uint32_t tid)
{
	struct thread *thread = find_thread(self, tid);

	if (thread || !tid)
		return thread;
	if (self->threads.nr >= MAX_THREADS)
		return NULL;
	thread = thread_new(tid, self->now_ns);
	if (!thread || idmap_put(&self->threads, tid, thread)) {
		thread_free(thread);
		self->error = -ENOMEM;
		return NULL;
	}
	return thread;
}

/*
 * It runs, as only a running thread does this. That no switch put it on a CPU can be, and is
 * counted: one kernel of 6.18 left out about one sched_switch in ten thousand, for all tracers.
 */
static void see_running(struct correlate *self, struct thread *thread)
{
	if (thread->state == THREAD_BLOCKED || thread->state == THREAD_RUNNABLE)
		self->account.switches_unseen++;
	if (thread->state != THREAD_RUNNING)
		thread_seen_running(thread, self->now_ns);
}

/* The thread of an event that only a running one can cause. */
static struct thread *running_thread(struct correlate *self, uint32_t tid)
{
	struct thread *thread = make_thread(self, tid);

	if (thread && self->opts.has_sched)
		see_running(self, thread);
	return thread;
}

static void tell_round_trips(struct correlate *self, struct conn *conn, uint32_t ack)
{
	static const struct arrival nobody;
	uint64_t left_ns;

	while ((left_ns = conn_tcp_acked(conn, ack)))
		if (self->is_warm && self->sink.round_trip)
			self->sink.round_trip(self->sink.ctx, state_supplier(self, conn, &nobody),
					      self->now_ns - left_ns);
}

static void on_rx(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct conn *conn = find_conn(self, ev);

	self->account.packets_in++;
	if (!conn)
		return;
	if (conn->is_udp) {
		conn_udp_arrived(conn, ev);
		return;
	}
	conn_tcp_arrived(conn, ev);
	if (ev->flags & GEMBA_F_SYN)
		return;
	tell_round_trips(self, conn, ev->aux);
	out_acked(self, conn, ev->aux);
}

static void on_sock(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct conn *conn = find_conn(self, ev);
	struct arrival arrival;
	uint64_t number;

	if (!conn)
		return;
	if (!conn->is_udp) {
		conn_tcp_ready(conn, ev);
		state_depth(self, conn, conn_tcp_has_unread(conn));
		return;
	}
	conn->lost = self->datagrams_lost;
	number = conn_udp_ready(conn, ev, &arrival);
	if (number <= conn->nr_read)
		own_late_arrival(self, conn, number, &arrival);
	state_depth(self, conn, ev->len);
}

static void on_recv(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct conn *conn = find_conn(self, ev);
	struct thread *thread = running_thread(self, ev->tid);
	struct arrival arrival;
	uint64_t waits = 0;
	uint32_t unseen;

	if (!conn)
		return;
	if (conn->is_udp) {
		conn->lost = self->datagrams_lost;
		conn_udp_take(conn, ev, &arrival, &waits);
		state_depth(self, conn, ev->aux);
	} else {
		if (!conn_tcp_take(conn, ev->seq, ev->len, &arrival, &unseen))
			return;
		self->account.bytes_read_unseen += self->is_warm ? unseen : 0;
		state_depth(self, conn, conn_tcp_has_unread(conn));
	}
	if (thread)
		own_recv(self, conn, thread, &arrival, waits, ev->cpu);
}

static void on_empty(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct conn *conn = state_conn(self, ev->sk);
	struct thread *thread = running_thread(self, ev->tid);

	if (!conn || !thread)
		return;
	if (conn->is_udp)
		conn_udp_empty(conn, self->now_ns);
	own_empty(self, conn, thread);
}

static void on_send(struct correlate *self, const union gemba_record *record)
{
	struct conn *conn = find_conn(self, &record->ev);
	struct thread *thread = running_thread(self, record->ev.tid);

	self->has_send = true;
	if (conn && thread)
		out_send(self, conn, thread, &record->ev);
}

static void on_sent(struct correlate *self, const union gemba_record *record)
{
	struct conn *conn = find_conn(self, &record->ev);
	struct thread *thread = running_thread(self, record->ev.tid);

	if (conn && thread)
		out_sent(self, conn, thread, &record->ev);
}

static void on_packet(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct conn *conn = find_conn(self, ev);

	self->account.packets_out += ev->kind == GEMBA_TX;
	if (!conn)
		return;
	if (!conn->is_udp) {
		out_tcp_packet(self, conn, ev);
		return;
	}
	if (ev->tid)
		running_thread(self, ev->tid);
	out_udp_packet(self, conn, ev);
}

static void on_drop(struct correlate *self, const union gemba_record *record)
{
	struct conn *conn = state_conn(self, record->ev.sk);
	struct arrival arrival;

	if (!conn || !conn->is_udp)
		return;
	conn_udp_drop(conn, &record->ev, &arrival);
	own_drop(self, conn, &arrival);
}

static void on_retransmit(struct correlate *self, const union gemba_record *record)
{
	struct conn *conn = state_conn(self, record->ev.sk);

	if (self->is_warm)
		self->account.retransmits++;
	if (!conn)
		return;
	conn_tcp_resent(conn, record->ev.seq);
	out_resent(conn, record->ev.seq, record->ev.len);
}

static void on_stage(struct correlate *self, const union gemba_record *record)
{
	struct thread *thread = running_thread(self, record->ev.tid);

	if (thread)
		stage_hit(self, thread, &record->ev);
}

static void on_switch(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct thread *thread;

	if (ev->flags & GEMBA_F_PREV && (thread = make_thread(self, ev->seq))) {
		bool runnable = ev->flags & GEMBA_F_RUNNABLE;

		see_running(self, thread);
		thread_advance(thread, self->now_ns);
		thread->nr_switches++;
		if (runnable)
			thread->totals.preemptions++;
		else if (!stage_suspend(thread, self->now_ns))
			own_slept(self, thread);
		thread_set_state(thread, self->now_ns, runnable ? THREAD_RUNNABLE : THREAD_BLOCKED,
				 runnable ? ev->tid : 0);
	}
	if (ev->flags & GEMBA_F_NEXT && (thread = make_thread(self, ev->tid))) {
		if (ev->len) {
			thread->woken_ns = ev->ts_ns - ev->len;
			thread->woken_by = ev->aux;
		}
		thread_switched_in(thread, self->now_ns, ev->len ? ev->ts_ns - ev->len : 0,
				   ev->seq);
	}
}

static void tell_thread_time(struct correlate *self, const struct thread *thread)
{
	uint64_t on_cpu = self->is_warm ? thread_on_cpu_ns(thread) - thread->warm_ns : 0;

	if ((on_cpu || thread->comm[0]) && self->sink.thread_time)
		self->sink.thread_time(self->sink.ctx, thread->tid, thread->comm, on_cpu);
	self->account.threads_ran += on_cpu > 0;
}

static void on_thread_exit(struct correlate *self, const union gemba_record *record)
{
	struct thread *thread = find_thread(self, record->ev.tid);

	if (!thread)
		return;
	thread_advance(thread, self->now_ns);
	own_exited(self, thread);
	tell_thread_time(self, thread);
	idmap_del(&self->threads, thread->tid);
	self->last_thread = NULL;
	thread_free(thread);
}

static void on_close(struct correlate *self, const union gemba_record *record)
{
	struct conn *conn = idmap_get(&self->conns, record->ev.sk);

	if (conn)
		state_conn_closed(self, conn);
}

static void on_conn(struct correlate *self, const union gemba_record *record)
{
	state_conn_told(self, &record->conn);
}

static void on_peer(struct correlate *self, const union gemba_record *record)
{
	state_peer_told(self, &record->peer);
}

static void on_comm(struct correlate *self, const union gemba_record *record)
{
	struct thread *thread = make_thread(self, record->ev.tid);

	if (thread)
		memcpy(thread->comm, record->comm.comm, sizeof(thread->comm) - 1);
	self->opts.is_go |=
		!!(record->ev.flags & GEMBA_F_GO); /* executed since the capture began */
}

static void on_peername(struct correlate *self, const union gemba_record *record)
{
	struct conn *conn = idmap_get(&self->conns, record->ev.sk);

	if (!conn)
		return;
	memcpy(conn->peer_comm, record->comm.comm, sizeof(conn->peer_comm) - 1);
	conn->peer_pid = record->ev.tid;
	conn->supplier = ENDPOINT_NONE;
}

/* Times that touch are one; of those that were forgotten the oldest still begins the ring. */
static void note_lossy(struct correlate *self, uint64_t from_ns, uint64_t until_ns)
{
	struct lossy *last = &self->lossy[(self->nr_lossy - 1) % MAX_LOSSY];

	if (self->nr_lossy && from_ns <= last->until_ns) {
		if (until_ns > last->until_ns)
			last->until_ns = until_ns;
		return;
	}
	self->lossy[self->nr_lossy++ % MAX_LOSSY] = (struct lossy){ from_ns, until_ns };
}

static void raise_to(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

/* Whatever was lost, was lost between two drain passes: from ts, for seq nanoseconds. */
static void on_lost(struct correlate *self, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	unsigned int kind = ev->aux < GEMBA_NR_KINDS ? ev->aux : GEMBA_NONE;
	uint64_t until_ns = ev->ts_ns + ev->seq;

	self->account.lost_by_kind[kind] += ev->len;
	self->account.lost += ev->len;
	note_lossy(self, ev->ts_ns, until_ns);
	if (kind == GEMBA_RX || kind == GEMBA_SOCK || kind == GEMBA_NONE)
		raise_to(&self->datagrams_lost.arrivals_until_ns, until_ns);
	if (kind == GEMBA_RECV || kind == GEMBA_NONE)
		raise_to(&self->datagrams_lost.reads_until_ns, until_ns);
}

static void (*const handlers[GEMBA_NR_KINDS])(struct correlate *, const union gemba_record *) = {
	[GEMBA_RX] = on_rx,
	[GEMBA_SOCK] = on_sock,
	[GEMBA_RECV] = on_recv,
	[GEMBA_EMPTY] = on_empty,
	[GEMBA_SEND] = on_send,
	[GEMBA_SENT] = on_sent,
	[GEMBA_TXQ] = on_packet,
	[GEMBA_TX] = on_packet,
	[GEMBA_DROP] = on_drop,
	[GEMBA_RETRANS] = on_retransmit,
	[GEMBA_SWITCH] = on_switch,
	[GEMBA_EXIT] = on_thread_exit,
	[GEMBA_CLOSE] = on_close,
	[GEMBA_CONN] = on_conn,
	[GEMBA_PEER] = on_peer,
	[GEMBA_COMM] = on_comm,
	[GEMBA_PEERNAME] = on_peername,
	[GEMBA_STAGE] = on_stage,
	[GEMBA_LOST] = on_lost,
};

/* The warm-up is over: what is open now is what the window began with. */
static void become_warm(struct correlate *self)
{
	self->is_warm = true;
	for (size_t i = 0; i < self->threads.room; i++) {
		struct thread *thread = self->threads.slots[i].key ? self->threads.slots[i].value :
								     NULL;

		if (thread && thread->state == THREAD_RUNNING)
			thread_advance(thread, self->warm_ns);
		if (thread)
			thread->warm_ns = thread_on_cpu_ns(thread);
	}
	for (struct list *node = self->items.next; node != &self->items; node = node->next) {
		struct item *item = list_entry(node, struct item, by_time);

		if (item_is_settled(item))
			continue;
		item->is_counted = true;
		self->account.in_flight_start++;
	}
}

void correlate_event(struct correlate *self, const union gemba_record *record)
{
	unsigned int kind = record->ev.kind;

	self->now_ns = record->ev.ts_ns;
	if (!self->is_warm && self->now_ns >= self->warm_ns)
		become_warm(self);
	if (kind < GEMBA_NR_KINDS && !gemba_is_made_up(kind)) {
		self->account.events++;
		self->account.events_by_kind[kind]++;
		self->account.last_ns = self->now_ns;
		if (!self->account.first_ns)
			self->account.first_ns = self->now_ns;
	}
	if (!list_is_empty(&self->items))
		state_expire(self);
	if (kind < GEMBA_NR_KINDS && handlers[kind])
		handlers[kind](self, record);
}

/* Open at the end: with its output complete it is out, else in flight. */
static void end_items(struct correlate *self)
{
	while (!list_is_empty(&self->items)) {
		struct item *item = list_entry(self->items.next, struct item, by_time);
		bool done = item->outputs && !item->waits_for_tx;

		item_finish(self, item, done ? OUTCOME_OUT : OUTCOME_IN_FLIGHT);
	}
}

static int by_tid(const void *a, const void *b)
{
	const struct thread *x = *(struct thread *const *)a, *y = *(struct thread *const *)b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void end_threads(struct correlate *self)
{
	struct thread **threads = calloc(self->threads.nr + 1, sizeof(*threads));
	size_t nr = 0;

	if (!threads) {
		self->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < self->threads.room; i++)
		if (self->threads.slots[i].key)
			threads[nr++] = self->threads.slots[i].value;
	qsort(threads, nr, sizeof(*threads), by_tid);
	for (size_t i = 0; i < nr; i++) {
		thread_advance(threads[i], self->now_ns);
		tell_thread_time(self, threads[i]);
	}
	free(threads);
}

static int by_id(const void *a, const void *b)
{
	const struct conn *x = *(struct conn *const *)a, *y = *(struct conn *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void end_depths(struct correlate *self)
{
	struct conn **conns = calloc(self->conns.nr + 1, sizeof(*conns));
	size_t nr = 0;

	if (!conns) {
		self->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < self->conns.room; i++)
		if (self->conns.slots[i].key)
			conns[nr++] = self->conns.slots[i].value;
	qsort(conns, nr, sizeof(*conns), by_id);
	for (size_t i = 0; i < nr; i++)
		state_depth(self, conns[i], 0);
	free(conns);
}

int correlate_finish(struct correlate *self)
{
	if (!self->is_warm && self->now_ns >= self->warm_ns)
		become_warm(self);
	end_items(self);
	end_depths(self);
	end_threads(self);
	return self->error;
}

struct account *correlate_account(struct correlate *self)
{
	return &self->account;
}

const struct endpoint *correlate_endpoints(const struct correlate *self, size_t *nr)
{
	*nr = self->nr_endpoints;
	return self->endpoints;
}

const char *correlate_comm(const struct correlate *self, uint32_t tid)
{
	const struct thread *thread = idmap_get(&self->threads, tid);

	return thread ? thread->comm : "";
}
