/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h - the kernel side's life: open, watch, attach, find sockets, detach, free
 *
 * Programs whose tracepoint this kernel lacks, or that it refuses to load or attach, are left
 * out; the station each one serves is then named as missing, with the reason. Nothing stays
 * in the kernel once the process ends, however it ends: all links are file descriptors.
 */
#ifndef GEMBA_ATTACH_PROBE_H
#define GEMBA_ATTACH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "bpf/key.h"
#include "src/attach/uprobe.h"
#include "src/collect/capture.h"

struct probe;

struct probe_opts {
	uint64_t ring_bytes;  /* of all rings together */
	bool has_stages;      /* load the program for functions of the target as well */
	bool has_only_stages; /* and no other: to try what a hit costs */
};

#define PROBE_WHY_BYTES 1280

/*
 * Loads what can be loaded. `missing` receives a pair for each station left out. 0, or -errno
 * with a sentence in why: -EPERM privileges, -ENOENT no BTF, -EOPNOTSUPP not one program can
 * be loaded, -ENOMEM.
 */
int probe_new(struct probe **out, const struct probe_opts *opts, struct pairs *missing, char *why);
/* Events of this process leave the kernel from now on (tgid of the initial pid namespace). */
void probe_watch(struct probe *self, uint32_t pid);
/* From here on nothing is told of any process. */
void probe_watch_none(struct probe *self);
/* Attaches everything that was loaded; programs refused here are added to `missing`. */
int probe_attach(struct probe *self, struct pairs *missing, char *why);
/* Learns the sockets that the watched processes hold now; cheap enough for once a second. */
int probe_find_sockets(struct probe *self);
/*
 * Stamps `stage` wherever process `pid` comes to this offset of the file at `path`. The caller
 * has made sure that a probe there does no harm (src/site). 0 or -errno; uprobe_detach gives the
 * target its bytes back.
 */
int probe_stage_attach(struct probe *self, unsigned int stage, uint32_t pid, const char *path,
		       uint64_t file_offset, struct uprobe *out);
/* What names the item at every hit of `stage` from now on: said before it is attached. */
void probe_stage_key(struct probe *self, unsigned int stage, const struct gemba_key *key);
/* Whether uprobes are uprobe_multi links here. */
bool probe_has_multi(const struct probe *self);
/* They do not do for a process of threads: loads everything again for perf events. 0 or -errno. */
int probe_give_up_multi(struct probe *self);
/* The program of all stages, for calibration; -1: this kernel refused it. */
int probe_stage_fd(const struct probe *self);
#define PROBE_MAX_CALIBRATIONS GEMBA_MAX_CALIBRATIONS
/* Notes the clock wherever one thread of process `pid` comes to this place; see calibrate.h. */
int probe_calibration_attach(struct probe *self, uint32_t pid, const char *path,
			     uint64_t file_offset, struct uprobe *out);
unsigned int probe_nr_calibrations(const struct probe *self);
const uint64_t *probe_calibrations(const struct probe *self);
/* Times that a stage was entered so far, on all CPUs, lost events included. */
uint64_t probe_stage_hits(const struct probe *self, unsigned int stage);

/* Stops the events; the rings can still be drained. */
void probe_detach(struct probe *self);
void probe_free(struct probe *self);

/* One ring for each possible CPU, in order. */
unsigned int probe_nr_rings(const struct probe *self);
int probe_ring_fd(const struct probe *self, unsigned int cpu);
size_t probe_ring_bytes(const struct probe *self);
/* Records lost so far on a CPU, by kind: never goes down. */
uint64_t probe_lost(const struct probe *self, unsigned int cpu, unsigned int kind);
/* Runs that the kernel skipped because the program was already running on that CPU. */
uint64_t probe_recursion_misses(const struct probe *self);
/* True when the scheduler's events are attached: parts of steps can be told. */
bool probe_has_sched(const struct probe *self);

/*
 * One line per program for `gemba check`: what it serves, whether this kernel can. Loads and
 * frees everything, attaches nothing.
 */
struct probe_status {
	const char *program;
	const char *serves;
	char why[160]; /* "" when it is loaded */
};
int probe_try(struct probe_status **out, size_t *nr, char *why);

#endif
