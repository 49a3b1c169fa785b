/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calibrate.h - what a hit of a stage's probe takes before its stamp and after it, on this host
 */
#ifndef GEMBA_ATTACH_CALIBRATE_H
#define GEMBA_ATTACH_CALIBRATE_H

#include "src/attach/probe.h"

struct calibration {
	uint32_t before_ns; /* from the probed instruction to the stamp, median */
	uint32_t after_ns;  /* from the stamp to the next instruction, median */
	uint32_t spread_ns; /* half of what lies between the 16th and 84th percentile of the sum */
	/* what a hit takes more when the caches hold neither the kernel's path nor its data */
	uint32_t cold_before_ns;
	uint32_t cold_after_ns;
};

/*
 * Probes a function of a forked child of gemba's own, emulated class, and compares the stamps with
 * the child's own clock. 0, or -errno: nothing could be measured, and *out is zero.
 */
int calibrate(struct calibration *out, struct probe *probe);

#endif
