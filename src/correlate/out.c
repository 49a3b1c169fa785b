// SPDX-License-Identifier: BSD-2-Clause
/*
 * out.c - from a send call to its packet: send, txq, tx
 *
 * TCP: the call says its first byte, the packet that holds that byte gives txq and tx, whoever
 * sends it and whenever. Where the call is told only at its end (before 6.15), its packets may
 * have come first: they are kept. UDP: the packet is the call, and carries its thread.
 *
 * A packet is deferred when it is queued outside the call: its sender has left the CPU since, or
 * stamped another station, or it is another CPU that queues it.
 */
#include <string.h>

#include "src/correlate/state.h"

/* When a packet that no queue held back was given to the device; its TX tells. */
static uint64_t queued_ns(const struct gemba_event *ev)
{
	return ev->aux < ev->ts_ns ? ev->ts_ns - ev->aux : ev->ts_ns;
}

static void split_send(struct correlate *self, struct item *item, struct thread *thread,
		       struct stamp *stamp)
{
	if (self->opts.has_sched && item->nr_stamps > 1 && thread)
		thread_split(thread, item, stamp[-1].at_ns, stamp->at_ns, &stamp->parts);
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

/* Its packet was not seen and will not be. */
static void give_up(struct correlate *self, const struct sending *sending)
{
	struct item *item = sending->item;

	if (!item || item->id != sending->item_id || !sending->is_first)
		return;
	item->waits_for_tx = false;
	item_settle(self, item);
}

/* Its packet has left, as a later one shows, and nobody told when. */
static void left_unseen(struct correlate *self, const struct sending *sending)
{
	struct item *item = sending->item;

	self->account.unpaired_tx++;
	if (item->id == sending->item_id && sending->is_first)
		item->is_unseen = true;
	give_up(self, sending);
}

static struct sending *begin_sending(struct correlate *self, struct conn *conn, struct item *item,
				     const struct gemba_event *ev, bool is_first)
{
	struct sending *sending;

	if (conn->sends.nr == conn->sends.max) {
		struct sending oldest = *(struct sending *)fifo_first(&conn->sends);

		fifo_pop(&conn->sends);
		give_up(self, &oldest);
	}
	sending = fifo_push(&conn->sends);
	if (!sending)
		return NULL;
	*sending = (struct sending){
		.item_id = item->id,
		.item = item,
		.seq = ev->seq,
		.len = ev->len,
		.tag = ev->aux,
		.tid = ev->tid,
		.cpu = ev->cpu,
		.is_first = is_first,
	};
	return sending;
}

void out_share(struct conn *conn, const struct item *answered, struct item *item)
{
	struct sending *last = fifo_last(&conn->sends), theirs;

	if (!answered->waits_for_tx || !last)
		return;
	/* the call that answered is the last one, and those that share it stand behind it */
	theirs = *last;
	for (uint32_t i = conn->sends.nr; i > 0; i--) {
		const struct sending *one = fifo_at(&conn->sends, i - 1);

		if (one->seq != theirs.seq || !one->is_first)
			return;
		if (one->item_id == answered->id)
			break;
		if (i == 1)
			return;
	}
	last = conn->sends.nr < conn->sends.max ? fifo_push(&conn->sends) : NULL;
	if (!last)
		return;
	theirs.item = item;
	theirs.item_id = item->id;
	*last = theirs;
	item->waits_for_tx = true;
}

static void pop_owed(struct correlate *self, struct conn *conn)
{
	const struct owed owed = *(struct owed *)fifo_first(&conn->owed);
	struct item *item = owed.item;

	fifo_pop(&conn->owed);
	if (item->id != owed.item_id)
		return;
	item->waits_for_ack = false;
	item_settle(self, item);
}

static void push_owed(struct correlate *self, struct conn *conn, const struct sending *sending)
{
	struct item *item = sending->item;
	struct owed *owed;

	if (conn->owed.nr == conn->owed.max)
		pop_owed(self, conn);
	owed = fifo_push(&conn->owed);
	if (!owed)
		return;
	*owed = (struct owed){ item->id, item, sending->seq, sending->seq + sending->len };
	item->waits_for_ack = true;
}

void out_give_up(struct correlate *self, struct conn *conn)
{
	while (conn->sends.nr) {
		struct sending sending = *(struct sending *)fifo_first(&conn->sends);

		fifo_pop(&conn->sends);
		give_up(self, &sending);
	}
	while (conn->owed.nr)
		pop_owed(self, conn);
}

void out_acked(struct correlate *self, struct conn *conn, uint32_t ack)
{
	const struct owed *owed;

	while ((owed = fifo_first(&conn->owed)) && !seq_after(owed->end, ack))
		pop_owed(self, conn);
}

void out_resent(struct conn *conn, uint32_t seq, uint32_t len)
{
	for (uint32_t i = 0; i < conn->owed.nr; i++) {
		const struct owed *owed = fifo_at(&conn->owed, i);
		struct item *item = owed->item;

		if (item->id == owed->item_id && seq_after(owed->end, seq) &&
		    seq_after(seq + len, owed->seq))
			item->retransmits++;
	}
}

static bool is_in_call(const struct correlate *self, const struct sending *sending,
		       unsigned int cpu)
{
	const struct thread *thread = idmap_get(&self->threads, sending->tid);

	return thread && sending->station && thread->last_station == sending->station &&
	       thread->nr_switches == sending->switches && sending->cpu == cpu;
}

/* The packet with the call's first byte has left (tx_ns) or been queued (txq_ns only). */
static void stamp_packet(struct correlate *self, struct conn *conn, const struct sending *sending,
			 uint64_t txq_ns, uint64_t tx_ns, unsigned int cpu)
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
	item->is_queued = sending->is_queued;
	item->is_deferred_send = sending->is_deferred;
	item->waits_for_tx = false;
	push_owed(self, conn, sending);
	item_touch(self, item);
	item_settle(self, item);
}

/* A gap in what was written, while events were lost: the calls that wrote it are among them. */
static void see_gap(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	if (self->account.lost && conn->has_next_send && seq_after(ev->seq, conn->next_send))
		answer_lost_sends(self, conn);
	conn->next_send = ev->seq + ev->len;
	conn->has_next_send = true;
}

void out_send(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct gemba_event *ev)
{
	struct sending *sending;
	struct item *item;
	bool is_first;

	see_gap(self, conn, ev);
	item = answer_send(self, conn, thread, ev, &is_first);
	if (!item)
		return;
	item->bytes_out += ev->len;
	if (is_first)
		note_first(self, conn, thread, ev, item);
	thread->last_station = ++self->serial;
	sending = begin_sending(self, conn, item, ev, is_first);
	if (!sending) {
		item->waits_for_tx = false;
		return;
	}
	sending->station = thread->last_station;
	sending->switches = thread->nr_switches;
}

/* The packet seen so far that holds a byte, or NULL; those before it are of no use any more. */
static struct loose_tx *find_loose(struct conn *conn, uint32_t seq)
{
	struct loose_tx *tx;

	while ((tx = fifo_first(&conn->loose)) && !seq_after(tx->end, seq))
		fifo_pop(&conn->loose);
	return tx && !seq_after(tx->seq, seq) ? tx : NULL;
}

void out_sent(struct correlate *self, struct conn *conn, struct thread *thread,
	      const struct gemba_event *ev)
{
	struct gemba_event first = *ev;
	struct sending *sending;
	struct loose_tx *tx;
	bool is_first;
	struct item *item = answer_send(self, conn, thread, ev, &is_first);

	if (!item)
		return;
	item->bytes_out += ev->len;
	if (is_first)
		note_first(self, conn, thread, ev, item);
	thread->last_station = ++self->serial;
	first.seq -= ev->len;
	sending = begin_sending(self, conn, item, &first, is_first);
	if (!sending) {
		item->waits_for_tx = false;
		return;
	}
	/* what was queued before the call ended was queued within it */
	sending->is_deferred = true;
	tx = find_loose(conn, first.seq);
	if (!tx)
		return;
	sending->is_deferred = false;
	sending->is_queued = tx->is_queued;
	sending->txq_ns = tx->txq_ns;
	if (tx->tx_ns) {
		struct sending one = *sending;

		conn->sends.nr--;
		stamp_packet(self, conn, &one, one.txq_ns, tx->tx_ns, tx->cpu);
	}
}

static bool is_loose(const struct correlate *self, const struct conn *conn, uint32_t end)
{
	const struct sending *last = fifo_last(&conn->sends);

	return !self->has_send && (!last || seq_after(end, last->seq + last->len));
}

static void keep_loose(struct conn *conn, const struct gemba_event *ev, uint64_t txq_ns,
		       uint64_t tx_ns)
{
	struct loose_tx *tx = fifo_push(&conn->loose);

	if (tx)
		*tx = (struct loose_tx){ ev->seq, ev->seq + ev->len, txq_ns,
					 tx_ns,	  ev->cpu,	     !(ev->flags & GEMBA_F_TXQ) };
}

/* Queued calls whose first byte is in [seq, end): their txq, until the driver has them. */
static void queue_tcp(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	uint32_t end = ev->seq + ev->len;

	for (uint32_t i = 0; i < conn->sends.nr; i++) {
		struct sending *sending = fifo_at(&conn->sends, i);

		if (!seq_after(end, sending->seq))
			return;
		if (seq_after(ev->seq, sending->seq) || sending->txq_ns)
			continue;
		sending->txq_ns = ev->ts_ns;
		sending->is_queued = true;
		sending->is_deferred = !is_in_call(self, sending, ev->cpu);
	}
	if (is_loose(self, conn, end) && (!conn->has_tx_high || seq_after(end, conn->tx_high)))
		keep_loose(conn, ev, ev->ts_ns, 0);
}

/* A packet whose call is still to be told; the queue it stood in may have told of it. */
static void leave_loose(struct conn *conn, const struct gemba_event *ev, uint64_t txq_ns)
{
	bool was_queued = false;

	for (uint32_t i = conn->loose.nr; i > 0; i--) {
		struct loose_tx *tx = fifo_at(&conn->loose, i - 1);

		if (seq_after(ev->seq, tx->seq))
			break;
		if (tx->tx_ns || !seq_after(ev->seq + ev->len, tx->seq))
			continue;
		tx->tx_ns = ev->ts_ns;
		was_queued = true;
	}
	if (!was_queued)
		keep_loose(conn, ev, txq_ns, ev->ts_ns);
}

static void leave_tcp(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	uint32_t end = ev->seq + ev->len;
	uint64_t txq_ns = ev->flags & GEMBA_F_TXQ ? queued_ns(ev) : 0;
	struct sending *sending;

	if (is_loose(self, conn, end))
		leave_loose(conn, ev, txq_ns);
	while ((sending = fifo_first(&conn->sends)) && seq_after(end, sending->seq)) {
		struct sending one = *sending;

		fifo_pop(&conn->sends);
		if (seq_after(ev->seq, one.seq)) {
			left_unseen(self, &one);
			continue;
		}
		if (!one.txq_ns && txq_ns && !one.is_deferred)
			one.is_deferred = !is_in_call(self, &one, ev->cpu);
		stamp_packet(self, conn, &one, one.txq_ns ?: txq_ns, ev->ts_ns, ev->cpu);
	}
}

void out_tcp_packet(struct correlate *self, struct conn *conn, const struct gemba_event *ev)
{
	uint32_t end = ev->seq + ev->len;

	if (ev->kind == GEMBA_TXQ) {
		queue_tcp(self, conn, ev);
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
	struct item *item = answer_send(self, conn, thread, ev, is_first);
	struct stamp *stamp;

	if (!item)
		return NULL;
	item->bytes_out += ev->len & 0xffff;
	if (thread)
		thread->last_station = ++self->serial;
	if (!*is_first)
		return item;
	item->is_deferred_send = !ev->tid;
	item->customer = state_customer(self, conn, ev->seq, ev->len >> 16, ev->flags & GEMBA_F_V6);
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
	item_settle(self, item);
}

/* The youngest that waits for this skb: an older one of the same memory was lost sight of, or
 * the memory would not be used again. */
static struct sending *find_queued(struct conn *conn, const struct gemba_event *ev)
{
	for (uint32_t i = conn->sends.nr; i > 0; i--) {
		struct sending *one = fifo_at(&conn->sends, i - 1);

		if (one->item && one->seq == ev->seq && one->len == ev->len && one->tag == ev->aux)
			return one;
	}
	return NULL;
}

static void drop_sending(struct correlate *self, struct sending *sending)
{
	struct sending one = *sending;

	sending->item = NULL;
	if (one.item)
		left_unseen(self, &one);
}

/*
 * The skb says which one leaves. A queue keeps the order within a flow, so what stands before it
 * to the same peer was dropped there or left unseen; queues that are fair between flows reorder
 * the others.
 */
static void dequeue_datagram(struct correlate *self, struct conn *conn,
			     const struct gemba_event *ev)
{
	struct sending *found = find_queued(conn, ev), one;
	const struct sending *first;

	if (!found)
		return;
	one = *found;
	found->item = NULL;
	for (uint32_t i = 0; i < conn->sends.nr; i++) {
		struct sending *older = fifo_at(&conn->sends, i);

		if (older == found)
			break;
		if (older->seq == ev->seq && older->len >> 16 == ev->len >> 16)
			drop_sending(self, older);
	}
	while ((first = fifo_first(&conn->sends)) && !first->item)
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
	item = send_datagram(self, conn, ev, ev->kind == GEMBA_TX ? queued_ns(ev) : ev->ts_ns,
			     &is_first);
	if (!item)
		return;
	if (ev->kind == GEMBA_TX)
		leave_datagram(self, item, is_first, ev, false);
	else if (begin_sending(self, conn, item, ev, is_first))
		item->waits_for_tx = is_first || item->waits_for_tx;
}
