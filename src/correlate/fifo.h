/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fifo.h - a bounded queue of fixed-size things that grows as needed, oldest first
 */
#ifndef GEMBA_CORRELATE_FIFO_H
#define GEMBA_CORRELATE_FIFO_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct fifo {
	char *things;
	uint32_t bytes; /* of one */
	uint32_t max;	/* a power of two */
	uint32_t head;
	uint32_t nr;
	uint32_t room; /* a power of two, or 0 */
};

static inline void fifo_init(struct fifo *self, uint32_t bytes, uint32_t max)
{
	*self = (struct fifo){ .bytes = bytes, .max = max };
}

static inline void fifo_fini(struct fifo *self)
{
	free(self->things);
	self->things = NULL;
	self->nr = self->room = 0;
}

static inline void *fifo_at(const struct fifo *self, uint32_t i)
{
	return self->things + (size_t)((self->head + i) & (self->room - 1)) * self->bytes;
}

static inline void *fifo_first(const struct fifo *self)
{
	return self->nr ? fifo_at(self, 0) : NULL;
}

static inline void *fifo_last(const struct fifo *self)
{
	return self->nr ? fifo_at(self, self->nr - 1) : NULL;
}

static inline void fifo_pop(struct fifo *self)
{
	self->head = (self->head + 1) & (self->room - 1);
	self->nr--;
}

static inline int fifo_grow(struct fifo *self)
{
	uint32_t room = self->room ? self->room * 2 : 4;
	char *things = malloc((size_t)room * self->bytes);

	if (!things)
		return -1;
	for (uint32_t i = 0; i < self->nr; i++)
		memcpy(things + (size_t)i * self->bytes, fifo_at(self, i), self->bytes);
	free(self->things);
	self->things = things;
	self->head = 0;
	self->room = room;
	return 0;
}

/* Room for one more at the end, its content undefined. The oldest goes when there are `max`,
 * and, rather than none, when there is no memory. NULL only without any memory at all. */
static inline void *fifo_push(struct fifo *self)
{
	if (self->nr == self->room && (self->room >= self->max || fifo_grow(self))) {
		if (!self->room)
			return NULL;
		fifo_pop(self);
	}
	return fifo_at(self, self->nr++);
}

#endif
