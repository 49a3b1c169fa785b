// SPDX-License-Identifier: BSD-2-Clause
/*
 * load.c - opens what the user names and makes a map of it
 *
 * A trace is begun, read to its last whole block and mapped; what could not be read is said
 * and becomes a doubt of the map, never a reason to show nothing.
 */
#include "src/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/collect/trace.h"
#include "src/output.h"
#include "src/render/render.h"

#define MAX_MAP_BYTES (256u << 20)

struct pipeline_opts load_pipeline_opts(const struct opts *opts)
{
	static const enum own_by by[] = {
		[OWN_AUTO] = OWN_BY_RULES,
		[OWN_CONNECTION] = OWN_BY_CONNECTION,
		[OWN_THREAD] = OWN_BY_THREAD,
	};

	return (struct pipeline_opts){
		.item_timeout_ns = opts->item_timeout_ns,
		.own = by[opts->own],
	};
}

static void explain_file(const char *path, int err)
{
	struct stat st;

	if (err == EACCES && !stat(path, &st) && S_ISREG(st.st_mode))
		log_error("%s: %s: it belongs to uid %u alone; read it with sudo, or let that user "
			  "chown it to you",
			  path, strerror(err), st.st_uid);
	else
		log_error("%s: %s; give a trace (*.gemba) or a map (*.json)", path, strerror(err));
}

/* The file and its name, which is malloc'd. */
static int open_file(const struct opts *opts, char **path, int *fd)
{
	*path = opts->file ? strdup(opts->file) : output_newest_trace();
	if (!*path && opts->file)
		return log_error("out of memory");
	if (!*path) {
		log_error("no FILE and no TARGET given, and no trace (*.gemba) in this directory; "
			  "record one first, or give -p PID");
		return 2;
	}
	if (!opts->file)
		log_info("reading %s, the newest trace here", *path);
	*fd = open(*path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	explain_file(*path, errno);
	free(*path);
	return 1;
}

static bool is_cut(const struct source *source, int err)
{
	return err == -EBADMSG || !trace_source_is_whole(source);
}

static int doubt_end(struct vsm *vsm, const char *path, const struct source *source, int err,
		     uint64_t nr_left_out)
{
	uint64_t unread = trace_source_bytes_unread(source);

	if (err == -EBADMSG) {
		log_info("%s: a block is damaged; %llu bytes from there on are left out", path,
			 (unsigned long long)unread);
		return vsm_doubt(vsm, "trace_damaged", NULL, 0,
				 "A block of the trace is damaged; %llu bytes from there on are "
				 "left out, and %llu events just before them that are not of "
				 "all CPUs.",
				 (unsigned long long)unread, (unsigned long long)nr_left_out);
	}
	if (!is_cut(source, err))
		return 0;
	log_info("%s: the recording did not end in order; what was written is used, %llu bytes "
		 "of a last block are not",
		 path, (unsigned long long)unread);
	return vsm_doubt(vsm, "trace_cut", NULL, 0,
			 "The recording did not end in order (killed, or a full disk); the map "
			 "ends where the events of all CPUs were written, %llu later ones are "
			 "left out.",
			 (unsigned long long)nr_left_out);
}

static int read_all(struct source *source, struct pipeline *pipeline)
{
	struct batch batch;
	int n, err = 0;

	while (!err && (n = source->read(source, &batch)) == 1)
		err = pipeline_feed(pipeline, &batch);
	return err ?: n;
}

static int explain_open(const char *path, int err)
{
	if (err == -EPROTONOSUPPORT)
		return log_error("%s was written by a newer gemba; use that one", path);
	if (err == -ENODATA)
		return log_error("%s: the head of the trace is cut short; nothing can be read, "
				 "record again",
				 path);
	if (err == -EBADMSG)
		return log_error("%s: the head of the trace is damaged; nothing can be read, "
				 "record again",
				 path);
	return log_error("%s: %s", path, strerror(-err));
}

static int map_trace(const struct load_tee *tee, const struct pipeline_opts *pipeline_opts,
		     const char *path, int fd, struct vsm **out)
{
	struct pipeline *pipeline = NULL;
	struct capture capture = { 0 };
	struct source *source = NULL;
	uint64_t nr_left_out = 0;
	int err = trace_source_new(&source, fd, &capture), end;

	if (err) {
		capture_fini(&capture);
		return explain_open(path, err);
	}
	err = tee ? tee->begin(tee->sink.ctx, &capture) : 0;
	err = err ?: pipeline_new(&pipeline, pipeline_opts, &capture);
	end = err ?: read_all(source, pipeline);
	err = err ?: end == -ENOMEM ? end : 0;
	if (!err && is_cut(source, end))
		nr_left_out = pipeline_cut(pipeline);
	err = err ?: pipeline_finish(pipeline, &capture, out);
	err = err ?: doubt_end(*out, path, source, end, nr_left_out);
	pipeline_free(pipeline);
	source->free(source);
	capture_fini(&capture);
	return err ? log_error("%s: cannot make the map: %s", path, strerror(-err)) : 0;
}

static int map_json(const char *path, int fd, struct vsm **out)
{
	char *text = NULL, why[160] = "";
	bool is_pipe = lseek(fd, 0, SEEK_CUR) < 0;
	size_t bytes;
	int err = output_read_whole(fd, MAX_MAP_BYTES, &text, &bytes);

	close(fd);
	if (err)
		return log_error("%s: %s; give a trace (*.gemba) or a map (*.json)", path,
				 strerror(-err));
	err = vsm_read_json(out, text, bytes, why);
	free(text);
	if (err == -EBADMSG)
		return log_error("%s is neither a trace nor a map of gemba (%s); give a file that "
				 "gemba record or gemba map made%s",
				 path, why,
				 is_pipe ? ", a trace by its name and not through a pipe" : "");
	return err ? log_error("%s: %s", path, strerror(-err)) : 0;
}

int load_map(const struct opts *opts, struct vsm **out)
{
	struct pipeline_opts pipeline_opts = load_pipeline_opts(opts);
	char *path = NULL;
	int fd = -1, status;

	status = open_file(opts, &path, &fd);
	if (status)
		return status;
	if (trace_is(fd) == 1)
		status = map_trace(NULL, &pipeline_opts, path, fd, out);
	else
		status = map_json(path, fd, out);
	free(path);
	return status;
}

int load_trace(const struct opts *opts, const struct load_tee *tee, struct vsm **out)
{
	struct pipeline_opts pipeline_opts = load_pipeline_opts(opts);
	char *path = NULL;
	int fd = -1, status;

	status = open_file(opts, &path, &fd);
	if (status)
		return status;
	pipeline_opts.tee = tee->sink;
	pipeline_opts.has_tee = true;
	if (trace_is(fd) == 1) {
		status = map_trace(tee, &pipeline_opts, path, fd, out);
	} else {
		close(fd);
		log_error("%s is not a trace; this command needs one, made by gemba record", path);
		status = 2;
	}
	free(path);
	return status;
}
