// SPDX-License-Identifier: BSD-2-Clause
/*
 * launch.c - from exec to the entry point, traced
 *
 * Stops that are not ours are passed on: a signal is delivered, a group stop goes on until
 * SIGCONT. Ends are looked at and not reaped: the exit status is its owner's.
 */
#include "src/attach/launch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define DR7_EXECUTE_0                                                                              \
	1ul /* local enable of register 0, length 1, on execution: Intel SDM 3B 19.2 */

bool launch_prepare(pid_t child)
{
	return !ptrace(PTRACE_SEIZE, child, NULL,
		       (void *)(uintptr_t)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL));
}

/* The next stop of it, in the format of wait(2). -1: it has ended. */
static int next_stop(pid_t child)
{
	siginfo_t info;
	int status;

	do {
		info.si_pid = 0;
		if (waitid(P_PID, child, &info, WEXITED | WSTOPPED | WNOWAIT)) {
			if (errno == EINTR)
				continue;
			return -1;
		}
	} while (!info.si_pid);
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
		return -1;
	return waitpid(child, &status, __WALL) == child && WIFSTOPPED(status) ? status : -1;
}

/* Where the program begins, its interpreter done. 0: not known, or not 64-bit code. */
static uint64_t entry_of(pid_t child)
{
	unsigned char ident[EI_NIDENT];
	uint64_t entry = 0;
	Elf64_auxv_t one;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, ident, sizeof(ident)) != sizeof(ident) || ident[EI_CLASS] != ELFCLASS64) {
		close(fd);
		return 0;
	}
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (read(fd, &one, sizeof(one)) == sizeof(one) && one.a_type != AT_NULL)
		if (one.a_type == AT_ENTRY)
			entry = one.a_un.a_val;
	close(fd);
	return entry;
}

static bool set_register(pid_t child, size_t which, uint64_t value)
{
	size_t at = offsetof(struct user, u_debugreg) + which * sizeof(uint64_t);

	return !ptrace(PTRACE_POKEUSER, child, (void *)at, (void *)(uintptr_t)value);
}

static bool stop_at(pid_t child, uint64_t address)
{
	return address && set_register(child, 0, address) && set_register(child, 7, DR7_EXECUTE_0);
}

static bool is_at(pid_t child, uint64_t address)
{
	struct user_regs_struct regs;

	return !ptrace(PTRACE_GETREGS, child, NULL, &regs) && regs.rip == address;
}

/* From a stop that is not the awaited one. */
static void go_on(pid_t child, int status)
{
	int sig = WSTOPSIG(status);
	bool is_event = status >> 16 == PTRACE_EVENT_STOP;

	if (is_event && sig != SIGTRAP)
		ptrace(PTRACE_LISTEN, child, NULL, NULL); /* stopped by SIGSTOP: let it be */
	else
		ptrace(PTRACE_CONT, child, NULL, (void *)(uintptr_t)(status >> 16 ? 0 : sig));
}

bool launch_hold(pid_t child)
{
	uint64_t entry = 0;
	int status;

	while ((status = next_stop(child)) >= 0) {
		if (status >> 16 == PTRACE_EVENT_EXEC) {
			entry = entry_of(child);
			if (!stop_at(child, entry))
				return true;
			ptrace(PTRACE_CONT, child, NULL, NULL);
		} else if (entry && WSTOPSIG(status) == SIGTRAP && !(status >> 16) &&
			   is_at(child, entry)) {
			set_register(child, 7, 0);
			return true;
		} else {
			go_on(child, status);
		}
	}
	return false;
}

void launch_release(pid_t child)
{
	ptrace(PTRACE_DETACH, child, NULL, NULL);
}
