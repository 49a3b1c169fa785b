// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_ends.c - suppliers on the left, customers on the right, the target between
 *
 * On narrow terminals one stands above the other. A port that all suppliers send to is the
 * target's own and said once, under its name.
 */
#include <string.h>

#include "src/render/escape.h"
#include "src/render/text_label.h"
#include "src/render/text_side.h"

#define MIN_BESIDE 64 /* columns for two boxes beside each other */
#define MAX_BOX 56
#define MIDDLE 14     /* columns between them */
#define MAX_MIDDLE 18 /* from 100 columns on */

/* A supplier whose port is that of all suppliers, or NULL. */
static const struct vsm_endpoint *common_port(const struct vsm *vsm)
{
	for (size_t i = 0; i < vsm->nr_suppliers; i++)
		if (!label_same_port(&vsm->suppliers[i], &vsm->suppliers[0]))
			return NULL;
	return vsm->nr_suppliers ? &vsm->suppliers[0] : NULL;
}

static void put_target(const struct text *self, struct canvas *canvas, unsigned int x,
		       unsigned int width, const struct vsm_endpoint *common)
{
	const struct capture *capture = &self->vsm->capture;
	char port[4 * LABEL_PORT_COLUMNS + 1];
	char name[64];

	if (capture->nr_targets == 1)
		snprintf(name, sizeof(name), " pid %u ", capture->targets[0].pid);
	else
		snprintf(name, sizeof(name), " %zu targets ", capture->nr_targets);
	canvas_line(canvas, x - 1, 1, x + width - 1, 1);
	canvas_glyph(canvas, x + width - 1, 1, GLYPH_ARROW);
	if (capture->nr_targets)
		canvas_text_centred(canvas, x, width - 1, 1, STYLE_STRONG, name);
	if (!common)
		return;
	escape_text(port, label_port(common), LABEL_PORT_COLUMNS, self->is_utf8);
	snprintf(name, sizeof(name), "%s%s", label_protocol(common), port);
	canvas_text_centred(canvas, x, width - 1, 2, STYLE_PLAIN, name);
}

static void put_beside(const struct text *self, struct side *left, struct side *right,
		       unsigned int lines)
{
	unsigned int middle = self->columns < 100 ? MIDDLE : MAX_MIDDLE;
	unsigned int width = (self->columns - middle) / 2;

	left->width = right->width = width < MAX_BOX ? width : MAX_BOX;
	right->x = left->width + middle;
	left->common = right->common = common_port(self->vsm);
	side_draw(left, 0, lines);
	side_draw(right, 0, lines);
	put_target(self, left->canvas, left->width, middle, left->common);
}

int text_ends(const struct text *self)
{
	const struct vsm *vsm = self->vsm;
	struct side left = {
		.text = self,
		.title = "suppliers",
		.endpoints = vsm->suppliers,
		.nr = vsm->nr_suppliers,
	};
	struct side right = {
		.text = self,
		.title = "customers",
		.endpoints = vsm->customers,
		.nr = vsm->nr_customers,
		.is_customers = true,
	};
	unsigned int lines = side_lines(&left) > side_lines(&right) ? side_lines(&left) :
								      side_lines(&right);
	bool is_beside = self->columns >= MIN_BESIDE;
	unsigned int rows = is_beside ? lines + 2 : side_lines(&left) + side_lines(&right) + 4;
	int err = canvas_new(&left.canvas, self->columns, rows, self->is_utf8);

	if (err)
		return err;
	right.canvas = left.canvas;
	left.width = right.width = self->columns;
	if (is_beside) {
		put_beside(self, &left, &right, lines);
	} else {
		side_draw(&left, 0, side_lines(&left));
		side_draw(&right, side_lines(&left) + 2, side_lines(&right));
	}
	canvas_print(left.canvas, rows, self->out, self->is_coloured);
	canvas_free(left.canvas);
	return 0;
}
