/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - how to run one instruction of a target harmlessly somewhere else
 */
#ifndef GEMBA_SITE_REPLAY_H
#define GEMBA_SITE_REPLAY_H

#include "src/site/site.h"

/* Registers by the CPU's own numbers: rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15. */
enum { REPLAY_RSP = 4, REPLAY_NONE = -1 };

enum replay_kind {
	REPLAY_PLAIN,	 /* goes on behind itself */
	REPLAY_BRANCH,	 /* may go where its displacement says */
	REPLAY_RETURN,	 /* goes where the word at rsp says */
	REPLAY_REGISTER, /* goes where the register `base` says */
	REPLAY_POINTER,	 /* goes where its memory operand says */
};

struct replay {
	uint8_t bytes[SITE_MAX_BYTES]; /* the same encoding, displacements replaced */
	uint8_t nr_bytes;
	enum replay_kind kind;
	bool has_memory;  /* an operand at base + index * scale + displacement */
	bool is_relative; /* ... or at a fixed distance from the instruction */
	int base;	  /* or REPLAY_NONE */
	int index;
	int scale;
	int64_t displacement;
};

/*
 * branch_to and data_at are where a branch and a rip-relative operand shall lead, in bytes from
 * the instruction's start. 0 or -ENOTSUP: it cannot be replayed.
 */
int replay_plan(struct replay *out, const uint8_t *bytes, size_t nr, int32_t branch_to,
		int32_t data_at);

#endif
