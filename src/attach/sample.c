// SPDX-License-Identifier: BSD-2-Clause
/*
 * sample.c - one perf event and one ring for each thread
 *
 * An event with a ring follows one thread, and no child of it: whoever begins later is added by
 * the caller. The kernel cuts the copy of a stack off at its end and says so in its size.
 */
#include "src/attach/sample.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 64
#define RING_BYTES ((size_t)1 << 20)
#define PAGE_BYTES ((size_t)4096)

/* Bits in the order of the kernel's numbers, as it hands the values out. */
static const struct {
	uint8_t perf;
	uint8_t dwarf;
} regs[] = {
	{ PERF_REG_X86_AX, 0 },	  { PERF_REG_X86_BX, 3 },   { PERF_REG_X86_CX, 2 },
	{ PERF_REG_X86_DX, 1 },	  { PERF_REG_X86_SI, 4 },   { PERF_REG_X86_DI, 5 },
	{ PERF_REG_X86_BP, 6 },	  { PERF_REG_X86_SP, 7 },   { PERF_REG_X86_IP, 16 },
	{ PERF_REG_X86_R8, 8 },	  { PERF_REG_X86_R9, 9 },   { PERF_REG_X86_R10, 10 },
	{ PERF_REG_X86_R11, 11 }, { PERF_REG_X86_R12, 12 }, { PERF_REG_X86_R13, 13 },
	{ PERF_REG_X86_R14, 14 }, { PERF_REG_X86_R15, 15 },
};

#define NR_REGS (sizeof(regs) / sizeof(regs[0]))

struct thread {
	uint32_t tid;
	int fd;
	struct perf_event_mmap_page *page;
};

struct sampler {
	unsigned int hz;
	struct thread threads[MAX_THREADS];
	size_t nr;
	uint64_t lost;
	uint8_t record[UINT16_MAX + 1]; /* one that wraps round the ring's end */
};

int sampler_new(struct sampler **out, unsigned int hz)
{
	struct sampler *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->hz = hz;
	*out = self;
	return 0;
}

void sampler_free(struct sampler *self)
{
	if (!self)
		return;
	for (size_t i = 0; i < self->nr; i++) {
		munmap(self->threads[i].page, PAGE_BYTES + RING_BYTES);
		close(self->threads[i].fd);
	}
	free(self);
}

static int open_event(const struct sampler *self, uint32_t tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.sample_period = 1000000000ull / self->hz,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER |
			       PERF_SAMPLE_STACK_USER,
		.sample_stack_user = SAMPLE_STACK_BYTES,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1, /* nobody waits for it */
		.wakeup_watermark = RING_BYTES,
	};

	for (size_t i = 0; i < NR_REGS; i++)
		attr.sample_regs_user |= 1ull << regs[i].perf;
	return syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int sampler_add(struct sampler *self, uint32_t tid)
{
	struct thread *thread = &self->threads[self->nr];

	for (size_t i = 0; i < self->nr; i++)
		if (self->threads[i].tid == tid)
			return 0;
	if (self->nr == MAX_THREADS)
		return 0;
	thread->tid = tid;
	thread->fd = open_event(self, tid);
	if (thread->fd < 0)
		return -errno;
	thread->page = mmap(NULL, PAGE_BYTES + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			    thread->fd, 0);
	if (thread->page == MAP_FAILED) {
		int err = -errno;

		close(thread->fd);
		return err;
	}
	self->nr++;
	return 1;
}

void sampler_stop(struct sampler *self)
{
	for (size_t i = 0; i < self->nr; i++)
		ioctl(self->threads[i].fd, PERF_EVENT_IOC_DISABLE, 0);
}

static uint64_t take_u64(const uint8_t **at)
{
	uint64_t value;

	memcpy(&value, *at, sizeof(value));
	*at += sizeof(value);
	return value;
}

/* The kernel's layout: tid, time, registers behind their abi, stack between two sizes. */
static bool take_sample(const uint8_t *at, const uint8_t *end, struct sample *sample)
{
	uint64_t ids, copied;

	if ((size_t)(end - at) < (4 + NR_REGS) * sizeof(uint64_t))
		return false;
	ids = take_u64(&at);
	sample->pid = (uint32_t)ids;
	sample->tid = ids >> 32;
	sample->ts_ns = take_u64(&at);
	if (take_u64(&at) != PERF_SAMPLE_REGS_ABI_64)
		return false;
	for (size_t i = 0; i < NR_REGS; i++)
		sample->regs[regs[i].dwarf] = take_u64(&at);
	sample->stack_bytes = take_u64(&at);
	if (!sample->stack_bytes)
		return true;
	if ((size_t)(end - at) < sample->stack_bytes + sizeof(uint64_t))
		return false;
	sample->stack = at;
	at += sample->stack_bytes;
	copied = take_u64(&at);
	if (copied < sample->stack_bytes)
		sample->stack_bytes = copied;
	return true;
}

static const uint8_t *unwrap(struct sampler *self, const struct thread *thread, uint64_t tail,
			     size_t bytes)
{
	const uint8_t *ring = (const uint8_t *)thread->page + PAGE_BYTES;
	size_t from = tail & (RING_BYTES - 1), first = RING_BYTES - from;

	if (bytes <= first)
		return ring + from;
	memcpy(self->record, ring + from, first);
	memcpy(self->record + first, ring, bytes - first);
	return self->record;
}

static void drain(struct sampler *self, struct thread *thread,
		  void (*each)(void *ctx, const struct sample *sample), void *ctx)
{
	uint64_t tail = thread->page->data_tail;
	uint64_t head = __atomic_load_n(&thread->page->data_head, __ATOMIC_ACQUIRE);

	while (tail < head) {
		struct perf_event_header header;
		const uint8_t *record;
		struct sample sample = { 0 };

		memcpy(&header, unwrap(self, thread, tail, sizeof(header)), sizeof(header));
		if (header.size < sizeof(header))
			break;
		record = unwrap(self, thread, tail, header.size);
		if (header.type == PERF_RECORD_LOST && header.size >= 24)
			self->lost += ((const uint64_t *)record)[2];
		sample.is_kernel = (header.misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
				   PERF_RECORD_MISC_KERNEL;
		if (header.type == PERF_RECORD_SAMPLE &&
		    take_sample(record + sizeof(header), record + header.size, &sample))
			each(ctx, &sample);
		tail += header.size;
	}
	__atomic_store_n(&thread->page->data_tail, tail, __ATOMIC_RELEASE);
}

void sampler_drain(struct sampler *self, void (*each)(void *ctx, const struct sample *sample),
		   void *ctx)
{
	for (size_t i = 0; i < self->nr; i++)
		drain(self, &self->threads[i], each, ctx);
}

uint64_t sampler_lost(const struct sampler *self)
{
	return self->lost;
}

unsigned int sampler_hz(const struct sampler *self)
{
	return self->hz;
}
