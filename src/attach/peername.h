/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peername.h - which process on this host is at the other end of a connection
 */
#ifndef GEMBA_ATTACH_PEERNAME_H
#define GEMBA_ATTACH_PEERNAME_H

#include <stddef.h>

#include "bpf/event.h"

struct peername;

int peername_new(struct peername **out);
void peername_free(struct peername *self);
/* Remembers a connection whose peer may be local; a few hundred at most, others are let go. */
void peername_want(struct peername *self, const struct gemba_conn *conn);
/*
 * Looks for all that are wanted, at most once a second, and writes a GEMBA_PEERNAME for each
 * one found. The number of records in `to`.
 */
size_t peername_find(struct peername *self, unsigned long long now_ns, struct gemba_comm *to,
		     size_t room);

#endif
