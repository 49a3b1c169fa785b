// SPDX-License-Identifier: BSD-2-Clause
/*
 * target.c - from what the user said to processes, or one sentence why not
 *
 * A command of our own is forked first and held on a pipe before its exec, so that everything
 * is attached when its first instruction runs. Nothing here touches a process that exists.
 */
#include "src/attach/target.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/attach/launch.h"
#include "src/attach/procfs.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h; field 9 of /proc/PID/stat */

static int fail(char *why, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, TARGET_WHY_BYTES, format, args);
	va_end(args);
	return error;
}

static int check_pid(uint32_t pid, char *why)
{
	struct proc_stat stat;
	long tgid;

	if (pid == (uint32_t)getpid())
		return fail(why, -EINVAL, "pid %u is gemba itself; give the process to observe",
			    pid);
	if (proc_stat_read(pid, &stat))
		return fail(why, -ESRCH, "no process has pid %u; look with: pgrep -a NAME", pid);
	tgid = proc_status_number(pid, "Tgid");
	if (tgid > 0 && (uint32_t)tgid != pid)
		return fail(why, -EINVAL, "%u is a thread of process %ld; use -p %ld", pid, tgid,
			    tgid);
	if (stat.flags & PF_KTHREAD)
		return fail(why, -EINVAL,
			    "pid %u (%s) is a kernel thread; it serves no messages "
			    "of its own, give a user process",
			    pid, stat.comm);
	if (stat.state == 'Z' || stat.state == 'X')
		return fail(why, -ESRCH, "process %u (%s) has exited; give one that runs", pid,
			    stat.comm);
	return 0;
}

int target_from_pids(struct target *self, const uint32_t *pids, size_t nr, char *why)
{
	memset(self, 0, sizeof(*self));
	self->go_fd = self->err_fd = -1;
	for (size_t i = 0; i < nr && i < TARGET_MAX_PIDS; i++) {
		int err = check_pid(pids[i], why);

		if (err)
			return err;
		self->pids[self->nr_pids++] = pids[i];
	}
	return 0;
}

static bool name_matches(uint32_t pid, const char *name)
{
	char exe[PATH_MAX];
	struct proc_stat stat;
	const char *base;

	if (pid == (uint32_t)getpid() || proc_stat_read(pid, &stat))
		return false;
	if ((stat.flags & PF_KTHREAD) || stat.state == 'Z' || stat.state == 'X')
		return false;
	if (!strcmp(stat.comm, name))
		return true;
	if (proc_readlink(pid, "exe", exe, sizeof(exe)))
		return false;
	base = strrchr(exe, '/');
	return base && !strcmp(base + 1, name);
}

static void list_matches(const struct target *self, const char *name, char *why)
{
	size_t at =
		snprintf(why, TARGET_WHY_BYTES, "%zu processes are named %s:", self->nr_pids, name);

	for (size_t i = 0; i < self->nr_pids && at < TARGET_WHY_BYTES - 100; i++)
		at += snprintf(why + at, TARGET_WHY_BYTES - at, " %u", self->pids[i]);
	snprintf(why + at, TARGET_WHY_BYTES - at, "; give one with -p, or --all");
}

int target_from_name(struct target *self, const char *name, bool all, char *why)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	memset(self, 0, sizeof(*self));
	self->go_fd = self->err_fd = -1;
	if (!proc)
		return fail(why, -errno, "cannot read /proc: %s", strerror(errno));
	while ((entry = readdir(proc)) && self->nr_pids < TARGET_MAX_PIDS) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    name_matches(atoi(entry->d_name), name))
			self->pids[self->nr_pids++] = atoi(entry->d_name);
	}
	closedir(proc);
	if (!self->nr_pids)
		return fail(why, -ESRCH,
			    "no process is named '%s' (exact comm or executable name); look with: "
			    "pgrep -a %s",
			    name, name);
	if (self->nr_pids > 1 && !all) {
		list_matches(self, name, why);
		return -ENOTUNIQ;
	}
	return 0;
}

static void run_child(int go, int err, char *const argv[])
{
	char byte;
	int error;

	/* a dead parent closes the pipe: then never run the command */
	if (read(go, &byte, 1) != 1)
		_exit(127);
	execvp(argv[0], argv);
	error = errno;
	if (write(err, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

int target_from_command(struct target *self, char *const argv[], char *why)
{
	int go[2], err[2];

	memset(self, 0, sizeof(*self));
	self->go_fd = self->err_fd = -1;
	if (pipe2(go, O_CLOEXEC))
		return fail(why, -errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(err, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return fail(why, -errno, "cannot make a pipe: %s", strerror(errno));
	}
	self->argv = argv;
	self->child = fork();
	if (self->child == 0) {
		close(go[1]);
		close(err[0]);
		run_child(go[0], err[1], argv);
	}
	close(go[0]);
	close(err[1]);
	self->go_fd = go[1];
	self->err_fd = err[0];
	if (self->child < 0)
		return fail(why, -errno, "cannot start %s: %s", argv[0], strerror(errno));
	self->pids[self->nr_pids++] = self->child;
	return 0;
}

int target_go(struct target *self, bool hold, char *why)
{
	bool is_traced;
	int error = 0;

	if (!self->child)
		return 0;
	is_traced = hold && launch_prepare(self->child);
	if (write(self->go_fd, "g", 1) != 1)
		return fail(why, -errno, "the command ended before it began");
	close(self->go_fd);
	self->go_fd = -1;
	/* first: a traced child that is stopped before its exec waits for its tracer */
	self->is_held = is_traced && launch_hold(self->child);
	if (read(self->err_fd, &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(self->err_fd);
	self->err_fd = -1;
	if (!error)
		return 0;
	target_reap(self, true);
	return fail(why, -error, "cannot run %s: %s; check its path%s", self->argv[0],
		    strerror(error),
		    error == ENOENT ? ", and of a script what its #! line names" : "");
}

void target_release(struct target *self)
{
	if (self->is_held)
		launch_release(self->child);
	self->is_held = false;
}

bool target_is_alive(const struct target *self)
{
	struct proc_stat stat;

	for (size_t i = 0; i < self->nr_pids; i++)
		if (!proc_stat_read(self->pids[i], &stat) && stat.state != 'Z' && stat.state != 'X')
			return true;
	return false;
}

int target_reap(struct target *self, bool wait)
{
	int status;

	if (self->child <= 0 || waitpid(self->child, &status, wait ? 0 : WNOHANG) != self->child)
		return -1;
	self->child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void target_fini(struct target *self)
{
	if (self->go_fd >= 0) {
		close(self->go_fd); /* the child reads the end of file and ends */
		target_reap(self, true);
	}
	target_release(self);
	if (self->err_fd >= 0)
		close(self->err_fd);
	self->go_fd = self->err_fd = -1;
}

static int describe(uint32_t pid, struct target_info *info)
{
	char exe[PATH_MAX], path[64];
	struct proc_stat stat;

	info->pid = pid;
	if (!proc_stat_read(pid, &stat))
		info->comm = strdup(stat.comm);
	if (!proc_readlink(pid, "exe", exe, sizeof(exe)))
		info->exe = strdup(exe);
	info->cmdline = proc_cmdline(pid);
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	info->build_id = elf_build_id(path);
	info->is_go = elf_is_go(path);
	return info->comm ? 0 : -ESRCH;
}

/* The command line of one that ended too soon for /proc to have it. */
static char *join(char *const argv[])
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	if (!to)
		return NULL;
	for (size_t i = 0; argv[i]; i++)
		fprintf(to, "%s%s", i ? " " : "", argv[i]);
	fclose(to);
	return text;
}

int target_describe(const struct target *self, struct capture *capture)
{
	capture->targets = calloc(self->nr_pids, sizeof(*capture->targets));
	if (!capture->targets)
		return -ENOMEM;
	capture->nr_targets = self->nr_pids;
	for (size_t i = 0; i < self->nr_pids; i++)
		describe(self->pids[i], &capture->targets[i]);
	if (self->argv && (!capture->targets[0].cmdline || !*capture->targets[0].cmdline)) {
		free(capture->targets[0].cmdline);
		capture->targets[0].cmdline = join(self->argv);
	}
	if (self->nr_pids && capture->targets[0].comm && !capture->name)
		capture->name = strdup(capture->targets[0].comm);
	return 0;
}

/* What cannot be read now (it has exited since) stays as it was. */
static void take_text(char **to, char *from)
{
	if (!from || !*from) {
		free(from);
		return;
	}
	free(*to);
	*to = from;
}

void target_describe_again(uint32_t pid, struct capture *capture)
{
	struct target_info now = { 0 };
	struct target_info *info = NULL;

	for (size_t i = 0; i < capture->nr_targets; i++)
		if (capture->targets[i].pid == pid)
			info = &capture->targets[i];
	if (!info)
		return;
	if (describe(pid, &now)) {
		free(now.exe);
		free(now.cmdline);
		free(now.build_id);
		return;
	}
	if (info == capture->targets && capture->name && info->comm &&
	    !strcmp(capture->name, info->comm))
		take_text(&capture->name, strdup(now.comm));
	take_text(&info->comm, now.comm);
	take_text(&info->exe, now.exe);
	take_text(&info->cmdline, now.cmdline);
	take_text(&info->build_id, now.build_id);
	info->is_go = now.is_go;
}
