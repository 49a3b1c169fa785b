/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * version.h - the version, and the day of its manual page
 */
#ifndef GEMBA_VERSION_H
#define GEMBA_VERSION_H

#define GEMBA_VERSION "0.1.0"
#define GEMBA_DATE "November 22, 2026"

#endif
