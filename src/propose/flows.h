/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flows.h - which sockets carry the same kind of item
 *
 * What comes in by one port of the target, or from one port that it connected to, is a group: the
 * orders of fifty clients are one, the feed another, the acks of an order session a third.
 */
#ifndef GEMBA_PROPOSE_FLOWS_H
#define GEMBA_PROPOSE_FLOWS_H

#include "bpf/event.h"
#include "src/propose/path.h"
#include "src/util/idmap.h"

#define FLOWS_TEXT_BYTES 64

/* All zero to begin with. */
struct flows {
	struct flow {
		uint32_t sk;
		uint16_t lport, rport;
		uint8_t how; /* enum gemba_how */
		bool is_udp;
	} * rows;
	size_t nr, room;
	struct idmap by_sk;	 /* to row number + 1 */
	uint64_t listened[1024]; /* a bit for each local port that is listened on */
};

/* Takes a GEMBA_CONN record; others are left. 0 or -ENOMEM. */
int flows_take(struct flows *self, const union gemba_record *record);
/* Adds what is of a path (RECV, SEND, STAGE) to it. 0, -ENOSPC, -ENOMEM. */
int flows_follow(struct flows *self, struct path *path, const union gemba_record *record);
/* Gives every receive without a group its own. */
void flows_assign(const struct flows *self, struct path *path);
/* "udp port 4711", "tcp from port 80": returns text. */
const char *flows_name(uint32_t group, char text[FLOWS_TEXT_BYTES]);
void flows_fini(struct flows *self);

#endif
