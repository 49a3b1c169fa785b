// SPDX-License-Identifier: BSD-2-Clause
/*
 * order.c - sorts within a window, merges across CPUs
 *
 * In: batches of each CPU, in which a record may stand behind later ones by up to the length
 * of an interrupt (110 us seen), and marks. Out: all records in time order. Each CPU keeps its
 * bytes in a buffer and a sorted index of (time, offset); a record that is older than the one
 * before it is moved back in the index, which is short work in a nearly sorted stream; where it
 * is not, the index is sorted as a whole when it is wanted. A heap over CPUs merges. Without
 * marks the window is bounded by MAX_HELD records: the oldest half goes then.
 */
#include "src/correlate/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CPUS 1024
#define MAX_HELD (1u << 19)
#define MAX_MOVES 1024

struct key {
	uint64_t ts_ns;
	size_t at; /* offset in bytes */
};

struct lane {
	char *bytes;
	size_t nr_bytes;
	size_t room_bytes;
	struct key *keys;
	size_t head; /* first key not let go */
	size_t nr_keys;
	size_t room_keys;
	bool is_unsorted;
};

struct order {
	struct order_sink sink;
	struct lane *lanes; /* MAX_CPUS */
	unsigned int nr_lanes;
	unsigned int *heap; /* lanes that hold something, the oldest first */
	unsigned int nr_heap;
	size_t held;
	char *spare; /* the buffer that a lane's bytes are moved to next */
	size_t room_spare;
	uint64_t last_ns;
	uint64_t late;
	bool has_mark;
};

int order_new(struct order **out, struct order_sink sink)
{
	struct order *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->sink = sink;
	self->lanes = calloc(MAX_CPUS, sizeof(*self->lanes));
	self->heap = calloc(MAX_CPUS, sizeof(*self->heap));
	if (!self->lanes || !self->heap) {
		order_free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

void order_free(struct order *self)
{
	if (!self)
		return;
	for (unsigned int i = 0; self->lanes && i < self->nr_lanes; i++) {
		free(self->lanes[i].bytes);
		free(self->lanes[i].keys);
	}
	free(self->lanes);
	free(self->heap);
	free(self->spare);
	free(self);
}

static int reserve(struct lane *lane, size_t more_bytes, size_t more_keys)
{
	if (lane->nr_bytes + more_bytes > lane->room_bytes) {
		size_t room = (lane->nr_bytes + more_bytes) * 2;
		char *bytes = realloc(lane->bytes, room);

		if (!bytes)
			return -ENOMEM;
		lane->bytes = bytes;
		lane->room_bytes = room;
	}
	if (lane->nr_keys + more_keys > lane->room_keys) {
		size_t room = (lane->nr_keys + more_keys) * 2;
		struct key *keys = realloc(lane->keys, room * sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		lane->keys = keys;
		lane->room_keys = room;
	}
	return 0;
}

static size_t record_bytes(const struct lane *lane, size_t key)
{
	const char *record = lane->bytes + lane->keys[key].at;

	return gemba_record_bytes(((const struct gemba_event *)record)->kind);
}

static bool has_spare(struct order *self, size_t bytes)
{
	char *spare;

	if (bytes <= self->room_spare)
		return true;
	spare = realloc(self->spare, bytes * 2);
	if (!spare)
		return false;
	self->spare = spare;
	self->room_spare = bytes * 2;
	return true;
}

/* Only what is held stays in the buffer: one record far in the future must not keep the rest. */
static void move_bytes(struct order *self, struct lane *lane)
{
	char *old = lane->bytes;
	size_t room = lane->room_bytes, at = 0, bytes = 0;

	for (size_t i = lane->head; i < lane->nr_keys; i++)
		bytes += record_bytes(lane, i);
	if (!has_spare(self, bytes))
		return;
	for (size_t i = lane->head; i < lane->nr_keys; i++) {
		size_t len = record_bytes(lane, i);

		memcpy(self->spare + at, old + lane->keys[i].at, len);
		lane->keys[i].at = at;
		at += len;
	}
	lane->nr_bytes = at;
	lane->bytes = self->spare;
	lane->room_bytes = self->room_spare;
	self->spare = old;
	self->room_spare = room;
}

/* What has been let go leaves the buffers: at once when all has, else when it is most of them. */
static void compact(struct order *self, struct lane *lane)
{
	if (lane->head == lane->nr_keys) {
		lane->head = lane->nr_keys = lane->nr_bytes = 0;
		return;
	}
	if (lane->head < lane->nr_keys / 2)
		return;
	move_bytes(self, lane);
	lane->nr_keys -= lane->head;
	memmove(lane->keys, lane->keys + lane->head, lane->nr_keys * sizeof(*lane->keys));
	lane->head = 0;
}

static void insert_back(struct lane *lane, uint64_t ts_ns, size_t at)
{
	size_t i = lane->nr_keys, end = i - lane->head > MAX_MOVES ? i - MAX_MOVES : lane->head;

	lane->nr_keys++;
	while (!lane->is_unsorted && i > end && lane->keys[i - 1].ts_ns > ts_ns)
		i--;
	if (i > lane->head && lane->keys[i - 1].ts_ns > ts_ns) {
		lane->is_unsorted = true;
		i = lane->nr_keys - 1;
	}
	memmove(&lane->keys[i + 1], &lane->keys[i], (lane->nr_keys - 1 - i) * sizeof(*lane->keys));
	lane->keys[i] = (struct key){ ts_ns, at };
}

static void insert(struct lane *lane, uint64_t ts_ns, size_t at)
{
	if (lane->nr_keys > lane->head && lane->keys[lane->nr_keys - 1].ts_ns > ts_ns)
		insert_back(lane, ts_ns, at);
	else
		lane->keys[lane->nr_keys++] = (struct key){ ts_ns, at };
}

static int by_time(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void sort(struct lane *lane)
{
	if (!lane->is_unsorted)
		return;
	qsort(lane->keys + lane->head, lane->nr_keys - lane->head, sizeof(*lane->keys), by_time);
	lane->is_unsorted = false;
}

static uint64_t head_ns(const struct order *self, unsigned int lane)
{
	return self->lanes[lane].keys[self->lanes[lane].head].ts_ns;
}

static bool before(const struct order *self, unsigned int a, unsigned int b)
{
	uint64_t x = head_ns(self, a), y = head_ns(self, b);

	return x != y ? x < y : a < b;
}

static void sift_down(struct order *self, unsigned int i)
{
	for (;;) {
		unsigned int least = i, left = 2 * i + 1, right = left + 1, swap;

		if (left < self->nr_heap && before(self, self->heap[left], self->heap[least]))
			least = left;
		if (right < self->nr_heap && before(self, self->heap[right], self->heap[least]))
			least = right;
		if (least == i)
			return;
		swap = self->heap[i];
		self->heap[i] = self->heap[least];
		self->heap[least] = swap;
		i = least;
	}
}

static void make_heap(struct order *self)
{
	self->nr_heap = 0;
	for (unsigned int i = 0; i < self->nr_lanes; i++) {
		sort(&self->lanes[i]);
		if (self->lanes[i].head < self->lanes[i].nr_keys)
			self->heap[self->nr_heap++] = i;
	}
	for (unsigned int i = self->nr_heap / 2; i-- > 0;)
		sift_down(self, i);
}

static void give(struct order *self, struct lane *lane)
{
	struct gemba_event *ev = (struct gemba_event *)(lane->bytes + lane->keys[lane->head++].at);

	self->held--;
	if (ev->ts_ns < self->last_ns) {
		self->late++;
		ev->ts_ns = self->last_ns;
	}
	self->last_ns = ev->ts_ns;
	self->sink.event(self->sink.ctx, (const union gemba_record *)ev);
}

/* The lane whose turn it is after the first one's, or -1. */
static int second_lane(const struct order *self)
{
	if (self->nr_heap < 2)
		return -1;
	if (self->nr_heap == 2 || before(self, self->heap[1], self->heap[2]))
		return self->heap[1];
	return self->heap[2];
}

/* Lets go of everything before a time, and of the oldest whatever their time beyond `keep`. */
static void let_go(struct order *self, uint64_t until_ns, size_t keep)
{
	make_heap(self);
	while (self->nr_heap && (self->held > keep || head_ns(self, self->heap[0]) < until_ns)) {
		unsigned int first = self->heap[0];
		struct lane *lane = &self->lanes[first];
		int second = second_lane(self);

		/* events of one CPU mostly follow each other: the heap is asked once for a run */
		do
			give(self, lane);
		while (lane->head < lane->nr_keys && (second < 0 || before(self, first, second)) &&
		       (self->held > keep || head_ns(self, first) < until_ns));
		if (lane->head == lane->nr_keys)
			self->heap[0] = self->heap[--self->nr_heap];
		sift_down(self, 0);
	}
	for (unsigned int i = 0; i < self->nr_lanes; i++)
		compact(self, &self->lanes[i]);
}

static int take(struct order *self, struct lane *lane, const struct gemba_event *ev, size_t len)
{
	int err = reserve(lane, len, 1);

	if (err)
		return err;
	if (len == sizeof(*ev))
		memcpy(lane->bytes + lane->nr_bytes, ev, sizeof(*ev)); /* no call */
	else
		memcpy(lane->bytes + lane->nr_bytes, ev, len);
	insert(lane, ev->ts_ns, lane->nr_bytes);
	lane->nr_bytes += len;
	self->held++;
	return 0;
}

int order_add(struct order *self, unsigned int cpu, const void *records, size_t bytes)
{
	struct lane *lane = &self->lanes[cpu % MAX_CPUS];
	const char *at = records, *end = at + bytes;

	if (cpu % MAX_CPUS >= self->nr_lanes)
		self->nr_lanes = cpu % MAX_CPUS + 1;
	while ((size_t)(end - at) >= sizeof(struct gemba_event)) {
		const struct gemba_event *ev = (const struct gemba_event *)at;
		size_t len = gemba_record_bytes(ev->kind);
		int err = 0;

		if ((size_t)(end - at) < len)
			break;
		self->has_mark |= ev->kind == GEMBA_MARK;
		if (ev->kind == GEMBA_MARK)
			let_go(self, ev->ts_ns, SIZE_MAX);
		else
			err = take(self, lane, ev, len);
		if (err)
			return err;
		if (self->held > MAX_HELD)
			let_go(self, 0, MAX_HELD / 2);
		at += len;
	}
	return 0;
}

void order_finish(struct order *self)
{
	let_go(self, 0, 0);
}

uint64_t order_cut(struct order *self)
{
	uint64_t held = self->held;

	if (!self->has_mark) {
		order_finish(self);
		return 0;
	}
	for (unsigned int i = 0; i < self->nr_lanes; i++)
		self->lanes[i].head = self->lanes[i].nr_keys;
	self->held = 0;
	return held;
}

uint64_t order_late(const struct order *self)
{
	return self->late;
}
