// SPDX-License-Identifier: BSD-2-Clause
/*
 * main.c - the table of subcommands; dispatch, help, manual and completions come from it
 */
#include "src/cmd.h"
#include "src/opts.h"
#include "src/output.h"
#include "src/util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_USAGE 2

static const struct command commands[] = {
	{ "record", "TARGET [OPTION...]", "capture a trace of live processes", cmd_record,
	  CMD_RECORD, CMD_TAKES_TARGET | CMD_NEEDS_TARGET | CMD_STARTS },
	{ "map", "[FILE | TARGET] [OPTION...]",
	  "draw the value stream map, live or of a trace or map file", cmd_map, CMD_MAP,
	  CMD_TAKES_TARGET | CMD_STARTS | CMD_TAKES_FILE },
	{ "items", "[FILE] [OPTION...]", "list the single items of a trace, one row each",
	  cmd_items, CMD_ITEMS, CMD_TAKES_FILE },
	{ "stages", "TARGET [GLOB] [OPTION...]",
	  "list what can be probed, where, at what cost; propose stages", cmd_stages, CMD_STAGES,
	  CMD_TAKES_TARGET | CMD_NEEDS_TARGET | CMD_TAKES_GLOB },
	{ "check", "[TARGET] [OPTION...]",
	  "tell what can be observed here; touches nothing of the target", cmd_check, CMD_CHECK,
	  CMD_TAKES_TARGET },
	{ "help", "[COMMAND]", "show what there is, or all about one command", cmd_help, CMD_HELP,
	  CMD_TAKES_WORD },
	{ "version", "", "print the version", cmd_version, CMD_VERSION, 0 },
	{ "man", "", "print the manual page", cmd_man, CMD_MAN, CMD_IS_HIDDEN },
	{ "completion", "bash|zsh", "print the completions of a shell", cmd_completion,
	  CMD_COMPLETION, CMD_TAKES_WORD | CMD_IS_HIDDEN },
	{ 0 },
};

/* A full disk or a closed pipe behind standard output must not look like success. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		log_errno(errno, "cannot write to standard output");
		return status ?: 1;
	}
	return status;
}

/* A file that we open must not become standard input, output or error where one is closed. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); /* writing to it must still fail */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static struct opts opts;
	char why[OPTS_WHY_BYTES];

	fill_standard_fds();
	if (opts_parse(&opts, commands, argc, argv, why)) {
		log_error("%s", why);
		return EXIT_USAGE;
	}
	log_set_level(opts.log_level);
	if (!opts.command_line) /* which begins with what we were given, see live_find */
		output_outlive_limits();
	return finish(opts.command->run(&opts));
}
