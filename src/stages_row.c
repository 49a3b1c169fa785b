// SPDX-License-Identifier: BSD-2-Clause
/*
 * stages_row.c - formats of gemba stages: a table row per format, no state
 *
 * The text fits the width that is given: what a row is worth to its reader is the symbol, so
 * that takes what the others leave. A name of which its binary has several is followed by its
 * address, which the probe then needs.
 */
#include "src/stages_row.h"

#include <stdlib.h>
#include <string.h>

#include "src/render/emit.h"
#include "src/render/escape.h"

#define WIDEST 4096
#define CLASS_COLUMNS 8
#define COST_COLUMNS 8
#define INLINED_COLUMNS 7
#define FIXED_COLUMNS (CLASS_COLUMNS + COST_COLUMNS + INLINED_COLUMNS + 5)

/* Behind so many columns of a text that escape_text has made. */
static const char *skip(const char *text, unsigned int columns, unsigned int *skipped)
{
	uint32_t code;

	*skipped = 0;
	while (*text && *skipped < columns) {
		const char *at = text;
		unsigned int width;

		utf8_next(&text, &code);
		width = utf8_columns(code);
		if (*skipped + width > columns)
			return at;
		*skipped += width;
	}
	return text;
}

unsigned int stages_elide(char *out, const char *text, unsigned int columns, bool is_utf8)
{
	char whole[4 * WIDEST + 1];
	unsigned int width = escape_text(whole, text, WIDEST, is_utf8), head, before;
	const char *head_end, *tail;

	if (width <= columns) {
		strcpy(out, whole);
		return width;
	}
	head_end = skip(whole, columns / 2, &head);
	tail = skip(whole, width - (columns - head - 1), &before);
	while (width - before > columns - head - 1) { /* within one of two columns */
		unsigned int more;

		tail = skip(tail, 2, &more);
		before += more;
	}
	sprintf(out, "%.*s%s%s", (int)(head_end - whole), whole, is_utf8 ? "\u2026" : "~", tail);
	return head + 1 + width - before;
}

struct layout {
	unsigned int symbol, binary, site;
};

static void name_row(const struct survey_row *row, char *to, size_t room)
{
	snprintf(to, room, "%s", survey_name(row));
	if (!row->is_by_name) {
		to[room - 24] = 0;
		sprintf(to + strlen(to), " 0x%lx", row->vaddr);
	}
}

static void site_row(const struct survey_row *row, char *to, size_t room)
{
	snprintf(to, room, "+%lu %s", row->site.offset, row->site.text);
}

static unsigned int wider(unsigned int width, const char *text)
{
	size_t bytes = strlen(text);

	return bytes > width ? (unsigned int)bytes : width;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int most(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

static struct layout lay_out(const struct survey *survey, unsigned int columns)
{
	struct layout wanted = { strlen("SYMBOL"), strlen("BINARY"), strlen("SITE") }, out;
	unsigned int room = columns > FIXED_COLUMNS + 24 ? columns - FIXED_COLUMNS : 24;
	char text[WIDEST];

	for (size_t i = 0; i < survey->nr; i++) {
		const struct survey_row *row = &survey->rows[i];

		name_row(row, text, sizeof(text));
		wanted.symbol = wider(wanted.symbol, text);
		wanted.binary = wider(wanted.binary, row->base);
		site_row(row, text, sizeof(text));
		wanted.site = row->refused ? wanted.site : wider(wanted.site, text);
	}
	out.binary = least(wanted.binary, most(room / 4, 8));
	out.site = least(wanted.site, most(room / 3, 8));
	out.symbol = least(wanted.symbol, room - out.binary - out.site);
	out.site = least(wanted.site, room - out.binary - out.symbol);
	out.binary = least(wanted.binary, room - out.site - out.symbol);
	return out;
}

static void put(FILE *out, const char *text, unsigned int width, unsigned int columns)
{
	fprintf(out, "%s%*s ", text, (int)(columns - width), "");
}

static void put_elided(FILE *out, const char *text, unsigned int columns, bool is_utf8)
{
	char cell[4 * WIDEST + 1] = "";
	unsigned int width = stages_elide(cell, text, columns, is_utf8);

	put(out, cell, width, columns);
}

static void put_cut(FILE *out, const char *text, unsigned int columns, bool is_utf8)
{
	char cell[4 * WIDEST + 1] = "";
	unsigned int width = escape_text(cell, text, columns, is_utf8);

	put(out, cell, width, columns);
}

static void put_figures(FILE *out, const struct survey_row *row)
{
	char cost[32] = "-", copies[32] = "-";

	if (row->cost_ns)
		snprintf(cost, sizeof(cost), "%s%.2gus", row->is_cost_of_class ? "~" : "",
			 row->cost_ns / 1e3);
	if (row->inlined_copies >= 0)
		snprintf(copies, sizeof(copies), "%d%s", row->inlined_copies,
			 row->has_more_copies ? "+" : "");
	fprintf(out, "%*s %*s\n", COST_COLUMNS, cost, INLINED_COLUMNS, copies);
}

static void text_row(const struct survey_row *row, const struct layout *layout,
		     const struct stages_view *view, FILE *out)
{
	unsigned int rest = view->columns - layout->symbol - layout->binary - 2;
	char text[WIDEST], reason[4 * 256 + 1];

	name_row(row, text, sizeof(text));
	put_elided(out, text, layout->symbol, view->is_utf8);
	put_cut(out, row->base, layout->binary, view->is_utf8);
	if (row->refused) {
		snprintf(text, sizeof(text), "refused: %s", row->refused);
		escape_text(reason, text, least(rest, 256), view->is_utf8);
		fprintf(out, "%s\n", reason);
		return;
	}
	site_row(row, text, sizeof(text));
	put_cut(out, text, layout->site, view->is_utf8);
	put_cut(out, site_is_cheap(&row->site) ? site_class_name(row->site.class) : "stepped",
		CLASS_COLUMNS, view->is_utf8);
	put_figures(out, row);
}

static void text_totals(const struct survey *survey, FILE *out)
{
	fprintf(out, "%zu function%s: %zu with a cheap site, %zu single-stepped, %zu refused\n",
		survey->nr, survey->nr == 1 ? "" : "s", survey->nr_cheap, survey->nr_stepped,
		survey->nr_refused);
}

/* The first that can be probed shows how. */
static void text_hint(const struct survey *survey, const struct stages_view *view, FILE *out)
{
	char probe[4 * WIDEST + 1];
	size_t i = 0;

	while (i + 1 < survey->nr && survey->rows[i].refused)
		i++;
	escape_text(probe, survey->rows[i].probe, WIDEST, view->is_utf8);
	fprintf(out, "to stamp one: gemba map -p %u -s 'NAME=%s'\n", survey->target->pids[0],
		probe);
}

static void write_text(const struct survey *survey, const struct stages_view *view, FILE *out)
{
	struct layout layout = lay_out(survey, view->columns);
	bool has_addresses = false;

	fprintf(out, "%-*s %-*s %-*s %-*s %*s %*s\n", (int)layout.symbol, "SYMBOL",
		(int)layout.binary, "BINARY", (int)layout.site, "SITE", CLASS_COLUMNS, "CLASS",
		COST_COLUMNS, "COST/HIT", INLINED_COLUMNS, "INLINED");
	for (size_t i = 0; i < survey->nr; i++) {
		text_row(&survey->rows[i], &layout, view, out);
		has_addresses |= !survey->rows[i].is_by_name;
	}
	text_totals(survey, out);
	text_hint(survey, view, out);
	if (has_addresses)
		fputs("where an address follows the symbol, its probe is BINARY:ADDRESS\n", out);
}

static void json_site(struct emit *emit, const struct survey_row *row)
{
	if (row->refused) {
		emit_null(emit, "site_offset");
		emit_null(emit, "site_class");
		emit_null(emit, "site_text");
		return;
	}
	emit_u64(emit, "site_offset", row->site.offset);
	emit_text(emit, "site_class", site_class_name(row->site.class));
	emit_text(emit, "site_text", row->site.text);
}

static void json_row(struct emit *emit, const struct survey_row *row)
{
	bool is_exact = row->inlined_copies >= 0 && !row->has_more_copies;

	emit_open_flat(emit, NULL, '{');
	emit_text(emit, "symbol", row->symbol);
	emit_text(emit, "demangled", row->demangled);
	emit_text(emit, "binary", row->binary);
	emit_text(emit, "build_id", *row->build_id ? row->build_id : NULL);
	emit_u64(emit, "address", row->vaddr);
	emit_text(emit, "probe", row->probe);
	json_site(emit, row);
	emit_u64_or_null(emit, "cost_ns", row->cost_ns, 0);
	emit_bool(emit, "cost_is_of_class", row->is_cost_of_class);
	emit_u64_or_null(emit, "inlined_copies",
			 is_exact ? (uint64_t)row->inlined_copies : UINT64_MAX, UINT64_MAX);
	emit_text(emit, "refused", row->refused);
	emit_close(emit, '}');
}

static void write_json(const struct survey *survey, const struct stages_view *view, FILE *out)
{
	struct emit emit = { .out = out };

	(void)view;
	emit_open(&emit, NULL, '[');
	for (size_t i = 0; i < survey->nr; i++)
		json_row(&emit, &survey->rows[i]);
	emit_close(&emit, ']');
	fputc('\n', out);
}

const struct stages_format *stages_format(const char *name)
{
	static const struct stages_format formats[] = {
		{ "text", true, write_text },
		{ "json", false, write_json },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return &formats[0];
}
