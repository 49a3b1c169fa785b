/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * stage.bpf.c - a function of the target is entered
 *
 * One program for all stages: the attach cookie (5.15) says which. A probe is set per process,
 * but a breakpoint that the kernel has in one process's memory may be copied by its fork: who is
 * not watched is let go. Hits are counted per CPU before anything can be lost, for the brake,
 * which must not depend on rings that overflow.
 */
#include "bpf/emit.bpf.h"

u64 stage_hits[MAX_CPUS][GEMBA_MAX_STAGES];

SEC("uprobe")
int on_stage(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 stage = bpf_get_attach_cookie(ctx);
	u32 cpu = bpf_get_smp_processor_id();

	if (!is_watched(id >> 32))
		return 0;
	/* a thread may be preempted here by another that enters a stage on this CPU */
	__sync_fetch_and_add(&stage_hits[cpu & (MAX_CPUS - 1)][stage & (GEMBA_MAX_STAGES - 1)], 1);
	emit(GEMBA_STAGE, 0, 0, id, stage, 0, 0);
	return 0;
}

u64 calibration_ns[GEMBA_MAX_CALIBRATIONS];
u32 nr_calibrations;

/* The same in a child of gemba's own: when a stage would have been stamped. */
SEC("uprobe")
int on_calibrate(struct pt_regs *ctx)
{
	u32 i = nr_calibrations;

	if (i < GEMBA_MAX_CALIBRATIONS)
		calibration_ns[i & (GEMBA_MAX_CALIBRATIONS - 1)] = bpf_ktime_get_ns();
	nr_calibrations = i + 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
