/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uprobe.h - one probe on one place of one process, in the way this kernel does it best
 *
 * A uprobe_multi link (6.6) detaches without the lock under which perf events go one after the
 * other, 90 ms each. A program is loaded for one way or the other.
 */
#ifndef GEMBA_ATTACH_UPROBE_H
#define GEMBA_ATTACH_UPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_program;
struct bpf_link;

struct uprobe {
	struct bpf_link *perf;
	int link_fd; /* of a uprobe_multi link, valid when perf is NULL */
};

/*
 * One uprobe_multi link on `nr` places of a file, in one process (0: in all). The link's fd, or
 * -errno: -EINVAL where the kernel has none. cookies may be NULL.
 */
int uprobe_link_multi(int prog_fd, const char *path, const uint64_t *offsets,
		      const uint64_t *cookies, uint32_t nr, uint32_t pid);
/* Before the program is loaded: for uprobe_multi links. */
void uprobe_prepare_multi(struct bpf_program *program);
/* 0 or -errno. The cookie tells the program which probe it was. */
int uprobe_attach(struct uprobe *out, const struct bpf_program *program, bool is_multi,
		  uint64_t cookie, uint32_t pid, const char *path, uint64_t file_offset);
/* The same, always by a link, of a program that libbpf knows nothing of. */
int uprobe_attach_multi(struct uprobe *out, int prog_fd, uint64_t cookie, uint32_t pid,
			const char *path, uint64_t file_offset);
/* The bytes of the process are its file's again when this returns. */
void uprobe_detach(struct uprobe *self);
/* The same of many, side by side where the kernel lets them. */
void uprobes_detach(struct uprobe **uprobes, size_t nr);

#endif
