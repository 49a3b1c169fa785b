/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.h - what threads did between receiving an item and sending, or receiving the next
 *
 * A window begins where a thread has received and ends where it sends or receives again: within it
 * the thread works on that item, as far as threads tell. Where what is received holds several units
 * of work, a window may begin at each entry of the function that takes one up instead. Pure; events
 * come in any order.
 */
#ifndef GEMBA_PROPOSE_PATH_H
#define GEMBA_PROPOSE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_MAX_EVENTS ((size_t)2 << 20)

enum path_kind { PATH_RECV, PATH_SEND, PATH_STAGE };

struct path_event {
	uint64_t ts_ns;
	uint32_t tid;
	uint32_t sk;
	uint32_t group; /* of sockets that carry the same, see flows.h; 0: not known */
	uint32_t stage; /* of PATH_STAGE */
	enum path_kind kind;
};

/* All zero to begin with. */
struct path {
	struct path_event *rows;
	size_t nr, room;
	bool is_sorted;
};

/* 0, -ENOSPC after PATH_MAX_EVENTS, -ENOMEM. */
int path_add(struct path *self, const struct path_event *event);
void path_fini(struct path *self);

struct path_spot {
	bool is_in_window;
	bool has_output; /* it ends with a send */
	uint32_t group;	 /* of the receive that began it */
};

/* Where in its thread's life an instant lies. */
struct path_spot path_at(struct path *self, uint32_t tid, uint64_t ts_ns);

/*
 * Receives of a group in [from, to), and items: consecutive receives on one socket, with nothing between them
 * and within a millisecond, at most 8, are one item.
 */
void path_count(struct path *self, uint32_t group, uint64_t from_ns, uint64_t to_ns,
		uint64_t *reads, uint64_t *items);

struct path_stage {
	uint64_t hits;	     /* all */
	uint64_t hits_in;    /* in a window of the group */
	uint64_t hits_other; /* in one of another group */
	uint64_t windows;    /* that have one or more */
	uint64_t timed;	     /* of those, in which nothing else came between: means are of them */
	uint64_t offset_ns;  /* of the first in a window, mean, probes before it taken off */
	uint64_t order_ns;   /* the same with them: only who comes before whom */
};

struct path_total {
	uint64_t windows;   /* but those that the next receive goes on with */
	uint64_t length_ns; /* mean of those that no receive ends, or of all; probes taken off, and
			       without those in which something else came between */
};

#define PATH_RECEIVED UINT32_MAX

/*
 * Of stages 0 to nr - 1, whose probes cost cost_ns[stage] each, in the windows of a group; only
 * `hits` are of all, and hits_other those in windows of other groups. Windows begin at receives of
 * the group when `unit` is PATH_RECEIVED; else at each hit of the stage `unit` that follows one,
 * and the next such hit ends them, too.
 */
struct path_total path_stages(struct path *self, uint32_t group, uint32_t unit,
			      const uint32_t *cost_ns, struct path_stage *stages, size_t nr);

#endif
