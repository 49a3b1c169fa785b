// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_side.c - the suppliers or the customers, as a table in a box
 *
 * As many figures as the width allows, the least important given up first; those that no
 * endpoint has are not there. Only the busiest endpoints are shown; the rest is one line with
 * their sums.
 */
#include "src/render/text_side.h"

#include <string.h>

#include "src/render/figure.h"
#include "src/render/text_label.h"

#define MAX_SHOWN 4
#define MIN_NAME 12
#define GIVES_WAY 3 /* importance of a figure that is left out before a name is cut */
#define MAX_REACH 3 /* columns that the first head may reach into the names */

struct figure_column {
	const char *head;
	unsigned int of_suppliers; /* importance: the least are left out first */
	unsigned int of_customers;
	struct figure (*show)(const struct vsm_endpoint *endpoint);
};

static struct figure none(void)
{
	return (struct figure){ "-" };
}

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
	return endpoint->rtt.count ? figure_time(endpoint->rtt.min_ns) : none();
}

static bool rtt_p50(const struct vsm_endpoint *endpoint, uint64_t *ns)
{
	return endpoint->rtt.count && hist_quantile(&endpoint->rtt, 0.5, ns);
}

static struct figure show_rtt_p50(const struct vsm_endpoint *endpoint)
{
	uint64_t ns;

	return rtt_p50(endpoint, &ns) ? figure_time(ns) : none();
}

/* What the usual round trip takes beyond the least one, which is the wire's. */
static struct figure show_peer(const struct vsm_endpoint *endpoint)
{
	uint64_t ns;

	return rtt_p50(endpoint, &ns) ? figure_time(ns - endpoint->rtt.min_ns) : none();
}

static const struct figure_column figures[SIDE_NR_FIGURES] = {
	{ "flows", 3, 1, show_flows },	   { "rate", 4, 2, show_rate },
	{ "rtt min", 2, 5, show_rtt_min }, { "p50", 2, 4, show_rtt_p50 },
	{ "peer", 1, 3, show_peer },
};

static unsigned int importance(const struct side *self, size_t i)
{
	return self->is_customers ? figures[i].of_customers : figures[i].of_suppliers;
}

unsigned int side_lines(const struct side *self)
{
	if (!self->nr)
		return 1;
	return self->nr > MAX_SHOWN ? MAX_SHOWN : (unsigned int)self->nr;
}

/* Endpoints with a line of their own. */
static size_t nr_shown(const struct side *self)
{
	return self->nr > MAX_SHOWN ? MAX_SHOWN - 1 : self->nr;
}

/* With the blank before it: as wide as its figures and its head; the first head may reach into
 * the names, not into another head. */
static unsigned int figure_width(const struct side *self, size_t i)
{
	size_t width = strlen(figures[i].head);
	bool is_first = true;

	for (size_t before = 0; before < i; before++)
		is_first &= !self->has_figure[before];
	if (is_first)
		width -= width > MAX_REACH ? MAX_REACH : width;
	if (self->width_of[i] > width)
		width = self->width_of[i];
	return self->has_figure[i] ? 1 + (unsigned int)width : 0;
}

static unsigned int figures_width(const struct side *self)
{
	unsigned int width = 0;

	for (size_t i = 0; i < SIDE_NR_FIGURES; i++)
		width += figure_width(self, i);
	return width;
}

/* Columns of the names. */
static unsigned int room(const struct side *self)
{
	unsigned int taken = figures_width(self) + 4;

	return self->width > taken ? self->width - taken : 0;
}

static unsigned int parts_of(const struct side *self, const struct vsm_endpoint *endpoint,
			     unsigned int parts)
{
	return label_same_port(endpoint, self->common) ? LABEL_NAME : parts;
}

static unsigned int longest_label(const struct side *self, unsigned int parts)
{
	char label[LABEL_BYTES];
	unsigned int longest = 0;

	for (size_t i = 0; i < nr_shown(self); i++) {
		const struct vsm_endpoint *endpoint = &self->endpoints[i];
		unsigned int columns = label_print(label, endpoint, parts_of(self, endpoint, parts),
						   LABEL_MAX_COLUMNS, self->text->is_utf8);

		longest = columns > longest ? columns : longest;
	}
	return longest;
}

static bool has_both_protocols(const struct side *self)
{
	for (size_t i = 1; i < self->nr; i++)
		if (self->endpoints[i].is_udp != self->endpoints[0].is_udp)
			return true;
	return false;
}

static void sum_up_rest(const struct side *self, struct vsm_endpoint *rest)
{
	*rest = (struct vsm_endpoint){ .rate_hz = 0 };
	for (size_t i = nr_shown(self); i < self->nr; i++) {
		rest->flows += self->endpoints[i].flows;
		rest->rate_hz += figure_round(self->endpoints[i].rate_hz);
	}
}

static void measure_figure(struct side *self, size_t figure, const struct vsm_endpoint *endpoint)
{
	struct figure shown = figures[figure].show(endpoint);
	unsigned int columns = (unsigned int)strlen(shown.s);

	self->has_figure[figure] |= strcmp(shown.s, "-") != 0;
	if (columns > self->width_of[figure])
		self->width_of[figure] = columns;
}

static void measure_figures(struct side *self)
{
	struct vsm_endpoint rest;

	for (size_t figure = 0; figure < SIDE_NR_FIGURES; figure++) {
		self->has_figure[figure] = false;
		self->width_of[figure] = 1;
		for (size_t i = 0; i < nr_shown(self); i++)
			measure_figure(self, figure, &self->endpoints[i]);
		sum_up_rest(self, &rest);
		if (self->nr > nr_shown(self))
			measure_figure(self, figure, &rest);
	}
}

static void leave_out(struct side *self, unsigned int level)
{
	for (size_t i = 0; i < SIDE_NR_FIGURES; i++)
		if (importance(self, i) == level)
			self->has_figure[i] = false;
}

static void choose_figures(struct side *self)
{
	unsigned int wanted = LABEL_PORT | (has_both_protocols(self) ? LABEL_PROTOCOL : 0);
	unsigned int label = longest_label(self, wanted);

	measure_figures(self);
	for (unsigned int level = 1; level <= SIDE_NR_FIGURES; level++)
		if (room(self) < MIN_NAME || (level <= GIVES_WAY && room(self) < label))
			leave_out(self, level);
	self->parts = LABEL_PORT | LABEL_PROTOCOL;
	if (longest_label(self, self->parts) > room(self))
		self->parts = LABEL_PORT;
}

static void put_endpoint(struct side *self, unsigned int y, const struct vsm_endpoint *endpoint)
{
	unsigned int end = self->x + self->width - 2;
	char label[LABEL_BYTES];

	label_print(label, endpoint, parts_of(self, endpoint, self->parts), room(self),
		    self->text->is_utf8);
	canvas_text(self->canvas, self->x + 2, y, STYLE_PLAIN, label);
	for (size_t i = SIDE_NR_FIGURES; i-- > 0;) {
		if (!self->has_figure[i])
			continue;
		canvas_text_right(self->canvas, end, y, STYLE_PLAIN, figures[i].show(endpoint).s);
		end -= figure_width(self, i);
	}
}

/* All from the last line on, as one. */
static void put_rest(struct side *self, unsigned int y)
{
	struct vsm_endpoint rest;
	char name[32];

	sum_up_rest(self, &rest);
	snprintf(name, sizeof(name), "%zu more", self->nr - nr_shown(self));
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
	for (unsigned int i = 0; i < nr_shown(self); i++)
		put_endpoint(self, y + 1 + i, &self->endpoints[i]);
	if (self->nr > nr_shown(self))
		put_rest(self, y + side_lines(self));
}
