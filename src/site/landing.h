/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landing.h - where jumps may land between a function's entry and a moved site
 */
#ifndef GEMBA_SITE_LANDING_H
#define GEMBA_SITE_LANDING_H

#include "src/site/decode.h"

struct landing {
	uint64_t first; /* lowest offset above 0 that a direct jump leads to, or SITE_ANY */
	bool is_unsure; /* some jump's target is not known */
};

/*
 * Looks at the whole function, at most size bytes of text, and for rel32 jumps at `around`.
 * Offsets from `end` on are of no interest and may be missed.
 */
struct landing landing_find(struct decoder *decoder, const struct site_ask *ask, uint64_t end);

#endif
