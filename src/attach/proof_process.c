// SPDX-License-Identifier: BSD-2-Clause
/*
 * proof_process.c - forks the process of a trial and talks to it
 *
 * Each wait is bounded, and the process is ended by its own id. It shares nothing with the parent
 * but the channel and the file with the code, neither of which has a name.
 */
#include "src/attach/proof_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PAGES (1u << 18) /* 1 GiB, of which one page exists */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * At another place in the file each time: this kernel was seen to keep a probe of a file that is gone
 * (6.18), which then took the next file at the same address in the kernel for its own, and ran the
 * instruction of the former trial.
 */
static uint32_t most_pages(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur / TRIAL_BYTES >= MAX_PAGES)
		return MAX_PAGES;
	return limit.rlim_cur >= TRIAL_BYTES ? (uint32_t)(limit.rlim_cur / TRIAL_BYTES) : 1;
}

static int make_file(struct trial *trial)
{
	uint32_t page = 0;
	ssize_t bytes;

	if (getrandom(&page, sizeof(page), 0) != sizeof(page))
		return -EIO;
	trial->file_at = (uint64_t)(page % most_pages()) * TRIAL_BYTES;
	trial_write_code(trial);
	trial->file = memfd_create("gemba-trial", MFD_CLOEXEC);
	if (trial->file < 0)
		return -errno;
	bytes = pwrite(trial->file, trial->code, TRIAL_BYTES, (off_t)trial->file_at);
	if (bytes < 0)
		return -errno;
	return bytes == TRIAL_BYTES ? 0 : -EFBIG;
}

static int make_channel(struct process *self, unsigned int timeout_ms)
{
	const struct timeval timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	self->channel = ends[0];
	self->trial.channel = ends[1];
	if (setsockopt(self->channel, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	return 0;
}

int process_start(struct process *self, unsigned int timeout_ms)
{
	int parent = getpid(), err;

	self->pid = 0;
	self->channel = self->trial.channel = self->trial.file = -1;
	err = make_file(&self->trial);
	err = err ?: make_channel(self, timeout_ms);
	if (err)
		return err;
	self->pid = fork();
	if (!self->pid) {
		close(self->channel);
		trial_serve(&self->trial, parent);
	}
	err = self->pid < 0 ? -errno : 0;
	close_fd(&self->trial.channel);
	return err;
}

bool process_send(struct process *self, enum trial_what what, uint32_t nr)
{
	const struct trial_request request = { what, nr };

	memset(&self->reply, 0, sizeof(self->reply));
	self->has_ended = send(self->channel, &request, sizeof(request), MSG_NOSIGNAL) < 0;
	return !self->has_ended;
}

bool process_receive(struct process *self)
{
	ssize_t n;

	if (self->has_ended)
		return false;
	do
		n = recv(self->channel, &self->reply, sizeof(self->reply), 0);
	while (n < 0 && errno == EINTR);
	self->has_ended = !n || (n < 0 && errno == ECONNRESET);
	return n == sizeof(self->reply);
}

bool process_ask(struct process *self, enum trial_what what, uint32_t nr)
{
	return process_send(self, what, nr) && process_receive(self);
}

void process_explain(const struct process *self, char *text, size_t bytes)
{
	siginfo_t info = { 0 };

	if (self->has_ended)
		waitid(P_PID, self->pid, &info, WEXITED | WNOWAIT);
	if (!self->has_ended)
		snprintf(text, bytes, "did not answer in time");
	else if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		snprintf(text, bytes, "was killed by SIG%s", sigabbrev_np(info.si_status) ?: "?");
	else
		snprintf(text, bytes, "ended");
}

bool process_has_stepped(const struct process *self)
{
	char path[64], line[512];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", self->pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, "[uprobes]") != NULL;
	if (maps)
		fclose(maps);
	return found || !maps;
}

void process_end(struct process *self)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	self->pid = 0;
	close_fd(&self->channel);
	close_fd(&self->trial.channel);
	close_fd(&self->trial.file);
}
