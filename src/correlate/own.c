// SPDX-License-Identifier: BSD-2-Clause
/*
 * own.c - which item a thread works on: what begins with a read, and when it is done
 *
 * The rules are those of gemba(1), DEFINITIONS, "who owns what"; answer.c says whose a send is.
 * What they leave open, and this file decides:
 *
 * - Items that the same thread read before a send and left without one of their own, when it
 *   reads on or sleeps, share that send: one reply for several requests.
 * - Thread context counts only items of the reader's current epoch: an epoch ends when the
 *   thread sleeps, and when it reads on after a read that found nothing (a spinning loop has
 *   come round).
 * - A datagram is closed when its reader sleeps, as most of a feed have no answer. A socket
 *   whose answers come later than that (its reader waits for a disk; another thread sends) is
 *   known by the first such answer: from then on its datagrams stay open for an answer by
 *   address, though not for their thread.
 */
#include <string.h>

#include "src/correlate/state.h"

#define MERGE_MAX_CALLS 8
#define MERGE_MAX_NS 1000000
#define MAX_PASSED_OVER 16
#define MAX_LATE_READS 1024 /* an answer that comes later than that many reads is not waited for */

static struct item *item_of(struct list *node)
{
	return list_entry(node, struct item, by_conn);
}

static void split_stamp(const struct correlate *self, struct item *item, struct thread *thread,
			struct stamp *stamp, uint64_t from_ns)
{
	if (self->opts.has_sched)
		thread_split(thread, item, from_ns, stamp->at_ns, &stamp->parts);
}

/* The send that answered the ones before answers this one as well. */
static void share_output(struct correlate *self, struct conn *conn, struct thread *thread,
			 const struct item *answered, struct item *item)
{
	bool is_first = true;

	item->outputs = 1;
	item->attribution = ATTRIBUTED_CONNECTION;
	item->out_sk = conn->id;
	item->customer = answered->customer;
	item->out_seq = answered->out_seq;
	item->out_lport = answered->out_lport;
	item->out_rport = answered->out_rport;
	item->outputs_shared = answered->outputs_shared;
	item->last_output_ns = answered->last_output_ns;
	item->is_queued = answered->is_queued;
	item->is_deferred_send = answered->is_deferred_send;
	for (unsigned int i = 0; i < answered->nr_stamps; i++) {
		const struct stamp *stamp = &answered->stamps[i];

		struct stamp *own;

		if (stamp->station != STATION_SEND && stamp->station != STATION_TXQ &&
		    stamp->station != STATION_TX)
			continue;
		own = item_stamp(item, stamp->station, stamp->at_ns, stamp->tid, stamp->cpu);
		/* what comes behind the call is of the packet, no thread's work */
		if (own && is_first && own > item->stamps)
			split_stamp(self, item, thread, own, own[-1].at_ns);
		is_first = false;
	}
	out_share(conn, answered, item);
}

/* Its reader sent something on this connection after it had read it, before it read on or
 * slept: what was read before that has had its turn, and was answered with nothing. */
static bool was_answered_with_another(const struct conn *conn, const struct item *item)
{
	return !item->outputs && !item->has_key && item->reader == conn->last_sender &&
	       item->epoch == conn->last_send_epoch && conn->last_send_ns >= item->first_recv_ns;
}

void own_share(struct correlate *self, struct conn *conn, struct thread *thread)
{
	struct item *answered = conn->last_send_ptr;
	unsigned int nr = 0;

	if (self->opts.is_go || !conn->is_accepted || !answered ||
	    answered->id != conn->last_send_item || !answered->outputs ||
	    conn->last_sender != thread->tid)
		return;
	for (struct list *node = conn->items.next; node != &conn->items; node = node->next)
		nr += was_answered_with_another(conn, item_of(node));
	if (!nr)
		return;
	answered->outputs_shared = (answered->outputs_shared ?: 1) + nr;
	for (struct list *node = conn->items.next; node != &conn->items; node = node->next) {
		struct item *item = item_of(node);

		if (!was_answered_with_another(conn, item))
			continue;
		share_output(self, conn, thread, answered, item);
		item->epoch = thread->epoch;
		list_move_tail(&thread->items, &item->by_thread);
		item_touch(self, item);
	}
}

/* Its reader answered something here after it: one of a packet's messages, for all of them. */
static bool has_had_its_turn(const struct conn *conn, const struct item *item)
{
	return item->is_begun && !item->has_key && item->reader == conn->last_sender &&
	       !conn->is_answered_late && item->last_ns <= conn->last_send_ns;
}

/* Of datagrams those without an answer are passed over, but not for ever. */
static void close_answered_datagrams(struct correlate *self, struct conn *conn)
{
	struct list *node = conn->items.next, *next;

	for (unsigned int open = 0; node != &conn->items && open < MAX_PASSED_OVER; node = next) {
		next = node->next;
		if (item_of(node)->outputs || has_had_its_turn(conn, item_of(node)))
			item_close(self, item_of(node));
		else
			open++;
	}
}

/* Those that are answered are done; where nothing is owed an answer, a new read ends all. */
static void close_answered(struct correlate *self, struct conn *conn, struct thread *thread,
			   bool is_read)
{
	struct list *node, *next;

	if (conn->is_udp) {
		close_answered_datagrams(self, conn);
		return;
	}
	own_share(self, conn, thread);
	for (node = conn->items.next; node != &conn->items; node = next) {
		struct item *item = item_of(node);

		next = node->next;
		if (!item->outputs && (conn->is_accepted || !is_read))
			return;
		if (item->outputs || !item->has_key)
			item_close(self, item);
	}
}

/* The item that this read goes on with: header, then body. */
static struct item *find_merge(const struct correlate *self, const struct conn *conn,
			       const struct thread *thread)
{
	struct item *last;

	if (conn->is_udp || list_is_empty(&conn->items))
		return NULL;
	last = item_of(conn->items.prev);
	if (last->outputs || last->reader != thread->tid || thread->current != last ||
	    thread->last_station != last->read_station || last->merges + 1 >= MERGE_MAX_CALLS ||
	    self->now_ns - last->first_recv_ns > MERGE_MAX_NS)
		return NULL;
	return last;
}

static void merge(struct correlate *self, struct item *item, struct thread *thread,
		  const struct arrival *arrival)
{
	struct stamp *recv = &item->stamps[item->nr_stamps - 1];

	item->merges++;
	item->bytes_in += arrival->bytes;
	recv->at_ns = self->now_ns;
	thread_advance(thread, self->now_ns);
	item->on_cpu_at_stamp_ns = 0;
	if (item->nr_stamps > 1)
		split_stamp(self, item, thread, recv, recv[-1].at_ns);
	item->on_cpu_at_stamp_ns = item->on_cpu_ns;
	item_touch(self, item);
}

static void stamp_arrival(struct item *item, const struct arrival *arrival)
{
	if (arrival->has_rx)
		item_stamp(item, STATION_RX, arrival->rx_ns, 0, arrival->rx_cpu);
	else
		item->is_partial = true;
	if (arrival->has_sock)
		item_stamp(item, STATION_SOCK, arrival->sock_ns, 0, arrival->sock_cpu);
	item->is_doubtful |= arrival->is_doubtful;
	item->raddr = arrival->raddr;
	item->rport = arrival->rport;
}

static void count_in(struct correlate *self, struct item *item)
{
	if (item->is_counted)
		self->account.in++;
	else
		self->account.warmup++;
}

static void stamp_recv(struct correlate *self, struct item *item, struct thread *thread,
		       unsigned int cpu)
{
	uint64_t from_ns = item->nr_stamps ? item->stamps[item->nr_stamps - 1].at_ns : 0;
	struct stamp *recv = item_stamp(item, STATION_RECV, self->now_ns, thread->tid, cpu);

	if (from_ns)
		split_stamp(self, item, thread, recv, from_ns);
}

static struct item *begin_item(struct correlate *self, struct conn *conn, struct thread *thread,
			       const struct arrival *arrival, uint64_t waits, unsigned int cpu)
{
	struct item *item = item_new(self);

	if (!item)
		return NULL;
	item->conn_id = conn->id;
	item->is_udp = conn->is_udp;
	item->in_seq = conn->is_udp ? conn->nr_read : arrival->first_seq;
	item->in_lport = conn->is.lport;
	item->in_rport = conn->is.rport ?: arrival->rport;
	item->bytes_in = arrival->bytes;
	item->reader = thread->tid;
	item->first_recv_ns = self->now_ns;
	item->waits_for = waits;
	stamp_arrival(item, arrival);
	stamp_recv(self, item, thread, cpu);
	item->epoch = thread->epoch;
	item->worker = thread->tid;
	item->supplier = state_supplier(self, conn, arrival);
	list_add_tail(&conn->items, &item->by_conn);
	list_add_tail(&thread->items, &item->by_thread);
	thread_set_current(thread, self->now_ns, item);
	count_in(self, item);
	return item;
}

/* Closed with no answer; whose it was is kept, to know a late one by. */
static void give_up(struct correlate *self, struct conn *conn, struct item *item)
{
	if (!item->outputs)
		conn->given_up[conn->nr_given_up++ % CONN_MAX_GIVEN_UP] =
			(struct given_up){ self->now_ns, item->raddr, item->rport };
	item_close(self, item);
}

/* A read that found nothing lies before this one: the loop has come round, and datagrams that
 * only it could have answered are done. */
static void new_epoch(struct correlate *self, struct conn *conn, struct thread *thread)
{
	struct list *node = conn->items.next, *next;

	thread->epoch++;
	thread->turn_ns = self->now_ns;
	thread->saw_empty = false;
	for (; conn->is_udp && !conn->is_answered_late && node != &conn->items; node = next) {
		struct item *item = item_of(node);

		next = node->next;
		if (item->reader != thread->tid)
			return;
		if (!item->has_key)
			give_up(self, conn, item);
	}
}

void own_recv(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct arrival *arrival, uint64_t waits, unsigned int cpu)
{
	struct item *item;

	stage_settle(self, thread);
	if (thread->saw_empty)
		new_epoch(self, conn, thread);
	item = find_merge(self, conn, thread);
	if (item) {
		merge(self, item, thread, arrival);
	} else {
		close_answered(self, conn, thread, true);
		item = begin_item(self, conn, thread, arrival, waits, cpu);
	}
	thread->last_station = ++self->serial;
	if (!item)
		return;
	if (!item->merges)
		entry_read(conn, thread);
	item->read_station = thread->last_station;
}

/* Another CPU queued its datagram after this late one came in: which was read first? */
static void doubt_neighbours(struct conn *conn, const struct arrival *late)
{
	for (struct list *node = conn->items.next; node != &conn->items; node = node->next) {
		struct item *item = item_of(node);

		for (unsigned int i = 0; i < item->nr_stamps && i < 2; i++)
			item->is_doubtful |= item->stamps[i].station == STATION_SOCK &&
					     item->stamps[i].cpu != late->sock_cpu &&
					     item->stamps[i].at_ns >= late->rx_ns;
	}
}

/* A datagram was read before its ready was seen: two CPUs raced by a microsecond. */
void own_late_arrival(struct correlate *self, struct conn *conn, uint64_t number,
		      const struct arrival *arrival)
{
	if (arrival->is_doubtful && arrival->has_rx)
		doubt_neighbours(conn, arrival);
	for (struct list *node = conn->items.next; node != &conn->items; node = node->next) {
		struct item *item = item_of(node);
		struct stamp old[JOURNEY_MAX_STATIONS];
		unsigned int nr = item->nr_stamps;
		uint64_t recv_ns = item->stamps[0].at_ns;

		if (item->waits_for != number)
			continue;
		memcpy(old, item->stamps, nr * sizeof(old[0]));
		item->nr_stamps = 0;
		item->is_partial = false;
		item->waits_for = 0;
		stamp_arrival(item, arrival);
		for (unsigned int i = 0; i < item->nr_stamps; i++)
			if (item->stamps[i].at_ns > recv_ns)
				item->stamps[i].at_ns = recv_ns;
		for (unsigned int i = 0; i < nr; i++) {
			struct stamp *stamp = item_stamp(item, old[i].station, old[i].at_ns,
							 old[i].tid, old[i].cpu);

			if (stamp)
				*stamp = old[i];
		}
		item->in_rport = conn->is.rport ?: arrival->rport;
		item->supplier = state_supplier(self, conn, arrival);
		return;
	}
}

void own_empty(struct correlate *self, struct conn *conn, struct thread *thread)
{
	stage_settle(self, thread);
	thread->saw_empty = true;
	/* it polls again: if another goes on with what it worked on, it has handed that over */
	if (thread->current && thread->current->has_key &&
	    thread->current->polled_ns < thread->current->last_ns)
		thread->current->polled_ns = self->now_ns;
	if (!conn->is_udp)
		close_answered(self, conn, thread, false);
}

/* The first item that it has touched since it slept last: the list is in order of epochs. */
static struct list *first_touched(const struct thread *thread)
{
	struct list *node = (struct list *)&thread->items;

	while (node->prev != &thread->items &&
	       (int32_t)(list_entry(node->prev, struct item, by_thread)->epoch -
			 thread->open_epoch) >= 0)
		node = node->prev;
	return node;
}

/* A datagram whose reader sleeps: only an answer by its address may still come, if any. */
static void datagram_slept(struct correlate *self, struct item *item)
{
	struct conn *conn = state_conn(self, item->conn_id);

	if (!conn) {
		item_close(self, item);
		return;
	}
	if (!conn->is_answered_late) {
		give_up(self, conn, item);
		return;
	}
	item_leave_thread(self, item);
	while (item_of(conn->items.next)->in_seq + MAX_LATE_READS < conn->nr_read)
		give_up(self, conn, item_of(conn->items.next));
}

/* Its reader sleeps with nothing pending: what it answered is done, and datagrams are. */
void own_slept(struct correlate *self, struct thread *thread)
{
	struct list *node, *next;
	uint32_t shared = 0;

	for (node = first_touched(thread); node != &thread->items; node = next) {
		const struct item *item = list_entry(node, struct item, by_thread);
		struct conn *conn;

		next = node->next;
		if (!item->outputs || item->is_udp || item->out_sk == shared)
			continue;
		shared = item->out_sk;
		conn = state_conn(self, shared);
		if (conn)
			own_share(self, conn, thread);
	}
	for (node = first_touched(thread); node != &thread->items; node = next) {
		struct item *item = list_entry(node, struct item, by_thread);

		next = node->next;
		if (item->outputs)
			item_close(self, item);
		else if (item->has_key)
			item_leave_thread(self, item); /* another may go on with it */
		else if (item->is_udp)
			datagram_slept(self, item);
	}
	thread->open_epoch = ++thread->epoch;
	thread->turn_ns = self->now_ns;
	thread->saw_empty = false;
	entry_slept(thread);
}

void own_exited(struct correlate *self, struct thread *thread)
{
	while (!list_is_empty(&thread->items))
		item_close(self, list_entry(thread->items.next, struct item, by_thread));
}

void own_drop(struct correlate *self, struct conn *conn, const struct arrival *arrival)
{
	struct item *item = item_new(self);

	if (!item)
		return;
	item->conn_id = conn->id;
	item->is_udp = conn->is_udp;
	item->is_dropped = true;
	item->bytes_in = arrival->bytes;
	stamp_arrival(item, arrival);
	if (!item->nr_stamps)
		item_stamp(item, STATION_RX, self->now_ns, 0, 0);
	item->supplier = state_supplier(self, conn, arrival);
	count_in(self, item);
	self->account.drops += item->is_counted;
	item_finish(self, item, OUTCOME_DROPPED);
}
