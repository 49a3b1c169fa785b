/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h - a thread's timeline: running, runnable, asleep, and on whose behalf
 *
 * The timeline is kept as segments with running totals, so that any past interval can be
 * split without walking it. What cannot be known (before the first event, after a lost one)
 * is `unknown`, and an interval that touches it has no parts.
 */
#ifndef GEMBA_CORRELATE_THREAD_H
#define GEMBA_CORRELATE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/correlate/journey.h"
#include "src/correlate/list.h"

struct item;
struct begun;

enum thread_state { THREAD_UNKNOWN, THREAD_RUNNING, THREAD_RUNNABLE, THREAD_BLOCKED };

struct totals {
	uint64_t run_item_ns;
	uint64_t run_other_ns;
	uint64_t run_queue_ns;
	uint64_t blocked_ns;
	uint64_t unknown_ns;
	uint64_t preemptions;
};

struct segment {
	uint64_t from_ns;
	struct totals totals; /* at from_ns */
	uint8_t state;
	uint8_t has_item;
};

/* A stretch in the run queue, and who had the CPU meanwhile. */
struct queued {
	uint64_t from_ns;
	uint64_t to_ns;
	uint32_t ran_instead;
};

#define BEGUN_MAX_STAMPS 4
#define THREAD_MAX_QUEUED 64

/* How a thread comes from reads to the entry stage; see entry.c. A run: reads, then entries. */
struct entry_habit {
	uint64_t entry_station;	 /* serial of its last entry */
	uint64_t passed_station; /* what was read before has been passed over */
	uint32_t reads;		 /* of the run it is in */
	uint32_t entries;
	uint32_t nr_single_runs; /* of one read */
	uint32_t nr_single_entries;
	uint32_t nr_runs; /* of several reads */
	uint32_t nr_reads;
	uint32_t nr_entries;
	uint32_t nr_begun; /* items, forks apart */
	uint32_t nr_left;  /* ended, and never begun */
	bool leaves_some;
	bool forks_some;      /* it begins several of one read */
	uint8_t least_likely; /* connections less likely than that of the last begun do not count */
};

struct thread {
	uint32_t tid;
	uint8_t state;
	bool has_sched;		  /* a switch of it has been seen, or it has been seen running */
	bool saw_empty;		  /* a read found nothing since the last successful one */
	bool is_foreign_to_items; /* its context decides nothing (Go) */
	uint64_t since_ns;
	uint32_t ran_instead;
	uint32_t epoch;	     /* of reading: items of an older one have been dealt with */
	uint32_t open_epoch; /* the first since it slept last */
	uint64_t woken_ns;   /* when it was woken last, 0: never seen, and by whom */
	uint32_t woken_by;
	uint64_t turn_ns;      /* when it slept last, or its spinning loop came round */
	uint32_t nr_switches;  /* times it left a CPU */
	uint64_t warm_ns;      /* on-CPU time when the warm-up ended */
	uint64_t last_station; /* serial of the last station it stamped */
	struct totals totals;  /* at since_ns */
	struct item *current;
	struct begun *last_begun; /* what it took at the entry stage last; NULL: nothing yet */
	uint32_t last_begun_epoch;
	struct entry_habit habit;
	struct list items;	  /* open ones that it touched last */
	struct segment *segments; /* ring */
	uint32_t nr_segments;
	uint32_t first_segment;
	uint32_t room_segments;
	struct queued *queued; /* ring of the newest THREAD_MAX_QUEUED, NULL: none yet */
	uint32_t nr_queued;    /* ever */
	char comm[16];
};

/* An item's arrival, which further messages of the same packet share, even when it is gone. */
struct begun {
	uint64_t first_recv_ns;
	uint32_t conn_id;
	uint32_t in_seq;
	uint32_t raddr;
	uint32_t reader;
	uint32_t supplier;
	uint16_t in_lport;
	uint16_t in_rport;
	uint16_t rport;
	bool is_udp;
	bool is_partial;
	bool is_doubtful;
	bool is_guess;
	uint32_t nr_stamps;
	struct stamp stamps[BEGUN_MAX_STAMPS]; /* up to its recv */
};

struct thread *thread_new(uint32_t tid, uint64_t now_ns);
void thread_free(struct thread *self);
/* Brings the totals up to a time; on-CPU time goes to `current`'s account as well. */
void thread_advance(struct thread *self, uint64_t now_ns);
/* From now on in this state. Segments beyond the bounded past are forgotten. */
void thread_set_state(struct thread *self, uint64_t now_ns, enum thread_state state,
		      uint32_t ran_instead);
void thread_set_current(struct thread *self, uint64_t now_ns, struct item *item);
/* It did something only a running thread does: if it was not thought to run, it is from now. */
void thread_seen_running(struct thread *self, uint64_t now_ns);
/* It comes on a CPU: woken at wake_ns (0: not known), `instead` ran there until now. */
void thread_switched_in(struct thread *self, uint64_t now_ns, uint64_t wake_ns, uint32_t instead);
/*
 * Splits [from_ns, to_ns], to_ns at most a moment ago: on_cpu is what it ran for `item` since
 * the item's last stamp. parts is unknown where the timeline is.
 */
void thread_split(struct thread *self, struct item *item, uint64_t from_ns, uint64_t to_ns,
		  struct parts *parts);
/* The same of a thread that had the item as its current all the while. */
void thread_split_whole(struct thread *self, uint64_t from_ns, uint64_t to_ns, struct parts *parts);
/* Its on-CPU time so far. */
uint64_t thread_on_cpu_ns(const struct thread *self);

#endif
