/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - intrusive doubly linked list; a node in no list points to itself or is zero
 */
#ifndef GEMBA_CORRELATE_LIST_H
#define GEMBA_CORRELATE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *self)
{
	self->next = self->prev = self;
}

static inline bool list_is_empty(const struct list *self)
{
	return self->next == self;
}

static inline void list_del(struct list *node)
{
	if (!node->next)
		return;
	node->next->prev = node->prev;
	node->prev->next = node->next;
	list_init(node);
}

static inline void list_add_tail(struct list *self, struct list *node)
{
	node->next = self;
	node->prev = self->prev;
	self->prev->next = node;
	self->prev = node;
}

static inline void list_move_tail(struct list *self, struct list *node)
{
	list_del(node);
	list_add_tail(self, node);
}

#endif
