/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_side.h - one of the two boxes above the stream: the suppliers or the customers
 */
#ifndef GEMBA_RENDER_TEXT_SIDE_H
#define GEMBA_RENDER_TEXT_SIDE_H

#include "src/render/text.h"

#define SIDE_NR_FIGURES 5

struct side {
	const struct text *text;
	struct canvas *canvas;
	const char *title;
	const struct vsm_endpoint *endpoints;
	size_t nr;
	bool is_customers;
	unsigned int x;
	unsigned int width;
	const struct vsm_endpoint *common; /* its port is said elsewhere; or NULL */
	bool has_figure[SIDE_NR_FIGURES];
	unsigned int width_of[SIDE_NR_FIGURES]; /* of the widest figure */
	unsigned int parts;			/* enum label_parts, of those with a port */
};

/* Between the two borders. */
unsigned int side_lines(const struct side *self);
/* From row y on, with room for so many lines. */
void side_draw(struct side *self, unsigned int y, unsigned int lines);

#endif
