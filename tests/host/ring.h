#ifndef TESTS_HOST_RING_H
#define TESTS_HOST_RING_H

#include <stdbool.h>
#include <stdint.h>

/* One producer, one consumer, fixed-size items, in memory that a forked process shares too. */
struct ring;

/*
 * nr_slots must be a power of two. With busy_poll both ends spin when they have to wait, else they
 * sleep on a futex. 0 or -errno, *out untouched on failure.
 */
int ring_new(uint32_t nr_slots, uint32_t slot_bytes, bool busy_poll, struct ring **out);

/* Accepts NULL. Neither end may be in a call. */
void ring_free(struct ring *self);

/* Copies the item in; waits while the ring is full. */
void ring_push(struct ring *self, const void *item);

/* Copies the oldest item out; waits while the ring is empty. There is no close: the producer ends
 * the stream with an item that says so. */
void ring_pop(struct ring *self, void *item);

#endif
