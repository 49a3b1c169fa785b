/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opts.h - the command line: one table of options, and what it came to
 *
 * Words become numbers here and nowhere else. The help, the manual page and the completions
 * are written from the same table, so that an option cannot be without them.
 */
#ifndef GEMBA_OPTS_H
#define GEMBA_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/cmd.h"
#include "src/reason/expr.h"
#include "src/util/log.h"

#define OPTS_MAX_PIDS 64
#define OPTS_MAX_TAGS 32
#define OPTS_MAX_GATES 16
#define OPTS_MAX_STAGES 64
#define OPTS_STAGE_NAME_BYTES 65
#define OPTS_TAG_KEY_BYTES 65
#define OPTS_WHY_BYTES 512

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum own { OWN_AUTO, OWN_CONNECTION, OWN_THREAD }; /* how sends find their items */

struct opts_tag {
	char key[OPTS_TAG_KEY_BYTES];
	const char *value; /* may be "" */
};

struct opts_stage {
	char name[OPTS_STAGE_NAME_BYTES];
	const char *probe;
	const char *key;   /* KEYEXPR, checked; NULL */
	const char *value; /* added, necessary, waste; NULL */
};

struct opts_key {
	const char *station; /* up to the = */
	size_t station_bytes;
	const char *expr;
};

/* Strings are those of argv. What was not given has the value that is noted here. */
struct opts {
	const struct command *commands; /* the whole table, for help */
	const struct command *command;	/* that was asked for, never NULL */
	const char *word;		/* help COMMAND, completion SHELL; NULL */

	/* The target: at most one of these three. */
	uint32_t pids[OPTS_MAX_PIDS];
	size_t nr_pids;	     /* 0 */
	const char *name;    /* NULL */
	char **command_line; /* NULL; otherwise at least one word, then NULL, as execvp wants it */
	bool is_all;

	struct opts_stage stages[OPTS_MAX_STAGES]; /* the first is the entry stage */
	size_t nr_stages;
	struct opts_key keys[OPTS_MAX_STAGES]; /* as given; the stages have them */
	size_t nr_keys;
	struct stage_file *config; /* that was read; NULL. Strings below and of stages are its */
	char *config_probes[OPTS_MAX_STAGES];
	const char *map_name, *owner, *review_by; /* of a stage file; NULL */
	uint64_t takt_declared_ns;		  /* 0: none */
	const char *save_config;		  /* where to write what the above comes to; NULL */

	bool has_item_key; /* items */
	uint64_t item_key;
	bool is_proposing;  /* stages: find some, instead of listing all */
	const char *glob;   /* NULL: the functions of the executable */
	const char *file;   /* NULL: none given, so the newest trace of the directory */
	const char *output; /* NULL: standard output; of record: the default name */
	const char *
		format; /* map, items, stages: never NULL, from -f or the suffix of -o, else "text" */
	bool is_forced;

	uint64_t for_ns;	  /* 0: until interrupted, or the target ends */
	uint64_t max_bytes;	  /* of a trace; 0: no limit */
	uint64_t ring_bytes;	  /* 16 MiB: all rings together */
	uint64_t item_timeout_ns; /* 1 s */
	int own;		  /* enum own: OWN_AUTO */
	uint64_t nr_slowest;	  /* 0: all items */

	struct opts_tag tags[OPTS_MAX_TAGS];
	size_t nr_tags;
	struct expr fail_if[OPTS_MAX_GATES]; /* EXPR_OF_MAP */
	size_t nr_fail_if;
	struct expr where; /* EXPR_OF_ITEM; metric NULL: not given */

	bool is_strict;
	int log_level; /* enum log_level */
	int color;     /* enum color; NO_COLOR is already in it */
};

/*
 * Fills *self from a command line; argv must outlive it. 0, or -EINVAL with one line in why
 * (OPTS_WHY_BYTES) that says what is wrong and what to do, for exit status 2. -h and --version
 * come back as the commands help and version.
 */
int opts_parse(struct opts *self, const struct command *commands, int argc, char **argv, char *why);
bool opts_has_target(const struct opts *self);
/* Whether to colour what goes to this file descriptor. */
bool opts_is_coloured(const struct opts *self, int fd);

enum opt_traits {
	OPT_REPEATS = 1,
	OPT_IS_LIVE = 2,  /* only with a live target */
	OPT_IS_FILE = 4,  /* its argument is a file name */
	OPT_IS_FORMAT = 8 /* its choices depend on the command */
};

struct opt_row {
	const char *name; /* without its dashes */
	char letter;	  /* 0: none */
	const char *arg;  /* NULL: a flag */
	const char *help;
	unsigned int commands; /* CMD_* that take it; 0: known, but not in this version */
	unsigned int traits;
	/* Takes the argument (NULL for a flag) into *self; see opts_value.h. */
	int (*parse)(struct opts *self, const struct opt_row *row, const char *text, char *why);
	size_t offset;	     /* of the field in struct opts */
	uint64_t min, max;   /* of a number, in ns, bytes or units */
	const char *choices; /* "auto|always|never", or NULL */
};

extern const struct opt_row opt_rows[]; /* ends with a NULL name */

#define OPTS_CHOICES_BYTES 128

/* "text|json" for the row in this command; "" when anything goes. Returns out. */
const char *opts_choices(const struct opt_row *row, enum command_id command,
			 char out[OPTS_CHOICES_BYTES]);
/* NULL: no such command (hidden ones are found). */
const struct command *opts_command(const struct command *commands, const char *name);

#endif
