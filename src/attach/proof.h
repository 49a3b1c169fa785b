/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof.h - does a probe on this instruction do no harm on this kernel, and what does it cost?
 *
 * Tried on a forked child of gemba's own before any target is touched. Fork early: the child is
 * a copy of the caller, who should have but one thread and little memory at that time. Nothing
 * stays behind, however gemba ends: the probe is a file descriptor, the file has no name, and the
 * child dies with its parent.
 */
#ifndef GEMBA_ATTACH_PROOF_H
#define GEMBA_ATTACH_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/site/site.h"

#define PROOF_WHY_BYTES 160

enum proof_verdict {
	PROOF_UNTRIED, /* it cannot be run away from its place, see why */
	PROOF_PASSED,
	PROOF_FAILED, /* a probe there would do harm, see why */
};

struct proof_opts {
	/* prog_fd was loaded for uprobe_multi (6.6) and is attached by such a link. Detaching one
	 * takes 100 ms like a perf uprobe, but many at once take no longer. */
	bool is_multi;
	int prog_fd; /* a loaded BPF program for uprobes (BPF_PROG_TYPE_KPROBE), -1: none */
	unsigned int nr_runs; /* 0: 10000 */
	unsigned int
		timeout_ms; /* of one answer of a trial's process, and more of many at once; 0: 10000 */
};

struct proof {
	struct site_encoding encoding;
	enum proof_verdict verdict;
	bool is_emulated;	   /* the kernel did not single-step it */
	bool spoils_red_zone;	   /* a probe overwrites what lies below rsp: only at the entry */
	uint32_t nr_runs;	   /* with the probe, and without any program */
	uint64_t nr_hits;	   /* as the kernel counted them; is_multi: 0 where it does not */
	uint32_t base_ns;	   /* a run without a probe: the trial's own cost */
	uint32_t count_ns;	   /* what the probe adds, counting only; is_multi: 0 */
	uint32_t prog_ns;	   /* the same with opts->prog_fd on it; 0: none given */
	char why[PROOF_WHY_BYTES]; /* "" when passed */
};

/*
 * Tries the instruction of each site on a process of its own; the sites' encodings shall differ.
 * 0 whatever the verdicts, or -errno with a sentence in why (PROOF_WHY_BYTES) when nothing can be
 * tried here: -EPERM, -ENOENT no uprobes, -EINVAL no uprobe_multi links, -ENOMEM. A red zone may
 * be spoiled by an optimised nop; of any other class that is a failure.
 */
int proof_run(struct proof *out, const struct site *sites, size_t nr, const struct proof_opts *opts,
	      char *why);
/*
 * What a trial found, for the next site_choose(): an encoding that failed is refused from now on,
 * a long nop is what it turned out to be. 0, or -ENOSPC. An untried one changes nothing.
 *
 * So: choose with site_rules_hopeful, try the encodings that came out, apply, and choose again
 * until all that is chosen has passed.
 */
int proof_apply(struct site_rules *rules, const struct proof *proof, enum site_class class);

#endif
