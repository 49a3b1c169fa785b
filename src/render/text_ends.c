// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_ends.c - suppliers on the left, customers on the right, the target between
 *
 * Two tables in boxes, as many of their columns as the width allows; the last given up first.
 * On narrow terminals one stands above the other. Only the busiest are shown; the rest is one
 * line with their sums.
 */
#include <stdlib.h>
#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"
#include "src/render/text.h"

#define MAX_SHOWN 4
#define MIN_NAME 12
#define MIN_BESIDE 64 /* columns for two boxes beside each other */
#define MAX_BOX 56
#define MAX_COLUMNS MIN_BESIDE /* of either box */
#define NAME_BYTES 512
#define NR_COLUMNS 4

struct column {
	const char *head;
	unsigned int width;
	unsigned int importance; /* the least are left out first */
	bool is_of_customers;	 /* only */
	struct figure (*show)(const struct vsm_endpoint *endpoint);
};

static struct figure show_flows(const struct vsm_endpoint *endpoint)
{
	return figure_short(endpoint->flows);
}

static struct figure show_rate(const struct vsm_endpoint *endpoint)
{
	return figure_short_rate(endpoint->rate_hz);
}

static struct figure show_rtt_min(const struct vsm_endpoint *endpoint)
{
	return endpoint->rtt.count ? figure_time(endpoint->rtt.min_ns) : (struct figure){ "-" };
}

static struct figure show_rtt_p50(const struct vsm_endpoint *endpoint)
{
	uint64_t ns;

	if (!endpoint->rtt.count || !hist_quantile(&endpoint->rtt, 0.5, &ns))
		return (struct figure){ "-" };
	return figure_time(ns);
}

static const struct column columns[NR_COLUMNS] = {
	{ "flows", 5, 1, false, show_flows },
	{ "rate", 7, 2, false, show_rate },
	{ "rtt min", 7, 4, true, show_rtt_min },
	{ "p50", 6, 3, true, show_rtt_p50 },
};

/* One of the two boxes. */
struct side {
	const struct text *text;
	struct canvas *canvas;
	const char *title;
	const struct vsm_endpoint *endpoints;
	size_t nr;
	bool is_customers;
	unsigned int x;
	unsigned int width;
	bool has_column[NR_COLUMNS];
	const char *port; /* the one of all of them, or NULL */
};

/* The port that tells the endpoint apart, with its colon; NULL: its name says it, or none. */
static const char *port_of(const struct vsm_endpoint *endpoint)
{
	const char *text = endpoint->local && *endpoint->local ? endpoint->local :
								 endpoint->remote;
	const char *bracket = text ? strrchr(text, ']') : NULL;
	const char *colon = text ? strrchr(text, ':') : NULL;

	if (!colon || (bracket && colon < bracket))
		return NULL;
	if (endpoint->name && !strcmp(endpoint->name, text))
		return NULL;
	return colon;
}

static const char *common_port(const struct side *self)
{
	const char *port = self->nr ? port_of(&self->endpoints[0]) : NULL;

	for (size_t i = 1; port && i < self->nr; i++) {
		const char *other = port_of(&self->endpoints[i]);

		if (!other || strcmp(other, port) ||
		    self->endpoints[i].is_udp != self->endpoints[0].is_udp)
			port = NULL;
	}
	return port;
}

static const char *protocol_of(const struct vsm_endpoint *endpoint)
{
	return endpoint->is_udp ? "udp" : "tcp";
}

static unsigned int columns_width(const struct side *self)
{
	unsigned int width = 0;

	for (size_t i = 0; i < NR_COLUMNS; i++)
		width += self->has_column[i] ? columns[i].width + 1 : 0;
	return width;
}

static void choose_columns(struct side *self)
{
	for (size_t i = 0; i < NR_COLUMNS; i++)
		self->has_column[i] = self->is_customers || !columns[i].is_of_customers;
	for (unsigned int level = 1; level <= NR_COLUMNS; level++) {
		if (columns_width(self) + MIN_NAME + 4 <= self->width)
			return;
		for (size_t i = 0; i < NR_COLUMNS; i++)
			if (columns[i].importance == level)
				self->has_column[i] = false;
	}
}

static unsigned int nr_lines(const struct side *self)
{
	if (!self->nr)
		return 1;
	return self->nr > MAX_SHOWN ? MAX_SHOWN : (unsigned int)self->nr;
}

static void put_name(struct side *self, unsigned int y, const struct vsm_endpoint *endpoint)
{
	char name[NAME_BYTES];
	char shown[4 * MAX_COLUMNS + 1];
	const char *port = self->port ? NULL : port_of(endpoint);

	snprintf(name, sizeof(name), "%.400s%s%s%.8s", endpoint->name ? endpoint->name : "-",
		 port ? " " : "", port ? protocol_of(endpoint) : "", port ? port : "");
	escape_text(shown, name, self->width - columns_width(self) - 4, self->text->is_utf8);
	canvas_text(self->canvas, self->x + 2, y, STYLE_PLAIN, shown);
}

static void put_endpoint(struct side *self, unsigned int y, const struct vsm_endpoint *endpoint)
{
	unsigned int end = self->x + self->width - 2;

	put_name(self, y, endpoint);
	for (size_t i = NR_COLUMNS; i-- > 0;) {
		if (!self->has_column[i])
			continue;
		canvas_text_right(self->canvas, end, y, STYLE_PLAIN, columns[i].show(endpoint).s);
		end -= columns[i].width + 1;
	}
}

/* All from the last line on, as one; the sums of the others would be no rates. */
static void put_rest(struct side *self, unsigned int y)
{
	struct vsm_endpoint rest = { .rate_hz = 0 };
	char name[32];

	for (size_t i = MAX_SHOWN - 1; i < self->nr; i++) {
		rest.flows += self->endpoints[i].flows;
		rest.rate_hz += figure_round(self->endpoints[i].rate_hz);
	}
	snprintf(name, sizeof(name), "%zu more", self->nr - (MAX_SHOWN - 1));
	rest.name = name;
	put_endpoint(self, y, &rest);
}

static void put_title(struct side *self, unsigned int y)
{
	unsigned int end = self->x + self->width - 2;
	char title[64];

	snprintf(title, sizeof(title), " %s%s%s%.8s ", self->title, self->port ? " " : "",
		 self->port ? protocol_of(&self->endpoints[0]) : "", self->port ? self->port : "");
	canvas_text(self->canvas, self->x + 1, y, STYLE_STRONG, title);
	for (size_t i = NR_COLUMNS; i-- > 0;) {
		if (!self->has_column[i])
			continue;
		snprintf(title, sizeof(title), " %s ", columns[i].head);
		canvas_text_right(self->canvas, end + 1, y, STYLE_FAINT, title);
		end -= columns[i].width + 1;
	}
}

static void put_side(struct side *self, unsigned int y, unsigned int lines)
{
	choose_columns(self);
	self->port = common_port(self);
	canvas_box(self->canvas, self->x, y, self->x + self->width - 1, y + lines + 1);
	put_title(self, y);
	if (!self->nr)
		canvas_text(self->canvas, self->x + 2, y + 1, STYLE_FAINT, "none seen");
	for (unsigned int i = 0; i < nr_lines(self) && i < self->nr; i++)
		if (i == MAX_SHOWN - 1 && self->nr > MAX_SHOWN)
			put_rest(self, y + 1 + i);
		else
			put_endpoint(self, y + 1 + i, &self->endpoints[i]);
}

static void put_target(const struct text *self, struct canvas *canvas, unsigned int x,
		       unsigned int width)
{
	const struct capture *capture = &self->vsm->capture;
	char name[32];

	if (capture->nr_targets == 1)
		snprintf(name, sizeof(name), " pid %u ", capture->targets[0].pid);
	else
		snprintf(name, sizeof(name), " %zu targets ", capture->nr_targets);
	canvas_line(canvas, x - 1, 1, x + width - 1, 1);
	canvas_glyph(canvas, x + width - 1, 1, GLYPH_ARROW);
	if (capture->nr_targets)
		canvas_text_centred(canvas, x, width - 1, 1, STYLE_STRONG, name);
}

static void put_beside(const struct text *self, struct side *left, struct side *right,
		       unsigned int lines)
{
	unsigned int middle = self->columns < 100 ? 16 : 22;
	unsigned int width = (self->columns - middle) / 2;

	left->width = right->width = width < MAX_BOX ? width : MAX_BOX;
	right->x = left->width + middle;
	put_side(left, 0, lines);
	put_side(right, 0, lines);
	put_target(self, left->canvas, left->width, middle);
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
	unsigned int lines = nr_lines(&left) > nr_lines(&right) ? nr_lines(&left) :
								  nr_lines(&right);
	bool is_beside = self->columns >= MIN_BESIDE;
	unsigned int rows = is_beside ? lines + 2 : nr_lines(&left) + nr_lines(&right) + 4;
	int err = canvas_new(&left.canvas, self->columns, rows, self->is_utf8);

	if (err)
		return err;
	right.canvas = left.canvas;
	left.width = right.width = self->columns;
	if (is_beside) {
		put_beside(self, &left, &right, lines);
	} else {
		put_side(&left, 0, nr_lines(&left));
		put_side(&right, nr_lines(&left) + 2, nr_lines(&right));
	}
	canvas_print(left.canvas, rows, self->out, self->is_coloured);
	canvas_free(left.canvas);
	return 0;
}
