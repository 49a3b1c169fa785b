// SPDX-License-Identifier: BSD-2-Clause
/*
 * stage.c - functions of the target: which item a thread works on, and where it is in it
 *
 * The entry stage begins an item: the first that its thread has read and not begun, else a fork
 * of the one it began last (several messages in one packet). Further stages are stations of the
 * thread's current item until its first output. What DEFINITIONS leaves open, and this decides:
 *
 * - Several items wait for the entry stage: those of connections none of whose items was ever
 *   begun while nothing else waited (the acks of a session that the feed's thread reads as
 *   well) are passed over.
 * - A thread that sleeps in an item, waiting for a lock, looks like one that is done with it.
 *   A further stage, with no read between, tells that it was in the middle: the item goes on, and
 *   its output is called guessed, as a timer's function could have come the same way.
 */
#include "src/correlate/state.h"

static struct item *by_thread(struct list *node)
{
	return list_entry(node, struct item, by_thread);
}

static bool is_waiting(const struct item *item, const struct thread *thread)
{
	return item->epoch == thread->epoch && !item->is_begun && !item->outputs &&
	       item->reader == thread->tid;
}

static bool is_of_a_beginner(struct correlate *self, const struct item *item)
{
	const struct conn *conn = state_conn(self, item->conn_id);

	return conn && conn->is_begun_alone;
}

/* The first that waits to be begun; *nr_waiting: how many do. */
static struct item *front(struct correlate *self, const struct thread *thread,
			  unsigned int *nr_waiting)
{
	struct item *first = NULL, *likely = NULL;

	*nr_waiting = 0;
	for (struct list *node = thread->items.prev; node != &thread->items; node = node->prev) {
		struct item *item = by_thread(node);

		/* what was read before one that was begun has been passed over */
		if (item->epoch != thread->epoch || (item->is_begun && !item->outputs))
			break;
		if (!is_waiting(item, thread))
			continue;
		++*nr_waiting;
		first = item;
		if (is_of_a_beginner(self, item))
			likely = item;
	}
	return likely ?: first;
}

/* What the packet's first message has in common with the next one: the way up to the entry. */
static void copy_arrival(struct item *to, const struct item *from)
{
	for (unsigned int i = 0; i < from->nr_stamps; i++) {
		const struct stamp *stamp = &from->stamps[i];
		struct stamp *copy;

		if (stamp->station > STATION_RECV)
			break;
		copy = item_stamp(to, stamp->station, stamp->at_ns, stamp->tid, stamp->cpu);
		if (!copy)
			return;
		*copy = *stamp;
		/* what the thread ran for the first message is counted there */
		copy->parts.busy_item_ns += copy->parts.on_cpu_ns;
		copy->parts.on_cpu_ns = 0;
	}
}

static struct item *fork_item(struct correlate *self, struct thread *thread)
{
	const struct item *from = thread->last_begun;
	struct item *item;
	struct conn *conn;

	if (!from || from->id != thread->last_begun_id || thread->last_begun_epoch != thread->epoch)
		return NULL;
	item = item_new(self);
	if (!item)
		return NULL;
	item->conn_id = from->conn_id;
	item->is_udp = from->is_udp;
	item->in_seq = from->in_seq;
	item->in_lport = from->in_lport;
	item->in_rport = from->in_rport;
	item->raddr = from->raddr;
	item->rport = from->rport;
	item->reader = from->reader;
	item->first_recv_ns = from->first_recv_ns;
	item->supplier = from->supplier;
	item->is_partial = from->is_partial;
	item->is_doubtful = from->is_doubtful;
	item->epoch = thread->epoch;
	item->worker = thread->tid;
	copy_arrival(item, from);
	conn = state_conn(self, item->conn_id);
	if (conn)
		list_add_tail(&conn->items, &item->by_conn);
	list_add_tail(&thread->items, &item->by_thread);
	if (item->is_counted)
		self->account.in++, self->account.forks++;
	else
		self->account.warmup++;
	return item;
}

static struct item *begin(struct correlate *self, struct thread *thread)
{
	unsigned int nr_waiting;
	struct item *item = front(self, thread, &nr_waiting);

	if (item && nr_waiting == 1) {
		struct conn *conn = state_conn(self, item->conn_id);

		if (conn)
			conn->is_begun_alone = true;
	}
	if (!item)
		item = fork_item(self, thread);
	if (!item)
		return NULL;
	if (thread->current)
		thread->current->is_suspended = false;
	item->is_begun = true;
	thread->last_begun = item;
	thread->last_begun_id = item->id;
	thread->last_begun_epoch = thread->epoch;
	thread_set_current(thread, self->now_ns, item);
	item->worker = thread->tid;
	return item;
}

/* The one it works on; after a sleep in the middle of it, it goes on. */
static struct item *go_on(struct thread *thread)
{
	struct item *item = thread->current;

	if (!item || item->outputs || item->is_closed)
		return NULL;
	if (item->is_suspended) {
		item->is_suspended = false;
		item->is_resumed = true;
	}
	return item;
}

static void stamp(struct correlate *self, struct thread *thread, struct item *item,
		  unsigned int station, unsigned int cpu)
{
	struct stamp *last = item->nr_stamps ? &item->stamps[item->nr_stamps - 1] : NULL, *now;

	if (last && last->station == station) {
		last->more_visits++;
		return;
	}
	if (item->nr_stamps + ITEM_LAST_STAMPS >= JOURNEY_MAX_STATIONS) {
		self->account.stage_hits_skipped += self->is_warm;
		return;
	}
	now = item_stamp(item, station, self->now_ns, thread->tid, cpu);
	if (!now || now == item->stamps || !self->opts.has_sched)
		return;
	thread_split(thread, item, now[-1].at_ns, now->at_ns, &now->parts);
}

void stage_hit(struct correlate *self, struct thread *thread, uint32_t stage, unsigned int cpu)
{
	struct item *item = NULL;

	self->account.stage_hits += self->is_warm;
	if (!self->opts.is_go && stage < GEMBA_MAX_STAGES)
		item = stage == 0 ? begin(self, thread) : go_on(thread);
	if (!item) {
		self->account.stage_hits_unowned += self->is_warm;
		return;
	}
	stamp(self, thread, item, STATION_STAGE + stage, cpu);
	thread->last_station = ++self->serial;
	item_touch(self, item);
}

bool stage_suspend(struct thread *thread)
{
	struct item *item = thread->current;

	if (!item || !item->is_begun || item->outputs || item->is_closed)
		return false;
	item->is_suspended = true;
	return true;
}

void stage_settle(struct correlate *self, struct thread *thread)
{
	struct item *item = thread->current;

	if (!item || !item->is_suspended)
		return;
	item->is_suspended = false;
	own_slept(self, thread);
}
