/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h - FILE as commands take it: a trace or a map, told apart by content
 */
#ifndef GEMBA_LOAD_H
#define GEMBA_LOAD_H

#include "src/map/vsm.h"
#include "src/opts.h"
#include "src/pipeline.h"

struct pipeline_opts load_pipeline_opts(const struct opts *opts);
/* The map of opts->file, or of the newest trace. 0, or the exit status, the message printed. */
int load_map(const struct opts *opts, struct vsm **out);

struct load_tee {
	struct journey_sink sink; /* its ctx is that of begin as well */
	/* Before the first journey: what the trace's head says. 0 or -errno. */
	int (*begin)(void *ctx, const struct capture *capture);
};

/* The same, of a trace only, with every journey told to `tee` as well. */
int load_trace(const struct opts *opts, const struct load_tee *tee, struct vsm **out);

#endif
