/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * emit.bpf.h - the way out of the kernel: who is watched, per-CPU rings, counted loss
 *
 * Each CPU writes to a ring of its own and wakes nobody; the collector drains on a timer. A
 * failed reserve is counted by CPU and kind, so that no loss is silent. Whether a process or a
 * port is watched is one bit in memory that user space maps and writes.
 *
 * Inner rings are set by user space before load; the map here only gives their type.
 */
#ifndef GEMBA_BPF_EMIT_H
#define GEMBA_BPF_EMIT_H

#include "vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>
#define __bpf__ 1
#include "bpf/event.h"
#include "bpf/compat.bpf.h"

#define MAX_CPUS 512
#define PID_WORDS 65536 /* 4 194 304 pids: PID_MAX_LIMIT of 64-bit kernels */

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__array(values, struct ring);
} rings __weak SEC(".maps");

/* defined in net.bpf.c */
extern u64 watched_pids[PID_WORDS];
extern u64 lost[MAX_CPUS][32];

static __always_inline bool is_watched(u32 tgid)
{
	return watched_pids[(tgid >> 6) & (PID_WORDS - 1)] & (1ull << (tgid & 63));
}

static __always_inline bool current_is_watched(void)
{
	return is_watched(bpf_get_current_pid_tgid() >> 32);
}

/*
 * Room for one record in this CPU's ring, or NULL, counted. The clock is the last thing read
 * before the caller fills and submits: an interrupt between reserve and clock then cannot
 * give a record that is older than the one behind it by more than itself.
 */
static __always_inline void *reserve(u32 kind, u32 bytes)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	struct gemba_event *ev = NULL;

	if (ring)
		ev = bpf_ringbuf_reserve(ring, bytes, 0);
	if (!ev) {
		__sync_fetch_and_add(&lost[cpu & (MAX_CPUS - 1)][kind & 31], 1);
		return NULL;
	}
	ev->ts_ns = bpf_ktime_get_ns();
	ev->kind = kind;
	ev->cpu = cpu;
	return ev;
}

static __always_inline struct gemba_event *reserve_event(u32 kind)
{
	return reserve(kind, sizeof(struct gemba_event));
}

static __always_inline void submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* The plain case: every field at once, none left unset. */
static __always_inline void emit(u32 kind, u32 flags, u32 sk, u32 tid, u32 seq, u32 len, u32 aux)
{
	struct gemba_event *ev = reserve_event(kind);

	if (!ev)
		return;
	ev->flags = flags;
	ev->sk = sk;
	ev->tid = tid;
	ev->seq = seq;
	ev->len = len;
	ev->aux = aux;
	submit(ev);
}

#endif
