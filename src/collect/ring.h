/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - the live source: per-CPU ring buffers, drained on a timer
 */
#ifndef GEMBA_COLLECT_RING_H
#define GEMBA_COLLECT_RING_H

#include <stddef.h>
#include <stdint.h>

#include "src/collect/source.h"

struct ring_source_opts {
	unsigned int nr_rings;
	size_t ring_bytes;  /* of each */
	uint64_t period_ns; /* between two drain passes */
	void *ctx;
	int (*fd)(void *ctx, unsigned int cpu);
	uint64_t (*lost)(void *ctx, unsigned int cpu, unsigned int kind);
};

/*
 * read() hands out what each CPU's ring holds, then GEMBA_LOST records for what could not be
 * reserved since, then one GEMBA_MARK; the next read() first sleeps until the next pass is
 * due, or a signal comes. 0 or -errno (mmap).
 */
int ring_source_new(struct source **out, const struct ring_source_opts *opts);
/* The producers have stopped: drain once more, then end. */
void ring_source_stop(struct source *source);
/* Passes in which a record stood reserved but not submitted for so long that it was passed by. */
uint64_t ring_source_held(const struct source *source);

#endif
