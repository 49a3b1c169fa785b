/*
 * Functions that the compiler or the linker makes hard to probe: recursion, entry from a signal
 * handler, exit by longjmp, a part split off as .cold, an IFUNC, an alias.
 *
 * Each hazard_run_* calls its function as often as hazard_table.c says and returns one number. The
 * alarm is the other kind: a signal at any instant, also while an instruction is stepped through.
 */
#include "tests/host/hazard.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#if defined(__has_attribute)
#if __has_attribute(noipa)
#define ALONE __attribute__((noipa))
#endif
#endif
#ifndef ALONE
#define ALONE __attribute__((noinline))
#endif

uint64_t hz_recursive(uint64_t depth);
uint64_t hz_in_signal(uint64_t value);
uint64_t hz_in_alarm(uint64_t value);
void hz_longjmp(jmp_buf env, int value) __attribute__((noreturn));
uint64_t hz_split(uint64_t value);
uint64_t hz_split_rare(uint64_t value) __attribute__((cold));
uint64_t hz_ifunc_base(uint64_t value);
uint64_t hz_ifunc_avx2(uint64_t value);
uint64_t hz_ifunc(uint64_t value);
uint64_t hz_aliased(uint64_t value);
uint64_t hz_alias(uint64_t value) __attribute__((alias("hz_aliased")));

static _Thread_local volatile uint64_t signal_result;
static atomic_ullong nr_alarms, nr_wrong_alarms;

ALONE uint64_t hz_recursive(uint64_t depth)
{
	uint64_t below = depth ? hz_recursive(depth - 1) : 0;

	__asm__ volatile("" : "+r"(below)); /* else it becomes a loop */
	return depth + below;
}

uint64_t hazard_run_recursive(const struct hazard *self)
{
	(void)self;
	return hz_recursive(12);
}

ALONE uint64_t hz_in_signal(uint64_t value)
{
	return value * 5;
}

static void handle_signal(int signal_nr)
{
	(void)signal_nr;
	signal_result = hz_in_signal(HZ_A);
}

uint64_t hazard_run_in_signal(const struct hazard *self)
{
	struct sigaction action = { .sa_handler = handle_signal };

	(void)self;
	signal_result = 0;
	if (sigaction(SIGUSR1, &action, NULL) || raise(SIGUSR1))
		return 0;
	return signal_result;
}

ALONE uint64_t hz_in_alarm(uint64_t value)
{
	return value * 7 + 1;
}

static void handle_alarm(int signal_nr)
{
	uint64_t nr = atomic_fetch_add(&nr_alarms, 1);

	(void)signal_nr;
	if (hz_in_alarm(nr) != nr * 7 + 1)
		atomic_fetch_add(&nr_wrong_alarms, 1);
}

static int set_alarm(uint64_t period_us)
{
	struct timeval period = { .tv_sec = (time_t)(period_us / 1000000),
				  .tv_usec = (suseconds_t)(period_us % 1000000) };
	struct itimerval timer = { .it_interval = period, .it_value = period };

	return setitimer(ITIMER_REAL, &timer, NULL) ? -errno : 0;
}

int hazard_alarm_start(uint64_t period_us)
{
	struct sigaction action = { .sa_handler = handle_alarm, .sa_flags = SA_RESTART };

	return sigaction(SIGALRM, &action, NULL) ? -errno : set_alarm(period_us);
}

void hazard_alarm_stop(void)
{
	set_alarm(0);
}

uint64_t hazard_nr_alarms(void)
{
	return atomic_load(&nr_alarms);
}

uint64_t hazard_nr_wrong_alarms(void)
{
	return atomic_load(&nr_wrong_alarms);
}

ALONE void hz_longjmp(jmp_buf env, int value)
{
	longjmp(env, value);
}

uint64_t hazard_run_longjmp(const struct hazard *self)
{
	jmp_buf env;
	int value = setjmp(env);

	(void)self;
	if (!value)
		hz_longjmp(env, 42);
	return (uint64_t)value;
}

ALONE uint64_t hz_split_rare(uint64_t value)
{
	return value * 100;
}

ALONE uint64_t hz_split(uint64_t value)
{
	if (__builtin_expect(value == 8, 0))
		return hz_split_rare(value) + hz_split_rare(value - 7);
	return value * 2 - value / 2;
}

uint64_t hazard_run_split(const struct hazard *self)
{
	uint64_t sum = 0;

	(void)self;
	for (uint64_t value = 0; value < 16; value++)
		sum += hz_split(value);
	return sum;
}

ALONE uint64_t hz_ifunc_base(uint64_t value)
{
	return value / 3;
}

__attribute__((target("avx2"))) ALONE uint64_t hz_ifunc_avx2(uint64_t value)
{
	return value / 3;
}

static uint64_t (*resolve_ifunc(void))(uint64_t)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") ? hz_ifunc_avx2 : hz_ifunc_base;
}

__attribute__((ifunc("resolve_ifunc"))) uint64_t hz_ifunc(uint64_t value);

uint64_t hazard_run_ifunc(const struct hazard *self)
{
	(void)self;
	return hz_ifunc(HZ_A);
}

ALONE uint64_t hz_aliased(uint64_t value)
{
	return value * 9;
}

uint64_t hazard_run_alias(const struct hazard *self)
{
	(void)self;
	return hz_alias(HZ_A) + hz_aliased(HZ_B);
}
