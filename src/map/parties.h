/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parties.h - suppliers and customers: what each endpoint sent and received
 */
#ifndef GEMBA_MAP_PARTIES_H
#define GEMBA_MAP_PARTIES_H

#include "src/map/vsm.h"

#define PARTIES_MAX 65536     /* endpoints told apart; the rest goes to `others` */
#define PARTIES_MAX_RTTS 1024 /* of them with a distribution of round trips of their own */

struct traffic {
	uint64_t items;
	uint64_t bytes;
};

struct party {
	struct traffic in;
	struct traffic out;
	uint32_t rtt; /* index of rtts plus one, 0: none */
};

struct parties {
	struct party *parties; /* by endpoint */
	size_t nr;
	size_t room;
	struct party beyond;
	struct hist *rtts;
	size_t nr_rtts;
	struct hist rtt_rest;
};

void parties_init(struct parties *self);
void parties_fini(struct parties *self);
/* 0 or -ENOMEM. */
int parties_add(struct parties *self, const struct journey *journey);
int parties_round_trip(struct parties *self, uint32_t endpoint, uint64_t rtt_ns);
/* Into the map's suppliers and customers, whose window must be set. 0 or -ENOMEM. */
int parties_finish(const struct parties *self, const struct endpoint *endpoints,
		   size_t nr_endpoints, struct vsm *vsm);

#endif
