// SPDX-License-Identifier: BSD-2-Clause
/*
 * calibrate.c - a child that notes its clock around a probed instruction
 *
 * The child runs a push and a pop between two readings of the clock, with the probe on the push;
 * the kernel side notes the clock where a stage would be stamped. What the readings themselves take
 * is measured without the probe and taken off, half on either side. Medians: an interrupt or a
 * neighbour's burst touches few of the runs. In the second half of the runs the child makes a
 * system call and walks over as much memory as the second-level cache holds before each: the first
 * hit after a wait finds the caches somewhere between these two states.
 */
#include "src/attach/calibrate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/procfs.h"

enum {
	NR_WARM = 64, /* first runs: caches, and the page that becomes the child's own */
	NR_HOT = PROBE_MAX_CALIBRATIONS / 2,
	MAX_CACHE_BYTES = 8 << 20,
	DEFAULT_CACHE_BYTES = 1 << 20,
	LINE_BYTES = 64,
};

/* Shared with the child. */
struct runs {
	uint64_t bare_ns[PROBE_MAX_CALIBRATIONS];
	uint64_t from_ns[PROBE_MAX_CALIBRATIONS];
	uint64_t to_ns[PROBE_MAX_CALIBRATIONS];
};

struct pipes {
	int go[2];
	int done[2];
};

/* The function that is probed: its first instruction is a push of one byte. */
void gemba_calibrated(void);
__asm__(".text\n"
	".globl gemba_calibrated\n"
	".type gemba_calibrated, @function\n"
	"gemba_calibrated:\n"
	"	push %rbp\n"
	"	pop %rbp\n"
	"	ret\n"
	".size gemba_calibrated, .-gemba_calibrated\n");

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* As much as the second-level cache of a CPU holds; where that is not said, as is common. */
static size_t cache_bytes(void)
{
	long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);

	if (bytes <= 0)
		return DEFAULT_CACHE_BYTES;
	return bytes < MAX_CACHE_BYTES ? (size_t)bytes : MAX_CACHE_BYTES;
}

static void cool_down(volatile uint8_t *memory, size_t bytes)
{
	sched_yield();
	for (size_t at = 0; at < bytes; at += LINE_BYTES)
		memory[at]++;
}

static void run(struct runs *runs, bool is_bare, uint8_t *memory)
{
	size_t bytes = cache_bytes();

	for (unsigned int i = 0; i < PROBE_MAX_CALIBRATIONS; i++) {
		uint64_t from_ns;

		if (i >= NR_HOT)
			cool_down(memory, bytes);
		from_ns = now_ns();
		gemba_calibrated();
		runs->to_ns[i] = now_ns();
		runs->from_ns[i] = from_ns;
		if (is_bare)
			runs->bare_ns[i] = runs->to_ns[i] - from_ns;
	}
}

struct job {
	struct runs *runs;
	const struct pipes *pipes;
};

static void *work(void *ctx)
{
	const struct job *job = ctx;
	const struct pipes *pipes = job->pipes;
	struct runs *runs = job->runs;
	uint8_t *memory = calloc(1, MAX_CACHE_BYTES);
	char byte = 0;

	if (!memory)
		_exit(1);
	run(runs, true, memory);
	if (write(pipes->done[1], &byte, 1) == 1 && read(pipes->go[0], &byte, 1) == 1) {
		run(runs, false, memory);
		if (write(pipes->done[1], &byte, 1) != 1)
			_exit(1);
		/* until the probe is off again */
		if (read(pipes->go[0], &byte, 1) < 0)
			_exit(1);
	}
	_exit(0);
}

/* In a thread that is not the first: the probe must see every one. */
static void child(struct runs *runs, const struct pipes *pipes)
{
	struct job job = { runs, pipes };
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, work, &job))
		_exit(1);
	pthread_join(thread, NULL);
	_exit(1);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t at_least_0(int64_t value)
{
	return value > 0 ? (uint32_t)value : 0;
}

struct medians {
	int64_t before_ns, after_ns;
	int64_t spread_ns;
};

/* Of runs [from, to): the clock's own time is taken off. */
static struct medians evaluate_runs(const struct runs *runs, const uint64_t *stamps,
				    unsigned int from, unsigned int to)
{
	static int64_t before[PROBE_MAX_CALIBRATIONS], after[PROBE_MAX_CALIBRATIONS];
	static int64_t sum[PROBE_MAX_CALIBRATIONS], bare[PROBE_MAX_CALIBRATIONS];
	unsigned int nr = to - from;
	int64_t clock_ns;

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int r = from + i;

		bare[i] = (int64_t)runs->bare_ns[r];
		before[i] = (int64_t)(stamps[r] - runs->from_ns[r]);
		after[i] = (int64_t)(runs->to_ns[r] - stamps[r]);
		sum[i] = (int64_t)(runs->to_ns[r] - runs->from_ns[r]);
	}
	qsort(bare, nr, sizeof(bare[0]), by_value);
	qsort(before, nr, sizeof(before[0]), by_value);
	qsort(after, nr, sizeof(after[0]), by_value);
	qsort(sum, nr, sizeof(sum[0]), by_value);
	clock_ns = bare[nr / 2];
	return (struct medians){
		.before_ns = before[nr / 2] - clock_ns / 2,
		.after_ns = after[nr / 2] - (clock_ns - clock_ns / 2),
		.spread_ns = (sum[nr * 84 / 100] - sum[nr * 16 / 100]) / 2,
	};
}

static void evaluate(struct calibration *out, const struct runs *runs, const uint64_t *stamps)
{
	struct medians hot = evaluate_runs(runs, stamps, NR_WARM, NR_HOT);
	struct medians cold = evaluate_runs(runs, stamps, NR_HOT, PROBE_MAX_CALIBRATIONS);

	out->before_ns = at_least_0(hot.before_ns);
	out->after_ns = at_least_0(hot.after_ns);
	out->spread_ns = at_least_0(hot.spread_ns);
	out->cold_before_ns = at_least_0(cold.before_ns - hot.before_ns);
	out->cold_after_ns = at_least_0(cold.after_ns - hot.after_ns);
}

static bool wait_for_child(const struct pipes *pipes)
{
	char byte;

	return read(pipes->done[0], &byte, 1) == 1;
}

static int measure(struct calibration *out, struct probe *probe, const struct runs *runs,
		   const struct pipes *pipes, pid_t pid)
{
	struct uprobe uprobe;
	uint64_t offset = 0;
	int err = wait_for_child(pipes) ?
			  proc_own_offset((const void *)(uintptr_t)gemba_calibrated, &offset) :
			  -ECHILD;

	err = err ?: probe_calibration_attach(probe, pid, "/proc/self/exe", offset, &uprobe);
	if (err)
		return err;
	if (write(pipes->go[1], "", 1) != 1 || !wait_for_child(pipes))
		err = -ECHILD;
	if (!err && probe_nr_calibrations(probe) == PROBE_MAX_CALIBRATIONS)
		evaluate(out, runs, probe_calibrations(probe));
	else
		err = err ?: -ENODATA;
	uprobe_detach(&uprobe);
	return err;
}

static void close_all(struct pipes *pipes)
{
	close(pipes->go[0]);
	close(pipes->go[1]);
	close(pipes->done[0]);
	close(pipes->done[1]);
}

static int with_child(struct calibration *out, struct probe *probe, struct runs *runs,
		      struct pipes *pipes)
{
	pid_t pid = fork();
	int err;

	if (pid < 0)
		return -errno;
	if (!pid)
		child(runs, pipes);
	close(pipes->done[1]); /* its end is then seen */
	pipes->done[1] = -1;
	err = measure(out, probe, runs, pipes, pid);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

int calibrate(struct calibration *out, struct probe *probe)
{
	struct pipes pipes = { { -1, -1 }, { -1, -1 } };
	struct runs *runs = mmap(NULL, sizeof(*runs), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	*out = (struct calibration){ 0 };
	if (runs == MAP_FAILED)
		return -errno;
	err = pipe2(pipes.go, O_CLOEXEC) || pipe2(pipes.done, O_CLOEXEC) ? -errno : 0;
	err = err ?: with_child(out, probe, runs, &pipes);
	close_all(&pipes);
	munmap(runs, sizeof(*runs));
	return err;
}
