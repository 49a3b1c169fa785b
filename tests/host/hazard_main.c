/*
 * hazard: a program made of functions that are dangerous to probe, which judges itself.
 *
 * Each round calls every function of hazard_table.c and compares its result with a constant. A
 * tracer may put a probe wherever it likes; when any result differs, a register is lost or the
 * program is killed, the probe was wrong. --list says which functions there are and how often a
 * round calls each, so that hits can be compared with the "rounds=" line at the end.
 */
#include "tests/host/clock.h"
#include "tests/host/hazard.h"
#include "tests/host/hazard_plugin.h"
#include "tests/host/options.h"
#include "tests/host/stop.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAM "hazard"
#define MAX_THREADS 16
#define MAX_REPORTS 20

static uint64_t nr_rounds_max, for_ns = 10 * NS_PER_S, pause_us = 50, nr_threads = 1;
static uint64_t alarm_us = 1000, start_after_ms;
static bool is_listing, is_sandboxed, does_forbidden;
static const char *wrong_name;
static struct hazard_plugin plugin;

static bool has_avx2, has_avx512;
static uint64_t end_ns;
static atomic_bool is_over; /* a thread found something wrong */
static atomic_uint nr_wrong;
static atomic_ullong nr_rounds;

static const struct option_row rows[] = {
	{ "--seconds", OPTION_SECONDS, &for_ns, 1, 3600000, "SECONDS  end after (10)" },
	{ "--rounds", OPTION_NUMBER, &nr_rounds_max, 1, UINT64_MAX,
	  "N  end after so many rounds of each thread (no limit)" },
	{ "--start-after-ms", OPTION_NUMBER, &start_after_ms, 0, 60000,
	  "N  between \"ready\" and the first round, of --seconds (0)" },
	{ "--pause-us", OPTION_NUMBER, &pause_us, 0, 1000000, "N  sleep between rounds (50)" },
	{ "--threads", OPTION_NUMBER, &nr_threads, 1, MAX_THREADS,
	  "N  threads that do the same (1)" },
	{ "--alarm-us", OPTION_NUMBER, &alarm_us, 0, 1000000,
	  "N  a signal so often, at any instant; 0: none (1000)" },
	{ "--seccomp", OPTION_FLAG, &is_sandboxed, 0, 0,
	  "be killed at a system call that is not needed" },
	{ "--forbidden", OPTION_FLAG, &does_forbidden, 0, 0,
	  "make such a call at the end, to show it" },
	{ "--plugin", OPTION_TEXT, &plugin.path, 0, 0,
	  "PATH  of plugin.so: load and unload it each 100 ms, call plugin_work" },
	{ "--wrong", OPTION_TEXT, &wrong_name, 0, 0,
	  "NAME  take this function's result for wrong, to show that it is noticed" },
	{ "--list", OPTION_FLAG, &is_listing, 0, 0,
	  "print function, calls a round, what it begins with; end" },
	{ 0 },
};

static const struct options options = {
	.program = PROGRAM,
	.summary =
		"Functions that are dangerous to probe. Prints \"ready PID\", calls them, ends with\n"
		"1 when one computed something wrong.",
	.rows = rows,
};

static bool is_runnable(const struct hazard *hazard)
{
	return hazard->need == NEEDS_NOTHING || (hazard->need == NEEDS_AVX2 && has_avx2) ||
	       (hazard->need == NEEDS_AVX512 && has_avx512);
}

/* The two rows that --list adds are called by no row's run. */
static void list(void)
{
	puts("#function\tcalls\tfirst");
	for (const struct hazard *hazard = hazards; hazard->name; hazard++)
		printf("%s\t%u\t%s\n", hazard->name, is_runnable(hazard) ? hazard->nr_calls : 0,
		       hazard->first);
	puts("hz_in_alarm\t-\tC; at each --alarm-us: alarms= at the end");
	puts("plugin_work\t-\tC; in plugin.so: plugin_calls= at the end");
}

static void report(const struct hazard *hazard, uint64_t got, uint64_t round)
{
	atomic_store(&is_over, true);
	if (atomic_fetch_add(&nr_wrong, 1) < MAX_REPORTS)
		fail(PROGRAM, 0,
		     "%s (%s) returned %#" PRIx64 ", not %#" PRIx64 ", in round %" PRIu64,
		     hazard->name, hazard->first, got, hazard->expected, round);
}

static void run_round(uint64_t round)
{
	for (const struct hazard *hazard = hazards; hazard->name; hazard++) {
		uint64_t got;

		if (!hazard->run || !is_runnable(hazard))
			continue;
		got = hazard->run(hazard);
		if (wrong_name && !strcmp(wrong_name, hazard->name))
			got = ~got;
		if (got != hazard->expected)
			report(hazard, got, round);
	}
}

static void run_plugin(void)
{
	const char *message = plugin.path ? hazard_plugin_round(&plugin) : NULL;

	if (!message)
		return;
	atomic_store(&is_over, true);
	atomic_fetch_add(&nr_wrong, 1);
	fail(PROGRAM, 0, "%s", message);
}

/* The first thread has the plugin. */
static void *run_thread(void *is_first)
{
	uint64_t round = 0;

	while (!atomic_load(&is_over) && !is_stop_requested() && now_ns() < end_ns &&
	       (!nr_rounds_max || round < nr_rounds_max)) {
		run_round(++round);
		atomic_fetch_add(&nr_rounds, 1);
		if (is_first)
			run_plugin();
		if (pause_us)
			usleep((useconds_t)pause_us);
	}
	return NULL;
}

static int run_threads(void)
{
	pthread_t threads[MAX_THREADS];
	unsigned nr_started = 1;
	int err = 0;

	for (; nr_started < nr_threads && !err; nr_started += !err)
		err = pthread_create(&threads[nr_started], NULL, run_thread, NULL);
	if (err)
		atomic_store(&is_over, true);
	run_thread(&plugin);
	for (unsigned i = 1; i < nr_started; i++)
		pthread_join(threads[i], NULL);
	return err ? fail(PROGRAM, err, "cannot start %" PRIu64 " threads", nr_threads) : 0;
}

static void find_features(void)
{
	unsigned nr_left_out = 0;

	__builtin_cpu_init();
	has_avx2 = __builtin_cpu_supports("avx2");
	has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
		     __builtin_cpu_supports("avx512vl");
	for (const struct hazard *hazard = hazards; hazard->name; hazard++)
		nr_left_out += !is_runnable(hazard);
	if (nr_left_out)
		printf("# this CPU has no %s: %u functions are left out\n",
		       has_avx2 ? "AVX-512" : "AVX2", nr_left_out);
}

static int start(void)
{
	int err = stop_init();

	if (err)
		return fail(PROGRAM, err, "cannot handle signals");
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	wait_until_ns(now_ns() + start_after_ms * NS_PER_MS);
	err = is_sandboxed ? hazard_sandbox() : 0;
	if (err)
		return fail(PROGRAM, err, "cannot install the filter");
	err = alarm_us ? hazard_alarm_start(alarm_us) : 0;
	return err ? fail(PROGRAM, err, "cannot set the alarm") : 0;
}

static int finish(int status)
{
	hazard_alarm_stop();
	hazard_plugin_fini(&plugin);
	if (does_forbidden)
		syscall(SYS_getppid);
	printf("rounds=%llu wrong=%u alarms=%" PRIu64 " wrong_alarms=%" PRIu64
	       " plugin_loads=%" PRIu64 " plugin_calls=%" PRIu64 "\n",
	       atomic_load(&nr_rounds), atomic_load(&nr_wrong), hazard_nr_alarms(),
	       hazard_nr_wrong_alarms(), plugin.nr_loads, plugin.nr_calls);
	return status || atomic_load(&nr_wrong) || hazard_nr_wrong_alarms();
}

int main(int argc, char **argv)
{
	int status;

	options_parse(&options, argc, argv);
	if (is_sandboxed && plugin.path) {
		fail(PROGRAM, 0, "--seccomp allows no --plugin");
		return 2;
	}
	find_features();
	if (is_listing) {
		list();
		return 0;
	}
	end_ns = now_ns() + for_ns;
	status = start();
	if (!status)
		status = run_threads();
	return finish(status);
}
