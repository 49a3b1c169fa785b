/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage_file_place.h - where in a stage file a value stands
 *
 * libcyaml tells the place of what breaks its schema, and forgets that of the values it took;
 * what is wrong with one of these is found later.
 */
#ifndef GEMBA_STAGE_FILE_PLACE_H
#define GEMBA_STAGE_FILE_PLACE_H

#include <stddef.h>

struct stage_file_place {
	unsigned int line, column; /* from 1 */
};

#define STAGE_FILE_NO_STAGE ((unsigned int)-1)

/*
 * Of the value of `field` in stage `stage` (from 0), or of the file itself with
 * STAGE_FILE_NO_STAGE; a field that is not there: of what should have it. 0 or -ENOENT.
 */
int stage_file_find(struct stage_file_place *out, const char *text, size_t bytes,
		    unsigned int stage, const char *field);

#endif
