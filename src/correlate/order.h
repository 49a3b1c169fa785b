/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.h - per-CPU streams that are nearly sorted, into one stream in time order
 */
#ifndef GEMBA_CORRELATE_ORDER_H
#define GEMBA_CORRELATE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct order;

struct order_sink {
	void *ctx;
	/* The next record in time; valid during the call. Its ts_ns never goes down. */
	void (*event)(void *ctx, const union gemba_record *record);
};

int order_new(struct order **out, struct order_sink sink);
void order_free(struct order *self);
/*
 * Takes the records of one CPU, whole ones only (what is cut off at the end is left). A
 * GEMBA_MARK lets go, in time order, of everything before its time. Equal times go by CPU, then
 * by place in the ring. 0 or -ENOMEM.
 */
int order_add(struct order *self, unsigned int cpu, const void *records, size_t bytes);
/* No more will come: lets go of the rest. */
void order_finish(struct order *self);
/*
 * The stream broke off: what no mark has let go is of some CPUs only, and would show packets
 * that nobody read. It is never given; returns how many records. A stream without marks is used whole.
 */
uint64_t order_cut(struct order *self);
/* Records that came after a later one had been let go; they were given the later one's time. */
uint64_t order_late(const struct order *self);

#endif
