/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - the parts of the text map; each prints its lines and ends with a newline
 */
#ifndef GEMBA_RENDER_TEXT_H
#define GEMBA_RENDER_TEXT_H

#include "src/map/vsm.h"
#include "src/render/flow.h"

struct text {
	const struct vsm *vsm;
	FILE *out;
	unsigned int columns;
	bool is_utf8;
	bool is_coloured;
};

struct flow text_flow(const struct text *self);
/* Of the target, or of the map. Never NULL. */
const char *text_name(const struct vsm *vsm);

/* 0 or -ENOMEM. */
int text_ends(const struct text *self);
int text_family(const struct text *self, const struct family *family);
int text_stream(const struct text *self, const struct family *family);
int text_others(const struct text *self, const struct family *const *families, size_t nr);

void text_tail(const struct text *self, const struct family *family);
void text_quality(const struct text *self);
void text_empty(const struct text *self);

#endif
