/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * render.h - one map, many formats: each a name, a line of help and one function
 */
#ifndef GEMBA_RENDER_RENDER_H
#define GEMBA_RENDER_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "src/map/vsm.h"

struct render_opts {
	unsigned int columns; /* width to fit, >= 40; 0: 80 */
	bool is_utf8;
	bool is_coloured;
};

struct renderer {
	const char *name;   /* as in -f */
	const char *suffix; /* of -o that chooses it */
	const char *help;
	/* 0 or -errno (-EIO: the stream failed). */
	int (*render)(const struct vsm *vsm, const struct render_opts *opts, FILE *out);
};

extern const struct renderer renderers[]; /* ends with a NULL name */
const struct renderer *renderer_by_name(const char *name);
const struct renderer *renderer_by_suffix(const char *path); /* NULL: none fits */

int render_text(const struct vsm *vsm, const struct render_opts *opts, FILE *out);
int render_json(const struct vsm *vsm, const struct render_opts *opts, FILE *out);
/* A map file back into a vsm. 0, -EBADMSG (not a gemba.map/1; *why says what and where), -ENOMEM. */
int vsm_read_json(struct vsm **out, const char *text, size_t bytes, char why[160]);

#endif
