/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * key.h - a key expression as the kernel side evaluates it: a register, then reads of memory
 *
 * Made by src/key from text, so that nothing is compiled while gemba runs.
 */
#ifndef GEMBA_BPF_KEY_H
#define GEMBA_BPF_KEY_H

#include "bpf/event.h"

#define GEMBA_KEY_MAX_READS 4

/* The argument registers of the System V ABI in their order, then those that Go has besides. */
enum gemba_reg {
	GEMBA_RDI,
	GEMBA_RSI,
	GEMBA_RDX,
	GEMBA_RCX,
	GEMBA_R8,
	GEMBA_R9,
	GEMBA_RAX,
	GEMBA_RBX,
	GEMBA_R10,
	GEMBA_R11,
};

/* *(value + offset), of `bytes` bytes, becomes the value. */
struct gemba_key_read {
	__gemba_u32 offset; /* added in 64 bits, its sign extended */
	__gemba_u8 bytes;   /* 1, 2, 4 or 8 */
	__gemba_u8 is_big_endian;
	__gemba_u16 unused;
};

struct gemba_key {
	__gemba_u8 is_given;
	__gemba_u8 reg;	      /* enum gemba_reg: the first value */
	__gemba_u8 reg_bytes; /* that count of the register: 1, 2, 4 or 8 */
	__gemba_u8 nr_reads;
	struct gemba_key_read reads[GEMBA_KEY_MAX_READS];
};

#endif
