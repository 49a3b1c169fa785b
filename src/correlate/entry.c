// SPDX-License-Identifier: BSD-2-Clause
/*
 * entry.c - which item a hit of the entry stage begins, and what a thread's habits say of it
 *
 * DEFINITIONS: the front of what the thread has read and not begun, else a fork of what it began
 * last. Taken literally that goes wrong for two kinds of readers, whom no sleep tells apart when
 * they are busy, and so both are learned:
 *
 * - Some connections never lead to the entry stage: the acks of a session that the feed's thread
 *   reads as well. What was read on one and followed by no entry until the item ended speaks
 *   against it; an entry where nothing else was to be begun speaks for it. Before either is seen,
 *   what comes in from outside is likelier than what the target asked for itself. What was read
 *   since the last entry is never passed over for a fork.
 * - Some threads read one, filter it or answer it without the stage, and read the next: with the
 *   front, each that was left out would put all later ones off by one. Such a thread enters as
 *   often after several reads as after one, and leaves items unbegun; one that works through a
 *   queue does neither. It begins the newest.
 */
#include "src/correlate/state.h"

#include <stdlib.h>

#define MIN_RUNS 4	   /* of several reads, before a thread has a habit */
#define SAME_ENTRIES 1.25  /* as many after several reads as after one, or so */
#define FEWER_ENTRIES 0.75 /* than reads, of a thread that never reads but one */
#define MIN_LEFT 16
#define LEFT_SHARE 0.05 /* of its items are left unbegun by a thread that filters */
#define MIN_SEEN 4	/* of a connection, before it is thought to lead nowhere */
#define RARE 50		/* one in so many is entered: it leads somewhere */

enum likelihood { UNLIKELY, UNKNOWN, LIKELY };

struct choice {
	struct item *item; /* NULL: a fork, if that can be */
	bool is_sure;	   /* there was nothing of another connection to choose */
	bool is_guess;
};

static struct item *by_thread(struct list *node)
{
	return list_entry(node, struct item, by_thread);
}

static enum likelihood likelihood(const struct conn *conn)
{
	if (!conn)
		return UNKNOWN;
	if (conn->nr_not_entered >= MIN_SEEN && conn->nr_not_entered > RARE * conn->nr_entered)
		return UNLIKELY;
	return conn->nr_entered || conn->is_udp || conn->is_accepted ? LIKELY : UNKNOWN;
}

static enum likelihood item_likelihood(struct correlate *self, const struct item *item)
{
	return likelihood(state_conn(self, item->conn_id));
}

static bool is_newest_first(const struct entry_habit *habit)
{
	double limit;

	if (habit->nr_runs < MIN_RUNS || !habit->leaves_some)
		return false;
	if (habit->nr_single_runs)
		limit = SAME_ENTRIES * habit->nr_single_entries / habit->nr_single_runs;
	else
		limit = FEWER_ENTRIES * (double)habit->nr_reads / habit->nr_runs;
	return (double)habit->nr_entries / habit->nr_runs <= limit;
}

/* It leaves some of what it reads together, and never reads but one: which is not known. */
static bool is_unsettled(const struct entry_habit *habit)
{
	return habit->leaves_some && (!is_newest_first(habit) || !habit->nr_single_runs);
}

/* A run of reads with the entries behind it is over. */
static void end_run(struct entry_habit *habit)
{
	if (habit->entries && habit->reads == 1) {
		habit->nr_single_runs++;
		habit->nr_single_entries += habit->entries;
	} else if (habit->entries && habit->reads) {
		habit->nr_runs++;
		habit->nr_reads += habit->reads;
		habit->nr_entries += habit->entries;
	}
	habit->reads = habit->entries = 0;
}

void entry_read(const struct conn *conn, struct thread *thread)
{
	struct entry_habit *habit = &thread->habit;

	if (likelihood(conn) < habit->least_likely)
		return;
	if (habit->entries)
		end_run(habit);
	habit->reads++;
}

void entry_slept(struct thread *thread)
{
	end_run(&thread->habit);
}

/* Once is for good: those that it leaves are told late, up to the item timeout. */
static void note_left(struct entry_habit *habit)
{
	habit->nr_left++;
	habit->leaves_some |= habit->nr_left >= MIN_LEFT &&
			      habit->nr_left > LEFT_SHARE * habit->nr_begun;
}

void entry_left(struct correlate *self, const struct item *item)
{
	struct thread *thread = idmap_get(&self->threads, item->reader);
	struct conn *conn = state_conn(self, item->conn_id);

	if (!thread || item->is_begun || !item->read_station)
		return;
	if (likelihood(conn) >= thread->habit.least_likely)
		note_left(&thread->habit);
	if (conn && thread->habit.entry_station < item->read_station)
		conn->nr_not_entered++;
}

static bool is_waiting(const struct item *item, const struct thread *thread)
{
	return item->epoch == thread->epoch && !item->is_begun && !item->outputs &&
	       item->reader == thread->tid && item->read_station > thread->habit.passed_station;
}

/* What it began last, if its messages may still be worked on. */
static const struct begun *last_begun(const struct thread *thread)
{
	return thread->last_begun_epoch == thread->epoch ? thread->last_begun : NULL;
}

static bool is_better(struct correlate *self, const struct item *item, const struct item *than,
		      bool newest)
{
	int by = than ? (int)item_likelihood(self, item) - (int)item_likelihood(self, than) : 1;

	/* they come from the newest to the oldest */
	return by > 0 || (by == 0 && !newest);
}

/* It was another connection's turn, and of neither is anything known yet. */
static bool is_guess(struct correlate *self, uint32_t conn_id, const struct item *front)
{
	const struct conn *conn = state_conn(self, conn_id);

	return conn_id != front->conn_id && (!conn || !conn->nr_entered) &&
	       item_likelihood(self, front) == UNKNOWN;
}

static struct choice choose(struct correlate *self, const struct thread *thread)
{
	const struct begun *last = last_begun(thread);
	const struct item *front = NULL;
	bool newest = is_newest_first(&thread->habit);
	struct choice choice = { .is_sure = true };
	unsigned int nr_waiting = 0;

	for (struct list *node = thread->items.prev; node != &thread->items; node = node->prev) {
		struct item *item = by_thread(node);

		if (item->epoch != thread->epoch)
			break;
		if (!is_waiting(item, thread))
			continue;
		choice.is_sure &= !front || front->conn_id == item->conn_id;
		front = item;
		nr_waiting++;
		if (is_better(self, item, choice.item, newest))
			choice.item = item;
	}
	if (!front)
		return choice;
	choice.is_sure &= !last || last->conn_id == front->conn_id;
	if (last && choice.item->read_station < thread->habit.entry_station &&
	    likelihood(state_conn(self, last->conn_id)) > item_likelihood(self, choice.item))
		choice.item = NULL;
	/* of those that are read together some are not worked on: which, only a key would tell */
	choice.is_guess =
		is_guess(self, choice.item ? choice.item->conn_id : last->conn_id, front) ||
		(nr_waiting > 1 && is_unsettled(&thread->habit)) ||
		(thread->habit.reads > 1 && thread->habit.forks_some);
	return choice;
}

/* What the packet's first message has in common with the next one: the way up to the entry. */
static void remember(struct thread *thread, const struct item *item)
{
	struct begun *begun = thread->last_begun;

	if (!begun)
		begun = thread->last_begun = malloc(sizeof(*begun));
	if (!begun)
		return;
	*begun = (struct begun){
		.first_recv_ns = item->first_recv_ns,
		.conn_id = item->conn_id,
		.in_seq = item->in_seq,
		.raddr = item->raddr,
		.reader = item->reader,
		.supplier = item->supplier,
		.in_lport = item->in_lport,
		.in_rport = item->in_rport,
		.rport = item->rport,
		.is_udp = item->is_udp,
		.is_partial = item->is_partial,
		.is_doubtful = item->is_doubtful,
		.is_guess = item->is_guess,
	};
	while (begun->nr_stamps < item->nr_stamps && begun->nr_stamps < BEGUN_MAX_STAMPS &&
	       item->stamps[begun->nr_stamps].station <= STATION_RECV) {
		begun->stamps[begun->nr_stamps] = item->stamps[begun->nr_stamps];
		begun->nr_stamps++;
	}
	thread->last_begun_epoch = thread->epoch;
}

static void copy_arrival(struct item *to, const struct begun *from)
{
	for (unsigned int i = 0; i < from->nr_stamps; i++) {
		const struct stamp *stamp = &from->stamps[i];
		struct stamp *copy =
			item_stamp(to, stamp->station, stamp->at_ns, stamp->tid, stamp->cpu);

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
	const struct begun *from = last_begun(thread);
	struct item *item;
	struct conn *conn;

	if (!from)
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
	item->is_guess = from->is_guess;
	item->epoch = thread->epoch;
	item->worker = thread->tid;
	thread->habit.forks_some = true;
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

static void note_begun(struct correlate *self, struct thread *thread, const struct item *item,
		       bool is_sure)
{
	struct conn *conn = state_conn(self, item->conn_id);
	struct entry_habit *habit = &thread->habit;

	if (conn)
		conn->nr_entered += is_sure;
	habit->least_likely = likelihood(conn);
	habit->nr_begun++;
	if (is_newest_first(habit))
		habit->passed_station = item->read_station;
}

struct item *entry_begin(struct correlate *self, struct thread *thread)
{
	struct choice choice = choose(self, thread);
	struct item *item = choice.item;

	thread->habit.entry_station = ++self->serial;
	thread->habit.entries++;
	if (item)
		note_begun(self, thread, item, choice.is_sure);
	else
		item = fork_item(self, thread);
	if (!item)
		return NULL;
	if (thread->current)
		thread->current->is_suspended = false;
	item->is_begun = true;
	item->is_guess |= choice.is_guess;
	remember(thread, item);
	thread_set_current(thread, self->now_ns, item);
	item->worker = thread->tid;
	return item;
}

struct item *entry_originate(struct correlate *self, struct thread *thread)
{
	struct item *item = item_new(self);

	if (!item)
		return NULL;
	item->is_originated = item->is_begun = true;
	item->epoch = thread->epoch;
	item->worker = item->reader = thread->tid;
	list_add_tail(&thread->items, &item->by_thread);
	thread_set_current(thread, self->now_ns, item);
	if (item->is_counted)
		self->account.originated++;
	else
		self->account.warmup++;
	return item;
}
