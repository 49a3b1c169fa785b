// SPDX-License-Identifier: BSD-2-Clause
/*
 * environment.c - under which circumstances a capture was made
 *
 * Two maps can only be compared when one can see what else was different: kernel, clock,
 * CPUs. Every value is text from the kernel's own files or calls.
 */
#include "src/attach/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/procfs.h"

static int add_file(struct pairs *to, const char *key, const char *path)
{
	char *text = read_small_file(path);
	int err = 0;

	if (text && *text)
		err = pairs_add(to, key, text);
	free(text);
	return err;
}

static int add_number(struct pairs *to, const char *key, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return pairs_add(to, key, text);
}

static int describe_clock(struct pairs *clock)
{
	struct timex tx = { 0 };
	int state = adjtimex(&tx);
	int err = add_file(clock, "clocksource",
			   "/sys/devices/system/clocksource/clocksource0/current_clocksource");

	err = err ?: pairs_add(clock, "event_clock", "CLOCK_MONOTONIC");
	if (state < 0)
		return err;
	err = err ?: pairs_add(clock, "synchronised", tx.status & STA_UNSYNC ? "no" : "yes");
	err = err   ?:
		      add_number(clock, "offset_ns",
				 tx.status & STA_NANO ? tx.offset : tx.offset * 1000);
	return err ?: add_number(clock, "max_error_us", tx.maxerror);
}

static int describe_cpus(struct pairs *env)
{
	int err = add_number(env, "cpus_online", sysconf(_SC_NPROCESSORS_ONLN));

	err = err ?: add_file(env, "isolated_cpus", "/sys/devices/system/cpu/isolated");
	err = err ?: add_file(env, "nohz_full_cpus", "/sys/devices/system/cpu/nohz_full");
	err = err ?: add_file(env, "smt", "/sys/devices/system/cpu/smt/control");
	err = err   ?:
		      add_file(env, "governor",
			       "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	return err   ?:
		       add_file(env, "transparent_hugepage",
				"/sys/kernel/mm/transparent_hugepage/enabled");
}

static char *timezone_text(void)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	if (!localtime_r(&now, &tm) || !strftime(text, sizeof(text), "%Z %z", &tm))
		return NULL;
	return strdup(text);
}

int environment_describe(struct capture *capture)
{
	struct utsname uts;
	int err;

	if (!uname(&uts)) {
		capture->host = strdup(uts.nodename);
		capture->kernel = strdup(uts.release);
		capture->arch = strdup(uts.machine);
	}
	capture->boot_id = read_small_file("/proc/sys/kernel/random/boot_id");
	capture->timezone = timezone_text();
	err = describe_clock(&capture->clock);
	return err ?: describe_cpus(&capture->environment);
}
