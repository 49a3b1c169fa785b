// SPDX-License-Identifier: BSD-2-Clause
/*
 * stages_row.c - formats of gemba stages: a table row per format, no state
 *
 * In the text what a function costs comes first and what -s takes for it last and whole, however
 * long: a row is for copying, and a name that is cut tells overloads apart no more.
 */
#include "src/stages_row.h"

#include <stdlib.h>
#include <string.h>

#include "src/render/emit.h"
#include "src/render/escape.h"

#define WIDEST 4096
#define COST_COLUMNS 8
#define CLASS_COLUMNS 8
#define SITE_COLUMNS 20
#define INLINED_COLUMNS 7

static void put_cell(FILE *out, const char *text, unsigned int columns, bool is_utf8)
{
	char cell[4 * WIDEST + 1] = "";
	unsigned int width = escape_text(cell, text, columns, is_utf8);

	fprintf(out, "%s%*s ", cell, (int)(columns - width), "");
}

static void put_cost(FILE *out, const struct survey_row *row)
{
	char cost[32] = "-";

	if (row->cost_ns)
		snprintf(cost, sizeof(cost), "%s%.2gus", row->is_cost_of_class ? "~" : "",
			 row->cost_ns / 1e3);
	fprintf(out, "%*s ", COST_COLUMNS, cost);
}

static void put_copies(FILE *out, const struct survey_row *row)
{
	char copies[32] = "-";

	if (row->inlined_copies >= 0)
		snprintf(copies, sizeof(copies), "%d%s", row->inlined_copies,
			 row->has_more_copies ? "+" : "");
	fprintf(out, "%*s ", INLINED_COLUMNS, copies);
}

/* As one word of a shell, where it is more than one without quotes. */
static void put_word(FILE *out, const char *text, bool is_utf8)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+.,:/@%=";
	char whole[4 * WIDEST + 1];

	escape_text(whole, text, WIDEST, is_utf8);
	if (!whole[strspn(whole, plain)]) {
		fputs(whole, out);
		return;
	}
	fputc('\'', out);
	for (const char *c = whole; *c; c++)
		if (*c == '\'')
			fputs("'\\''", out);
		else
			fputc(*c, out);
	fputc('\'', out);
}

static void text_row(const struct survey_row *row, const struct stages_view *view, FILE *out)
{
	const char *class = "refused";
	char site[96] = "-";

	if (!row->refused) {
		class = site_is_cheap(&row->site) ? site_class_name(row->site.class) : "stepped";
		snprintf(site, sizeof(site), "+%lu %s", row->site.offset, row->site.text);
	}
	put_cost(out, row);
	put_cell(out, class, CLASS_COLUMNS, view->is_utf8);
	put_cell(out, site, SITE_COLUMNS, view->is_utf8);
	put_copies(out, row);
	put_word(out, row->typed, view->is_utf8);
	if (!row->is_by_name || (row->demangled && !strcmp(row->typed, row->probe))) {
		fputs("  # ", out);
		put_word(out, survey_name(row), view->is_utf8);
	}
	fprintf(out, "%s%s\n", row->refused ? "  # refused: " : "",
		row->refused ? row->refused : "");
}

static void text_totals(const struct survey *survey, FILE *out)
{
	fprintf(out, "%zu function%s: %zu with a cheap site, %zu single-stepped, %zu refused\n",
		survey->nr, survey->nr == 1 ? "" : "s", survey->nr_cheap, survey->nr_stepped,
		survey->nr_refused);
}

/* A cheap one by its name, none of the runtime's own if there is another. */
static const struct survey_row *example(const struct survey *survey)
{
	const struct survey_row *best = NULL;
	int best_points = -1;

	for (size_t i = 0; i < survey->nr; i++) {
		const struct survey_row *row = &survey->rows[i];
		int points = row->refused ? 0 :
					    1 + row->is_by_name + site_is_cheap(&row->site) +
						    (*survey_name(row) != '_');

		if (points > best_points)
			best = row;
		best_points = best == row ? points : best_points;
	}
	return best;
}

static void text_hint(const struct survey *survey, const struct stages_view *view, FILE *out)
{
	const struct survey_row *row = example(survey);

	if (!row || row->refused)
		return;
	fprintf(out, "to stamp one: gemba map -p %u -s ", survey->target->pids[0]);
	put_word(out, row->typed, view->is_utf8);
	fputc('\n', out);
}

static void write_text(const struct survey *survey, const struct stages_view *view, FILE *out)
{
	fprintf(out, "%*s %-*s %-*s %*s PROBE\n", COST_COLUMNS, "COST/HIT", CLASS_COLUMNS, "CLASS",
		SITE_COLUMNS, "SITE", INLINED_COLUMNS, "INLINED");
	for (size_t i = 0; i < survey->nr; i++)
		text_row(&survey->rows[i], view, out);
	text_totals(survey, out);
	text_hint(survey, view, out);
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
