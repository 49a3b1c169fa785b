/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof_process.h - the parent's side of a trial's process: start, send, receive, end
 */
#ifndef GEMBA_ATTACH_PROOF_PROCESS_H
#define GEMBA_ATTACH_PROOF_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "src/attach/proof_child.h"

struct process {
	struct trial trial;
	pid_t pid;
	int channel;		  /* the parent's end */
	bool has_ended;		  /* seen at its end of the channel */
	struct trial_reply reply; /* to the last request */
};

/* Needs trial.replay, .probe_type and .prog_fd. 0 or -errno; process_end() it either way. */
int process_start(struct process *self, unsigned int timeout_ms);
/* False when the process cannot be reached. */
bool process_send(struct process *self, enum trial_what what, uint32_t nr);
/* False when no answer came in time: process_explain() says why. */
bool process_receive(struct process *self);
/* Both. */
bool process_ask(struct process *self, enum trial_what what, uint32_t nr);
/* "was killed by SIGSEGV", "did not answer in time", ... */
void process_explain(const struct process *self, char *text, size_t bytes);
/* The kernel single-steps in a page that appears in the process with the first step for good. */
bool process_has_stepped(const struct process *self);
void process_end(struct process *self);

#endif
