// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_check.c - gemba check: what can be observed here, and why not the rest
 *
 * The programs are really loaded into the kernel and freed again, never attached: the answer
 * is this kernel's, not a guess from its version. Of the target only /proc is read.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/attach/environment.h"
#include "src/attach/feature.h"
#include "src/attach/probe.h"
#include "src/attach/procfs.h"
#include "src/live.h"

/* Names that others chose must not reach the terminal as commands to it. */
static void put_text(const char *text)
{
	for (; *text; text++)
		putchar(iscntrl((unsigned char)*text) ? '?' : *text);
	putchar('\n');
}

static void line(const char *verdict, const char *what, const char *text)
{
	printf("  %-4s %-28s ", verdict, what);
	put_text(text);
}

static void check_host(void)
{
	struct capture capture = { 0 };

	printf("host\n");
	if (!environment_describe(&capture)) {
		line("", "kernel", capture.kernel ?: "?");
		for (size_t i = 0; i < capture.clock.nr; i++)
			line("", capture.clock.items[i].key, capture.clock.items[i].value);
		for (size_t i = 0; i < capture.environment.nr; i++)
			line("", capture.environment.items[i].key,
			     capture.environment.items[i].value);
	}
	capture_fini(&capture);
	line(feature_has_privileges() ? "ok" : "NO", "privileges",
	     feature_has_privileges() ? "root, or CAP_BPF with CAP_PERFMON" :
					"needs root, or CAP_BPF with CAP_PERFMON: use sudo");
	line(proc_is_of_host() ? "ok" : "NO", "process ids",
	     proc_is_of_host() ? "those of the host" :
				 "of a PID namespace: run gemba on the host, or with the host's");
}

static int check_programs(void)
{
	char why[PROBE_WHY_BYTES] = "";
	struct probe_status *list;
	size_t nr;
	int err;

	printf("stations and events of this kernel, by loading each program\n");
	err = probe_try(&list, &nr, why);
	if (err) {
		line("NO", "all", why);
		return 1;
	}
	for (size_t i = 0; i < nr; i++)
		line(list[i].why[0] ? "NO" : "ok", list[i].serves, list[i].why);
	free(list);
	line(feature_has_hwstamps() ? "ok" : "-", "hardware receive stamps",
	     feature_has_hwstamps() ? "set by a device; recorded" : "no device sets them");
	return 0;
}

static void count_thread(void *ctx, uint32_t tid)
{
	(void)tid;
	++*(size_t *)ctx;
}

static void check_process(const struct target_info *info)
{
	char text[128];
	size_t threads = 0;

	printf("target %u ", info->pid);
	put_text(info->comm ?: "?");
	line("", "executable", info->exe ?: "cannot be read");
	line("", "build-id", info->build_id ?: "none");
	proc_threads(info->pid, count_thread, &threads);
	snprintf(text, sizeof(text), "%zu", threads);
	line("", "threads", text);
	if (info->is_go)
		line("note", "Go runtime",
		     "items join by connection only: work moves between "
		     "threads");
	if (proc_status_number(info->pid, "Seccomp") > 0)
		line("note", "seccomp", "sandboxed; packets, sockets and threads are not affected");
	if (proc_status_number(info->pid, "TracerPid") > 0)
		line("note", "ptrace", "a debugger is attached to it; its waits will show");
}

static int check_target(const struct opts *opts)
{
	struct capture capture = { 0 };
	struct target target;
	int err = live_target(&target, opts);

	if (err)
		return err;
	err = target_describe(&target, &capture);
	for (size_t i = 0; !err && i < capture.nr_targets; i++)
		check_process(&capture.targets[i]);
	capture_fini(&capture);
	return err ? log_error("out of memory") : 0;
}

int cmd_check(const struct opts *opts)
{
	int target = opts_has_target(opts) ? check_target(opts) : 0;
	int status;

	if (target)
		return target;
	check_host();
	status = check_programs();
	if (!proc_is_of_host())
		status = 1;
	if (!status)
		printf("this host can be observed; each event of the target costs it about "
		       "0.1-0.2us, a foreign packet or switch less than 0.1us\n");
	return status;
}
