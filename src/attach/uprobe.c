// SPDX-License-Identifier: BSD-2-Clause
/*
 * uprobe.c - perf events through libbpf, uprobe_multi links through bpf(2)
 *
 * libbpf 1.1 knows no uprobe_multi: the attach type and the layout of the call are those of
 * include/uapi/linux/bpf.h since 6.6 (89ae89f53d20).
 */
#include "src/attach/uprobe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACE_UPROBE_MULTI 48
#define MAX_THREADS 16

void uprobe_prepare_multi(struct bpf_program *program)
{
	bpf_program__set_expected_attach_type(program, TRACE_UPROBE_MULTI);
}

int uprobe_link_multi(int prog_fd, const char *path, const uint64_t *offsets,
		      const uint64_t *cookies, uint32_t nr, uint32_t pid)
{
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint64_t path, offsets, ref_ctr_offsets, cookies;
		uint32_t nr, multi_flags, pid, none;
	} attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = TRACE_UPROBE_MULTI,
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)offsets,
		.cookies = (uint64_t)(uintptr_t)cookies,
		.nr = nr,
		.pid = pid,
	};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

int uprobe_attach_multi(struct uprobe *out, int prog_fd, uint64_t cookie, uint32_t pid,
			const char *path, uint64_t file_offset)
{
	int fd = uprobe_link_multi(prog_fd, path, &file_offset, &cookie, 1, pid);

	if (fd < 0)
		return fd;
	*out = (struct uprobe){ .link_fd = fd };
	return 0;
}

int uprobe_attach(struct uprobe *out, const struct bpf_program *program, bool is_multi,
		  uint64_t cookie, uint32_t pid, const char *path, uint64_t file_offset)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie);
	struct bpf_link *perf;

	if (is_multi)
		return uprobe_attach_multi(out, bpf_program__fd(program), cookie, pid, path,
					   file_offset);
	perf = bpf_program__attach_uprobe_opts(program, (pid_t)pid, path, file_offset, &opts);
	if (!perf)
		return -errno;
	*out = (struct uprobe){ .perf = perf, .link_fd = -1 };
	return 0;
}

void uprobe_detach(struct uprobe *self)
{
	if (self->perf)
		bpf_link__destroy(self->perf);
	else if (self->link_fd >= 0)
		close(self->link_fd);
	*self = (struct uprobe){ .link_fd = -1 };
}

struct share {
	struct uprobe **uprobes;
	size_t nr;
	size_t first, step;
};

static void *detach_share(void *ctx)
{
	const struct share *share = ctx;

	for (size_t i = share->first; i < share->nr; i += share->step)
		uprobe_detach(share->uprobes[i]);
	return NULL;
}

void uprobes_detach(struct uprobe **uprobes, size_t nr)
{
	size_t nr_threads = nr < MAX_THREADS ? nr : MAX_THREADS;
	struct share shares[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	bool runs[MAX_THREADS];

	for (size_t i = 0; i < nr_threads; i++) {
		shares[i] = (struct share){ uprobes, nr, i, nr_threads };
		runs[i] = i > 0 && !pthread_create(&threads[i], NULL, detach_share, &shares[i]);
	}
	for (size_t i = 0; i < nr_threads; i++)
		if (!runs[i])
			detach_share(&shares[i]);
	for (size_t i = 0; i < nr_threads; i++)
		if (runs[i])
			pthread_join(threads[i], NULL);
}
