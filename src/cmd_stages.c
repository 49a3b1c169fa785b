// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_stages.c - gemba stages: what can be probed in the target, where, and at what cost
 *
 * The target is read and never touched, but for --propose. Where costs cannot be had, because gemba may not try
 * probes or the target forbids them, the list comes all the same, and says so once.
 */
#include <errno.h>
#include <string.h>

#include "src/attach/procfs.h"
#include "src/live.h"
#include "src/output.h"
#include "src/propose/propose.h"
#include "src/stages_row.h"

#define SECCOMP_FILTER 2

static void note(FILE *out, const char *text)
{
	if (out)
		fprintf(out, "note: %s\n", text);
	else
		log_info("%s", text);
}

static void note_process(FILE *out, const struct target_info *info)
{
	char text[256];

	if (info->is_go) {
		snprintf(text, sizeof(text),
			 "process %u is of Go: probes at entries only, and items join by "
			 "connection only, for work moves between threads",
			 info->pid);
		note(out, text);
	}
	if (proc_status_number(info->pid, "Seccomp") == SECCOMP_FILTER) {
		snprintf(text, sizeof(text),
			 "process %u has a seccomp filter: probes at entries only", info->pid);
		note(out, text);
	}
}

/* To the result where it has room for them, else to the person. */
static int write_notes(const struct survey *survey, FILE *out)
{
	struct capture capture = { 0 };
	int err = target_describe(survey->target, &capture);

	for (size_t i = 0; !err && i < capture.nr_targets; i++)
		note_process(out, &capture.targets[i]);
	capture_fini(&capture);
	if (survey->no_costs[0])
		note(out, survey->no_costs);
	if (survey->failures[0])
		note(out, survey->failures);
	if (survey->unread[0])
		note(out, survey->unread);
	if (!survey->has_code)
		note(out,
		     "of so many functions the jumps from others into them were not looked at; "
		     "-s does, and may choose another site");
	if (survey->is_cut)
		note(out, "inlined copies were counted for half a second only: + is at least");
	return err;
}

static int write_all(const struct survey *survey, const struct opts *opts)
{
	const struct stages_format *format = stages_format(opts->format);
	FILE *out = output_open(opts->output, opts->is_forced);
	struct stages_view view;
	int err;

	if (!out)
		return 1;
	if (opts->output)
		output_empty(fileno(out));
	view = (struct stages_view){ output_is_utf8() };
	err = write_notes(survey, format->has_totals ? out : NULL);
	format->write(survey, &view, out);
	if (output_close(out, opts->output))
		return 1;
	return err ? log_error("out of memory") : 0;
}

/* The target is probed for some seconds: by what -s would use, after the same trials. */
static int propose(const struct opts *opts)
{
	const struct propose_opts propose_opts = { .for_ns = opts->for_ns };
	char why[PROPOSE_WHY_BYTES] = "";
	struct live live;
	FILE *out;
	int status = live_find(&live, opts), err;

	if (status)
		return status;
	out = output_open(opts->output, opts->is_forced);
	if (!out) {
		live_close(&live);
		return 1;
	}
	if (opts->output)
		output_empty(fileno(out));
	err = propose_run(&propose_opts, &live.target, out, why);
	if (err)
		status = log_error("%s", why[0] ? why : strerror(-err));
	status = output_close(out, opts->output) ?: status;
	live_close(&live);
	return status;
}

int cmd_stages(const struct opts *opts)
{
	char why[SURVEY_WHY_BYTES] = "";
	struct survey *survey;
	struct target target;
	int status = opts->is_proposing ? 0 : live_target(&target, opts), err;

	if (opts->is_proposing)
		return propose(opts);
	if (status)
		return status;
	err = survey_new(&survey, &target, opts->glob, why);
	if (err)
		return log_error("%s", why[0] ? why : strerror(-err));
	status = write_all(survey, opts);
	survey_free(survey);
	return status;
}
