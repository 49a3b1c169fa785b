/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps.h - what lies between two stations: its name, its kind, and which class its time is of
 *
 * Stations are numbers here (enum station); stages have names only if the capture gave them.
 */
#ifndef GEMBA_MAP_STEPS_H
#define GEMBA_MAP_STEPS_H

#include "src/map/vsm.h"

#define STEPS_NR_STATIONS 256 /* built-in ones and stages; a journey naming more is refused */
#define STEPS_NR_STAGES (STEPS_NR_STATIONS - STATION_STAGE)

struct stage_names {
	char *names[STEPS_NR_STAGES]; /* NULL: stageN */
	enum step_value values[STEPS_NR_STAGES];
};

void stage_names_fini(struct stage_names *self);
/* A malloc'd copy of a station's name, NULL: no memory. */
char *stage_names_station(const struct stage_names *self, unsigned int station);
enum step_value stage_names_value(const struct stage_names *self, unsigned int station);

enum step_kind step_kind_between(unsigned int from, unsigned int to);
/* CLASS_BY_PARTS: what the thread did in it decides. The journey decides where a send was
 * deferred or the packet queued: then what would be transport is a wait. */
enum step_class step_class_between(unsigned int from, unsigned int to,
				   const struct journey *journey);
/* Whether it is the wait in a socket, from arrival or readiness to the reader. */
bool step_is_socket_wait(const struct step *self);
/* Fills id, name, from, to, kind and value. 0 or -ENOMEM. */
int step_describe(struct step *self, const struct stage_names *names, unsigned int from,
		  unsigned int to);

/* A built-in station or step, or one that other versions have: a stage so called could not be
 * told from it. */
bool step_name_is_reserved(const char *name);

#endif
