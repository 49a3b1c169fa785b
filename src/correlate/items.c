// SPDX-License-Identifier: BSD-2-Clause
/*
 * items.c - the life of items: made, touched, closed, finished, and the balance of them
 *
 * An item that is closed gets no more outputs but is finished only once the packet of its
 * first output has left, so that its last station is known, and has arrived, so that it is
 * known whether it had to be sent again. Items are bounded in number and
 * in age: what has not moved for the item timeout is closed, and the oldest goes when there
 * are too many, counted as let go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/correlate/state.h"

#define DEFAULT_MAX_ITEMS 32768
#define FIRST_STAMPS 8
#define KEPT_STAMPS 32 /* room that an item keeps for its next use */

static size_t max_items(const struct correlate *self)
{
	return self->opts.max_items ?: DEFAULT_MAX_ITEMS;
}

bool item_grow(struct item *self)
{
	unsigned int room = self->room_stamps ? self->room_stamps * 2U : FIRST_STAMPS;
	struct stamp *stamps;

	if (self->room_stamps >= JOURNEY_MAX_STATIONS)
		return false;
	stamps = realloc(self->stamps, room * sizeof(*stamps));
	if (!stamps)
		return false;
	self->stamps = stamps;
	self->room_stamps = room;
	return true;
}

struct item *item_new(struct correlate *self)
{
	uint8_t room_stamps;
	struct item *item;

	if (self->nr_items >= max_items(self)) {
		item = list_entry(self->items.next, struct item, by_time);
		self->account.let_go += !item_is_settled(item);
		item_finish(self, item, item_outcome(item));
	}
	item = self->free_items;
	if (item)
		self->free_items = (struct item *)item->by_time.next;
	else
		item = calloc(1, sizeof(*item));
	if (!item || (!item->stamps && !item_grow(item))) {
		free(item);
		self->error = -ENOMEM;
		return NULL;
	}
	room_stamps = item->room_stamps;
	memset(item, 0, offsetof(struct item, stamps));
	item->room_stamps = room_stamps;
	list_init(&item->by_time);
	list_init(&item->by_conn);
	list_init(&item->by_thread);
	item->id = ++self->next_id;
	item->supplier = item->customer = ENDPOINT_NONE;
	item->is_warmup = !self->is_warm;
	item->is_counted = self->is_warm;
	item->last_ns = self->now_ns;
	list_add_tail(&self->items, &item->by_time);
	self->nr_items++;
	return item;
}

void item_touch(struct correlate *self, struct item *item)
{
	item->last_ns = self->now_ns;
	list_move_tail(&self->items, &item->by_time);
}

enum outcome item_outcome(const struct item *item)
{
	if (item->is_dropped)
		return OUTCOME_DROPPED;
	return item->outputs ? OUTCOME_OUT : OUTCOME_ENDED;
}

void item_leave_thread(struct correlate *self, struct item *item)
{
	struct thread *thread = idmap_get(&self->threads, item->worker);

	if (thread && thread->current == item)
		thread_set_current(thread, self->now_ns, NULL);
}

void item_close(struct correlate *self, struct item *item)
{
	entry_left(self, item);
	item_leave_thread(self, item);
	list_del(&item->by_conn);
	list_del(&item->by_thread);
	item->is_closed = true;
	item_settle(self, item);
}

void item_settle(struct correlate *self, struct item *item)
{
	if (item_is_settled(item) && !item->waits_for_ack)
		item_finish(self, item, item_outcome(item));
}

/* Events were lost at some time between its first station and now, or when it was complete. */
static bool spans_loss(const struct correlate *self, const struct item *item)
{
	uint32_t nr = self->nr_lossy < MAX_LOSSY ? self->nr_lossy : MAX_LOSSY;
	bool has_left = item->stamps[item->nr_stamps - 1].station == STATION_TX;
	uint64_t until_ns = has_left && item->is_closed ? item->last_ns : self->now_ns;

	for (uint32_t n = 1; n <= nr; n++) {
		const struct lossy *lossy = &self->lossy[(self->nr_lossy - n) % MAX_LOSSY];

		if (lossy->until_ns >= item->stamps[0].at_ns && lossy->from_ns <= until_ns)
			return true;
	}
	return false;
}

static bool has_station(const struct item *item, uint16_t station)
{
	for (unsigned int i = 0; i < item->nr_stamps; i++)
		if (item->stamps[i].station == station)
			return true;
	return false;
}

/* It went past a station whose events were lost at some time, and has no stamp of it. */
static bool lacks_station(const struct correlate *self, const struct item *item)
{
	const uint64_t *lost = self->account.lost_by_kind;
	bool has_left = has_station(item, STATION_TX);

	return (lost[GEMBA_SOCK] && !item->is_originated && !has_station(item, STATION_SOCK)) ||
	       (lost[GEMBA_SEND] && has_left && !item->is_udp &&
		!has_station(item, STATION_SEND)) ||
	       (lost[GEMBA_TXQ] && has_left && !has_station(item, STATION_TXQ));
}

/* Its events may be among the lost ones, and something of it is missing. */
static bool is_unobserved(const struct correlate *self, const struct item *item)
{
	const struct stamp *last = &item->stamps[item->nr_stamps - 1];
	bool lacks_begin = !item->is_originated && item->is_partial;
	bool lacks_end = last->station != STATION_TX;
	bool may_lack_stages = self->account.lost_by_kind[GEMBA_STAGE];

	return self->nr_lossy &&
	       (lacks_begin || lacks_end || item->waits_for_tx || may_lack_stages ||
		lacks_station(self, item)) &&
	       spans_loss(self, item);
}

static void fill_journey(struct journey *journey, const struct item *item, enum outcome outcome)
{
	journey->id = item->id;
	journey->supplier = item->supplier;
	journey->customer = item->customer;
	journey->in_sk = item->conn_id;
	journey->out_sk = item->out_sk;
	journey->in_seq = item->in_seq;
	journey->out_seq = item->out_seq;
	journey->in_lport = item->in_lport;
	journey->in_rport = item->in_rport;
	journey->out_lport = item->out_lport;
	journey->out_rport = item->out_rport;
	journey->bytes_in = item->bytes_in;
	journey->bytes_out = item->bytes_out;
	journey->key = item->key;
	journey->has_key = item->has_key;
	journey->is_udp = item->is_udp;
	journey->is_originated = item->is_originated;
	journey->is_partial = item->is_partial;
	journey->is_warmup = item->is_warmup;
	journey->is_doubtful = item->is_doubtful;
	journey->is_queued = item->is_queued;
	journey->is_deferred_send = item->is_deferred_send;
	journey->outcome = outcome;
	journey->attribution = item->attribution;
	journey->merges = item->merges;
	journey->outputs = item->outputs;
	journey->outputs_shared = item->outputs_shared;
	journey->retransmits = item->retransmits;
	journey->last_output_ns = item->last_output_ns;
	journey->nr_stamps = item->nr_stamps;
	memcpy(journey->stamps, item->stamps, item->nr_stamps * sizeof(item->stamps[0]));
}

static void account_for(struct correlate *self, const struct item *item, enum outcome outcome)
{
	struct account *account = &self->account;

	if (!item->is_counted)
		return;
	account->by_outcome[outcome]++;
	if (item->is_partial)
		account->partial++;
	if (item->is_doubtful)
		account->doubtful_pairs++;
	if (item->outputs)
		account->attributed[item->attribution]++;
	account->merges += item->merges;
	if (item->outputs_shared > 1)
		account->shared_outputs++;
}

void item_finish(struct correlate *self, struct item *item, enum outcome outcome)
{
	join_forget(self, item);
	if (!item->is_closed) {
		entry_left(self, item);
		item_leave_thread(self, item);
	}
	if (!item->nr_stamps) {
		/* originated, its call told only at its end, its packet not seen */
		item_stamp(item, STATION_SEND, item->last_ns, 0, 0);
		item->is_partial = true;
	}
	if (outcome != OUTCOME_IN_FLIGHT && (item->is_unseen || is_unobserved(self, item)))
		outcome = OUTCOME_UNOBSERVED;
	account_for(self, item, outcome);
	fill_journey(&self->journey, item, outcome);
	self->sink.journey(self->sink.ctx, &self->journey);
	list_del(&item->by_time);
	list_del(&item->by_conn);
	list_del(&item->by_thread);
	item->id = 0;
	if (item->room_stamps > KEPT_STAMPS) {
		free(item->stamps);
		item->stamps = NULL;
		item->room_stamps = 0;
	}
	item->by_time.next = (struct list *)self->free_items;
	self->free_items = item;
	self->nr_items--;
}

void state_expire(struct correlate *self)
{
	while (!list_is_empty(&self->items)) {
		struct item *item = list_entry(self->items.next, struct item, by_time);

		if (self->now_ns - item->last_ns < self->opts.item_timeout_ns)
			return;
		item_finish(self, item, item_outcome(item));
	}
}
