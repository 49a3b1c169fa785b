// SPDX-License-Identifier: BSD-2-Clause
/*
 * out.c - from a send call to its packet: send, txq, tx
 *
 * TCP: the call says its first byte, the packet that holds that byte gives txq and tx, whoever
 * sends it and whenever. Where the call is told only at its end (before 6.15), its packets may
 * have come first: a few are kept. UDP: the packet is the call, and carries its thread.
 */
#include <string.h>

#include "src/correlate/state.h"

static void split_send(struct correlate *self, struct item *item, struct thread *thread,
		       struct stamp *stamp)
{
	uint64_t on_cpu_ns = 0;

	if (!self->opts.has_sched || item->nr_stamps < 2 || !thread)
		return;
	thread_advance(thread, stamp->at_ns);
	if (item->worker == thread->tid)
		on_cpu_ns = item->on_cpu_ns - item->on_cpu_at_stamp_ns;
	thread_split(thread, stamp[-1].at_ns, stamp->at_ns, on_cpu_ns, &stamp->parts);
	item->on_cpu_at_stamp_ns = item->on_cpu_ns;
}

/* The stamp of a call's end is given by `ev` for SEND; SENT is no station. */
static void note_first(struct correlate *self, struct conn *conn, struct thread *thread,
		       const struct gemba_event *ev, struct item *item)
{
	struct stamp *stamp;

	item->waits_for_tx = true;
	item->customer = state_customer(self, conn, 0, 0, false);
	if (ev->kind != GEMBA_SEND)
		return;
	stamp = item_stamp(item, STATION_SEND, ev->ts_ns, ev->tid, ev->cpu);
	if (stamp)
		split_send(self, item, thread, stamp);
}

static struct sending *begin_sending(struct conn *conn, struct item *item, uint32_t seq,
				     uint64_t at_ns, uint32_t tid, bool is_first)
{
	struct sending *sending = fifo_push(&conn->sends);

	if (!sending)
		return NULL;
	*sending = (struct sending){
		.item_id = item->id,
		.item = item,
		.at_ns = at_ns,
		.seq = seq,
		.tid = tid,
		.is_first = is_first,
	};
	return sending;
}

/* The packet with the call's first byte has left (tx_ns) or been queued (txq_ns only). */
static void stamp_packet(struct correlate *self, const struct sending *sending, uint64_t txq_ns,
			 uint64_t tx_ns, bool is_queued, unsigned int cpu)
{
	struct item *item = sending->item;

	if (item->id != sending->item_id)
		return; /* finished meanwhile */
	item->last_output_ns = tx_ns;
	if (!sending->is_first)
		return;
	if (txq_ns)
		item_stamp(item, STATION_TXQ, txq_ns, 0, cpu);
	item_stamp(item, STATION_TX, tx_ns, 0, cpu);
	item->is_queued = is_queued;
	item->waits_for_tx = false;
	item_touch(self, item);
	if (item->is_closed)
		item_finish(self, item, item_outcome(item));
}

void out_send(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct gemba_event *ev)
{
	bool is_first;
	struct item *item = own_send(self, conn, thread, ev, &is_first);

	if (!item)
		return;
	item->bytes_out += ev->len;
	if (is_first)
		note_first(self, conn, thread, ev, item);
	if (!begin_sending(conn, item, ev->seq, ev->ts_ns, ev->tid, is_first))
		item->waits_for_tx = false;
	thread->last_station = ++self->serial;
}

void out_sent(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct gemba_event *ev)
{
	uint32_t first = ev->seq - ev->len;
	struct sending sending;
	bool is_first;
	struct item *item = own_send(self, conn, thread, ev, &is_first);

	if (!item)
		return;
	item->bytes_out += ev->len;
	if (is_first)
		note_first(self, conn, thread, ev, item);
	thread->last_station = ++self->serial;
	sending = (struct sending){.item_id = item->id, .item = item, .is_first = is_first};
	for (uint32_t i = 0; i < conn->loose.nr; i++) {
		const struct loose_tx *tx = fifo_at(&conn->loose, i);

		if (seq_after(tx->seq, first) || !seq_after(tx->end, first))
			continue;
		stamp_packet(self, &sending, tx->txq_ns, tx->tx_ns, tx->is_queued, tx->cpu);
		return;
	}
	if (!begin_sending(conn, item, first, ev->ts_ns, ev->tid, is_first))
		item->waits_for_tx = false;
}

/* Queued calls whose first byte is in [seq, end): their txq, until the driver has them. */
static void queue_tcp(struct conn *conn, const struct gemba_event *ev)
{
	uint32_t end = ev->seq + ev->len;

	for (uint32_t i = 0; i < conn->sends.nr; i++) {
		struct sending *sending = fifo_at(&conn->sends, i);

		if (!seq_after(end, sending->seq))
			return;
		if (!sending->txq_ns)
			sending->txq_ns = ev->ts_ns;
		sending->is_queued = true;
	}
}

static void keep_loose(struct conn *conn, const struct gemba_event *ev, uint64_t txq_ns)
{
	struct loose_tx *tx = fifo_push(&conn->loose);

	if (tx)
		*tx = (struct loose_tx){ev->seq, ev->seq + ev->len, txq_ns, ev->ts_ns, ev->cpu,
					!(ev->flags & GEMBA_F_TXQ)};
}

static void leave_tcp(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	uint32_t end = ev->seq + ev->len;
	uint64_t txq_ns = ev->flags & GEMBA_F_TXQ ? ev->ts_ns - ev->aux : 0;
	struct sending *sending;
	bool found = false;

	while ((sending = fifo_first(&conn->sends)) && seq_after(end, sending->seq)) {
		struct sending one = *sending;

		fifo_pop(&conn->sends);
		found = true;
		stamp_packet(self, &one, one.txq_ns ?: txq_ns, ev->ts_ns, one.is_queued, ev->cpu);
	}
	if (!found && !self->has_send)
		keep_loose(conn, ev, txq_ns);
}

void out_tcp_packet(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	uint32_t end = ev->seq + ev->len;

	if (ev->kind == GEMBA_TXQ) {
		queue_tcp(conn, ev);
		return;
	}
	if (conn->has_tx_high && !seq_after(end, conn->tx_high))
		return; /* sent before: a retransmit */
	conn->tx_high = end;
	conn->has_tx_high = true;
	conn_tcp_left(conn, end, ev->ts_ns);
	leave_tcp(self, conn, ev);
}

static struct item *send_datagram(struct correlate *self, struct conn *conn,
				  const struct gemba_event *ev, uint64_t txq_ns, bool *is_first)
{
	struct thread *thread = ev->tid ? idmap_get(&self->threads, ev->tid) : NULL;
	struct item *item = own_send(self, conn, thread, ev, is_first);
	struct stamp *stamp;

	if (!item)
		return NULL;
	item->bytes_out += ev->len & 0xffff;
	if (thread)
		thread->last_station = ++self->serial;
	if (!*is_first)
		return item;
	item->customer =
		state_customer(self, conn, ev->seq, ev->len >> 16, ev->flags & GEMBA_F_V6);
	stamp = item_stamp(item, STATION_TXQ, txq_ns, ev->tid, ev->cpu);
	if (stamp)
		split_send(self, item, thread, stamp);
	return item;
}

static void leave_datagram(struct correlate *self, struct item *item, bool is_first,
			   const struct gemba_event *ev, bool is_queued)
{
	item->last_output_ns = ev->ts_ns;
	if (!is_first)
		return;
	item_stamp(item, STATION_TX, ev->ts_ns, 0, ev->cpu);
	item->is_queued = is_queued;
	item->waits_for_tx = false;
	item_touch(self, item);
	if (item->is_closed)
		item_finish(self, item, item_outcome(item));
}

static void dequeue_datagram(struct correlate *self, struct conn *conn,
			     const struct gemba_event *ev)
{
	struct sending *sending = fifo_first(&conn->sends);
	struct sending one;

	if (!sending)
		return;
	one = *sending;
	fifo_pop(&conn->sends);
	if (((struct item *)one.item)->id == one.item_id)
		leave_datagram(self, one.item, one.is_first, ev, true);
}

void out_udp_packet(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	struct item *item;
	bool is_first;

	if (ev->kind == GEMBA_TX && !(ev->flags & GEMBA_F_TXQ)) {
		dequeue_datagram(self, conn, ev);
		return;
	}
	item = send_datagram(self, conn, ev,
			     ev->kind == GEMBA_TX ? ev->ts_ns - ev->aux : ev->ts_ns, &is_first);
	if (!item)
		return;
	if (ev->kind == GEMBA_TX)
		leave_datagram(self, item, is_first, ev, false);
	else if (begin_sending(conn, item, 0, ev->ts_ns, ev->tid, is_first))
		item->waits_for_tx = is_first || item->waits_for_tx;
}
