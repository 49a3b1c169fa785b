// SPDX-License-Identifier: BSD-2-Clause
/*
 * opts_check.c - what options mean together: one target, one input, one format
 *
 * Each option is already well-formed. Here is refused what contradicts itself or would be
 * ignored in silence, before anything is opened or attached.
 */
#include "src/opts.h"
#include "src/opts_value.h"
#include "src/render/render.h"

#include <string.h>
#include <sys/stat.h>

bool opts_has_target(const struct opts *self)
{
	return self->nr_pids || self->name || self->command_line;
}

static int check_target(const struct opts *self, char *why)
{
	const char *ways[3];
	int nr_ways = 0;

	if (self->nr_pids)
		ways[nr_ways++] = "-p";
	if (self->name)
		ways[nr_ways++] = "-n";
	if (self->command_line)
		ways[nr_ways++] = "a command behind --";
	if (nr_ways > 1)
		return opts_refuse(why, "%s and %s exclude each other: there is one target",
				   ways[0], ways[1]);
	if (!nr_ways && self->command->traits & CMD_NEEDS_TARGET)
		return opts_refuse(why, "%s needs a target: -p PID%s -n NAME%s",
				   self->command->name,
				   self->command->traits & CMD_STARTS ? "," : " or",
				   self->command->traits & CMD_STARTS ? " or -- COMMAND" : "");
	if (nr_ways && self->file)
		return opts_refuse(why, "'%s' and %s: read a file or attach, not both", self->file,
				   ways[0]);
	if (self->is_all && !self->name)
		return opts_refuse(why, "--all goes with -n NAME");
	return 0;
}

static int check_live(const struct opts *self, uint64_t given, char *why)
{
	if (opts_has_target(self))
		return 0;
	for (size_t i = 0; opt_rows[i].name; i++)
		if (given >> i & 1 && opt_rows[i].traits & OPT_IS_LIVE)
			return opts_refuse(why,
					   "--%s goes with a live target: -p PID, -n NAME or "
					   "-- COMMAND",
					   opt_rows[i].name);
	return 0;
}

static int check_propose(const struct opts *self, char *why)
{
	if (self->command->id != CMD_STAGES)
		return 0;
	if (self->for_ns && !self->is_proposing)
		return opts_refuse(why, "--for goes with --propose: a list takes no time");
	if (self->is_proposing && self->glob)
		return opts_refuse(why,
				   "'%s' and --propose: list functions or have some found, "
				   "not both",
				   self->glob);
	if (self->is_proposing && self->command_line)
		return opts_refuse(why, "--propose looks at a process that works; give -p or -n");
	return 0;
}

static int check_output(struct opts *self, char *why)
{
	struct stat in, out;

	if (!self->output)
		return 0;
	if (!strcmp(self->output, "-")) {
		if (self->command->id == CMD_RECORD)
			return opts_refuse(why, "-o: a trace is written to a file only");
		self->output = NULL;
		return 0;
	}
	if (self->file && !stat(self->file, &in) && !stat(self->output, &out) &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return opts_refuse(why, "-o: '%s' is the file that is read", self->output);
	return 0;
}

static const struct opt_row *format_row(void)
{
	const struct opt_row *row = opt_rows;

	while (!(row->traits & OPT_IS_FORMAT))
		row++;
	return row;
}

/* From the suffix of -o, where that is the name of a format; other suffixes mean text. */
static int choose_format(struct opts *self, char *why)
{
	static const char *const known[] = { "json", "csv",	 "svg",	 "html",
					     "prom", "perfetto", "text", NULL };
	const char *suffix = self->output ? strrchr(self->output, '.') : NULL;
	const struct renderer *renderer;
	char reason[OPTS_WHY_BYTES / 2];

	if (self->format || !(self->command->id & format_row()->commands))
		return 0;
	self->format = "text";
	if (!suffix)
		return 0;
	renderer = self->command->id == CMD_MAP ? renderer_by_suffix(self->output) : NULL;
	if (renderer) {
		self->format = renderer->name;
		return 0;
	}
	for (size_t i = 0; known[i]; i++)
		if (!strcmp(suffix + 1, known[i]) &&
		    opt_format(self, format_row(), known[i], reason))
			return opts_refuse(why, "-o %.200s: the format %.200s", self->output,
					   reason);
	return 0;
}

int opts_check(struct opts *self, uint64_t given, char *why)
{
	int err = check_target(self, why);

	err = err ?: check_live(self, given, why);
	err = err ?: opts_give_keys(self, why);
	err = err ?: check_propose(self, why);
	err = err ?: check_output(self, why);
	if (!err && self->nr_slowest && self->where.metric)
		return opts_refuse(why, "--slowest and --where exclude each other");
	if (!err && self->save_config && !self->nr_stages)
		return opts_refuse(why, "--save-config: there is no stage to write; give -s");
	if (!err && self->has_item_key && (self->nr_slowest || self->where.metric))
		return opts_refuse(why, "--key and --%s exclude each other",
				   self->nr_slowest ? "slowest" : "where");
	return err ?: choose_format(self, why);
}
