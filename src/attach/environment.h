/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * environment.h - the host, its clock and its CPUs, as the map tells them
 */
#ifndef GEMBA_ATTACH_ENVIRONMENT_H
#define GEMBA_ATTACH_ENVIRONMENT_H

#include "src/collect/capture.h"

/* Fills host, kernel, clock and environment; what cannot be read stays absent. 0 or -ENOMEM. */
int environment_describe(struct capture *capture);

#endif
