/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsm_build.h - from journeys to the map, one pass, bounded memory
 */
#ifndef GEMBA_MAP_VSM_BUILD_H
#define GEMBA_MAP_VSM_BUILD_H

#include "src/map/vsm.h"

struct vsm_builder;

/* `start_ns` is the event time at which everything was attached. 0 or -ENOMEM. */
int vsm_builder_new(struct vsm_builder **out, uint64_t start_ns);
void vsm_builder_free(struct vsm_builder *self);
/* What the capture calls a stage, and what its owner says of its value; without it the name is
 * stageN, the value unknown. 0, -ENOMEM, or -ERANGE. */
/* What a hit of its probe costs; without it nothing is taken off. */
void vsm_builder_cost_stage(struct vsm_builder *self, unsigned int stage, struct probe_cost cost);
int vsm_builder_name_stage(struct vsm_builder *self, unsigned int stage, const char *name,
			   enum step_value value);
/* The sink to give to correlate/: its ctx is the builder. */
struct journey_sink vsm_builder_sink(struct vsm_builder *self);
/*
 * Completes the map: ladders, blocks, inventory, ratios, doubts, families in order. `capture`
 * is moved into the map, `endpoints` (correlate's table) read. The builder is spent. 0 or
 * -ENOMEM (also when memory ran out on the way: a map is whole or is not).
 */
int vsm_builder_finish(struct vsm_builder *self, struct vsm **out, struct capture *capture,
		       const struct account *account, const struct endpoint *endpoints,
		       size_t nr_endpoints);

#endif
