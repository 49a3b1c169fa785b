/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof_outcome.h - what an instruction left behind, and whether two runs left the same
 */
#ifndef GEMBA_ATTACH_PROOF_OUTCOME_H
#define GEMBA_ATTACH_PROOF_OUTCOME_H

#include "src/attach/proof_child.h"
#include "src/attach/proof_stub.h"

struct outcome {
	struct cpu cpu;
	uint8_t scratch[TRIAL_BYTES]; /* the page that held its stack and its operands */
};

/*
 * The page was at `scratch`, rsp began stack_at bytes into it. False: reply->why names what
 * differs. A red zone that differs is only noted in reply->has_spoiled.
 */
bool outcome_is_same(const struct outcome *is, const struct outcome *was, uint64_t scratch,
		     uint64_t stack_at, struct trial_reply *reply);

#endif
