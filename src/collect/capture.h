/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.h - the circumstances of a capture: all that the map says beside its figures
 *
 * Filled live by attach/, carried by the trace as text (key=value lines in its head and tail),
 * shown by every renderer. Strings are owned, may be NULL; lists may be empty.
 */
#ifndef GEMBA_COLLECT_CAPTURE_H
#define GEMBA_COLLECT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pair {
	char *key;
	char *value;
};

struct pairs {
	struct pair *items;
	size_t nr;
};

struct target_info {
	uint32_t pid;
	char *comm;
	char *exe;
	char *build_id;
	char *cmdline;
	bool is_go;
	bool has_exited;
	int exit_status; /* as of wait(2): code, or 128 + signal */
};

/* A function of the target that is stamped where it is entered, as far as it was found. */
struct stage_info {
	char *name;
	char *probe;	  /* as the user gave it */
	char *binary;	  /* NULL: not found, see note */
	char *symbol;	  /* demangled */
	char *site_class; /* of the probed instruction */
	char *site_text;  /* "push rbp" */
	char *key;
	char *value;	      /* added, necessary, waste; NULL: unknown */
	char *note;	      /* what the user has to know of it: not found, braked, why dear */
	uint64_t site_offset; /* from the function's start */
	uint64_t hits;	      /* 0 in a trace without an end: then the map counts its events */
	uint32_t cost_ns;     /* of a hit, calibrated on this host; 0: not known */
	uint32_t before_ns;   /* of it what passes before the stamp is taken */
	uint32_t spread_ns;   /* how far a hit's cost lies from that, half of them more */
	/* what a hit takes more with cold caches, before its stamp and after it */
	uint32_t cold_before_ns;
	uint32_t cold_after_ns;
};

struct capture {
	char *name; /* of the map; by default the target's comm */
	char *owner;
	char *review_by;
	char *host;
	char *boot_id;
	char *kernel;
	char *arch;
	char *timezone;
	struct pairs tags;
	struct pairs clock;	  /* clocksource, synchronised, offset_ns ... */
	struct pairs environment; /* cpus, governor, isolated ... */
	struct pairs missing;	  /* station or part -> why */
	struct target_info *targets;
	size_t nr_targets;
	struct stage_info *stages; /* in the order given: the first is the entry stage */
	size_t nr_stages;
	uint64_t takt_declared_ns; /* 0: none */
	uint64_t start_ns;	   /* CLOCK_MONOTONIC: everything is attached */
	uint64_t end_ns;	   /* 0: the capture did not end in order */
	uint64_t start_wall_ns;	   /* CLOCK_REALTIME at start_ns */
	uint64_t observer_cpu_ns;  /* CPU time of gemba itself from start to end */
	uint64_t observer_rss_bytes;
	uint64_t recursion_misses; /* program runs that the kernel skipped: lost */
};

void capture_fini(struct capture *self);

/* Appends; copies both strings. 0 or -ENOMEM. */
int pairs_add(struct pairs *self, const char *key, const char *value);
/* The value of the first such key, or NULL. */
const char *pairs_get(const struct pairs *self, const char *key);
void pairs_fini(struct pairs *self);

/*
 * The capture as text, one `key=value` a line, values with \n, \r and \\ escaped, and back.
 * The text is what the trace carries; unknown keys are ignored when read. Later lines win, so
 * that a tail can correct its head; so in a list of pairs a key stands once. There `=` in a
 * key is escaped as well, as \e. write: a malloc'd string or NULL. read: 0, -ENOMEM, or -EBADMSG
 * for a line without `=` or a list of more than 1 024 pairs.
 */
char *capture_write(const struct capture *self);
int capture_read(struct capture *self, const char *text, size_t bytes);

#endif
