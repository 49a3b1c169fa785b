// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_side.c - the suppliers or the customers, as a table in a box
 *
 * As many figures as the width allows, the least important given up first. Only the busiest
 * endpoints are shown; the rest is one line with their sums.
 */
#include "src/render/text_side.h"

#include <string.h>

#include "src/render/escape.h"
#include "src/render/figure.h"

#define MAX_SHOWN 4
#define MIN_NAME 12
#define MAX_NAME 64 /* columns of a box */
#define PORT_BYTES (4 * SIDE_PORT_COLUMNS + 8)

struct figure_column {
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

static const struct figure_column figures[SIDE_NR_FIGURES] = {
	{ "flows", 5, 1, false, show_flows },
	{ "rate", 7, 2, false, show_rate },
	{ "rtt min", 6, 4, true, show_rtt_min },
	{ "p50", 6, 3, true, show_rtt_p50 },
};

const char *side_port(const struct vsm_endpoint *endpoint)
{
	const char *text = endpoint->local && *endpoint->local ? endpoint->local : endpoint->remote;
	const char *bracket = text ? strrchr(text, ']') : NULL;
	const char *colon = text ? strrchr(text, ':') : NULL;

	if (!colon || (bracket && colon < bracket))
		return NULL;
	if (endpoint->name && !strcmp(endpoint->name, text))
		return NULL;
	return colon;
}

const char *side_protocol(const struct vsm_endpoint *endpoint)
{
	return endpoint->is_udp ? "udp" : "tcp";
}

bool side_same_port(const struct vsm_endpoint *endpoint, const struct vsm_endpoint *other)
{
	const char *port = side_port(endpoint);

	return port && other && side_port(other) && !strcmp(port, side_port(other)) &&
	       endpoint->is_udp == other->is_udp;
}

/* With the blank before it; a head may reach into the names, not into another head. */
static unsigned int figure_width(const struct side *self, size_t i)
{
	size_t head = strlen(figures[i].head);
	bool is_first = true;

	if (!self->has_figure[i])
		return 0;
	for (size_t before = 0; before < i; before++)
		is_first &= !self->has_figure[before];
	return 1 + (is_first || head < figures[i].width ? figures[i].width : (unsigned int)head);
}

static unsigned int figures_width(const struct side *self)
{
	unsigned int width = 0;

	for (size_t i = 0; i < SIDE_NR_FIGURES; i++)
		width += figure_width(self, i);
	return width;
}

static void choose_figures(struct side *self)
{
	for (size_t i = 0; i < SIDE_NR_FIGURES; i++)
		self->has_figure[i] = self->is_customers || !figures[i].is_of_customers;
	for (unsigned int level = 1; level <= SIDE_NR_FIGURES; level++) {
		if (figures_width(self) + MIN_NAME + 4 <= self->width)
			return;
		for (size_t i = 0; i < SIDE_NR_FIGURES; i++)
			if (figures[i].importance == level)
				self->has_figure[i] = false;
	}
}

unsigned int side_lines(const struct side *self)
{
	if (!self->nr)
		return 1;
	return self->nr > MAX_SHOWN ? MAX_SHOWN : (unsigned int)self->nr;
}

/* The port behind a name: a peer's follows it at once, the target's own after a blank. */
static void print_port(const struct side *self, const struct vsm_endpoint *endpoint,
		       unsigned int columns, char port[PORT_BYTES])
{
	const char *digits = side_same_port(endpoint, self->common) ? NULL : side_port(endpoint);
	bool is_own = endpoint->local && *endpoint->local;
	bool is_wide = columns >= 2 * MIN_NAME;
	char clean[4 * SIDE_PORT_COLUMNS + 1];

	port[0] = '\0';
	if (!digits)
		return;
	escape_text(clean, digits, SIDE_PORT_COLUMNS, self->text->is_utf8);
	snprintf(port, PORT_BYTES, "%s%s%s", is_wide || is_own ? " " : "",
		 is_wide ? side_protocol(endpoint) : "", clean);
}

/* A name that does not fit is cut; its port is not. */
static void put_name(struct side *self, unsigned int y, const struct vsm_endpoint *endpoint)
{
	unsigned int columns = self->width - figures_width(self) - 4;
	char shown[4 * MAX_NAME + 1];
	char port[PORT_BYTES];
	unsigned int x;

	print_port(self, endpoint, columns, port);
	if (text_columns(port) >= columns)
		port[0] = '\0';
	escape_text(shown, endpoint->name, columns - text_columns(port), self->text->is_utf8);
	x = canvas_text(self->canvas, self->x + 2, y, STYLE_PLAIN, shown);
	canvas_text(self->canvas, x, y, STYLE_PLAIN, port);
}

static void put_endpoint(struct side *self, unsigned int y, const struct vsm_endpoint *endpoint)
{
	unsigned int end = self->x + self->width - 2;

	put_name(self, y, endpoint);
	for (size_t i = SIDE_NR_FIGURES; i-- > 0;) {
		if (!self->has_figure[i])
			continue;
		canvas_text_right(self->canvas, end, y, STYLE_PLAIN, figures[i].show(endpoint).s);
		end -= figure_width(self, i);
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

	snprintf(title, sizeof(title), " %s ", self->title);
	canvas_text(self->canvas, self->x + 1, y, STYLE_STRONG, title);
	for (size_t i = SIDE_NR_FIGURES; i-- > 0;) {
		if (!self->has_figure[i])
			continue;
		snprintf(title, sizeof(title), " %s ", figures[i].head);
		canvas_text_right(self->canvas, end + 1, y, STYLE_FAINT, title);
		end -= figure_width(self, i);
	}
}

void side_draw(struct side *self, unsigned int y, unsigned int lines)
{
	choose_figures(self);
	canvas_box(self->canvas, self->x, y, self->x + self->width - 1, y + lines + 1);
	put_title(self, y);
	if (!self->nr)
		canvas_text(self->canvas, self->x + 2, y + 1, STYLE_FAINT, "none seen");
	for (unsigned int i = 0; i < side_lines(self) && i < self->nr; i++)
		if (i == MAX_SHOWN - 1 && self->nr > MAX_SHOWN)
			put_rest(self, y + 1 + i);
		else
			put_endpoint(self, y + 1 + i, &self->endpoints[i]);
}
