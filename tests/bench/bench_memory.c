// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_memory.c - what it takes to map a long capture: memory, time, length of the file
 *
 *	bench_memory DIR GEMBA [EVENTS]
 *
 * Writes a trace of 100 million events (or EVENTS) into a file in DIR, has GEMBA map it, and
 * removes it. The events are those of a server on each of four CPUs; a connection of each is
 * closed and another one opened every 10 ms, because what is forgotten too late is not seen
 * where nothing ever ends. The last line is the most memory that the mapping took, in MiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/collect/trace.h"
#include "tests/bench/stream.h"

#define START_NS 1000000000000ull
#define TICK_NS 10000000ull
#define TICKS_PER_FLUSH 100
#define DEFAULT_EVENTS 100000000ull

enum { NR_STREAMS = 4, TICK_EVENTS = 65536 };

struct bench {
	struct stream streams[NR_STREAMS];
	struct gemba_event events[TICK_EVENTS];
	struct trace_writer *writer;
	struct capture capture;
	uint64_t nr_ticks;
	uint32_t last_sk;
};

static int say(const char *what, int err)
{
	fprintf(stderr, "bench_memory: %s: %s\n", what, strerror(-err));
	return err;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static int add(struct bench *self, unsigned int cpu, const void *records, size_t bytes)
{
	struct batch batch = { records, bytes, cpu };

	return bytes ? trace_writer_add(self->writer, &batch) : 0;
}

static int tell_socket(struct bench *self, struct stream *stream, uint32_t i)
{
	struct gemba_conn conn = stream_conn(stream, i);

	return add(self, stream->cpu, &conn, sizeof(conn));
}

static int replace_socket(struct bench *self, struct stream *stream, uint32_t i)
{
	struct gemba_event close = { .ts_ns = stream->now_ns,
				     .kind = GEMBA_CLOSE,
				     .cpu = stream->cpu,
				     .sk = stream->sockets[i].sk };
	int err = add(self, stream->cpu, &close, sizeof(close));

	stream->sockets[i] = (struct stream_socket){ .sk = ++self->last_sk };
	return err ? err : tell_socket(self, stream, i);
}

static int begin(struct bench *self)
{
	int err = 0;

	for (uint32_t s = 0; s < NR_STREAMS; s++) {
		stream_init(&self->streams[s], s, START_NS, self->last_sk + 1);
		self->last_sk += STREAM_NR_SOCKETS;
		for (uint32_t i = 0; i < STREAM_NR_SOCKETS && !err; i++)
			err = tell_socket(self, &self->streams[s], i);
	}
	return err;
}

static int tick(struct bench *self)
{
	uint64_t until_ns = START_NS + ++self->nr_ticks * TICK_NS;
	struct gemba_event mark = { .ts_ns = until_ns, .kind = GEMBA_MARK };
	int err = 0;

	for (uint32_t s = 0; s < NR_STREAMS && !err; s++) {
		struct stream *stream = &self->streams[s];
		size_t nr = stream_run(stream, self->events, TICK_EVENTS, until_ns);

		err = add(self, stream->cpu, self->events, nr * sizeof(self->events[0]));
		if (!err)
			err = replace_socket(self, stream, self->nr_ticks % STREAM_NR_SOCKETS);
	}
	err = err ? err : add(self, 0, &mark, sizeof(mark));
	if (!err && self->nr_ticks % TICKS_PER_FLUSH == 0)
		err = trace_writer_flush(self->writer);
	return err;
}

static int write_trace(struct bench *self, int fd, uint64_t nr_events, uint64_t *bytes)
{
	int err, closed;

	self->capture.start_ns = START_NS;
	err = trace_writer_new(&self->writer, fd, &self->capture, 0);
	if (err)
		return err;
	err = begin(self);
	while (!err && trace_writer_events(self->writer) < nr_events)
		err = tick(self);
	self->capture.end_ns = START_NS + self->nr_ticks * TICK_NS;
	*bytes = trace_writer_bytes(self->writer);
	closed = trace_writer_close(self->writer, &self->capture);
	return err ? err : closed;
}

/* Runs to its end what was not told to; its resources, or -errno. */
static int map(const char *gemba, const char *path, struct rusage *usage)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execl(gemba, gemba, "map", path, (char *)NULL);
		_exit(127);
	}
	while (wait4(pid, &status, 0, usage) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}

static double cpu_s(const struct rusage *usage)
{
	return usage->ru_utime.tv_sec + usage->ru_stime.tv_sec +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

static int run(struct bench *self, int fd, const char *path, const char *gemba, uint64_t nr_events)
{
	double begin_s = now_s(), wrote_s;
	struct rusage usage;
	uint64_t bytes;
	int err = write_trace(self, fd, nr_events, &bytes);

	if (err)
		return say(path, err);
	wrote_s = now_s() - begin_s;
	begin_s = now_s();
	err = map(gemba, path, &usage);
	if (err)
		return say(gemba, err);
	printf("events     %" PRIu64 ", %.2f bytes each in the file\n", nr_events,
	       (double)bytes / nr_events);
	printf("made       %.2f M/s, written included\n", nr_events / wrote_s / 1e6);
	printf("mapped     %.2f M/s, %.2f M per CPU second\n",
	       nr_events / (now_s() - begin_s) / 1e6, nr_events / cpu_s(&usage) / 1e6);
	printf("peak_mib   %.1f\n", usage.ru_maxrss / 1024.0);
	return 0;
}

/* The file has a name only while it is needed, and so none is left behind by Ctrl-C. */
static char path[4096];

static void give_up(int sig)
{
	unlink(path);
	_exit(128 + sig);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	uint64_t nr_events = argc > 3 ? strtoull(argv[3], NULL, 10) : DEFAULT_EVENTS;
	int fd, err;

	if (argc < 3 || !nr_events) {
		fprintf(stderr, "usage: bench_memory DIR GEMBA [EVENTS]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/memory.XXXXXX.gemba", argv[1]);
	fd = mkostemps(path, strlen(".gemba"), O_CLOEXEC);
	if (fd < 0) {
		say(path, -errno);
		return 1;
	}
	signal(SIGINT, give_up);
	signal(SIGTERM, give_up);
	signal(SIGHUP, give_up);
	err = run(&bench, fd, path, argv[2], nr_events);
	unlink(path);
	return err != 0;
}
