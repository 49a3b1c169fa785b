// SPDX-License-Identifier: BSD-2-Clause
/*
 * flows.c - sockets into groups, by the port that stays the same
 */
#include "src/propose/flows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IS_UDP = 1 << 16, IS_OPENED = 1 << 17, IS_KNOWN = 1 << 18 };

int flows_take(struct flows *self, const union gemba_record *record)
{
	const struct gemba_conn *conn = &record->conn;

	if (record->ev.kind != GEMBA_CONN)
		return 0;
	if (conn->how == GEMBA_HOW_LISTEN)
		self->listened[conn->lport >> 6] |= 1ull << (conn->lport & 63);
	if (self->nr == self->room) {
		size_t room = self->room ? 2 * self->room : 64;
		struct flow *rows = reallocarray(self->rows, room, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		self->rows = rows;
		self->room = room;
	}
	self->rows[self->nr++] = (struct flow){
		.sk = conn->ev.sk,
		.lport = conn->lport,
		.rport = conn->rport,
		.how = conn->how,
		.is_udp = conn->ev.flags & GEMBA_F_UDP,
	};
	idmap_del(&self->by_sk, conn->ev.sk);
	return idmap_put(&self->by_sk, conn->ev.sk, (void *)(uintptr_t)self->nr);
}

int flows_follow(struct flows *self, struct path *path, const union gemba_record *record)
{
	const struct gemba_event *ev = &record->ev;
	struct path_event event = { .ts_ns = ev->ts_ns, .tid = ev->tid, .sk = ev->sk };

	switch (ev->kind) {
	case GEMBA_CONN:
		return flows_take(self, record);
	case GEMBA_RECV:
		event.kind = PATH_RECV;
		break;
	case GEMBA_SEND:
	case GEMBA_SENT: /* datagrams, and some kernels, have but the end of a call */
		event.kind = PATH_SEND;
		break;
	case GEMBA_STAGE:
		event.kind = PATH_STAGE;
		event.stage = ev->seq;
		break;
	default:
		return 0;
	}
	return ev->tid ? path_add(path, &event) : 0;
}

static uint32_t group_of(const struct flows *self, const struct flow *flow)
{
	bool is_listened = self->listened[flow->lport >> 6] & 1ull << (flow->lport & 63);

	if (flow->is_udp)
		return IS_KNOWN | IS_UDP | flow->lport;
	if (flow->how == GEMBA_HOW_ACCEPTED || is_listened)
		return IS_KNOWN | flow->lport;
	return IS_KNOWN | IS_OPENED | flow->rport;
}

void flows_assign(const struct flows *self, struct path *path)
{
	for (size_t i = 0; i < path->nr; i++) {
		struct path_event *row = &path->rows[i];
		uintptr_t nr;

		if (row->kind != PATH_RECV || row->group)
			continue;
		nr = (uintptr_t)idmap_get(&self->by_sk, row->sk);
		if (nr)
			row->group = group_of(self, &self->rows[nr - 1]);
	}
}

const char *flows_name(uint32_t group, char text[FLOWS_TEXT_BYTES])
{
	snprintf(text, FLOWS_TEXT_BYTES, "%s %s port %u", group & IS_UDP ? "udp" : "tcp",
		 group & IS_OPENED ? "from" : "to", group & 0xffff);
	return text;
}

void flows_fini(struct flows *self)
{
	free(self->rows);
	idmap_fini(&self->by_sk);
	memset(self, 0, sizeof(*self));
}
