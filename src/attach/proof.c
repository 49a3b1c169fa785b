// SPDX-License-Identifier: BSD-2-Clause
/*
 * proof.c - the trials: without the probe, with it, with the program, and after it
 *
 * One process for each encoding, so that one which dies takes no other verdict with it. The child
 * must come to the same registers, flags and memory each time, the kernel must have counted each
 * run, and after the detach the text must be byte-equal. Whatever else happens, a signal, a
 * silence, a refusal by the kernel, is a failed verdict with its reason. What takes a CPU runs one
 * after another, for the sake of the times; what waits for the kernel (attach 15 ms, detach 90)
 * all trials do at once.
 */
#include "src/attach/proof.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/attach/procfs.h"
#include "src/attach/proof_process.h"

enum {
	DEFAULT_RUNS = 1000,
	DEFAULT_TIMEOUT_MS = 10000, /* of a machine that is busy with other things */
	MUTEX_MS = 500,	 /* of each other trial: the kernel attaches and detaches one at a time */
	ALL_INPUTS = 64, /* see proof_child.c */
	ROUND_RUNS = 64,
	STEPPED_ROUND_RUNS = 8,
};

/* A trial under way: as long as it has no verdict. */
struct run {
	struct process process;
	struct proof *proof;
	enum site_class class;
	bool is_over;
};

__attribute__((format(printf, 3, 4))) static void give(struct run *self, enum proof_verdict verdict,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(self->proof->why, sizeof(self->proof->why), format, args);
	va_end(args);
	self->proof->verdict = verdict;
	self->is_over = true;
}

/* The verdict of a child that does not answer. */
static void give_silent(struct run *self, enum proof_verdict verdict, const char *when)
{
	char what[64];

	process_explain(&self->process, what, sizeof(what));
	give(self, verdict, "%s, the trial's process %s", when, what);
}

/* Without the probe: what must come out, and what the trial itself costs. */
static void run_bare(struct run *self)
{
	struct process *process = &self->process;

	if (!process_ask(process, TRIAL_RECORD, 0) ||
	    !process_ask(process, TRIAL_CHECK, ALL_INPUTS))
		give_silent(self, PROOF_UNTRIED, "without a probe");
	else if (!process->reply.is_ok)
		give(self, PROOF_UNTRIED, "without a probe, it differs from run to run: %s",
		     process->reply.why);
	else if (!process_ask(process, TRIAL_TIME, ROUND_RUNS))
		give_silent(self, PROOF_UNTRIED, "without a probe");
	self->proof->base_ns = process->reply.time_ns;
}

/* True when each run came to what it came to without the probe. */
static bool run_checked(struct run *self, uint32_t nr, const char *when)
{
	const struct trial_reply *reply = &self->process.reply;

	if (!process_ask(&self->process, TRIAL_CHECK, nr))
		give_silent(self, PROOF_FAILED, when);
	else if (!reply->is_ok)
		give(self, PROOF_FAILED, "%s, %s", when, reply->why);
	self->proof->spoils_red_zone |= reply->has_spoiled;
	return !self->is_over;
}

/* What a hit costs, the trial's own cost taken off. */
static bool run_timed(struct run *self, uint32_t *cost_ns)
{
	uint32_t nr = self->proof->is_emulated ? ROUND_RUNS : STEPPED_ROUND_RUNS;
	uint32_t time_ns;

	if (!process_ask(&self->process, TRIAL_TIME, nr)) {
		give_silent(self, PROOF_FAILED, "with the probe");
		return false;
	}
	time_ns = self->process.reply.time_ns;
	*cost_ns = time_ns > self->proof->base_ns ? time_ns - self->proof->base_ns : 0;
	return true;
}

static bool count_hits(struct run *self)
{
	struct proof *proof = self->proof;

	if (process_ask(&self->process, TRIAL_HITS, 0) && self->process.reply.is_ok)
		proof->nr_hits = self->process.reply.nr_hits;
	if (proof->nr_hits != proof->nr_runs)
		give(self, PROOF_FAILED, "with the probe, the kernel counted %lu hits of %u",
		     proof->nr_hits, proof->nr_runs);
	return !self->is_over;
}

/* Runs of the program so far: counted while somebody wants statistics. -1: unknown. */
static int64_t program_runs(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &bytes) ? -1 : (int64_t)info.run_cnt;
}

/* The checked runs once more, the program's own runs counted as well where that is allowed. */
static bool run_counted(struct run *self)
{
	int prog_fd = self->process.trial.prog_fd, stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	int64_t before = program_runs(prog_fd), after;
	bool is_ok = run_checked(self, self->proof->nr_runs, "with the program");

	after = program_runs(prog_fd);
	if (stats < 0)
		return is_ok;
	close(stats);
	if (before < 0 || after < 0)
		return is_ok;
	if (self->process.trial.is_multi)
		self->proof->nr_hits = after - before;
	if (is_ok && after - before != self->proof->nr_runs)
		give(self, PROOF_FAILED, "the program ran %ld times of %u", (long)(after - before),
		     self->proof->nr_runs);
	return !self->is_over;
}

static void run_program(struct run *self)
{
	if (!process_ask(&self->process, TRIAL_PROGRAM, 0))
		give_silent(self, PROOF_FAILED, "with the program");
	else if (!self->process.reply.is_ok)
		give(self, PROOF_FAILED, "the kernel refuses the program on this probe (error %d)",
		     self->process.reply.error);
	else if (run_counted(self))
		run_timed(self, &self->proof->prog_ns);
}

/* Through the link there is but the program. */
static void run_linked(struct run *self)
{
	if (!run_counted(self))
		return;
	self->proof->is_emulated = !process_has_stepped(&self->process);
	run_timed(self, &self->proof->prog_ns);
}

static void run_probed(struct run *self)
{
	struct proof *proof = self->proof;

	if (self->process.trial.is_multi) {
		run_linked(self);
		return;
	}
	if (!run_checked(self, proof->nr_runs, "with the probe"))
		return;
	proof->is_emulated = !process_has_stepped(&self->process);
	if (count_hits(self) && run_timed(self, &proof->count_ns) &&
	    self->process.trial.prog_fd >= 0)
		run_program(self);
}

/* Privileges, room and a kernel without such links are about us: an error. All else is about the
 * instruction: a verdict. */
static bool is_about_us(int error)
{
	return error == EPERM || error == EACCES || error == EMFILE || error == ENFILE ||
	       error == ENOMEM || error == EINVAL || error == EBADF || error == ENOSYS;
}

static int take_attached(struct run *self)
{
	int error;

	if (!process_receive(&self->process)) {
		give_silent(self, PROOF_FAILED, "at the attach");
		return 0;
	}
	error = self->process.reply.error;
	if (is_about_us(error))
		return -error;
	if (error)
		give(self, PROOF_FAILED, "the kernel refuses a probe on it (error %d)", error);
	return 0;
}

/* The probe is gone: the bytes are back, and it still computes the same. */
static void take_detached(struct run *self)
{
	if (!process_receive(&self->process))
		give_silent(self, PROOF_FAILED, "at the detach");
	else if (!self->process.reply.is_ok)
		give(self, PROOF_FAILED, "after the detach, its bytes are not what they were");
	else if (run_checked(self, ALL_INPUTS, "after the detach"))
		give(self, PROOF_PASSED, "%s", "");
	if (self->proof->spoils_red_zone && self->class != SITE_NOP_LONG)
		give(self, PROOF_FAILED, "with the probe, the red zone is overwritten");
}

/* All that are not over attach, or detach, together. */
static int for_all(struct run *runs, size_t nr, enum trial_what what)
{
	int err = 0;

	for (size_t i = 0; i < nr; i++)
		if (!runs[i].is_over)
			process_send(&runs[i].process, what, 0);
	for (size_t i = 0; i < nr && !err; i++) {
		if (runs[i].is_over)
			continue;
		if (what == TRIAL_ATTACH)
			err = take_attached(&runs[i]);
		else
			take_detached(&runs[i]);
	}
	return err;
}

static int start_all(struct run *runs, size_t nr, const struct proof_opts *opts, int type)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		if (runs[i].is_over)
			continue;
		runs[i].process.trial.probe_type = type;
		runs[i].process.trial.prog_fd = opts->prog_fd;
		runs[i].process.trial.is_multi = opts->is_multi;
		err = process_start(&runs[i].process, (opts->timeout_ms ?: DEFAULT_TIMEOUT_MS) +
							      (unsigned int)nr * MUTEX_MS);
	}
	return err;
}

static void one_by_one(struct run *runs, size_t nr, void (*step)(struct run *self))
{
	for (size_t i = 0; i < nr; i++)
		if (!runs[i].is_over)
			step(&runs[i]);
}

static int run_all(struct run *runs, size_t nr, const struct proof_opts *opts)
{
	char *text = read_small_file("/sys/bus/event_source/devices/uprobe/type");
	int err = text ? start_all(runs, nr, opts, atoi(text)) : -ENOENT;

	free(text);
	if (err)
		return err;
	one_by_one(runs, nr, run_bare);
	err = for_all(runs, nr, TRIAL_ATTACH);
	if (err)
		return err;
	one_by_one(runs, nr, run_probed);
	return for_all(runs, nr, TRIAL_DETACH);
}

static void plan(struct run *self, struct proof *proof, const struct site *site,
		 const struct proof_opts *opts)
{
	struct process *process = &self->process;

	process->channel = process->trial.channel = process->trial.file = -1;
	*proof = (struct proof){ .encoding = site_encoding_of(site),
				 .nr_runs = opts->nr_runs ?: DEFAULT_RUNS };
	self->proof = proof;
	self->class = site->class;
	if (replay_plan(&process->trial.replay, site->bytes, site->nr_bytes,
			TRIAL_BRANCH - TRIAL_SITE, TRIAL_DATA - TRIAL_SITE))
		give(self, PROOF_UNTRIED, "it cannot be run away from its place");
}

static int explain(int err, char *why)
{
	if (err == -ENOENT)
		snprintf(why, PROOF_WHY_BYTES, "this kernel offers no uprobes to perf");
	else
		snprintf(why, PROOF_WHY_BYTES, "cannot try a probe on a process of its own: %s",
			 strerror(-err));
	return err;
}

int proof_run(struct proof *out, const struct site *sites, size_t nr, const struct proof_opts *opts,
	      char *why)
{
	struct run *runs = calloc(nr ?: 1, sizeof(*runs));
	int err;

	if (!runs)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		plan(&runs[i], &out[i], &sites[i], opts);
	err = run_all(runs, nr, opts);
	for (size_t i = 0; i < nr; i++)
		process_end(&runs[i].process);
	free(runs);
	return err ? explain(err, why) : 0;
}

static void set_bit(uint16_t *bits, unsigned int bit, bool value)
{
	*bits = value ? *bits | 1u << bit : *bits & ~(1u << bit);
}

int proof_apply(struct site_rules *rules, const struct proof *proof, enum site_class class)
{
	if (proof->verdict == PROOF_FAILED)
		return site_refuse(rules, &proof->encoding);
	if (proof->verdict == PROOF_PASSED && class == SITE_NOP_LONG) {
		set_bit(&rules->long_nops, proof->encoding.nr_bytes, proof->is_emulated);
		set_bit(&rules->long_nops_clean, proof->encoding.nr_bytes, !proof->spoils_red_zone);
	}
	return 0;
}
