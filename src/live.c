// SPDX-License-Identifier: BSD-2-Clause
/*
 * live.c - a command's life on a live target
 *
 * The first Ctrl-C ends the capture in order; the second ends the program at once, which
 * keeps what a trace has on disk. For a command that we started, it is passed on.
 */
#include "src/live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/feature.h"
#include "src/attach/procfs.h"
#include "src/output.h"
#include "src/stage_file.h"
#include "src/util/unit.h"

#define SEC_NS 1000000000ull
#define MAX_PAUSES 50 /* of 10 ms */

static struct session *volatile the_session; /* for the signal handler alone */
static volatile pid_t the_child;

static volatile sig_atomic_t nr_signals;

/* What a terminal sends, it sends to our child as well; twice means more than once to some. */
static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (nr_signals++)
		_exit(128 + number);
	if (the_child > 0 && info->si_code != SI_KERNEL)
		kill(the_child, number);
	if (the_session)
		session_stop(the_session);
}

static bool is_cancelled(void)
{
	return nr_signals > 0;
}

static void heed_signals(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC_NS + ts.tv_nsec;
}

static int find(struct target *self, const struct opts *opts)
{
	char why[TARGET_WHY_BYTES] = "";
	int err;

	if (opts->nr_pids)
		err = target_from_pids(self, opts->pids, opts->nr_pids, why);
	else if (opts->name)
		err = target_from_name(self, opts->name, opts->is_all, why);
	else
		err = target_from_command(self, opts->command_line, why);
	if (!err)
		return 0;
	target_fini(self);
	log_error("%s", why);
	return err == -ENOTUNIQ || err == -EINVAL ? 2 : 1;
}

int live_target(struct target *self, const struct opts *opts)
{
	if (opts->command_line)
		return log_error("%s reads a process that runs; give -p or -n",
				 opts->command->name) +
		       1;
	return find(self, opts);
}

int live_find(struct live *self, const struct opts *opts)
{
	int status;

	memset(self, 0, sizeof(*self));
	if (!feature_has_privileges())
		return log_error("to attach needs root, or CAP_BPF with CAP_PERFMON; run it with "
				 "sudo");
	if (!proc_is_of_host())
		return log_error(
			"gemba runs in a PID namespace, as of a container, and cannot tell "
			"which process is which; run it on the host, or with the host's");
	status = find(&self->target, opts);
	output_outlive_limits();
	self->has_target = !status;
	return status;
}

static int add_tags(struct capture *capture, const struct opts *opts)
{
	for (size_t i = 0; i < opts->nr_tags; i++)
		if (pairs_add(&capture->tags, opts->tags[i].key, opts->tags[i].value))
			return -ENOMEM;
	return 0;
}

/* Whose map it will be. */
static int add_head(struct capture *capture, const struct opts *opts)
{
	const struct {
		char **to;
		const char *from;
	} texts[] = {
		{ &capture->name, opts->map_name },
		{ &capture->owner, opts->owner },
		{ &capture->review_by, opts->review_by },
	};

	capture->takt_declared_ns = opts->takt_declared_ns;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].from && !(*texts[i].to = strdup(texts[i].from)))
			return -ENOMEM;
	}
	return 0;
}

/* 0, or the exit status, the message printed. */
static int save_config(const struct opts *opts)
{
	struct stage_file_stage stages[OPTS_MAX_STAGES];
	char takt[UNIT_TEXT_BYTES];
	struct stage_file file = {
		.map = (char *)opts->map_name,
		.owner = (char *)opts->owner,
		.review_by = (char *)opts->review_by,
		.stages = stages,
		.nr_stages = opts->nr_stages,
	};
	FILE *out;
	int err;

	for (size_t i = 0; i < opts->nr_stages; i++)
		stages[i] = (struct stage_file_stage){
			.name = (char *)opts->stages[i].name,
			.probe = (char *)opts->stages[i].probe,
			.key = (char *)opts->stages[i].key,
			.value = (char *)opts->stages[i].value,
		};
	if (opts->takt_declared_ns)
		file.takt = (char *)unit_format_time(opts->takt_declared_ns, takt);
	out = output_open(opts->save_config, opts->is_forced);
	if (!out)
		return 1;
	err = stage_file_save(&file, out);
	if (err)
		log_error("%s: cannot be written: %s", opts->save_config, strerror(-err));
	return output_close(out, opts->save_config) || err ? 1 : 0;
}

static void say_missing(const struct pairs *missing)
{
	for (size_t i = 0; i < missing->nr; i++)
		log_info("without %s: %s", missing->items[i].key, missing->items[i].value);
}

static uint64_t own_cpu_ns(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return cpu.tv_sec * SEC_NS + cpu.tv_nsec;
}

static int add_stages(struct capture *capture, const struct opts *opts)
{
	if (!opts->nr_stages)
		return 0;
	capture->stages = calloc(opts->nr_stages, sizeof(*capture->stages));
	if (!capture->stages)
		return -ENOMEM;
	for (; capture->nr_stages < opts->nr_stages; capture->nr_stages++) {
		struct stage_info *info = &capture->stages[capture->nr_stages];

		info->name = strdup(opts->stages[capture->nr_stages].name);
		info->probe = strdup(opts->stages[capture->nr_stages].probe);
		if (opts->stages[capture->nr_stages].key)
			info->key = strdup(opts->stages[capture->nr_stages].key);
		if (opts->stages[capture->nr_stages].value)
			info->value = strdup(opts->stages[capture->nr_stages].value);
		if (!info->name || !info->probe)
			return -ENOMEM;
	}
	return 0;
}

static void say_stage(const struct stage_info *stage)
{
	if (stage->binary)
		log_info("stage %s: %s in %s, probed at +%llu (%s, %s), about %.2gus a hit%s%s",
			 stage->name, stage->symbol, stage->binary,
			 (unsigned long long)stage->site_offset, stage->site_text,
			 stage->site_class, stage->cost_ns / 1e3, stage->note ? "; " : "",
			 stage->note ? stage->note : "");
	else
		log_info("stage %s: %s is looked for when the command runs", stage->name,
			 stage->probe);
}

static void say_what_comes(const struct capture *capture)
{
	size_t nr = capture->nr_targets ?: 1;

	log_info("attaching to %zu process%s: tracepoints of packets, sockets and threads%s; about "
		 "0.1-0.2us per event of it",
		 nr, nr == 1 ? "" : "es",
		 capture->nr_stages ? "" : ", no uprobe, nothing in the target is changed");
	for (size_t i = 0; i < capture->nr_stages; i++)
		say_stage(&capture->stages[i]);
}

static void say_braked(const struct stage_info *stage)
{
	log_info("stage %s: %s", stage->name, stage->note);
}

int live_open(struct live *self, const struct opts *opts)
{
	const struct session_opts session_opts = {
		.for_ns = opts->for_ns,
		.ring_bytes = opts->ring_bytes,
		.is_cancelled = is_cancelled,
		.before_attach = say_what_comes,
		.found = say_stage,
		.braked = say_braked,
	};
	char why[PROBE_WHY_BYTES] = "";
	int err = add_tags(&self->capture, opts) ?: add_stages(&self->capture, opts);
	int status = opts->save_config ? save_config(opts) : 0;

	if (status) {
		live_close(self);
		return status;
	}
	err = err ?: add_head(&self->capture, opts);

	heed_signals();
	err = err   ?:
		      session_open(&self->session, &self->target, &session_opts, &self->capture,
				   why);
	if (err) {
		log_error("%s", why[0] ? why : strerror(-err));
		live_close(self);
		return 1;
	}
	say_missing(&self->capture.missing);
	self->source = session_source(self->session);
	the_child = self->target.child;
	the_session = self->session;
	if (nr_signals) /* one came while it attached */
		session_stop(self->session);
	self->line_ns = now_ns();
	self->cpu_ns = own_cpu_ns();
	self->next_line_ns = self->line_ns + SEC_NS;
	return 0;
}

bool live_is_second(struct live *self)
{
	uint64_t now = now_ns();

	if (now < self->next_line_ns)
		return false;
	self->next_line_ns = now + SEC_NS;
	return true;
}

/* The CPU time since the line before it: what the capture costs now, the start-up left out. */
void live_progress(struct live *self, uint64_t items, uint64_t events, uint64_t lost)
{
	uint64_t at_ns = now_ns(), cpu_ns = own_cpu_ns();
	double share = at_ns > self->line_ns ?
			       (double)(cpu_ns - self->cpu_ns) / (double)(at_ns - self->line_ns) :
			       0;

	if (log_level() == LOG_QUIET || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%7.0fs  items %llu (%llu/s)  events %llu  lost %llu  own cpu %.1f%% ",
		(double)(at_ns - self->capture.start_ns) / 1e9, (unsigned long long)items,
		(unsigned long long)(items - self->items_before), (unsigned long long)events,
		(unsigned long long)lost, share * 100);
	fflush(stderr);
	self->items_before = items;
	self->line_ns = at_ns;
	self->cpu_ns = cpu_ns;
	self->is_on_line = true;
}

/* A command that was told to end may do so: its exit status belongs to the capture. */
static void await_child(pid_t child)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int i = 0; i < MAX_PAUSES; i++) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return;
		nanosleep(&pause, NULL);
	}
}

/* Of a command, whose functions are looked for while it runs. */
static void say_not_found(const struct capture *capture)
{
	for (size_t i = 0; i < capture->nr_stages; i++) {
		const struct stage_info *stage = &capture->stages[i];

		if (!stage->binary)
			log_info("stage %s was not attached: %s", stage->name,
				 stage->note ? stage->note : "the command did not run so far");
	}
}

void live_finish(struct live *self)
{
	if (nr_signals && self->target.child > 0)
		await_child(self->target.child);
	session_finish(self->session);
	if (self->is_on_line)
		fputc('\n', stderr);
	self->is_on_line = false;
	say_not_found(&self->capture);
}

void live_close(struct live *self)
{
	the_session = NULL;
	session_close(self->session);
	self->session = NULL;
	if (self->has_target && self->target.child > 0 && self->target.go_fd < 0)
		log_info("the command goes on as pid %d", (int)self->target.child);
	target_fini(&self->target);
	capture_fini(&self->capture);
}
