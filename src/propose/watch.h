/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.h - a capture that is looked at while it runs and then thrown away
 */
#ifndef GEMBA_PROPOSE_WATCH_H
#define GEMBA_PROPOSE_WATCH_H

#include "src/attach/session.h"

struct watcher {
	void *ctx;
	/* Each record, in order of time. */
	void (*record)(void *ctx, const union gemba_record *record);
	/* Every 10 ms or so; all records before now_ns (CLOCK_MONOTONIC) have been given. True: end. */
	bool (*tick)(void *ctx, uint64_t now_ns);
};

/*
 * Captures for at most for_ns; stages are those of `capture`, which is filled. 0, or -errno and a
 * sentence in why[PROBE_WHY_BYTES].
 */
int watch_run(struct target *target, struct capture *capture, uint64_t for_ns,
	      const struct watcher *watcher, char *why);

#endif
