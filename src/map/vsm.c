// SPDX-License-Identifier: BSD-2-Clause
/*
 * vsm.c - the map as a thing: its names, its doubts, its end
 *
 * Whoever makes a map (the builder, the reader of map files, merge, future) fills struct vsm
 * from zeroed memory; whatever of it is filled, vsm_free() frees. Histograms that nobody
 * initialised are all zero, which hist_fini() takes as well.
 */
#include "src/map/vsm.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASSERT_NAMES(names, nr)                                                                    \
	_Static_assert(sizeof(names) / sizeof((names)[0]) == (nr), "a name is missing")

static const char *const station_names[] = {
	[STATION_RX] = "rx",	 [STATION_SOCK] = "sock", [STATION_RECV] = "recv",
	[STATION_SEND] = "send", [STATION_TXQ] = "txq",	  [STATION_TX] = "tx",
};
ASSERT_NAMES(station_names, STATION_STAGE);

static const char *const outcome_names[] = {
	[OUTCOME_OUT] = "out",
	[OUTCOME_ENDED] = "ended",
	[OUTCOME_MERGED] = "merged",
	[OUTCOME_DROPPED] = "dropped",
	[OUTCOME_UNOBSERVED] = "unobserved",
	[OUTCOME_IN_FLIGHT] = "in_flight",
};
ASSERT_NAMES(outcome_names, OUTCOME_NR);

static const char *const step_kind_names[] = {
	[STEP_WIRE] = "wire",	[STEP_KERNEL] = "kernel",   [STEP_QUEUE] = "queue",
	[STEP_STAGE] = "stage", [STEP_HANDOFF] = "handoff", [STEP_PROCESS] = "process",
};
ASSERT_NAMES(step_kind_names, STEP_NR_KINDS);

static const char *const step_value_names[] = {
	[VALUE_UNKNOWN] = "unknown",
	[VALUE_ADDED] = "added",
	[VALUE_NECESSARY] = "necessary",
	[VALUE_WASTE] = "waste",
};
ASSERT_NAMES(step_value_names, VALUE_WASTE + 1);

const char *station_name(unsigned int station)
{
	return station < STATION_STAGE ? station_names[station] : NULL;
}

const char *outcome_name(enum outcome outcome)
{
	assert(outcome < OUTCOME_NR);
	return outcome_names[outcome];
}

const char *step_kind_name(enum step_kind kind)
{
	assert(kind < STEP_NR_KINDS);
	return step_kind_names[kind];
}

enum step_value step_value_by_name(const char *name)
{
	for (unsigned int i = 0; name && i <= VALUE_WASTE; i++)
		if (!strcmp(name, step_value_names[i]))
			return (enum step_value)i;
	return VALUE_UNKNOWN;
}

const char *step_value_name(enum step_value value)
{
	assert(value <= VALUE_WASTE);
	return step_value_names[value];
}

static void doubt_fini(struct doubt *self)
{
	free(self->code);
	free(self->text);
	free(self->steps);
}

static int format_text(char **out, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		return -ENOMEM;
	*out = text;
	return 0;
}

int vsm_doubt(struct vsm *self, const char *code, const char *steps, uint64_t items,
	      const char *format, ...)
{
	struct doubt doubt = { .items = items, .code = strdup(code) };
	struct doubt *doubts;
	va_list args;
	int err;

	va_start(args, format);
	err = format_text(&doubt.text, format, args);
	va_end(args);
	if (steps)
		doubt.steps = strdup(steps);
	doubts = realloc(self->doubts, (self->nr_doubts + 1) * sizeof(*doubts));
	if (doubts)
		self->doubts = doubts;
	if (err < 0 || !doubts || !doubt.code || (steps && !doubt.steps)) {
		doubt_fini(&doubt);
		return -ENOMEM;
	}
	self->doubts[self->nr_doubts++] = doubt;
	return 0;
}

static void step_fini(struct step *self)
{
	free(self->id);
	free(self->name);
	free(self->from);
	free(self->to);
	hist_fini(&self->time);
	hist_fini(&self->time_raw);
	hist_fini(&self->on_cpu);
	hist_fini(&self->run_queue);
	hist_fini(&self->blocked);
	hist_fini(&self->busy_item);
	hist_fini(&self->busy_other);
	hist_fini(&self->visits);
	hist_fini(&self->cycle_time);
}

static void by_lead_fini(struct by_lead *self)
{
	free(self->lead_bucket);
	free(self->items);
	free(self->lead_sum_ns);
	free(self->sum_ns);
}

static void blocks_fini(struct blocks *self)
{
	free(self->items);
	free(self->lead_sum_ns);
	free(self->lead_p50_ns);
	free(self->lead_p99_ns);
	free(self->in_flight_max);
	free(self->sum_ns);
}

static void slow_item_fini(struct slow_item *self)
{
	for (uint32_t i = 0; self->stamps && i < self->nr_stamps; i++)
		free(self->stamps[i].name);
	free(self->stamps);
}

static void findings_free(struct finding *self, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(self[i].waste);
		free(self[i].step);
		free(self[i].evidence);
		free(self[i].example);
	}
	free(self);
}

static void strings_free(char **self, size_t nr)
{
	for (size_t i = 0; self && i < nr; i++)
		free(self[i]);
	free(self);
}

void vsm_family_fini(struct family *self)
{
	free(self->id);
	free(self->name);
	free(self->class);
	strings_free(self->route, self->nr_route);
	hist_fini(&self->lead_time);
	hist_fini(&self->process_time);
	hist_fini(&self->transport_time);
	hist_fini(&self->wait_time);
	hist_fini(&self->time_to_last_output);
	hist_fini(&self->outputs);
	for (size_t i = 0; self->steps && i < self->nr_steps; i++)
		step_fini(&self->steps[i]);
	free(self->steps);
	by_lead_fini(&self->by_lead);
	blocks_fini(&self->blocks);
	findings_free(self->findings, self->nr_findings);
	for (size_t i = 0; i < self->nr_slowest; i++)
		slow_item_fini(&self->slowest[i]);
}

static void endpoint_fini(struct vsm_endpoint *self)
{
	free(self->id);
	free(self->name);
	free(self->local);
	free(self->remote);
	hist_fini(&self->rtt);
}

void vsm_free(struct vsm *self)
{
	if (!self)
		return;
	free(self->made_by);
	free(self->map_id);
	strings_free(self->merged_from, self->nr_merged_from);
	capture_fini(&self->capture);
	for (size_t i = 0; i < self->nr_doubts; i++)
		doubt_fini(&self->doubts[i]);
	free(self->doubts);
	for (size_t i = 0; i < self->nr_suppliers; i++)
		endpoint_fini(&self->suppliers[i]);
	for (size_t i = 0; i < self->nr_customers; i++)
		endpoint_fini(&self->customers[i]);
	for (size_t i = 0; self->families && i < self->nr_families; i++)
		vsm_family_fini(&self->families[i]);
	free(self->families);
	free(self);
}
