// SPDX-License-Identifier: BSD-2-Clause
/*
 * completion.c - gemba completion bash|zsh: completions of the shells, from the two tables
 *
 * What can be completed beside names: file names for FILE and -o, the words of a choice,
 * process ids for -p and names of processes for -n.
 */
#include "src/cmd.h"
#include "src/opts.h"

#include <stdio.h>
#include <string.h>

/* `a|b|c` with blanks between. */
static const char *with_blanks(char choices[OPTS_CHOICES_BYTES])
{
	for (char *c = choices; *c; c++)
		if (*c == '|')
			*c = ' ';
	return choices;
}

static void write_names(const struct command *commands)
{
	const char *blank = "";

	for (; commands->name; commands++)
		if (!(commands->traits & CMD_IS_HIDDEN)) {
			printf("%s%s", blank, commands->name);
			blank = " ";
		}
}

/* The pattern of a case: `map:-f|map:--format`. */
static void write_bash_case(const struct command *command, const struct opt_row *row)
{
	printf("\t");
	if (row->letter)
		printf("%s:-%c|", command->name, row->letter);
	printf("%s:--%s) ", command->name, row->name);
}

static void write_bash_value(const struct command *command, const struct opt_row *row)
{
	char choices[OPTS_CHOICES_BYTES];

	if (!(row->commands & command->id) || !row->arg)
		return;
	opts_choices(row, command->id, choices);
	write_bash_case(command, row);
	if (*choices)
		printf("words=\"%s\" ;;\n", with_blanks(choices));
	else if (row->traits & OPT_IS_FILE)
		puts("files=1 ;;");
	else if (row->letter == 'p')
		puts("words=$(cd /proc && printf '%s ' [0-9]*) ;;");
	else if (row->letter == 'n')
		puts("IFS=$'\\n' words=$(cat /proc/[0-9]*/comm 2>/dev/null | sort -u) ;;");
	else
		puts("return ;;");
}

static void write_bash_options(const struct command *command)
{
	printf("\t%s:*) words=\"", command->name);
	for (const struct opt_row *row = opt_rows; row->name; row++) {
		if (!(row->commands & command->id))
			continue;
		if (row->letter)
			printf("-%c ", row->letter);
		printf("--%s ", row->name);
	}
	if (command->id == CMD_HELP)
		fputs("$commands", stdout);
	printf("\"%s ;;\n", command->traits & CMD_TAKES_FILE ? " files=1" : "");
}

static void write_bash(const struct command *commands)
{
	fputs("# bash completion of gemba\n_gemba()\n{\n"
	      "\tlocal commands=\"",
	      stdout);
	write_names(commands);
	fputs("\"\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal words= files= IFS=$' \\t\\n'\n\n"
	      "\tCOMPREPLY=()\n"
	      "\tlocal word\n"
	      "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	      "\t\t[ \"$word\" = -- ] || continue\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -c -f -- \"$cur\")\n"
	      "\t\treturn\n"
	      "\tdone\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$cur\")\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase ${COMP_WORDS[1]}:$prev in\n",
	      stdout);
	for (; commands->name; commands++) {
		if (commands->traits & CMD_IS_HIDDEN)
			continue;
		for (const struct opt_row *row = opt_rows; row->name; row++)
			write_bash_value(commands, row);
		write_bash_options(commands);
	}
	fputs("\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\"\n"
	      "\t\t[ -z \"$files\" ] || compgen -f -- \"$cur\")\n"
	      "}\n"
	      "complete -o filenames -F _gemba gemba\n",
	      stdout);
}

/* Text within '...[HELP]...': brackets and colons mean something to _arguments. */
static void write_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void write_zsh_action(const struct command *command, const struct opt_row *row)
{
	char choices[OPTS_CHOICES_BYTES];

	printf(":");
	write_zsh_text(row->arg);
	opts_choices(row, command->id, choices);
	if (*choices)
		printf(":(%s)", with_blanks(choices));
	else if (row->traits & OPT_IS_FILE)
		printf(":_files");
	else
		printf(":%s", row->letter == 'p' ? "_pids" :
			      row->letter == 'n' ? "{compadd - ${(f)\"$(cat /proc/<->/comm)\"}}" :
						   "");
}

static void write_zsh_option(const struct command *command, const struct opt_row *row)
{
	const char *star = row->traits & OPT_REPEATS ? "*" : "";

	if (row->letter && *star)
		printf(" \\\n\t\t\t'*'{-%c,--%s}'[", row->letter, row->name);
	else if (row->letter)
		printf(" \\\n\t\t\t'(-%c --%s)'{-%c,--%s}'[", row->letter, row->name, row->letter,
		       row->name);
	else
		printf(" \\\n\t\t\t'%s--%s[", star, row->name);
	write_zsh_text(row->help);
	putchar(']');
	if (row->arg)
		write_zsh_action(command, row);
	putchar('\'');
}

static void write_zsh_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments -s", command->name);
	for (const struct opt_row *row = opt_rows; row->name; row++)
		if (row->commands & command->id)
			write_zsh_option(command, row);
	if (command->traits & CMD_TAKES_FILE)
		fputs(" \\\n\t\t\t'1:FILE:_files -g \"*.(gemba|json)\"'", stdout);
	if (command->traits & CMD_TAKES_GLOB)
		fputs(" \\\n\t\t\t'1:GLOB: '", stdout);
	if (command->id == CMD_HELP)
		fputs(" \\\n\t\t\t\"1:command:($names)\"", stdout);
	fputs("\n\t\t;;\n", stdout);
}

static void write_zsh(const struct command *commands)
{
	fputs("#compdef gemba\n\n_gemba()\n{\n\tlocal -a names=(", stdout);
	write_names(commands);
	fputs(")\n\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\tcompadd -a names\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tlocal command=$words[2]\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $command in\n",
	      stdout);
	for (; commands->name; commands++)
		if (!(commands->traits & CMD_IS_HIDDEN))
			write_zsh_command(commands);
	fputs("\tesac\n}\n\n_gemba \"$@\"\n", stdout);
}

int cmd_completion(const struct opts *opts)
{
	if (opts->word && !strcmp(opts->word, "bash"))
		write_bash(opts->commands);
	else if (opts->word && !strcmp(opts->word, "zsh"))
		write_zsh(opts->commands);
	else {
		log_error("completion: for which shell, bash or zsh?");
		return 2;
	}
	return 0;
}
