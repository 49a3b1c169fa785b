// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch.c - a session, its records put in order, and a tick at each mark
 */
#include "src/propose/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/correlate/order.h"

#define RING_BYTES (16u << 20)

static int pump(struct session *session, struct order *order, const struct watcher *watcher)
{
	struct source *source = session_source(session);
	struct batch batch;
	int err = 0, n;

	while ((n = source->read(source, &batch)) == 1) {
		const struct gemba_event *first = batch.records;

		if (!err)
			err = order_add(order, batch.cpu, batch.records, batch.bytes);
		if (err || (batch.bytes == sizeof(*first) && first->kind == GEMBA_MARK &&
			    watcher->tick(watcher->ctx, first->ts_ns)))
			session_stop(session);
	}
	return err ?: n;
}

int watch_run(struct target *target, struct capture *capture, uint64_t for_ns,
	      const struct watcher *watcher, char *why)
{
	const struct session_opts opts = { .for_ns = for_ns,
					   .ring_bytes = RING_BYTES,
					   .is_quiet = true };
	struct session *session = NULL;
	struct order *order = NULL;
	int err = order_new(&order, (struct order_sink){ watcher->ctx, watcher->record });

	why[0] = 0;
	err = err ?: session_open(&session, target, &opts, capture, why);
	if (!err) {
		err = pump(session, order, watcher);
		order_finish(order);
		session_finish(session);
	}
	session_close(session);
	order_free(order);
	if (err && !why[0])
		snprintf(why, PROBE_WHY_BYTES, "cannot observe the process: %s", strerror(-err));
	return err;
}
