/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs.h - what /proc and an executable's ELF notes say of a process
 */
#ifndef GEMBA_ATTACH_PROCFS_H
#define GEMBA_ATTACH_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_stat {
	char comm[64];
	char state; /* R S D T Z X ... */
	uint64_t flags;
};

/* 0 or -errno (-ENOENT: no such process). Also for a thread id. */
int proc_stat_read(uint32_t pid, struct proc_stat *stat);
/* Whether it runs with a shadow stack, by what its status says of its first thread (6.6). */
bool proc_has_shadow_stack(uint32_t pid);
bool status_has_shadow_stack(const char *text);
/* A number of /proc/PID/status by its field name, -1 if it is not there. */
long proc_status_number(uint32_t pid, const char *field);
/* Whether the process ids that /proc shows are those that the kernel's events carry. */
bool proc_is_of_host(void);
/* The target of /proc/PID/NAME, ended by 0. 0 or -errno. */
int proc_readlink(uint32_t pid, const char *name, char *to, size_t bytes);
/* The command line with blanks between arguments, malloc'd, or NULL. */
char *proc_cmdline(uint32_t pid);
/* The whole of a small file without its last newline, malloc'd, or NULL. */
char *read_small_file(const char *path);
/* Calls `each` for every thread id of a process; its number, or -errno. */
int proc_threads(uint32_t pid, void (*each)(void *ctx, uint32_t tid), void *ctx);

/* The GNU build-id as hexadecimal, malloc'd, or NULL. */
char *elf_build_id(const char *path);
/* Whether the Go tool chain made it: it has a section .go.buildinfo. */
bool elf_is_go(const char *path);

/* Where in the file of this very program something stands that it has mapped. 0 or -errno. */
int proc_own_offset(const void *address, uint64_t *offset);

#endif
