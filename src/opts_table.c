// SPDX-License-Identifier: BSD-2-Clause
/*
 * opts_table.c - every option of gemba, in the order of the help
 *
 * Rows without commands are known to belong to other versions: they are in no help, and using
 * one is answered so instead of with "unknown".
 */
#include "src/opts.h"
#include "src/opts_value.h"
#include "src/render/render.h"
#include "src/util/unit.h"

#include <string.h>

#define TARGETS (CMD_RECORD | CMD_MAP | CMD_CHECK | CMD_STAGES)
#define WORKING (TARGETS | CMD_ITEMS)
#define ALL (WORKING | CMD_HELP | CMD_VERSION | CMD_MAN | CMD_COMPLETION)
#define KIB UINT64_C(1024)
#define FIELD(field) .offset = offsetof(struct opts, field)

const struct opt_row opt_rows[] = {
	{ .name = "pid",
	  .letter = 'p',
	  .arg = "PID[,PID...]",
	  .commands = TARGETS,
	  .traits = OPT_REPEATS,
	  .parse = opt_pids,
	  .help = "the target: these processes, at most 64" },
	{ .name = "name",
	  .letter = 'n',
	  .arg = "NAME",
	  .commands = TARGETS,
	  .parse = opt_text,
	  FIELD(name),
	  .help = "the target: the process of exactly this name, of its main thread or of its "
		  "executable; more than one is refused with the list" },
	{ .name = "all",
	  .commands = TARGETS,
	  .parse = opt_flag,
	  FIELD(is_all),
	  .help = "with -n: every process of that name" },
	{ .name = "stage",
	  .letter = 's',
	  .arg = "[NAME=]PROBE",
	  .commands = CMD_RECORD | CMD_MAP,
	  .traits = OPT_REPEATS | OPT_IS_LIVE,
	  .parse = opt_stage,
	  .help = "stamp items where this function is entered, as decode=decode_packet or "
		  "libfix.so:FIX::parse; may be repeated, the first is the entry stage that "
		  "begins an item" },
	{ .name = "key",
	  .letter = 'k',
	  .arg = "STAGE=KEYEXPR",
	  .commands = CMD_RECORD | CMD_MAP,
	  .traits = OPT_REPEATS | OPT_IS_LIVE,
	  .parse = opt_key,
	  .help = "what names the item where a stage is entered, as decode=arg1, "
		  "risk=order->seq or risk=u64(arg0+16): the same value joins stages of other threads and "
		  "processes to it, see KEYS in gemba(1)" },
	{ .name = "config",
	  .letter = 'c',
	  .arg = "FILE",
	  .commands = CMD_RECORD | CMD_MAP,
	  .traits = OPT_IS_LIVE | OPT_IS_FILE,
	  .parse = opt_config,
	  .help = "read stages, their keys and values from this stage file (YAML), see STAGE "
		  "FILE in gemba(1); -s adds to them" },
	{ .name = "save-config",
	  .arg = "FILE",
	  .commands = CMD_RECORD | CMD_MAP,
	  .traits = OPT_IS_LIVE | OPT_IS_FILE,
	  .parse = opt_text,
	  FIELD(save_config),
	  .help = "write the stages and keys that are given to a stage file" },
	{ .name = "for",
	  .arg = "TIME",
	  .commands = CMD_RECORD | CMD_MAP | CMD_STAGES,
	  .traits = OPT_IS_LIVE,
	  .parse = opt_time,
	  FIELD(for_ns),
	  .min = NS_PER_MS,
	  .max = 8784 * NS_PER_H,
	  .help = "end after this time, as 500ms, 10s, 5m or 1h; otherwise with Ctrl-C, or "
		  "when the target ends; with --propose: how long to sample (2s)" },
	{ .name = "output",
	  .letter = 'o',
	  .arg = "FILE",
	  .commands = CMD_RECORD | CMD_MAP | CMD_ITEMS | CMD_STAGES,
	  .traits = OPT_IS_FILE,
	  .parse = opt_text,
	  FIELD(output),
	  .help = "write to this file; otherwise to standard output (- too), a trace to "
		  "gemba-COMM-YYYYmmddTHHMMSSZ.gemba" },
	{ .name = "format",
	  .letter = 'f',
	  .arg = "FORMAT",
	  .commands = CMD_MAP | CMD_ITEMS | CMD_STAGES,
	  .traits = OPT_IS_FORMAT,
	  .parse = opt_format,
	  FIELD(format),
	  .help = "how to write it; otherwise by the suffix of -o, or else text" },
	{ .name = "force",
	  .commands = CMD_RECORD | CMD_MAP | CMD_ITEMS | CMD_STAGES,
	  .parse = opt_flag,
	  FIELD(is_forced),
	  .help = "overwrite an existing file; attach in spite of a red verdict of gemba check" },
	{ .name = "tag",
	  .arg = "K=V",
	  .commands = CMD_RECORD | CMD_MAP,
	  .traits = OPT_REPEATS | OPT_IS_LIVE,
	  .parse = opt_tag,
	  .help = "note this with the capture, as venue=XETR; may be repeated" },
	{ .name = "max-size",
	  .arg = "SIZE",
	  .commands = CMD_RECORD,
	  .parse = opt_size,
	  FIELD(max_bytes),
	  .min = 64 * KIB,
	  .max = UINT64_MAX,
	  .help = "end when the trace has this size, as 500M or 4G; otherwise there is no limit" },
	{ .name = "ring",
	  .arg = "SIZE",
	  .commands = CMD_RECORD | CMD_MAP,
	  .traits = OPT_IS_LIVE,
	  .parse = opt_size,
	  FIELD(ring_bytes),
	  .min = 256 * KIB,
	  .max = 8 * KIB * KIB * KIB,
	  .help = "memory for events on their way from the kernel, of all CPUs together (16M)" },
	{ .name = "propose",
	  .commands = CMD_STAGES,
	  .parse = opt_flag,
	  FIELD(is_proposing),
	  .help = "look at the target while messages flow, its stacks and how often functions "
		  "are entered, and print -s lines for a map of it; takes 6 to 11 s" },
	{ .name = "own",
	  .arg = "HOW",
	  .commands = CMD_MAP | CMD_ITEMS,
	  .parse = opt_choice,
	  FIELD(own),
	  .min = OWN_CONNECTION,
	  .choices = "connection|thread",
	  .help = "join what is sent to what was received by this alone; otherwise by what "
		  "fits, see DEFINITIONS in gemba(1)" },
	{ .name = "item-timeout",
	  .arg = "TIME",
	  .commands = CMD_MAP | CMD_ITEMS,
	  .parse = opt_time,
	  FIELD(item_timeout_ns),
	  .min = NS_PER_MS,
	  .max = NS_PER_H,
	  .help = "an item ends so long after its last station (1s)" },
	{ .name = "slowest",
	  .arg = "N",
	  .commands = CMD_ITEMS,
	  .parse = opt_count,
	  FIELD(nr_slowest),
	  .min = 1,
	  .max = 100000,
	  .help = "only the N items with the longest lead time" },
	{ .name = "key",
	  .arg = "KEY",
	  .commands = CMD_ITEMS,
	  .parse = opt_item_key,
	  .help = "only the items that had this key, as 4711 or 0x7f00c0de" },
	{ .name = "where",
	  .arg = "EXPR",
	  .commands = CMD_ITEMS,
	  .parse = opt_where,
	  .help = "only items for which this holds, as 'lead_time > 80us'" },
	{ .name = "fail-if",
	  .arg = "EXPR",
	  .commands = CMD_MAP,
	  .traits = OPT_REPEATS,
	  .parse = opt_fail_if,
	  .help = "exit with status 3 if this holds, as 'lead_time.p99 > 80us', or cannot be "
		  "told; may be repeated" },
	{ .name = "strict",
	  .commands = CMD_MAP,
	  .parse = opt_flag,
	  FIELD(is_strict),
	  .help = "exit with status 4 if the data is doubtful" },
	{ .name = "quiet",
	  .letter = 'q',
	  .commands = WORKING,
	  .traits = OPT_REPEATS,
	  .parse = opt_quiet,
	  .help = "say nothing but errors" },
	{ .name = "verbose",
	  .letter = 'v',
	  .commands = WORKING,
	  .traits = OPT_REPEATS,
	  .parse = opt_verbose,
	  .help = "say more on standard error" },
	{ .name = "color",
	  .arg = "WHEN",
	  .commands = WORKING,
	  .parse = opt_choice,
	  FIELD(color),
	  .choices = "auto|always|never",
	  .help = "use colour; auto does on a terminal unless NO_COLOR is set" },
	{ .name = "help", .letter = 'h', .commands = ALL, .help = "show this" },

	{ .name = "class" },
	{ .name = "follow" },
	{ .name = "redact" },
	{ .name = "syscalls" },
	{ .name = "change" },
	{ .name = "listen" },
	{ .name = "on-breach" },
	{ 0 },
};

static void add_choice(char out[OPTS_CHOICES_BYTES], const char *name)
{
	size_t used = strlen(out);

	if (used + strlen(name) + 2 > OPTS_CHOICES_BYTES)
		return;
	if (used)
		out[used++] = '|';
	strcpy(out + used, name);
}

const char *opts_choices(const struct opt_row *row, enum command_id command,
			 char out[OPTS_CHOICES_BYTES])
{
	static const struct {
		enum command_id command;
		const char *formats[4];
	} others[] = {
		{ CMD_ITEMS, { "text", "csv", "json" } },
		{ CMD_STAGES, { "text", "json" } },
	};

	out[0] = '\0';
	if (row->choices)
		add_choice(out, row->choices);
	if (!(row->traits & OPT_IS_FORMAT))
		return out;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		for (const char *const *name = others[i].formats; *name; name++)
			if (others[i].command == command)
				add_choice(out, *name);
	if (out[0])
		return out;
	for (const struct renderer *renderer = renderers; renderer->name; renderer++)
		add_choice(out, renderer->name);
	return out;
}
