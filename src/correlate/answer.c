// SPDX-License-Identifier: BSD-2-Clause
/*
 * answer.c - which item a send belongs to
 *
 * The rules are those of gemba(1), DEFINITIONS, "who owns what". What they leave open, and this
 * file decides:
 *
 * - A connection that the target accepted answers in order: a send goes to the oldest item
 *   without an answer, a further one to the youngest with one.
 * - By the thread: two or more items of its epoch without an output make the send a guess.
 */
#include "src/correlate/state.h"

static struct item *item_of(const struct list *node)
{
	return list_entry(node, struct item, by_conn);
}

static bool was_given_up(const struct correlate *self, const struct conn *conn, uint32_t raddr,
			 uint16_t rport)
{
	uint32_t nr = conn->nr_given_up < CONN_MAX_GIVEN_UP ? conn->nr_given_up : CONN_MAX_GIVEN_UP;

	for (uint32_t i = 0; i < nr; i++) {
		const struct given_up *one = &conn->given_up[i];

		if (one->raddr == raddr && one->rport == rport &&
		    self->now_ns - one->at_ns < self->opts.item_timeout_ns)
			return true;
	}
	return false;
}

/* The oldest without an answer, else the youngest with one. */
static struct item *oldest_open(const struct conn *conn, uint32_t raddr, uint16_t rport)
{
	struct item *answered = NULL;

	for (struct list *node = conn->items.next; node != &conn->items; node = node->next) {
		struct item *item = item_of(node);

		if (conn->is_udp && (item->raddr != raddr || item->rport != rport))
			continue;
		if (!item->outputs)
			return item;
		answered = item;
	}
	return answered;
}

static bool is_guess(const struct thread *thread)
{
	unsigned int candidates = 0;

	if (thread->current->is_begun)
		return thread->current->is_resumed || thread->current->is_guess;

	for (struct list *node = thread->items.prev; node != &thread->items; node = node->prev) {
		const struct item *item = list_entry(node, struct item, by_thread);

		if (item->epoch != thread->epoch)
			break;
		if (!item->outputs && ++candidates > 1)
			return true;
	}
	return false;
}

/* What the thread is in the middle of, by its stages, if the same peer sent it. */
static struct item *in_work(const struct conn *conn, const struct thread *thread, uint32_t raddr,
			    uint16_t rport)
{
	struct item *item = thread ? thread->current : NULL;

	if (!item || !item->is_begun || item->outputs || item->is_suspended || item->is_closed ||
	    item->conn_id != conn->id || item->raddr != raddr || item->rport != rport)
		return NULL;
	return item;
}

/* Datagrams need not be answered in order: what the thread is in the middle of goes before what was
 * read earlier. Where that was begun as well, it is a guess that it gets no answer. */
static struct item *by_connection(const struct correlate *self, const struct conn *conn,
				  const struct thread *thread, const struct gemba_event *ev)
{
	struct item *oldest, *worked = NULL;

	if (self->opts.own == OWN_BY_THREAD || (!conn->is_accepted && !conn->is_udp))
		return NULL;
	oldest = oldest_open(conn, ev->seq, ev->len >> 16);
	if (oldest && conn->is_udp)
		worked = in_work(conn, thread, ev->seq, ev->len >> 16);
	if (!worked)
		return oldest;
	worked->is_guess |= oldest != worked && oldest->is_begun;
	return worked;
}

/* What a key says that the thread works on: whatever it sends to whom. Where it slept since, it
 * may have waited in the middle, or be done with it. */
static struct item *by_key(const struct correlate *self, const struct thread *thread,
			   uint8_t *attribution)
{
	struct item *item = thread ? thread->current : NULL;

	if (!item || !item->has_key || item->is_closed || self->opts.is_go ||
	    self->opts.own == OWN_BY_THREAD || self->opts.own == OWN_BY_CONNECTION)
		return NULL;
	item->is_resumed |= item->is_suspended;
	item->is_suspended = false;
	*attribution = item->is_resumed ? ATTRIBUTED_GUESSED : ATTRIBUTED_KEY;
	return item;
}

static bool counts_thread(const struct correlate *self)
{
	if (self->opts.own == OWN_BY_CONNECTION || self->opts.own == OWN_BY_KEY)
		return false;
	return !self->opts.is_go || self->opts.own == OWN_BY_THREAD;
}

static struct item *by_thread(const struct correlate *self, const struct thread *thread,
			      uint8_t *attribution)
{
	if (!thread || !thread->current || thread->current->is_suspended || !counts_thread(self))
		return NULL;
	*attribution = is_guess(thread) ? ATTRIBUTED_GUESSED : ATTRIBUTED_THREAD;
	return thread->current;
}

/* No later send can be its: it waits for nothing but its packet. */
static struct item *originate(struct correlate *self, const struct conn *conn)
{
	struct item *item = item_new(self);

	if (!item)
		return NULL;
	item->is_originated = true;
	item->is_closed = true;
	item->is_udp = conn->is_udp;
	if (item->is_counted)
		self->account.originated++;
	else
		self->account.warmup++;
	return item;
}

/* Near a loss an item's read may be among the lost: nothing else may take its answer. */
static bool is_after_loss(const struct correlate *self)
{
	const struct lossy *last = &self->lossy[(self->nr_lossy - 1) % MAX_LOSSY];

	return self->nr_lossy && self->now_ns < last->until_ns + self->opts.item_timeout_ns;
}

/* What the thread read since its turn began, and now answers, may be among the lost. */
static bool turn_spans_loss(const struct correlate *self, const struct thread *thread)
{
	const struct lossy *last = &self->lossy[(self->nr_lossy - 1) % MAX_LOSSY];

	return counts_thread(self) && is_after_loss(self) &&
	       (!thread || last->until_ns >= thread->turn_ns);
}

void answer_lost_sends(struct correlate *self, struct conn *conn)
{
	struct list *node = conn->items.next, *next;

	for (; node != &conn->items; node = next) {
		struct item *item = item_of(node);

		next = node->next;
		if (item->outputs)
			continue;
		item->is_unseen = true;
		item_close(self, item);
	}
}

struct item *answer_send(struct correlate *self, struct conn *conn, struct thread *thread,
			 const struct gemba_event *ev, bool *is_first)
{
	uint8_t attribution = ATTRIBUTED_CONNECTION;
	struct item *keyed = by_key(self, thread, &attribution);
	struct item *item = keyed ?: by_connection(self, conn, thread, ev);
	bool is_orphan = !item && conn->is_accepted && is_after_loss(self);

	if (!item && conn->is_udp && was_given_up(self, conn, ev->seq, ev->len >> 16))
		is_orphan = conn->is_answered_late = true;
	if (!item && !is_orphan)
		item = by_thread(self, thread, &attribution);
	if (!item) {
		is_orphan |= turn_spans_loss(self, thread);
		attribution = ATTRIBUTED_NONE;
		item = originate(self, conn);
	}
	if (!item)
		return NULL;
	item->is_unseen |= is_orphan;
	*is_first = !item->outputs;
	item->outputs++;
	if (*is_first) {
		item->attribution = item->is_guess && !keyed ? ATTRIBUTED_GUESSED : attribution;
		item->out_sk = conn->id;
		item->out_seq = conn->is_udp ? 0 : ev->seq - (ev->kind == GEMBA_SENT) * ev->len;
		item->out_lport = conn->is.lport;
		item->out_rport = conn->is_udp ? ev->len >> 16 : conn->is.rport;
	}
	if (thread && !item->is_originated && item->reader != thread->tid && conn->is_udp)
		conn->is_answered_late = true;
	conn->last_send_ptr = item;
	conn->last_send_item = item->id;
	conn->last_send_ns = self->now_ns;
	conn->last_sender = thread ? thread->tid : 0;
	conn->last_send_epoch = thread ? thread->epoch : 0;
	item->last_output_ns = self->now_ns;
	/* whose sleep closes it: who touched it last */
	if (thread && !item->is_closed) {
		item->epoch = thread->epoch;
		list_move_tail(&thread->items, &item->by_thread);
	}
	item_touch(self, item);
	return item;
}
