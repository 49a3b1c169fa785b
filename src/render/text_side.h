/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_side.h - one of the two boxes above the stream: the suppliers or the customers
 */
#ifndef GEMBA_RENDER_TEXT_SIDE_H
#define GEMBA_RENDER_TEXT_SIDE_H

#include "src/render/text.h"

#define SIDE_NR_FIGURES 4
#define SIDE_PORT_COLUMNS 6 /* :65535 */

struct side {
	const struct text *text;
	struct canvas *canvas;
	const char *title;
	const struct vsm_endpoint *endpoints;
	size_t nr;
	bool is_customers;
	unsigned int x;
	unsigned int width;
	bool has_figure[SIDE_NR_FIGURES];
	const struct vsm_endpoint *common; /* its port is said elsewhere; or NULL */
};

/* Between the two borders. */
unsigned int side_lines(const struct side *self);
/* From row y on, with room for so many lines. */
void side_draw(struct side *self, unsigned int y, unsigned int lines);

/* The port that tells the endpoint apart, with its colon; NULL: its name says it, or none. */
const char *side_port(const struct vsm_endpoint *endpoint);
const char *side_protocol(const struct vsm_endpoint *endpoint);
/* Both have a port, and it is the same. `other` may be NULL. */
bool side_same_port(const struct vsm_endpoint *endpoint, const struct vsm_endpoint *other);

#endif
