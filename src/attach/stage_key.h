/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage_key.h - a stage's key, from text to the program of the function it was found to be
 */
#ifndef GEMBA_ATTACH_STAGE_KEY_H
#define GEMBA_ATTACH_STAGE_KEY_H

#include "bpf/key.h"
#include "src/symbol/place.h"

#define STAGE_KEY_WHY_BYTES 640

/*
 * *keep: enum site_keep, what has to be at the site as it was when the function was entered. 0, or
 * -errno with a sentence in why[STAGE_KEY_WHY_BYTES].
 */
int stage_key_make(const char *expr, struct binaries *binaries, const struct place *place,
		   struct gemba_key *out, uint32_t *keep, char *why);

#endif
