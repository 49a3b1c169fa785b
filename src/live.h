/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.h - what every command on a live target does: find it, attach, heed Ctrl-C, detach
 */
#ifndef GEMBA_LIVE_H
#define GEMBA_LIVE_H

#include "src/attach/session.h"
#include "src/opts.h"

struct live {
	struct target target;
	struct capture capture;
	struct session *session;
	struct source *source;
	uint64_t next_line_ns; /* of the progress line */
	uint64_t items_before; /* of the line before, and its time and CPU time */
	uint64_t line_ns;
	uint64_t cpu_ns;
	bool is_on_line; /* one stands on the terminal */
	bool has_target;
};

/* Finds the processes that -p or -n names, for who only reads them. 0, or the exit status, the
 * message printed. */
int live_target(struct target *self, const struct opts *opts);
/* Finds the target the options name. 0, or the exit status, the message printed. */
int live_find(struct live *self, const struct opts *opts);
/* Says what will be attached, attaches, and begins. The same. */
int live_open(struct live *self, const struct opts *opts);
/* Once a second on a terminal: a line about what flows. Call it at every batch. */
void live_progress(struct live *self, uint64_t items, uint64_t events, uint64_t lost);
/* True once a second: time to write what is held. */
bool live_is_second(struct live *self);
/* After the source has ended: completes the capture. */
void live_finish(struct live *self);
/* Detaches and frees; reports how a started command ended. */
void live_close(struct live *self);

#endif
