/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.h - what threads are at, some thousand times a second of their CPU time
 *
 * By perf's software clock, so that no PMU is needed; with the user registers and a copy of the
 * stack, from which unwind.h tells the callers. Life cycle: new, add each thread, drain at least
 * every 20 ms, free.
 */
#ifndef GEMBA_ATTACH_SAMPLE_H
#define GEMBA_ATTACH_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_STACK_BYTES 16384

/* By the numbers that DWARF gives them: rbx 3, rbp 6, rsp 7, r12-r15, and 16 for the address. */
#define SAMPLE_NR_REGS 17
#define SAMPLE_REG_BP 6
#define SAMPLE_REG_SP 7
#define SAMPLE_REG_IP 16

struct sample {
	uint64_t ts_ns; /* CLOCK_MONOTONIC */
	uint32_t pid, tid;
	bool is_kernel; /* it was in the kernel; the registers are those it came with */
	uint64_t regs[SAMPLE_NR_REGS];
	const uint8_t *stack; /* from rsp on */
	size_t stack_bytes;
};

struct sampler;

/* hz: per second of a thread's CPU time. 0 or -errno. */
int sampler_new(struct sampler **out, unsigned int hz);
void sampler_free(struct sampler *self);
/* From now on; 1 when it is new, 0 when it was there or there are too many; -errno. */
int sampler_add(struct sampler *self, uint32_t tid);
/* What has come since, of each thread in order; `sample` is valid during the call. */
void sampler_drain(struct sampler *self, void (*each)(void *ctx, const struct sample *sample),
		   void *ctx);
/* Takes no more; what was taken can be drained. */
void sampler_stop(struct sampler *self);
/* Samples that found no room. */
uint64_t sampler_lost(const struct sampler *self);
unsigned int sampler_hz(const struct sampler *self);

#endif
