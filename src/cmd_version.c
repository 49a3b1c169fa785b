// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_version.c - gemba version: the one line that a script can compare
 */
#include "src/cmd.h"
#include "src/version.h"

#include <stdio.h>

int cmd_version(const struct opts *opts)
{
	(void)opts;
	puts("gemba " GEMBA_VERSION);
	return 0;
}
