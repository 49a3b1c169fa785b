/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * compat.bpf.h - every difference between kernels that bpf/ has to know
 *
 * What can be told from BTF inside a program stands here; what decides whether a program is
 * loaded at all (a tracepoint that is absent, another number of arguments) is decided in
 * src/attach/feature.c, by looking, never by a version number.
 */
#ifndef GEMBA_BPF_COMPAT_H
#define GEMBA_BPF_COMPAT_H

/* task->state became __state in 5.14 (2f064a59a11f) and an argument of sched_switch in 5.18. */
static __always_inline bool is_runnable(struct task_struct *task)
{
	struct task_struct___5_10 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return task->__state == 0;
	return BPF_CORE_READ(old, state) == 0;
}

#endif
