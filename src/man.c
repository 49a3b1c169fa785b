// SPDX-License-Identifier: BSD-2-Clause
/*
 * man.c - gemba man: gemba(1) in mdoc(7), written from the tables of commands, options and
 * figures, and the prose of man_text.c
 */
#include "src/cmd.h"
#include "src/man_text.h"
#include "src/opts.h"
#include "src/reason/metric.h"
#include "src/version.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_LINE 76

/*
 * Words into lines that man readers like. A word that begins with . or ' would be a macro at
 * the begin of a line. Returns the column.
 */
static int write_words(const char *text, int at)
{
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (at && at + 1 + length > MAX_LINE) {
			putchar('\n');
			at = 0;
		}
		at += printf("%s%s%.*s", at ? " " : "",
			     !at && (*text == '.' || *text == '\'') ? "\\&" : "", length, text);
		text += length + (text[length] == ' ');
	}
	return at;
}

/* The help of a table as a sentence. */
static void write_sentence(const char *help)
{
	char sentence[512];

	snprintf(sentence, sizeof(sentence), "%c%s.", toupper((unsigned char)*help), help + 1);
	write_words(sentence, 0);
	putchar('\n');
}

static void write_synopsis(const struct command *commands)
{
	puts(".Sh SYNOPSIS");
	for (; commands->name; commands++) {
		if (commands->traits & CMD_IS_HIDDEN)
			continue;
		printf(".Nm\n.Cm %s\n", commands->name);
		if (*commands->synopsis)
			printf(".No %s\n", commands->synopsis);
	}
}

static void write_commands(const struct command *commands)
{
	puts(".Sh COMMANDS\n.Bl -tag -width \"version\"");
	for (; commands->name; commands++) {
		const char *macro = "Options:\n.Fl";

		if (commands->traits & CMD_IS_HIDDEN)
			continue;
		printf(".It Cm %s\n", commands->name);
		write_sentence(commands->help);
		for (const struct opt_row *row = opt_rows; row->name; row++) {
			if (!(row->commands & commands->id))
				continue;
			printf("%s -%s", macro, row->name);
			macro = " Fl";
		}
		putchar('\n');
	}
	puts(".El");
}

/* Choices for every command that takes the option, where they differ one line for each. */
static void write_choices(const struct command *commands, const struct opt_row *row)
{
	char choices[OPTS_CHOICES_BYTES];

	for (; commands->name; commands++) {
		if (!(row->commands & commands->id))
			continue;
		if (!*opts_choices(row, commands->id, choices))
			return;
		if (row->traits & OPT_IS_FORMAT)
			printf("For %s: %s.\n", commands->name, choices);
		else {
			printf("One of %s.\n", choices);
			return;
		}
	}
}

static void write_options(const struct command *commands)
{
	puts(".Sh OPTIONS\n.Bl -tag -width Ds");
	for (const struct opt_row *row = opt_rows; row->name; row++) {
		if (!row->commands)
			continue;
		printf(".It ");
		if (row->letter)
			printf("Fl %c , ", row->letter);
		printf("Fl -%s", row->name);
		if (row->arg)
			printf(" Ar %s", row->arg);
		putchar('\n');
		write_sentence(row->help);
		write_choices(commands, row);
	}
	puts(".El");
	fputs(man_arguments, stdout);
}

static void write_figures(const char *of, enum metric_level level)
{
	const struct metric *metric;
	char word[64];
	int at = 0;

	printf(".It %s\n", of);
	for (size_t n = 0; (metric = metric_nth(level, n)); n++) {
		snprintf(word, sizeof(word), "%s%s", metric->name,
			 metric_nth(level, n + 1) ? "," : ".");
		at = write_words(word, at);
	}
	putchar('\n');
}

static void write_conditions(void)
{
	fputs(man_stages, stdout);
	fputs(man_conditions, stdout);
	puts(".Bl -tag -width Ds");
	write_figures("Of the map", METRIC_OF_MAP);
	write_figures("Of a family", METRIC_OF_FAMILY);
	write_figures("Of a step", METRIC_OF_STEP);
	write_figures("Of an item", METRIC_OF_ITEM);
	puts(".El\n.Pp\nDistributions have the figures");
	for (enum expr_stat stat = STAT_COUNT; stat < STAT_NR; stat++)
		printf("%s%s", stat_name(stat), stat + 1 < STAT_NR ? ",\n" : ".\n");
}

int cmd_man(const struct opts *opts)
{
	puts(".Dd " GEMBA_DATE "\n.Dt GEMBA 1\n.Os\n.Sh NAME\n.Nm gemba\n"
	     ".Nd value stream maps of live processes");
	write_synopsis(opts->commands);
	fputs(man_description, stdout);
	write_commands(opts->commands);
	write_options(opts->commands);
	write_conditions();
	fputs(man_definitions, stdout);
	fputs(man_rest, stdout);
	return 0;
}
