/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * count.bpf.c - how often functions of the target are entered, many at once, and nothing more
 *
 * For --propose: one counter for each attach cookie (5.15), read while it runs. Loaded on its own,
 * never with a capture.
 */
#include "vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>

#define MAX_COUNTERS 8192

u64 counters[MAX_COUNTERS];

SEC("?uprobe")
int on_count(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&counters[bpf_get_attach_cookie(ctx) & (MAX_COUNTERS - 1)], 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
