// SPDX-License-Identifier: BSD-2-Clause
/*
 * steps.c - the table of built-in steps, and the rule for the others
 *
 * From a stage on, time is the stage's, whatever comes next. From recv to a stage it is
 * `receive`. Every other pair of stations is a row of the table; a pair that is no row spans
 * stations nobody stamped, has its id for a name and counts as a wait.
 */
#include "src/map/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unless { ALWAYS, UNLESS_DEFERRED = 1, UNLESS_QUEUED = 2 };

struct row {
	const char *name; /* NULL: the id */
	enum step_kind kind;
	enum step_class class;
	unsigned int unless; /* transport becomes a wait if one of these holds */
};

static const struct row rows[STATION_STAGE][STATION_STAGE] = {
	[STATION_RX][STATION_SOCK] = { "kernel_rx", STEP_KERNEL, CLASS_TRANSPORT, ALWAYS },
	[STATION_SOCK][STATION_RECV] = { "socket_queue", STEP_QUEUE, CLASS_WAIT, ALWAYS },
	[STATION_RECV][STATION_SEND] = { "process", STEP_PROCESS, CLASS_BY_PARTS, ALWAYS },
	[STATION_RECV][STATION_TXQ] = { "process", STEP_PROCESS, CLASS_BY_PARTS, ALWAYS },
	[STATION_RECV][STATION_TX] = { "process", STEP_PROCESS, CLASS_BY_PARTS, ALWAYS },
	[STATION_SEND][STATION_TXQ] = { "send", STEP_KERNEL, CLASS_TRANSPORT, UNLESS_DEFERRED },
	[STATION_SEND][STATION_TX] = { NULL, STEP_KERNEL, CLASS_TRANSPORT,
				       UNLESS_DEFERRED | UNLESS_QUEUED },
	[STATION_TXQ][STATION_TX] = { "qdisc", STEP_QUEUE, CLASS_TRANSPORT, UNLESS_QUEUED },
};
static const struct row stage_row = { NULL, STEP_STAGE, CLASS_BY_PARTS, ALWAYS };
static const struct row receive_row = { "receive", STEP_PROCESS, CLASS_BY_PARTS, ALWAYS };
static const struct row handoff_row = { NULL, STEP_HANDOFF, CLASS_WAIT, ALWAYS };
static const struct row gap_in_row = { NULL, STEP_QUEUE, CLASS_WAIT, ALWAYS };
static const struct row gap_out_row = { NULL, STEP_KERNEL, CLASS_WAIT, ALWAYS };

static const struct row *row_between(unsigned int from, unsigned int to)
{
	/* A zeroed row is of STEP_WIRE, which no journey of one host has. */
	if (from < STATION_STAGE && to < STATION_STAGE && rows[from][to].kind != STEP_WIRE)
		return &rows[from][to];
	if (from >= STATION_HANDOFF && from < STATION_NR)
		return &handoff_row;
	if (from >= STATION_STAGE)
		return &stage_row;
	if (from == STATION_RECV && to >= STATION_STAGE)
		return &receive_row;
	return from == STATION_RX || from == STATION_SOCK ? &gap_in_row : &gap_out_row;
}

enum step_kind step_kind_between(unsigned int from, unsigned int to)
{
	return row_between(from, to)->kind;
}

enum step_class step_class_between(unsigned int from, unsigned int to,
				   const struct journey *journey)
{
	const struct row *row = row_between(from, to);

	if ((row->unless & UNLESS_DEFERRED) && journey->is_deferred_send)
		return CLASS_WAIT;
	if ((row->unless & UNLESS_QUEUED) && journey->is_queued)
		return CLASS_WAIT;
	return row->class;
}

void stage_names_fini(struct stage_names *self)
{
	for (size_t i = 0; i < STEPS_NR_STAGES; i++)
		free(self->names[i]);
}

static bool is_handoff(unsigned int station)
{
	return station >= STATION_HANDOFF && station < STATION_NR;
}

/* The stage that was handed over from. */
static unsigned int stage_of(unsigned int handoff)
{
	return handoff - STATION_HANDOFF + STATION_STAGE;
}

char *stage_names_station(const struct stage_names *self, unsigned int station)
{
	char *name;

	if (station < STATION_STAGE)
		return strdup(station_name(station));
	if (is_handoff(station)) {
		char *stage = stage_names_station(self, stage_of(station));
		int nr = stage ? asprintf(&name, "%s.handoff", stage) : -1;

		free(stage);
		return nr < 0 ? NULL : name;
	}
	if (self->names[station - STATION_STAGE])
		return strdup(self->names[station - STATION_STAGE]);
	return asprintf(&name, "stage%u", station - STATION_STAGE) < 0 ? NULL : name;
}

enum step_value stage_names_value(const struct stage_names *self, unsigned int station)
{
	return station < STATION_STAGE || is_handoff(station) ?
		       VALUE_UNKNOWN :
		       self->values[station - STATION_STAGE];
}

static bool is_ending(const char *name, const char *end)
{
	size_t nr = strlen(name), nr_end = strlen(end);

	return nr >= nr_end && !strcmp(name + nr - nr_end, end);
}

/* The f1, f2 that a path of --where or --fail-if calls families by. */
static bool is_family(const char *name)
{
	return name[0] == 'f' && name[1] && !name[1 + strspn(name + 1, "0123456789")];
}

bool step_name_is_reserved(const char *name)
{
	static const char *const others[] = { "sent",	      "ack",	   "receive",
					      "wire",	      "other",	   "lead_time",
					      "process_time", "wait_time", "transport_time" };

	for (unsigned int from = 0; from < STATION_STAGE; from++) {
		if (!strcmp(name, station_name(from)))
			return true;
		for (unsigned int to = 0; to < STATION_STAGE; to++)
			if (rows[from][to].name && !strcmp(name, rows[from][to].name))
				return true;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(name, others[i]))
			return true;
	return is_family(name) || is_ending(name, ".handoff");
}

bool step_is_socket_wait(const struct step *self)
{
	return !strcmp(self->to, "recv") &&
	       (!strcmp(self->from, "sock") || !strcmp(self->from, "rx"));
}

/* DEFINITIONS: `A>handoff`, split off A. */
static char *handoff_name(const struct stage_names *names, unsigned int station)
{
	char *stage = stage_names_station(names, stage_of(station)), *name;
	int nr = stage ? asprintf(&name, "%s>handoff", stage) : -1;

	free(stage);
	return nr < 0 ? NULL : name;
}

int step_describe(struct step *self, const struct stage_names *names, unsigned int from,
		  unsigned int to)
{
	const struct row *row = row_between(from, to);

	self->from = stage_names_station(names, from);
	self->to = stage_names_station(names, to);
	if (!self->from || !self->to)
		return -ENOMEM;
	if (asprintf(&self->id, "%s>%s", self->from, self->to) < 0) {
		self->id = NULL;
		return -ENOMEM;
	}
	self->name = row == &handoff_row ? handoff_name(names, from) :
					   strdup(row == &stage_row ? self->from :
						  row->name	    ? row->name :
								      self->id);
	self->kind = row->kind;
	self->value = stage_names_value(names, from);
	return self->name ? 0 : -ENOMEM;
}
