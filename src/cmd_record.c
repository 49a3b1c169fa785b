// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_record.c - gemba record: live events into a trace file
 *
 * The file is made before anything is attached, so that a path that cannot be written costs
 * the target nothing. Blocks are written as they fill and once a second: a kill costs what
 * came since.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/procfs.h"
#include "src/collect/trace.h"
#include "src/live.h"
#include "src/output.h"

/* A command of ours that waits for its exec has the name of gemba still. */
static void comm_of(const struct live *live, struct proc_stat *stat)
{
	const char *command = live->target.argv ? live->target.argv[0] : NULL;
	const char *slash = command ? strrchr(command, '/') : NULL;

	if (command)
		snprintf(stat->comm, sizeof(stat->comm), "%.15s", slash ? slash + 1 : command);
	else if (proc_stat_read(live->target.pids[0], stat))
		snprintf(stat->comm, sizeof(stat->comm), "target");
}

static void default_name(const struct live *live, char *to, size_t bytes)
{
	char stamp[32] = "";
	struct proc_stat stat;
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	comm_of(live, &stat);
	for (char *c = stat.comm; *c; c++)
		if (*c == '/' || *c < ' ')
			*c = '_';
	snprintf(to, bytes, "gemba-%s-%s.gemba", stat.comm, stamp);
}

struct totals_seen {
	uint64_t events;
	uint64_t lost;
	uint64_t received;
};

static void count(struct totals_seen *seen, const struct batch *batch)
{
	const char *at = batch->records, *end = at + batch->bytes;

	while (at < end) {
		const struct gemba_event *ev = (const struct gemba_event *)at;

		seen->events += !gemba_is_made_up(ev->kind);
		seen->received += ev->kind == GEMBA_RECV;
		if (ev->kind == GEMBA_LOST)
			seen->lost += ev->len;
		at += gemba_record_bytes(ev->kind);
	}
}

/* Between two drain passes: all that came before is complete for every CPU. */
static bool is_mark(const struct batch *batch)
{
	return batch->bytes == sizeof(struct gemba_event) &&
	       ((const struct gemba_event *)batch->records)->kind == GEMBA_MARK;
}

/* Until the source ends; -errno of the writer ends the capture, and what flows still is let go. */
static int pump(struct live *live, struct trace_writer *writer, struct totals_seen *seen)
{
	struct batch batch;
	int err = 0, n;

	while ((n = live->source->read(live->source, &batch)) == 1) {
		if (err)
			continue;
		count(seen, &batch);
		err = trace_writer_add(writer, &batch);
		if (!err && is_mark(&batch) && live_is_second(live)) {
			err = trace_writer_flush(writer);
			live_progress(live, seen->received, seen->events, seen->lost);
		}
		if (err)
			session_stop(live->session);
	}
	return err ?: n;
}

/* -EFBIG without --max-size is a limit of the process or of the file system. */
static int report(const char *path, uint64_t max_bytes, uint64_t events,
		  const struct totals_seen *seen, int err)
{
	bool is_full = err == -EFBIG && max_bytes;
	struct stat st;
	uint64_t bytes = stat(path, &st) ? 0 : st.st_size;

	if (err && !is_full)
		return log_error("%s: %s; the trace holds %llu events and can be read, make room "
				 "and record again",
				 path, strerror(-err), (unsigned long long)events);
	log_info("%s: %llu events, %llu bytes (%.1f per event), %llu lost%s", path,
		 (unsigned long long)events, (unsigned long long)bytes,
		 events ? (double)bytes / events : 0.0, (unsigned long long)seen->lost,
		 is_full ? "; stopped at --max-size" : "");
	if (seen->lost)
		log_info("%llu events were lost: use a larger --ring, or record less",
			 (unsigned long long)seen->lost);
	log_info("now: gemba map %s", path);
	return 0;
}

static int record(struct live *live, const struct opts *opts, int fd, const char *path)
{
	struct trace_writer *writer = NULL;
	struct totals_seen seen = { 0 };
	int status = live_open(live, opts), err, flushed, closed;
	uint64_t events;

	if (status) {
		close(fd);
		output_discard(path);
		return status;
	}
	output_empty(fd);
	err = trace_writer_new(&writer, fd, &live->capture, opts->max_bytes);
	if (err) {
		session_stop(live->session);
		live_close(live);
		output_discard(path);
		return log_error("%s: cannot write: %s", path, strerror(-err));
	}
	err = pump(live, writer, &seen);
	live_finish(live);
	flushed = trace_writer_flush(writer);
	err = err ?: flushed;
	events = trace_writer_events(writer);
	closed = trace_writer_close(writer, &live->capture);
	status = report(path, opts->max_bytes, events, &seen, err);
	if (closed && !status)
		status = log_error("%s: %s; all but the end of it can be read", path,
				   strerror(-closed));
	live_close(live);
	return status;
}

int cmd_record(const struct opts *opts)
{
	char name[256];
	const char *path = opts->output;
	struct live live;
	int status = live_find(&live, opts), fd;

	if (status)
		return status;
	if (!path) {
		default_name(&live, name, sizeof(name));
		path = name;
	}
	fd = output_create(path, opts->is_forced);
	if (fd < 0) {
		live_close(&live);
		return 1;
	}
	return record(&live, opts, fd, path);
}
