// SPDX-License-Identifier: BSD-2-Clause
/*
 * session.c - attaches, keeps the books while events flow, detaches
 *
 * Order matters: everything is attached before the sockets are looked for, and a command of
 * our own runs only after both, so that nothing falls between. Housekeeping happens at marks:
 * between two drain passes, never while events wait.
 */
#include "src/attach/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "src/attach/environment.h"
#include "src/attach/peername.h"
#include "src/attach/procfs.h"
#include "src/attach/stages.h"
#include "src/collect/ring.h"

#define DRAIN_NS 10000000ull
#define SEC_NS 1000000000ull
#define EARLY_NS (2 * SEC_NS) /* sockets appear often at first ... */
#define RESCAN_EARLY_NS (SEC_NS / 10)
#define RESCAN_NS SEC_NS /* ... and seldom later */
#define MAX_NAMES 512
#define PID_LIMIT (4u << 20)

struct session {
	struct source source;
	struct session_opts opts;
	struct target *target;
	struct capture *capture;
	struct probe *probe;
	struct source *rings;
	struct peername *peers;
	struct stages *stages; /* NULL: none are wanted */
	uint64_t executed_ns;  /* when the target did, since its stages were looked for */
	volatile sig_atomic_t is_stopped;
	bool is_detached;
	uint64_t next_scan_ns;
	uint64_t cpu_at_start_ns;
	int exit_status;
	bool at_mark;	/* the last batch was one: housekeeping is due */
	uint8_t *named; /* one bit per thread id that has been named */
	struct gemba_comm names[MAX_NAMES];
	size_t nr_names;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SEC_NS + ts.tv_nsec;
}

static bool is_go(const struct session *self, uint32_t pid)
{
	for (size_t i = 0; i < self->capture->nr_targets; i++)
		if (self->capture->targets[i].pid == pid)
			return self->capture->targets[i].is_go;
	return false;
}

static void name_thread(struct session *self, uint32_t tid, uint32_t tgid, bool is_target)
{
	struct gemba_comm *rec;
	struct proc_stat stat;

	if (tid >= PID_LIMIT || (self->named[tid >> 3] & 1 << (tid & 7)) ||
	    self->nr_names == MAX_NAMES)
		return;
	self->named[tid >> 3] |= 1 << (tid & 7);
	rec = &self->names[self->nr_names];
	memset(rec, 0, sizeof(*rec));
	if (!tid)
		snprintf(rec->comm, sizeof(rec->comm), "idle");
	else if (proc_stat_read(tid, &stat))
		return;
	else
		snprintf(rec->comm, sizeof(rec->comm), "%.15s", stat.comm);
	rec->ev.ts_ns = clock_ns(CLOCK_MONOTONIC);
	rec->ev.kind = GEMBA_COMM;
	rec->ev.flags = (is_target ? GEMBA_F_TARGET : 0) |
			(is_target && is_go(self, tid) ? GEMBA_F_GO : 0);
	rec->ev.tid = tid;
	rec->ev.seq = tgid;
	self->nr_names++;
}

struct naming {
	struct session *session;
	uint32_t tgid;
};

static void name_one(void *ctx, uint32_t tid)
{
	struct naming *naming = ctx;

	name_thread(naming->session, tid, naming->tgid, true);
}

static void name_threads(struct session *self)
{
	for (size_t i = 0; i < self->target->nr_pids; i++) {
		struct naming naming = { self, self->target->pids[i] };

		proc_threads(naming.tgid, name_one, &naming);
	}
}

/* `code` is that of wait(2): status in the second byte, or a signal in the first. */
static void note_exit(struct session *self, uint32_t pid, uint32_t code)
{
	for (size_t i = 0; i < self->capture->nr_targets; i++) {
		struct target_info *info = &self->capture->targets[i];

		if (info->pid != pid)
			continue;
		info->has_exited = true;
		info->exit_status = code & 0x7f ? 128 + (code & 0x7f) : (code >> 8) & 0xff;
	}
}

/* Looks through a batch for threads without a name and connections without a peer. */
static void scan(struct session *self, const struct batch *batch)
{
	const char *at = batch->records, *end = at + batch->bytes;

	while (at < end) {
		const struct gemba_event *ev = (const struct gemba_event *)at;

		if (ev->kind == GEMBA_SWITCH) {
			name_thread(self, ev->tid, 0, ev->flags & GEMBA_F_NEXT);
			name_thread(self, ev->seq, 0, ev->flags & GEMBA_F_PREV);
		} else if (ev->kind == GEMBA_FORK && ev->tid != ev->seq) {
			name_thread(self, ev->tid, ev->seq, true);
		} else if (ev->kind == GEMBA_CONN) {
			peername_want(self->peers, (const struct gemba_conn *)at);
		} else if (ev->kind == GEMBA_EXIT && ev->tid == ev->seq) {
			note_exit(self, ev->tid, ev->len);
		} else if (ev->kind == GEMBA_EXEC && ev->tid < PID_LIMIT) {
			self->named[ev->tid >> 3] &= ~(1 << (ev->tid & 7)); /* a new name */
			target_describe_again(ev->tid, self->capture);
			self->executed_ns = ev->ts_ns;
		}
		at += gemba_record_bytes(ev->kind);
	}
}

static void stop_producers(struct session *self)
{
	if (self->is_detached)
		return;
	self->capture->end_ns = clock_ns(CLOCK_MONOTONIC);
	/* to detach stages takes 90 ms each, in which nobody drains: what is cut is not to be lost */
	probe_watch_none(self->probe);
	if (self->stages)
		stages_finish(self->stages);
	probe_detach(self->probe);
	self->is_detached = true;
	ring_source_stop(self->rings);
}

static void look_at_target(struct session *self)
{
	int status = target_reap(self->target, false);

	if (status >= 0)
		self->exit_status = status;
	if (!target_is_alive(self->target))
		self->is_stopped = 1;
}

static void look_for_stages(struct session *self, const struct stages_since *since)
{
	uint64_t found = stages_look_again(self->stages, since);

	for (size_t i = 0; i < self->capture->nr_stages && self->opts.found; i++)
		if (found >> i & 1)
			self->opts.found(&self->capture->stages[i]);
}

/* A program has its functions only once it has executed, a plugin's come when it is loaded. */
static void keep_stages(struct session *self, uint64_t now, bool is_rescan)
{
	bool is_early = now - self->capture->start_ns < EARLY_NS && self->target->child;
	int braked;

	if (!self->stages)
		return;
	if (self->executed_ns) {
		const struct stages_since since = { self->executed_ns,
						    "the target executed its program" };

		self->executed_ns = 0;
		look_for_stages(self, &since);
	} else if ((is_rescan || is_early) && !stages_are_complete(self->stages)) {
		const struct stages_since since = { self->capture->start_ns, "the capture began" };

		look_for_stages(self, &since);
	}
	while ((braked = stages_brake(self->stages, now)) >= 0)
		if (self->opts.braked)
			self->opts.braked(&self->capture->stages[braked]);
}

static void keep_house(struct session *self)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	bool is_rescan = now >= self->next_scan_ns;

	if (self->opts.for_ns && now - self->capture->start_ns >= self->opts.for_ns)
		self->is_stopped = 1;
	keep_stages(self, now, is_rescan);
	if (is_rescan) {
		bool early = now - self->capture->start_ns < EARLY_NS;

		look_at_target(self);
		probe_find_sockets(self->probe);
		self->next_scan_ns = now + (early ? RESCAN_EARLY_NS : RESCAN_NS);
	}
	self->nr_names += peername_find(self->peers, now, self->names + self->nr_names,
					MAX_NAMES - self->nr_names);
	if (self->is_stopped)
		stop_producers(self);
}

static bool give_names(struct session *self, struct batch *batch)
{
	if (!self->nr_names)
		return false;
	*batch = (struct batch){ self->names, self->nr_names * sizeof(*self->names), 0 };
	self->nr_names = 0;
	return true;
}

/*
 * Programs are detached one after the other, which takes a while: what came after the first is
 * not whole. The capture ends before it, for all of them at once.
 */
static void cut_at_end(const struct session *self, struct batch *batch)
{
	char *to = (char *)batch->records;
	const char *at = to, *end = at + batch->bytes;

	while (at < end) {
		const struct gemba_event *ev = (const struct gemba_event *)at;
		size_t len = gemba_record_bytes(ev->kind);

		if (ev->ts_ns <= self->capture->end_ns || gemba_is_made_up(ev->kind)) {
			memmove(to, at, len);
			to += len;
		}
		at += len;
	}
	batch->bytes = to - (const char *)batch->records;
}

/* Names go out before the mark they were found at, so that they precede what they explain. */
static int session_read(struct source *source, struct batch *batch)
{
	struct session *self = (struct session *)source;
	int n;

	if (give_names(self, batch))
		return 1;
	if (self->at_mark)
		keep_house(self);
	self->at_mark = false;
	n = self->rings->read(self->rings, batch);
	if (n == 1) {
		self->at_mark = batch->bytes == sizeof(struct gemba_event) &&
				((const struct gemba_event *)batch->records)->kind == GEMBA_MARK;
		if (!self->at_mark) {
			if (self->is_detached)
				cut_at_end(self, batch);
			scan(self, batch);
		}
	}
	return n;
}

static uint64_t own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int start_rings(struct session *self)
{
	struct ring_source_opts opts = {
		.nr_rings = probe_nr_rings(self->probe),
		.ring_bytes = probe_ring_bytes(self->probe),
		.period_ns = DRAIN_NS,
		.ctx = self->probe,
		.fd = (int (*)(void *, unsigned int))probe_ring_fd,
		.lost = (uint64_t(*)(void *, unsigned int, unsigned int))probe_lost,
	};

	return ring_source_new(&self->rings, &opts);
}

static void begin_clocks(struct session *self)
{
	self->capture->start_ns = clock_ns(CLOCK_MONOTONIC);
	self->capture->start_wall_ns = clock_ns(CLOCK_REALTIME);
	self->cpu_at_start_ns = own_cpu_ns();
}

/* A command has functions only once it has executed: it is held there while they are looked for. */
static int start_target(struct session *self, char *why)
{
	int err;

	if (self->target->child && self->opts.is_cancelled && self->opts.is_cancelled()) {
		snprintf(why, PROBE_WHY_BYTES, "stopped before the command began; it was not run");
		return -EINTR;
	}
	begin_clocks(self);
	err = target_go(self->target, self->stages, why);
	if (err || !self->target->is_held)
		return err;
	look_for_stages(self, &(struct stages_since){ 0 });
	begin_clocks(self);
	target_release(self->target);
	return 0;
}

static int attach(struct session *self, char *why)
{
	int err;

	err = probe_attach(self->probe, &self->capture->missing, why);
	if (!err && self->stages)
		err = stages_attach(self->stages, why);
	if (err)
		return err;
	for (size_t i = 0; i < self->target->nr_pids; i++)
		probe_watch(self->probe, self->target->pids[i]);
	probe_find_sockets(self->probe);
	name_threads(self);
	err = start_target(self, why);
	return err || !self->target->child ? err : target_describe(self->target, self->capture);
}

static int prepare(struct session *self, char *why)
{
	const struct probe_opts opts = { .ring_bytes = self->opts.ring_bytes,
					 .has_stages = self->capture->nr_stages };
	int err = 0;

	self->named = calloc(1, PID_LIMIT / 8);
	if (!self->named)
		return -ENOMEM;
	if (!self->target->child) /* one of ours is not yet what it will be */
		err = target_describe(self->target, self->capture);
	err = err ?: environment_describe(self->capture);
	err = err ?: peername_new(&self->peers);
	err = err ?: probe_new(&self->probe, &opts, &self->capture->missing, why);
	if (!err && opts.has_stages)
		err = stages_new(&self->stages, self->probe, self->target, self->capture, why);
	if (!err && self->opts.before_attach)
		self->opts.before_attach(self->capture);
	return err ?: start_rings(self);
}

int session_open(struct session **out, struct target *target, const struct session_opts *opts,
		 struct capture *capture, char *why)
{
	struct session *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	self->source.read = session_read;
	self->opts = *opts;
	self->target = target;
	self->capture = capture;
	self->exit_status = -1;
	why[0] = 0;
	err = prepare(self, why);
	err = err ?: attach(self, why);
	if (err) {
		if (!why[0])
			snprintf(why, PROBE_WHY_BYTES, "cannot attach: %s%s", strerror(-err),
				 err == -ENOMEM ? "; give smaller rings (--ring)" : "");
		session_close(self);
		return err;
	}
	*out = self;
	return 0;
}

struct source *session_source(struct session *self)
{
	return &self->source;
}

void session_stop(struct session *self)
{
	self->is_stopped = 1;
}

/* A command of ours that has only just ended may not be reaped yet; one that lives on is left. */
void session_finish(struct session *self)
{
	struct rusage usage;
	int status = target_reap(self->target, false);

	if (status >= 0)
		self->exit_status = status;
	if (self->exit_status >= 0 && self->capture->nr_targets)
		note_exit(self, self->capture->targets[0].pid,
			  self->exit_status >= 128 ? self->exit_status - 128 :
						     self->exit_status << 8);
	self->capture->observer_cpu_ns = own_cpu_ns() - self->cpu_at_start_ns;
	self->capture->recursion_misses = probe_recursion_misses(self->probe);
	if (!getrusage(RUSAGE_SELF, &usage))
		self->capture->observer_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

void session_close(struct session *self)
{
	if (!self)
		return;
	if (self->rings)
		self->rings->free(self->rings);
	stages_free(self->stages);
	probe_free(self->probe);
	peername_free(self->peers);
	free(self->named);
	free(self);
}
