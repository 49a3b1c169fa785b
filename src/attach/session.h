/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - one capture of a live target, from attach to detach, as a source of events
 *
 * The life cycle in order: open (resolve, load, watch, attach, start), read until it returns 0
 * (time is up, the target has ended, or session_stop), close. Records that only user space can
 * give (names of threads and of peers on this host) are added to the stream here.
 */
#ifndef GEMBA_ATTACH_SESSION_H
#define GEMBA_ATTACH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "src/attach/probe.h"
#include "src/attach/target.h"
#include "src/collect/source.h"

struct session;

struct session_opts {
	uint64_t for_ns; /* 0: until stopped or the target ends */
	uint64_t ring_bytes;
	bool is_quiet; /* nothing on standard error but failures */
	/* Asked once more before a command of ours is let go; true: it shall not begin. NULL: it shall. */
	bool (*is_cancelled)(void);
	/* Stages are found and proved, nothing of the target is touched yet; NULL: nobody asks. */
	void (*before_attach)(const struct capture *capture);
	/* This stage was found and attached while the target ran, or was held for it. */
	void (*found)(const struct stage_info *stage);
	/* This stage cost too much and has been detached. */
	void (*braked)(const struct stage_info *stage);
};

/*
 * Attaches to `target` (borrowed until close) and starts a waiting command. `capture` names the
 * stages that are wanted, and is filled as far as it can be known now. 0, or -errno with a sentence in why (PROBE_WHY_BYTES).
 */
int session_open(struct session **out, struct target *target, const struct session_opts *opts,
		 struct capture *capture, char *why);
/* Its events; owned by the session: never free it. */
struct source *session_source(struct session *self);
/* Ends the capture in order: what was seen is still delivered. Safe in a signal handler. */
void session_stop(struct session *self);
/* After the source's end: completes the capture (end, exit status, observer). */
void session_finish(struct session *self);
void session_close(struct session *self);

#endif
