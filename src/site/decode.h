/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.h - instructions one after another from a function's start
 */
#ifndef GEMBA_SITE_DECODE_H
#define GEMBA_SITE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/site/site.h"

enum flow {
	FLOW_NEXT,     /* goes on to the next instruction and nowhere else */
	FLOW_CALL,     /* of anything */
	FLOW_JUMP,     /* direct, conditional or not */
	FLOW_INDIRECT, /* a jump that may lead anywhere in the function */
	FLOW_END,      /* return, trap, jump through a pointer in the image: leaves the function */
};

struct insn {
	struct site site; /* class is valid when !refused */
	enum flow flow;
	uint32_t writes;     /* enum site_keep: what is not the same afterwards */
	const char *refused; /* NULL, or the clause of encoding_judge() */
};

struct decoder;

/* 0 or -ENOMEM. */
int decoder_new(struct decoder **out);
/*
 * The instruction `offset` bytes into text. False at the end and where none can be read with
 * certainty.
 */
bool decoder_read(struct decoder *self, const struct site_text *text, uint64_t offset,
		  struct insn *insn);
void decoder_free(struct decoder *self);

#endif
