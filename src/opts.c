// SPDX-License-Identifier: BSD-2-Clause
/*
 * opts.c - argv against the table of options
 *
 * Written out instead of getopt_long, which takes abbreviations, so that a new option could
 * change what an old script means, prints its own messages, and cannot say that an option
 * belongs to another command. Options may stand before or behind a FILE; `--` begins the
 * command line of a target.
 */
#include "src/opts.h"
#include "src/opts_value.h"
#include "src/util/nearest.h"
#include "src/util/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parser {
	struct opts *opts;
	char **argv; /* what is left */
	uint64_t given;
	char *why;
};

static const char *const later_commands[] = { "watch", "diff",	 "future", "merge",
					      "serve", "verify", NULL };

const struct command *opts_command(const struct command *commands, const char *name)
{
	for (; commands->name; commands++)
		if (!strcmp(commands->name, name))
			return commands;
	return NULL;
}

static int refuse_command(const struct command *commands, const char *name, char *why)
{
	struct nearest nearest;

	for (size_t i = 0; later_commands[i]; i++)
		if (!strcmp(later_commands[i], name))
			return opts_refuse(why, "'%s' is not in this version", name);
	nearest_init(&nearest, name);
	for (; commands->name; commands++)
		if (!(commands->traits & CMD_IS_HIDDEN))
			nearest_offer(&nearest, commands->name);
	if (nearest.best)
		return opts_refuse(why, "unknown command '%s'; did you mean '%s'?", name,
				   nearest.best);
	return opts_refuse(why, "unknown command '%s'; 'gemba help' lists them", name);
}

/* The command, by its name or by an option that stands for one. */
static int find_command(struct parser *self, const char *word)
{
	const char *name = word;

	if (!word)
		return opts_refuse(self->why, "a command is missing; 'gemba help' lists them");
	if (!strcmp(word, "-h") || !strcmp(word, "--help"))
		name = "help";
	else if (!strcmp(word, "-V") || !strcmp(word, "--version"))
		name = "version";
	else if (word[0] == '-')
		return opts_refuse(self->why,
				   "'%s' stands before the command; write 'gemba COMMAND %s'", word,
				   word);
	self->opts->command = opts_command(self->opts->commands, name);
	return self->opts->command ? 0 : refuse_command(self->opts->commands, name, self->why);
}

static int refuse_option(struct parser *self, const char *spelled)
{
	const struct command *command = self->opts->command;
	const char *name = spelled + strspn(spelled, "-");
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (const struct opt_row *row = opt_rows; row->name; row++)
		if (row->commands & command->id)
			nearest_offer(&nearest, row->name);
	if (nearest.best)
		return opts_refuse(self->why, "%s: unknown option; did you mean --%s?", spelled,
				   nearest.best);
	return opts_refuse(self->why, "%s: unknown option; 'gemba %s -h' lists them", spelled,
			   command->name);
}

/* The option is known, but is it one of this command? */
static int check_belongs(struct parser *self, const struct opt_row *row, const char *spelled)
{
	const struct command *other = self->opts->commands;

	if (row->commands & self->opts->command->id)
		return 0;
	if (!row->commands)
		return opts_refuse(self->why, "%s: not in this version", spelled);
	while (!(other->id & row->commands))
		other++;
	return opts_refuse(self->why, "%s: not an option of '%s', but of '%s'", spelled,
			   self->opts->command->name, other->name);
}

/* Takes the next word as the value. One that looks like an option is more likely that. */
static int next_value(struct parser *self, const struct opt_row *row, const char *spelled,
		      const char **value)
{
	const char *next = *self->argv;

	if (!next)
		return opts_refuse(self->why, "%s needs %s", spelled, row->arg);
	if (next[0] == '-' && next[1])
		return opts_refuse(self->why, "%s needs %s; if '%s' is meant, write --%s=%s",
				   spelled, row->arg, next, row->name, next);
	*value = next;
	self->argv++;
	return 0;
}

/* `value` is what stands in the same word, or NULL. */
static int take_option(struct parser *self, const struct opt_row *row, const char *spelled,
		       const char *value)
{
	uint64_t bit = UINT64_C(1) << (row - opt_rows);
	char reason[OPTS_WHY_BYTES];
	int err = check_belongs(self, row, spelled);

	if (!err && row->arg && !value)
		err = next_value(self, row, spelled, &value);
	if (err)
		return err;
	if (!row->arg && value)
		return opts_refuse(self->why, "%s takes no value", spelled);
	if (self->given & bit && !(row->traits & OPT_REPEATS))
		return opts_refuse(self->why, "%s is given twice", spelled);
	self->given |= bit;
	if (row->parse && row->parse(self->opts, row, value, reason))
		return opts_refuse(self->why, "%s: %.440s", spelled, reason);
	return 0;
}

static int take_long(struct parser *self, const char *word)
{
	size_t length = strcspn(word, "=");
	char spelled[64];
	const struct opt_row *found = NULL;

	snprintf(spelled, sizeof(spelled), "%.*s", (int)length, word);
	for (const struct opt_row *row = opt_rows; row->name; row++)
		if (!strcmp(spelled + 2, row->name) &&
		    (!found || row->commands & self->opts->command->id))
			found = row; /* two commands may have different options of one name */
	return found ? take_option(self, found, spelled, word[length] ? word + length + 1 : NULL) :
		       refuse_option(self, spelled);
}

/* -p42, -p 42, -qf json: letters of flags, then at most one with a value. */
static int take_short(struct parser *self, const char *word)
{
	char spelled[] = "-?";
	int err = 0;

	for (const char *letter = word + 1; *letter && !err; letter++) {
		const struct opt_row *row = opt_rows;

		spelled[1] = *letter;
		while (row->name && row->letter != *letter)
			row++;
		if (!row->name)
			return refuse_option(self, spelled);
		if (row->arg || !row->commands)
			return take_option(self, row, spelled, letter[1] ? letter + 1 : NULL);
		err = take_option(self, row, spelled, NULL);
	}
	return err;
}

static int take_word(struct parser *self, const char *word)
{
	struct opts *opts = self->opts;
	const char **place = opts->command->traits & CMD_TAKES_FILE ? &opts->file :
			     opts->command->traits & CMD_TAKES_GLOB ? &opts->glob :
			     opts->command->traits & CMD_TAKES_WORD ? &opts->word :
								      NULL;

	if (!place && opts->command->traits & CMD_TAKES_TARGET)
		return opts_refuse(self->why, "'%s': a target is -p PID or -n NAME%s", word,
				   opts->command->traits & CMD_STARTS ? ", or -- COMMAND" : "");
	if (!place)
		return opts_refuse(self->why, "'%s' is too much: '%s' takes nothing", word,
				   opts->command->name);
	if (!*word)
		return opts_refuse(self->why, place == &opts->glob ?
						      "GLOB is empty; '*' is every function" :
						      "the name of a file is empty");
	if (*place)
		return opts_refuse(self->why, "'%s' and '%s': '%s' takes one of them", *place, word,
				   opts->command->name);
	for (const char *c = word; place == &opts->glob && *c; c++)
		if (iscntrl((unsigned char)*c))
			return opts_refuse(self->why, "GLOB: control characters are not allowed");
	*place = word;
	return 0;
}

static int take_command_line(struct parser *self)
{
	const struct command *command = self->opts->command;

	if (!(command->traits & CMD_TAKES_TARGET))
		return opts_refuse(self->why, "'%s' takes no target behind --", command->name);
	if (!(command->traits & CMD_STARTS))
		return opts_refuse(self->why, "'%s' starts nothing; its target is -p or -n",
				   command->name);
	if (!*self->argv || !**self->argv)
		return opts_refuse(self->why, "a command is missing behind --");
	self->opts->command_line = self->argv;
	return 0;
}

/* `gemba map -h` is `gemba help map`; whatever else stands there does not matter any more. */
static bool is_help(struct parser *self)
{
	const struct opt_row *help = opt_rows;
	struct opts *opts = self->opts;

	while (strcmp(help->name, "help") != 0)
		help++;
	if (!(self->given >> (help - opt_rows) & 1))
		return false;
	if (opts->command->id != CMD_HELP)
		opts->word = opts->command->name;
	opts->command = opts_command(opts->commands, "help");
	return true;
}

static int take_all(struct parser *self)
{
	int err = 0;

	while (!err && *self->argv && !is_help(self)) {
		const char *word = *self->argv++;

		if (!strcmp(word, "--"))
			return take_command_line(self);
		if (!strncmp(word, "--", 2))
			err = take_long(self, word);
		else if (word[0] == '-' && word[1])
			err = take_short(self, word);
		else
			err = take_word(self, word);
	}
	return err;
}

int opts_parse(struct opts *self, const struct command *commands, int argc, char **argv, char *why)
{
	struct parser parser = { .opts = self, .argv = argv + (argc > 1 ? 2 : 1), .why = why };
	const char *no_color = getenv("NO_COLOR");
	int err;

	*self = (struct opts){ .commands = commands,
			       .ring_bytes = 16 << 20,
			       .item_timeout_ns = NS_PER_S,
			       .color = no_color && *no_color ? COLOR_NEVER : COLOR_AUTO };
	err = find_command(&parser, argc > 1 ? argv[1] : NULL);
	err = err ?: take_all(&parser);
	if (err)
		return err;
	if (is_help(&parser) || self->command->id == CMD_HELP)
		return !self->word || opts_command(commands, self->word) ?
			       0 :
			       refuse_command(commands, self->word, why);
	return opts_check(self, parser.given, why);
}

bool opts_is_coloured(const struct opts *self, int fd)
{
	const char *term = getenv("TERM");

	if (self->color != COLOR_AUTO)
		return self->color == COLOR_ALWAYS;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}
