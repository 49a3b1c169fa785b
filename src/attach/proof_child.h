/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof_child.h - the process on which an instruction is tried, and what it is asked to do
 */
#ifndef GEMBA_ATTACH_PROOF_CHILD_H
#define GEMBA_ATTACH_PROOF_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "src/site/replay.h"

#define TRIAL_SITE 128	 /* offset of the instruction in the file */
#define TRIAL_BRANCH 192 /* and of where it may branch to */
#define TRIAL_DATA 9216	 /* from the file's first byte to data for rip-relative operands */
#define TRIAL_BYTES 4096
#define TRIAL_UPROBE_MULTI 48 /* BPF_TRACE_UPROBE_MULTI */

struct trial {
	struct replay replay;
	uint8_t code[TRIAL_BYTES]; /* what the file holds */
	int file;		   /* memfd */
	uint64_t file_at;	   /* where in it the code lies, whole pages */
	int channel;		   /* the child's end */
	int probe_type;		   /* what perf calls uprobes here */
	int prog_fd;		   /* or -1 */
	bool is_multi;		   /* attach the program by a link of many uprobes */
};

enum trial_what {
	TRIAL_RECORD,  /* run without the probe and keep what came out */
	TRIAL_CHECK,   /* run nr times and compare with what was kept */
	TRIAL_TIME,    /* the median time of a run, in rounds of nr runs */
	TRIAL_ATTACH,  /* the probe, or the link; not ok: error tells why */
	TRIAL_HITS,    /* what the kernel has counted */
	TRIAL_PROGRAM, /* the program on the probe */
	TRIAL_DETACH,  /* the probe, and see that the code is what it was */
};

struct trial_request {
	uint32_t what;
	uint32_t nr;
};

struct trial_reply {
	uint32_t is_ok;
	uint32_t has_spoiled; /* the red zone, in at least one run */
	uint32_t time_ns;
	int32_t error;
	uint64_t nr_hits;
	char why[64];
};

/* Writes the code that surrounds the instruction. */
void trial_write_code(struct trial *self);
/* Serves requests until the channel is closed; never returns. */
void trial_serve(const struct trial *self, int parent_pid) __attribute__((noreturn));

#endif
