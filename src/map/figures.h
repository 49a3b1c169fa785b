/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.h - the ratios of a family, from its sums
 */
#ifndef GEMBA_MAP_FIGURES_H
#define GEMBA_MAP_FIGURES_H

#include "src/map/vsm.h"

/*
 * Rate, takt, activity, process cycle efficiency, utilisation, constraint, shares. What cannot
 * be told is NAN, for takt 0, for the constraint -1. Reads only sums and declared values, so
 * it also serves maps that were merged or changed.
 */
void family_figures(struct family *self, uint64_t window_ns);
/* The product of the steps' complete_and_accurate_ratio where there is one; NAN: none has. */
void family_roll(struct family *self);

#endif
