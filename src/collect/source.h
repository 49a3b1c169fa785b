/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - where events come from: live rings or a trace file, alike
 *
 * A source hands out batches: the records of one CPU in the order in which its ring holds
 * them (nearly time order, see correlate/order.h), or one GEMBA_MARK, which promises that no
 * older record will follow from any CPU. Whatever reads a source cannot tell which it is.
 */
#ifndef GEMBA_COLLECT_SOURCE_H
#define GEMBA_COLLECT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/* Records back to back, each gemba_record_bytes(kind) long; valid until the next read. */
struct batch {
	const void *records;
	size_t bytes;
	unsigned int cpu;
};

struct source {
	/* 1: *batch is filled; 0: the end; -errno: broken from here on (-EBADMSG: a corrupt
	 * block, -ENODATA: cut short), all that came before is good. */
	int (*read)(struct source *self, struct batch *batch);
	void (*free)(struct source *self);
};

#endif
