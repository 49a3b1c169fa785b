// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring.c - drains BPF ring buffers into batches
 *
 * The layout is the kernel's UAPI: a consumer page, a producer page, the data mapped twice. A
 * record is an 8-byte head (length, BUSY, DISCARD) and its bytes. Records are copied out of
 * the ring at once, so that the producers get their room back and the head bytes go.
 *
 * The mark: an event stamped before the pass began was reserved before it (the clock is read
 * after the reserve), so the pass has either copied it or stood before it, still busy. A busy
 * record holds the mark at the last stamp of its CPU, for at most HOLD_NS.
 */
#include "src/collect/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BATCH_BYTES (256 * 1024)
#define SLACK_NS 20000 /* clocks of two CPUs may differ by less than this */
#define HOLD_NS 1000000000ull
#define NR_KINDS 32

struct ring {
	unsigned long *consumer;
	unsigned long *producer;
	const char *data;
	uint64_t last_ns;	/* stamp of the last record copied */
	uint64_t busy_since_ns; /* 0: not stuck */
	uint64_t lost[NR_KINDS];
};

struct ring_source {
	struct source source;
	struct ring_source_opts opts;
	struct ring *rings;
	size_t page;
	unsigned int cpu; /* whose turn it is; nr_rings: lost, then mark */
	uint64_t pass_ns;
	uint64_t last_pass_ns;
	uint64_t next_ns;
	uint64_t hold_ns; /* this pass's mark must not pass it */
	uint64_t held;
	bool is_stopping;
	bool is_last; /* this pass is the last */
	bool lost_done;
	char *buffer;
	struct gemba_event mark;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Copies whole records to `to`; the bytes copied. Stops at a busy record. */
static size_t copy_records(struct ring_source *self, struct ring *ring, char *to, size_t room)
{
	const size_t mask = self->opts.ring_bytes - 1;
	unsigned long at = *ring->consumer;
	unsigned long end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	size_t bytes = 0;

	ring->busy_since_ns = at == end ? 0 : ring->busy_since_ns;
	while (at < end) {
		const uint32_t *head = (const uint32_t *)(ring->data + (at & mask));
		uint32_t word = __atomic_load_n(head, __ATOMIC_ACQUIRE);
		uint32_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (word & BPF_RINGBUF_BUSY_BIT) {
			ring->busy_since_ns = ring->busy_since_ns ?: self->pass_ns;
			break;
		}
		ring->busy_since_ns = 0;
		if (bytes + len > room)
			break;
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			memcpy(to + bytes, (const char *)head + BPF_RINGBUF_HDR_SZ, len);
			ring->last_ns = ((struct gemba_event *)(to + bytes))->ts_ns;
			bytes += len;
		}
		at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
	}
	__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	return bytes;
}

static void hold(struct ring_source *self, const struct ring *ring)
{
	if (!ring->busy_since_ns)
		return;
	if (self->pass_ns - ring->busy_since_ns > HOLD_NS)
		self->held++;
	else if (ring->last_ns < self->hold_ns)
		self->hold_ns = ring->last_ns;
}

/* Fills buffer with GEMBA_LOST for every counter of every CPU that moved. */
static size_t collect_lost(struct ring_source *self)
{
	struct gemba_event *ev = (struct gemba_event *)self->buffer;
	const struct gemba_event *end = ev + BATCH_BYTES / sizeof(*ev);
	/* what the producers could not place while this pass drained is of this window too */
	uint64_t until_ns = now_ns();

	for (unsigned int cpu = 0; cpu < self->opts.nr_rings; cpu++) {
		for (unsigned int kind = 0; kind < NR_KINDS && ev < end; kind++) {
			uint64_t lost = self->opts.lost(self->opts.ctx, cpu, kind);
			uint64_t more = lost - self->rings[cpu].lost[kind];

			if (!more)
				continue;
			self->rings[cpu].lost[kind] = lost;
			*ev++ = (struct gemba_event){ .ts_ns = self->last_pass_ns,
						      .seq = until_ns - self->last_pass_ns,
						      .kind = GEMBA_LOST,
						      .cpu = cpu,
						      .len = more > UINT32_MAX ? UINT32_MAX : more,
						      .aux = kind };
		}
	}
	return (char *)ev - self->buffer;
}

static void begin_pass(struct ring_source *self)
{
	if (self->is_stopping) {
		self->is_last = true;
	} else {
		sleep_until(self->next_ns);
	}
	self->cpu = 0;
	self->lost_done = false;
	self->last_pass_ns = self->pass_ns;
	self->pass_ns = now_ns();
	self->next_ns = self->pass_ns + self->opts.period_ns;
	self->hold_ns = UINT64_MAX;
}

static int give_mark(struct ring_source *self, struct batch *batch)
{
	uint64_t mark = self->pass_ns - SLACK_NS;

	if (self->hold_ns < mark)
		mark = self->hold_ns;
	if (mark > self->mark.ts_ns)
		self->mark.ts_ns = mark;
	if (self->is_last)
		self->mark.ts_ns = self->pass_ns;
	self->cpu = UINT32_MAX;
	*batch = (struct batch){ .records = &self->mark, .bytes = sizeof(self->mark) };
	return 1;
}

static int ring_read(struct source *source, struct batch *batch)
{
	struct ring_source *self = (struct ring_source *)source;
	size_t bytes;

	if (self->cpu == UINT32_MAX) {
		if (self->is_last)
			return 0;
		begin_pass(self);
	}
	for (; self->cpu < self->opts.nr_rings; self->cpu++) {
		struct ring *ring = &self->rings[self->cpu];

		bytes = copy_records(self, ring, self->buffer, BATCH_BYTES);
		if (bytes) {
			*batch = (struct batch){ self->buffer, bytes, self->cpu };
			/* a full buffer: this ring has more; what came meanwhile is for the next pass */
			if (bytes < BATCH_BYTES - 256) {
				hold(self, ring);
				self->cpu++;
			}
			return 1;
		}
		hold(self, ring);
	}
	if (!self->lost_done) {
		self->lost_done = true;
		bytes = collect_lost(self);
		if (bytes) {
			*batch = (struct batch){ self->buffer, bytes, 0 };
			return 1;
		}
	}
	return give_mark(self, batch);
}

static void unmap(struct ring_source *self, struct ring *ring)
{
	if (ring->consumer)
		munmap(ring->consumer, self->page);
	if (ring->producer)
		munmap(ring->producer, self->page + 2 * self->opts.ring_bytes);
}

static void ring_free(struct source *source)
{
	struct ring_source *self = (struct ring_source *)source;

	for (unsigned int cpu = 0; self->rings && cpu < self->opts.nr_rings; cpu++)
		unmap(self, &self->rings[cpu]);
	free(self->rings);
	free(self->buffer);
	free(self);
}

static int map_ring(struct ring_source *self, struct ring *ring, int fd)
{
	void *at = mmap(NULL, self->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	ring->consumer = at;
	at = mmap(NULL, self->page + 2 * self->opts.ring_bytes, PROT_READ, MAP_SHARED, fd,
		  self->page);
	if (at == MAP_FAILED)
		return -errno;
	ring->producer = at;
	ring->data = (char *)at + self->page;
	return 0;
}

int ring_source_new(struct source **out, const struct ring_source_opts *opts)
{
	struct ring_source *self = calloc(1, sizeof(*self));
	int err = 0;

	if (!self)
		return -ENOMEM;
	self->source = (struct source){ .read = ring_read, .free = ring_free };
	self->opts = *opts;
	self->page = sysconf(_SC_PAGESIZE);
	self->cpu = UINT32_MAX;
	self->pass_ns = now_ns();
	self->mark.kind = GEMBA_MARK;
	self->rings = calloc(opts->nr_rings, sizeof(*self->rings));
	self->buffer = malloc(BATCH_BYTES);
	if (!self->rings || !self->buffer)
		err = -ENOMEM;
	for (unsigned int cpu = 0; !err && cpu < opts->nr_rings; cpu++)
		err = map_ring(self, &self->rings[cpu], opts->fd(opts->ctx, cpu));
	if (err) {
		ring_free(&self->source);
		return err;
	}
	*out = &self->source;
	return 0;
}

void ring_source_stop(struct source *source)
{
	((struct ring_source *)source)->is_stopping = true;
}

uint64_t ring_source_held(const struct source *source)
{
	return ((const struct ring_source *)source)->held;
}
