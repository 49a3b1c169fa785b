/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - labelled lines of the text map: figures or words, wrapped to the width
 */
#ifndef GEMBA_RENDER_FLOW_H
#define GEMBA_RENDER_FLOW_H

#include "src/render/canvas.h"

#define FLOW_INDENT 10 /* columns of the labels, here and beside the boxes */
#define FLOW_BYTES 1024

struct flow {
	FILE *out;
	unsigned int columns;
	unsigned int indent;
	bool is_utf8;
	bool is_coloured;
	unsigned int at;  /* column */
	unsigned int gap; /* blanks between chunks */
	bool is_begun;	  /* the line has a chunk */
};

/* "": indented without a label; NULL: neither. */
void flow_begin(struct flow *self, const char *label);
/* A chunk is kept on one line, unless it is longer than a line. The text formatted may be of
 * any origin. */
void flow_add(struct flow *self, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Each word is a chunk. */
void flow_words(struct flow *self, enum style style, const char *text);
void flow_end(struct flow *self);

#endif
