/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof_stub.h - runs one instruction with chosen registers and tells what it made of them
 */
#ifndef GEMBA_ATTACH_PROOF_STUB_H
#define GEMBA_ATTACH_PROOF_STUB_H

#include <stdint.h>

/* The assembly in proof_stub.c knows this layout. */
struct cpu {
	uint64_t gpr[16]; /* by the CPU's numbers: rax rcx rdx rbx rsp rbp rsi rdi r8 ... */
	uint64_t flags;
	uint64_t path; /* out: 0 behind the instruction, 1 where it branched to */
	uint8_t xmm[16][16];
};

/* Where the code around the instruction must jump to, behind it and at its branch's target. */
extern const uint8_t stub_fell_through[], stub_branched[];

/* Loads every register of `in`, jumps to site, and stores what came out. One thread at a time. */
void stub_enter(const struct cpu *in, const void *site);
extern struct cpu stub_out;

#endif
