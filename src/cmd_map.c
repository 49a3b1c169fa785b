// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_map.c - gemba map: the map of a trace, of a map file, or of what runs now
 *
 * All three end in the same vsm, the same renderer, and the same gates.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/live.h"
#include "src/load.h"
#include "src/output.h"
#include "src/render/render.h"

#define EXIT_GATE 3
#define EXIT_DOUBT 4

static int show(const struct vsm *vsm, const struct opts *opts)
{
	const struct renderer *renderer = renderer_by_name(opts->format);
	FILE *out = output_open(opts->output, opts->is_forced);
	struct render_opts render_opts;
	int err;

	if (!out)
		return 1;
	if (opts->output)
		output_empty(fileno(out));
	render_opts = (struct render_opts){
		.columns = output_columns(out),
		.is_utf8 = output_is_utf8(),
		.is_coloured = opts_is_coloured(opts, fileno(out)),
	};
	err = renderer->render(vsm, &render_opts, out);
	if (output_close(out, opts->output))
		return 1;
	return err ? log_error("cannot draw the map: %s", strerror(-err)) : 0;
}

static int judge(const struct vsm *vsm, const struct opts *opts)
{
	int status = 0;

	for (size_t i = 0; i < opts->nr_fail_if; i++) {
		struct expr_result result;

		expr_eval(&opts->fail_if[i], vsm, &result);
		if (result.verdict == EXPR_FALSE)
			continue;
		log_error("%s: %s", opts->fail_if[i].text, result.why);
		status = EXIT_GATE;
	}
	if (!status && opts->is_strict && vsm->nr_doubts) {
		log_error("the map has %zu doubt%s, and --strict was given: %s", vsm->nr_doubts,
			  vsm->nr_doubts == 1 ? "" : "s", vsm->doubts[0].text);
		status = EXIT_DOUBT;
	}
	return status;
}

static int pump(struct live *live, struct pipeline *pipeline)
{
	const struct account *account = pipeline_account(pipeline);
	struct batch batch;
	int err = 0, n;

	while ((n = live->source->read(live->source, &batch)) == 1) {
		if (!err)
			err = pipeline_feed(pipeline, &batch);
		if (err)
			session_stop(live->session);
		if (live_is_second(live))
			live_progress(live, account->in, account->events, account->lost);
	}
	return err ?: n;
}

static int map_live(const struct opts *opts, struct vsm **vsm)
{
	struct pipeline_opts pipeline_opts = load_pipeline_opts(opts);
	struct pipeline *pipeline = NULL;
	struct live live;
	int status = live_find(&live, opts), err;

	status = status ?: live_open(&live, opts);
	if (status)
		return status;
	err = pipeline_new(&pipeline, &pipeline_opts, &live.capture);
	if (err)
		session_stop(live.session);
	err = err ?: pump(&live, pipeline);
	live_finish(&live);
	err = err ?: pipeline_finish(pipeline, &live.capture, vsm);
	pipeline_free(pipeline);
	live_close(&live);
	return err ? log_error("cannot make the map: %s", strerror(-err)) : 0;
}

int cmd_map(const struct opts *opts)
{
	struct vsm *vsm = NULL;
	int status = opts_has_target(opts) ? map_live(opts, &vsm) : load_map(opts, &vsm);

	if (status || !vsm)
		return status;
	status = show(vsm, opts);
	status = status ?: judge(vsm, opts);
	vsm_free(vsm);
	return status;
}
