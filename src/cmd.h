/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd.h - the subcommands: a row of main's table and one file each
 */
#ifndef GEMBA_CMD_H
#define GEMBA_CMD_H

struct opts;

enum command_id {
	CMD_RECORD = 1,
	CMD_MAP = 2,
	CMD_ITEMS = 4,
	CMD_CHECK = 8,
	CMD_HELP = 16,
	CMD_VERSION = 32,
	CMD_MAN = 64,
	CMD_COMPLETION = 128,
	CMD_STAGES = 256,
};

/* What a command takes beside its options. */
enum command_traits {
	CMD_TAKES_TARGET = 1,
	CMD_NEEDS_TARGET = 2,
	CMD_TAKES_FILE = 4,
	CMD_TAKES_WORD = 8,  /* one more word, into opts.word */
	CMD_IS_HIDDEN = 16,  /* for the Makefile, in no help */
	CMD_STARTS = 32,     /* the target may be a command behind -- */
	CMD_TAKES_GLOB = 64, /* names of functions, into opts.glob */
};

struct command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *help;     /* one line, no full stop */
	/* Returns the exit status: 0 done, 1 failed, 2 usage, 3 and 4 see gemba(1). */
	int (*run)(const struct opts *opts);
	enum command_id id;
	unsigned int traits;
};

int cmd_record(const struct opts *opts);
int cmd_map(const struct opts *opts);
int cmd_items(const struct opts *opts);
int cmd_stages(const struct opts *opts);
int cmd_check(const struct opts *opts);
int cmd_help(const struct opts *opts);
int cmd_version(const struct opts *opts);
int cmd_man(const struct opts *opts);
int cmd_completion(const struct opts *opts);

#endif
