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
#include "bpf/key.h"

u64 stage_hits[MAX_CPUS][GEMBA_MAX_STAGES];
struct gemba_key stage_keys[GEMBA_MAX_STAGES]; /* set before the stage is attached */

/* Each load stands alone: merged, they would be of a computed place, which the verifier refuses. */
#define OF(field)                                                                                  \
	({                                                                                         \
		u64 value = ctx->field;                                                            \
		barrier_var(value);                                                                \
		value;                                                                             \
	})

static __always_inline u64 register_of(const struct pt_regs *ctx, u32 reg)
{
	switch (reg) {
	case GEMBA_RDI:
		return OF(di);
	case GEMBA_RSI:
		return OF(si);
	case GEMBA_RDX:
		return OF(dx);
	case GEMBA_RCX:
		return OF(cx);
	case GEMBA_R8:
		return OF(r8);
	case GEMBA_R9:
		return OF(r9);
	case GEMBA_RAX:
		return OF(ax);
	case GEMBA_RBX:
		return OF(bx);
	case GEMBA_R10:
		return OF(r10);
	default:
		return OF(r11);
	}
}

/* The key into the record. Memory that is not in core, or not there, is not waited for. */
static __always_inline void put_key(struct gemba_event *ev, const struct pt_regs *ctx,
				    const struct gemba_key *key)
{
	u64 value = register_of(ctx, key->reg);

	value &= ~0ull >> (64 - 8 * (key->reg_bytes & 15));
	for (u32 i = 0; i < GEMBA_KEY_MAX_READS; i++) {
		const struct gemba_key_read *read = &key->reads[i];
		u32 bytes = read->bytes & 15;
		u64 from = value + (s64)(s32)read->offset;

		if (i >= key->nr_reads)
			break;
		value = 0;
		if (bytes > sizeof(value) || bpf_probe_read_user(&value, bytes, (void *)from)) {
			ev->flags = GEMBA_F_UNREAD;
			return;
		}
		if (read->is_big_endian)
			value = bpf_be64_to_cpu(value) >> (64 - 8 * bytes);
	}
	ev->flags = GEMBA_F_KEY;
	ev->len = value;
	ev->aux = value >> 32;
}

SEC("uprobe")
int on_stage(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 stage = bpf_get_attach_cookie(ctx);
	u32 cpu = bpf_get_smp_processor_id();
	const struct gemba_key *key = &stage_keys[stage & (GEMBA_MAX_STAGES - 1)];
	struct gemba_event *ev;

	if (!is_watched(id >> 32))
		return 0;
	/* a thread may be preempted here by another that enters a stage on this CPU */
	__sync_fetch_and_add(&stage_hits[cpu & (MAX_CPUS - 1)][stage & (GEMBA_MAX_STAGES - 1)], 1);
	ev = reserve_event(GEMBA_STAGE);
	if (!ev)
		return 0;
	ev->tid = id;
	ev->seq = stage;
	ev->flags = 0;
	ev->sk = ev->len = ev->aux = 0;
	if (key->is_given)
		put_key(ev, ctx, key);
	submit(ev);
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
