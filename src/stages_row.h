/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stages_row.h - what can be probed, as a table for people or as JSON
 */
#ifndef GEMBA_STAGES_ROW_H
#define GEMBA_STAGES_ROW_H

#include <stdbool.h>
#include <stdio.h>

#include "src/attach/survey.h"

struct stages_view {
	bool is_utf8;
};

struct stages_format {
	const char *name;
	bool has_totals; /* they are part of it */
	void (*write)(const struct survey *survey, const struct stages_view *view, FILE *out);
};

/* By the name -f takes; never NULL for one the option table has let through. */
const struct stages_format *stages_format(const char *name);

#endif
