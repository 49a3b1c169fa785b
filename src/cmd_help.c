// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_help.c - gemba help [COMMAND] and every command's -h, from the two tables
 */
#include "src/cmd.h"
#include "src/opts.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 80
#define OPTION_COLUMN 28
#define COMMAND_COLUMN 12

/* Words of `text` from column `left` to COLUMNS; the cursor stands at `at`. */
static void write_wrapped(const char *text, int at, int left)
{
	if (at >= left) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", left - at, "");
	at = left;
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (at > left && at + 1 + length > COLUMNS) {
			printf("\n%*s", left, "");
			at = left;
		} else if (at > left) {
			putchar(' ');
			at++;
		}
		at += printf("%.*s", length, text);
		text += length + (text[length] == ' ');
	}
	putchar('\n');
}

static void write_option(const struct opt_row *row, enum command_id command)
{
	char help[512], choices[OPTS_CHOICES_BYTES];
	int at;

	opts_choices(row, command, choices);
	snprintf(help, sizeof(help), "%s%s%s", choices, *choices ? ": " : "", row->help);
	at = row->letter ? printf("  -%c, --%s", row->letter, row->name) :
			   printf("      --%s", row->name);
	if (row->arg)
		at += printf(" %s", row->arg);
	write_wrapped(help, at + 1, OPTION_COLUMN);
}

static void write_command(const struct command *command)
{
	printf("gemba %s: %s\n\nusage: gemba %s%s%s\n\n", command->name, command->help,
	       command->name, *command->synopsis ? " " : "", command->synopsis);
	for (const struct opt_row *row = opt_rows; row->name; row++)
		if (row->commands & command->id)
			write_option(row, command->id);
	if (command->traits & CMD_STARTS)
		fputs("\nTARGET is -p, -n, or -- COMMAND [ARG...], which gemba then starts.\n",
		      stdout);
	else if (command->traits & CMD_TAKES_TARGET)
		fputs("\nTARGET is -p or -n.\n", stdout);
	if (command->traits & CMD_TAKES_GLOB)
		fputs("GLOB fits plain or demangled names of functions, as 'process*', or those of one\n"
		      "binary, as 'libc:*alloc*'; '*' is every function of all binaries. Without one\n"
		      "the functions of the executable are listed. A row ends with what -s takes.\n",
		      stdout);
	if (command->traits & CMD_TAKES_FILE)
		fputs("\nFILE is a trace (*.gemba) or a map (*.json), told apart by content; without\n"
		      "one the newest trace in this directory is read.\n",
		      stdout);
}

static void write_overview(const struct command *commands)
{
	fputs("gemba draws the value stream map of live processes: for every message that\n"
	      "flows through them, where it waited, where it was worked on, and for how long.\n"
	      "\nusage: gemba COMMAND [ARGUMENT...]\n\n",
	      stdout);
	for (; commands->name; commands++)
		if (!(commands->traits & CMD_IS_HIDDEN))
			write_wrapped(commands->help, printf("  %s", commands->name),
				      COMMAND_COLUMN);
	fputs("\n'gemba COMMAND -h' shows the options of a command. Begin with\n\n"
	      "  gemba check -p PID              can this process be observed, at what cost\n"
	      "  gemba stages -p PID 'parse*'    which functions can be probed, at what cost\n"
	      "  gemba map -p PID --for 10s      attach for ten seconds and draw the map\n",
	      stdout);
}

int cmd_help(const struct opts *opts)
{
	if (opts->word)
		write_command(opts_command(opts->commands, opts->word));
	else
		write_overview(opts->commands);
	return 0;
}
