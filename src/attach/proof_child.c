// SPDX-License-Identifier: BSD-2-Clause
/*
 * proof_child.c - runs the instruction under test in a process of its own
 *
 * The child maps the file with the code, sets every register and 64 sets of flags, runs the
 * instruction and keeps what came out: once without a probe, then with it. All general registers
 * hold addresses in a scratch page between guard pages, so that memory operands hit nothing
 * else. Dying is an answer too; the parent reads it off the exit status. When the parent dies,
 * the kernel kills the child.
 */
#include "src/attach/proof_child.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/proof_outcome.h"
#include "src/attach/uprobe.h"

enum {
	NR_INPUTS = 64,
	NR_ROUNDS = 15,
	SCRATCH_AT = 2 * TRIAL_BYTES,
	STACK_AT = 2048,
	DATA_AT = TRIAL_DATA - SCRATCH_AT,
};

struct child {
	const struct trial *trial;
	uint8_t *base;
	uint8_t *scratch;
	uint8_t *operand; /* what the memory operand points to, or NULL */
	struct cpu in;
	int event;		   /* the probe */
	uint8_t fill[TRIAL_BYTES]; /* of the scratch page before each run */
	struct outcome now;
	struct outcome kept[NR_INPUTS];
};

void trial_write_code(struct trial *self)
{
	const void *fell_through = stub_fell_through, *branched = stub_branched;
	uint8_t *behind = self->code + TRIAL_SITE + self->replay.nr_bytes;
	const uint8_t jump[6] = { 0xff, 0x25 }; /* jmp *(rip + 0), the address follows */

	memset(self->code, 0xcc, sizeof(self->code));
	memcpy(self->code + TRIAL_SITE, self->replay.bytes, self->replay.nr_bytes);
	memcpy(behind, jump, sizeof(jump));
	memcpy(behind + sizeof(jump), &fell_through, sizeof(fell_through));
	memcpy(self->code + TRIAL_BRANCH, jump, sizeof(jump));
	memcpy(self->code + TRIAL_BRANCH + sizeof(jump), &branched, sizeof(branched));
}

static bool map(struct child *self)
{
	self->base = mmap(NULL, 4 * TRIAL_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (self->base == MAP_FAILED)
		return false;
	self->scratch = self->base + SCRATCH_AT;
	return mmap(self->base, TRIAL_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
		    self->trial->file, (off_t)self->trial->file_at) != MAP_FAILED &&
	       !mprotect(self->scratch, TRIAL_BYTES, PROT_READ | PROT_WRITE);
}

/* Makes base + index * scale + displacement point into the scratch page. */
static void aim(struct child *self)
{
	const struct replay *replay = &self->trial->replay;
	uint64_t *gpr = self->in.gpr, at = (uint64_t)self->scratch + DATA_AT;
	uint64_t index = 0;

	at -= replay->displacement;
	if (replay->index == replay->base || replay->base < 0) {
		gpr[replay->index] = at / (replay->scale + (replay->base >= 0));
	} else {
		if (replay->index >= 0)
			gpr[replay->index] = 8;
		if (replay->base != REPLAY_RSP)
			gpr[replay->base] = at - (replay->index >= 0 ? 8 * replay->scale : 0);
	}
	if (replay->index >= 0)
		index = gpr[replay->index] * replay->scale;
	self->operand = (uint8_t *)(replay->displacement + index +
				    (replay->base >= 0 ? gpr[replay->base] : 0));
}

/* Puts the address of the branch's target where the instruction will look for it. */
static void lay_target(struct child *self)
{
	const struct replay *replay = &self->trial->replay;
	uint64_t target = (uint64_t)self->base + TRIAL_BRANCH;
	uint64_t at = STACK_AT;

	if (replay->kind == REPLAY_REGISTER)
		self->in.gpr[replay->base] = target;
	if (replay->kind == REPLAY_POINTER)
		at = self->operand - self->scratch;
	if ((replay->kind == REPLAY_POINTER || replay->kind == REPLAY_RETURN) &&
	    at <= TRIAL_BYTES - sizeof(target))
		memcpy(self->fill + at, &target, sizeof(target));
}

static void prepare(struct child *self)
{
	const struct replay *replay = &self->trial->replay;

	for (size_t i = 0; i < sizeof(self->fill); i++)
		self->fill[i] = i * 7 + 1;
	for (int i = 0; i < 16; i++) {
		self->in.gpr[i] = (uint64_t)self->scratch + STACK_AT + 256 + 64 * i;
		memset(self->in.xmm[i], 0x10 + i, sizeof(self->in.xmm[i]));
	}
	self->in.gpr[REPLAY_RSP] = (uint64_t)self->scratch + STACK_AT;
	self->operand = self->scratch + DATA_AT;
	if (replay->has_memory && !replay->is_relative)
		aim(self);
	lay_target(self);
}

/* Six bits of the input's number are CF, PF, AF, ZF, SF and OF. */
static uint64_t flags_of(unsigned int input)
{
	static const uint8_t places[6] = { 0, 2, 4, 6, 7, 11 };
	uint64_t flags = 2;

	for (int i = 0; i < 6; i++)
		flags |= (uint64_t)(input >> i & 1) << places[i];
	return flags;
}

static void run(struct child *self, unsigned int input)
{
	self->in.flags = flags_of(input % NR_INPUTS);
	stub_enter(&self->in, self->base + TRIAL_SITE);
}

static void run_and_keep(struct child *self, unsigned int input, struct outcome *outcome)
{
	memcpy(self->scratch, self->fill, sizeof(self->fill));
	run(self, input);
	outcome->cpu = stub_out;
	memcpy(outcome->scratch, self->scratch, sizeof(outcome->scratch));
}

static void check(struct child *self, uint32_t nr, struct trial_reply *reply)
{
	reply->is_ok = true;
	for (uint32_t i = 0; i < nr; i++) {
		run_and_keep(self, i, &self->now);
		if (!outcome_is_same(&self->now, &self->kept[i % NR_INPUTS],
				     (uint64_t)self->scratch, STACK_AT, reply))
			reply->is_ok = false;
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(struct child *self, uint32_t nr, struct trial_reply *reply)
{
	uint32_t times_ns[NR_ROUNDS];
	struct timespec from, to;

	nr = nr ?: 1;
	for (int round = 0; round < NR_ROUNDS; round++) {
		memcpy(self->scratch, self->fill, sizeof(self->fill));
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (uint32_t i = 0; i < nr; i++)
			run(self, i);
		clock_gettime(CLOCK_MONOTONIC, &to);
		times_ns[round] =
			((to.tv_sec - from.tv_sec) * 1000000000L + (to.tv_nsec - from.tv_nsec)) /
			nr;
	}
	qsort(times_ns, NR_ROUNDS, sizeof(times_ns[0]), by_value);
	/* the lower quartile: what else ran on a busy host makes rounds longer, never shorter */
	reply->time_ns = times_ns[NR_ROUNDS / 4];
	reply->is_ok = true;
}

static int link_program(const struct trial *trial, const char *path)
{
	const uint64_t offset = trial->file_at + TRIAL_SITE;
	int fd = uprobe_link_multi(trial->prog_fd, path, &offset, NULL, 1, (uint32_t)getpid());

	errno = fd < 0 ? -fd : 0;
	return fd;
}

/* On this process alone. The wait for the kernel at the end is why each child does it itself:
 * many wait together as long as one. */
static void attach(struct child *self, struct trial_reply *reply)
{
	char path[64];
	struct perf_event_attr attr = {
		.type = self->trial->probe_type,
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)path,
		.config2 = self->trial->file_at + TRIAL_SITE,
	};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->trial->file);
	self->event = self->trial->is_multi ?
			      link_program(self->trial, path) :
			      syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	reply->is_ok = self->event >= 0;
	reply->error = reply->is_ok ? 0 : errno;
}

static void read_hits(struct child *self, struct trial_reply *reply)
{
	reply->is_ok = read(self->event, &reply->nr_hits, sizeof(reply->nr_hits)) ==
		       sizeof(reply->nr_hits);
}

static void set_program(struct child *self, struct trial_reply *reply)
{
	reply->is_ok = !ioctl(self->event, PERF_EVENT_IOC_SET_BPF, self->trial->prog_fd);
	reply->error = reply->is_ok ? 0 : errno;
}

static void detach(struct child *self, struct trial_reply *reply)
{
	close(self->event);
	self->event = -1;
	reply->is_ok = !memcmp(self->base, self->trial->code, TRIAL_BYTES);
}

static void record(struct child *self, struct trial_reply *reply)
{
	for (unsigned int i = 0; i < NR_INPUTS; i++)
		run_and_keep(self, i, &self->kept[i]);
	reply->is_ok = true;
}

static void answer(struct child *self, const struct trial_request *request)
{
	struct trial_reply reply = { 0 };

	switch (request->what) {
	case TRIAL_RECORD:
		record(self, &reply);
		break;
	case TRIAL_CHECK:
		check(self, request->nr, &reply);
		break;
	case TRIAL_TIME:
		measure(self, request->nr, &reply);
		break;
	case TRIAL_ATTACH:
		attach(self, &reply);
		break;
	case TRIAL_HITS:
		read_hits(self, &reply);
		break;
	case TRIAL_PROGRAM:
		set_program(self, &reply);
		break;
	case TRIAL_DETACH:
		detach(self, &reply);
		break;
	default:
		break;
	}
	if (send(self->trial->channel, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
		_exit(0);
}

/* Nothing of gemba's may answer for the instruction: no handlers, no core file, no terminal. */
static void settle_down(int parent_pid)
{
	const struct rlimit none = { 0, 0 };
	sigset_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent_pid)
		_exit(0);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setrlimit(RLIMIT_CORE, &none);
}

void trial_serve(const struct trial *trial, int parent_pid)
{
	struct trial_request request;
	struct child *self;

	settle_down(parent_pid);
	self = mmap(NULL, sizeof(*self), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (self == MAP_FAILED)
		_exit(1);
	self->trial = trial;
	if (!map(self))
		_exit(1);
	prepare(self);
	while (recv(trial->channel, &request, sizeof(request), 0) == sizeof(request))
		answer(self, &request);
	_exit(0);
}
