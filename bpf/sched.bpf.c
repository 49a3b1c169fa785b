/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * sched.bpf.c - when a watched thread runs, could run, or waits
 *
 * One record per switch that touches a watched thread. The wake-up is not a record: its time
 * and its waker are kept in a slot by thread id and leave with the switch that puts the thread
 * on a CPU. Two threads that share a slot lose their wake-up
 * time (the id is checked), never get each other's.
 *
 * Everyone else on the host pays two loads and two bit tests per switch, one per wake-up.
 */
#include "bpf/emit.bpf.h"

#define WAKE_SLOTS 16384

struct wake {
	u64 ts_ns;
	u32 tid;
	u32 waker;
};

static struct wake wakes[WAKE_SLOTS];

const volatile bool switch_has_state = true; /* sched_switch has a fourth argument: 5.18 */

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *p)
{
	struct wake *w;
	u32 tid;

	if (!is_watched(p->tgid))
		return 0;
	tid = p->pid;
	w = &wakes[tid & (WAKE_SLOTS - 1)];
	w->ts_ns = bpf_ktime_get_ns();
	w->waker = bpf_get_current_pid_tgid();
	w->tid = tid;
	return 0;
}

static __always_inline void take_wake(struct gemba_event *ev, u32 tid)
{
	struct wake *w = &wakes[tid & (WAKE_SLOTS - 1)];
	u64 age;

	ev->len = ev->aux = 0;
	if (w->tid != tid)
		return;
	age = ev->ts_ns - w->ts_ns;
	ev->len = age < 0xffffffff ? age : 0xffffffff;
	ev->aux = w->waker;
	w->tid = 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct gemba_event *ev;
	u32 flags = 0;

	if (is_watched(prev->tgid))
		flags |= GEMBA_F_PREV;
	if (is_watched(next->tgid))
		flags |= GEMBA_F_NEXT;
	if (!flags)
		return 0;
	if (preempt || (switch_has_state ? ctx[3] == 0 : is_runnable(prev)))
		flags |= GEMBA_F_RUNNABLE;
	ev = reserve_event(GEMBA_SWITCH);
	if (!ev)
		return 0;
	ev->flags = flags;
	ev->tid = next->pid;
	ev->seq = prev->pid;
	ev->sk = 0;
	if (flags & GEMBA_F_NEXT)
		take_wake(ev, next->pid);
	else
		ev->len = ev->aux = 0;
	submit(ev);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (is_watched(parent->tgid))
		emit(GEMBA_FORK, 0, 0, child->pid, child->tgid, 0, parent->pid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *p)
{
	if (is_watched(p->tgid))
		emit(GEMBA_EXIT, 0, 0, p->pid, p->tgid, p->exit_code, 0);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p)
{
	if (is_watched(p->tgid))
		emit(GEMBA_EXEC, 0, 0, p->pid, p->tgid, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
