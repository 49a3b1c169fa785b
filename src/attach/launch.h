/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch.h - holds a command of ours before its first own instruction, its libraries loaded
 *
 * Uprobes need mapped files, which a command has only once it has executed. It is traced from
 * its exec to its entry point, as a debugger would, and let go of for good there. A debug register
 * stops it: not a byte of it is written. A command that is held dies with gemba.
 */
#ifndef GEMBA_ATTACH_LAUNCH_H
#define GEMBA_ATTACH_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

/* Before its exec. False: it cannot be traced here (a filter, a module), and will not be held. */
bool launch_prepare(pid_t child);
/*
 * After its exec: waits until it is about to run its entry point. True: it is held there, or, where
 * no debug register is to be had, right after the exec, when only its own file and the loader are
 * mapped. False: it has ended, which is left to be reaped, and is not held.
 */
bool launch_hold(pid_t child);
/* Lets go of it. */
void launch_release(pid_t child);

#endif
