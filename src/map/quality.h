/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quality.h - what the host dropped, charged to the step where it was lost
 */
#ifndef GEMBA_MAP_QUALITY_H
#define GEMBA_MAP_QUALITY_H

#include "src/map/vsm.h"

/*
 * Charges `drops` datagrams to the step that ends at recv of the first family of datagrams
 * that has one, and rolls every family's ratios. How many families could have been meant.
 */
unsigned int quality_charge(struct vsm *vsm, const struct pairs *missing, uint64_t drops);

#endif
