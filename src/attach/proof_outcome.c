// SPDX-License-Identifier: BSD-2-Clause
/*
 * proof_outcome.c - compares a run with the probe to the same run without it
 *
 * Everything must be the same but for the stack below rsp. The 128 bytes there are the red zone,
 * which a function may use behind its entry, so they are told apart; what lies below them may be
 * overwritten at any time, by a signal for one.
 */
#include "src/attach/proof_outcome.h"

#include <stdio.h>
#include <string.h>

enum { RED_ZONE = 128 };

/* Offset of the lowest byte that must last: rsp before or after, whichever is lower. */
static uint64_t lowest_kept(const struct outcome *was, uint64_t scratch, uint64_t stack_at)
{
	uint64_t sp = was->cpu.gpr[REPLAY_RSP];

	if (sp < scratch)
		return 0;
	return sp - scratch < stack_at ? sp - scratch : stack_at;
}

static bool is_memory_same(const struct outcome *is, const struct outcome *was, uint64_t low)
{
	return !memcmp(is->scratch + low, was->scratch + low, TRIAL_BYTES - low);
}

static bool is_zone_same(const struct outcome *is, const struct outcome *was, uint64_t low,
			 uint64_t stack_at)
{
	uint64_t zone = stack_at - RED_ZONE;

	return low <= zone || !memcmp(is->scratch + zone, was->scratch + zone, low - zone);
}

static void compare_cpu(const struct cpu *is, const struct cpu *was, struct trial_reply *reply)
{
	static const char names[16][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					   "r8",  "r9",	 "r10", "r11", "r12", "r13", "r14", "r15" };

	for (int i = 0; i < 16; i++) {
		if (was->gpr[i] != is->gpr[i])
			snprintf(reply->why, sizeof(reply->why), "%s differs", names[i]);
		if (memcmp(was->xmm[i], is->xmm[i], sizeof(was->xmm[i])))
			snprintf(reply->why, sizeof(reply->why), "xmm%d differs", i);
	}
	if (was->flags != is->flags)
		snprintf(reply->why, sizeof(reply->why), "the flags differ: %lx, not %lx",
			 is->flags, was->flags);
	if (was->path != is->path)
		snprintf(reply->why, sizeof(reply->why), "a branch goes the wrong way");
}

bool outcome_is_same(const struct outcome *is, const struct outcome *was, uint64_t scratch,
		     uint64_t stack_at, struct trial_reply *reply)
{
	uint64_t low = lowest_kept(was, scratch, stack_at);

	compare_cpu(&is->cpu, &was->cpu, reply);
	if (!is_memory_same(is, was, low))
		snprintf(reply->why, sizeof(reply->why), "memory differs");
	if (!is_zone_same(is, was, low, stack_at))
		reply->has_spoiled = true;
	return !reply->why[0];
}
