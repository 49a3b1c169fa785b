/*
 * Items of one thread in, the same items in order out to one other thread.
 *
 * Invariant: head - tail is the number of items inside, head is written by the producer only, tail
 * by the consumer only, each on its own cache line. The counters themselves are the futex words:
 * a waiter announces itself, then sleeps only if the counter is still the one it saw, while the
 * other side moves the counter, then looks for a waiter. With both in sequentially consistent
 * order one of them sees the other, so no wake-up is lost and none is sent to nobody.
 * The memory is a memfd, mapped shared, with no pointer inside: a fork can take either end over.
 */
#define _GNU_SOURCE 1

#include "tests/host/ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring_end {
	_Alignas(64) _Atomic uint32_t count; /* items moved by this end, wrapping */
	_Atomic uint32_t is_awaited;	     /* the other end sleeps until count moves */
};

struct ring {
	struct ring_end head, tail;
	_Alignas(64) uint32_t nr_slots;
	uint32_t slot_bytes;
	size_t map_bytes;
	bool busy_poll;
	_Alignas(64) uint8_t slots[];
};

int ring_new(uint32_t nr_slots, uint32_t slot_bytes, bool busy_poll, struct ring **out)
{
	size_t map_bytes = offsetof(struct ring, slots) + (size_t)nr_slots * slot_bytes;
	struct ring *self;
	int err = 0, fd;

	if (!nr_slots || nr_slots & (nr_slots - 1))
		return -EINVAL;
	fd = memfd_create("host-ring", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)map_bytes)) {
		err = -errno;
		close(fd);
		return err;
	}
	self = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (self == MAP_FAILED)
		err = -errno;
	close(fd);
	if (err)
		return err;
	self->nr_slots = nr_slots;
	self->slot_bytes = slot_bytes;
	self->map_bytes = map_bytes;
	self->busy_poll = busy_poll;
	*out = self;
	return 0;
}

void ring_free(struct ring *self)
{
	if (self)
		munmap(self, self->map_bytes);
}

static void wait_while(const struct ring *self, struct ring_end *end, uint32_t seen)
{
	if (self->busy_poll) {
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
		return;
	}
	atomic_store(&end->is_awaited, 1);
	if (atomic_load(&end->count) == seen)
		syscall(SYS_futex, &end->count, FUTEX_WAIT, seen, NULL, NULL, 0);
	atomic_store(&end->is_awaited, 0);
}

static void advance(struct ring_end *end, uint32_t count)
{
	atomic_store(&end->count, count);
	if (atomic_load(&end->is_awaited))
		syscall(SYS_futex, &end->count, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint8_t *slot(struct ring *self, uint32_t count)
{
	return self->slots + (size_t)(count & (self->nr_slots - 1)) * self->slot_bytes;
}

void ring_push(struct ring *self, const void *item)
{
	uint32_t head = atomic_load_explicit(&self->head.count, memory_order_relaxed);
	uint32_t full = head - self->nr_slots;

	while (atomic_load_explicit(&self->tail.count, memory_order_acquire) == full)
		wait_while(self, &self->tail, full);
	memcpy(slot(self, head), item, self->slot_bytes);
	advance(&self->head, head + 1);
}

void ring_pop(struct ring *self, void *item)
{
	uint32_t tail = atomic_load_explicit(&self->tail.count, memory_order_relaxed);

	while (atomic_load_explicit(&self->head.count, memory_order_acquire) == tail)
		wait_while(self, &self->head, tail);
	memcpy(item, slot(self, tail), self->slot_bytes);
	advance(&self->tail, tail + 1);
}
