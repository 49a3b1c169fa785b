// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_opts.c - command lines, good and bad: the bad ones by the message a user would see
 */
#include "src/opts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 80

static const struct command commands[] = {
	{ .name = "record",
	  .id = CMD_RECORD,
	  .traits = CMD_TAKES_TARGET | CMD_NEEDS_TARGET | CMD_STARTS },
	{ .name = "map", .id = CMD_MAP, .traits = CMD_TAKES_TARGET | CMD_STARTS | CMD_TAKES_FILE },
	{ .name = "items", .id = CMD_ITEMS, .traits = CMD_TAKES_FILE },
	{ .name = "stages",
	  .id = CMD_STAGES,
	  .traits = CMD_TAKES_TARGET | CMD_NEEDS_TARGET | CMD_TAKES_GLOB },
	{ .name = "check", .id = CMD_CHECK, .traits = CMD_TAKES_TARGET },
	{ .name = "help", .id = CMD_HELP, .traits = CMD_TAKES_WORD },
	{ .name = "version", .id = CMD_VERSION },
	{ 0 },
};

static struct opts opts;
static char why[OPTS_WHY_BYTES];
static char line[4096];

/* The words of a line, blanks between; `_` stands for an empty word, `~` for a blank. */
static int parse(const char *text)
{
	static char *argv[MAX_WORDS];
	int argc = 0;

	snprintf(line, sizeof(line), "%s", text);
	argv[argc++] = "gemba";
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		for (char *c = word; (c = strchr(c, '~'));)
			*c = ' ';
		argv[argc++] = strcmp(word, "_") ? word : "";
	}
	argv[argc] = NULL;
	why[0] = '\0';
	return opts_parse(&opts, commands, argc, argv, why);
}

static void assert_good(const char *text)
{
	cr_assert_eq(parse(text), 0, "gemba %s: %s", text, why);
}

static void assert_bad(const char *text, const char *want)
{
	cr_assert_neq(parse(text), 0, "gemba %s: was taken", text);
	cr_assert_str_eq(why, want, "gemba %s: %s", text, why);
}

static const struct {
	const char *line;
	const char *message;
} bad[] = {
	{ "", "a command is missing; 'gemba help' lists them" },
	{ "mpa", "unknown command 'mpa'; did you mean 'map'?" },
	{ "frobnicate", "unknown command 'frobnicate'; 'gemba help' lists them" },
	{ "help mpa", "unknown command 'mpa'; did you mean 'map'?" },
	{ "-p 1 map", "'-p' stands before the command; write 'gemba COMMAND -p'" },
	{ "diff a b", "'diff' is not in this version" },
	{ "stages", "stages needs a target: -p PID or -n NAME" },
	{ "stages 'a*'", "stages needs a target: -p PID or -n NAME" },
	{ "stages -- true", "'stages' starts nothing; its target is -p or -n" },
	{ "stages -p 1 _", "GLOB is empty; '*' is every function" },
	{ "stages -p 1 a\033b", "GLOB: control characters are not allowed" },
	{ "stages -p 1 a b", "'a' and 'b': 'stages' takes one of them" },
	{ "stages -p 1 --propose f*",
	  "'f*' and --propose: list functions or have some found, not both" },
	{ "stages -p 1 --for 3s", "--for goes with --propose: a list takes no time" },
	{ "map -p 1 --propose", "--propose: not an option of 'map', but of 'stages'" },
	{ "stages -p 1 -f csv", "-f: 'csv' is not in this version; there is text|json" },
	{ "stages -p 1 -s a", "-s: not an option of 'stages', but of 'record'" },
	{ "watch", "'watch' is not in this version" },
	{ "future", "'future' is not in this version" },
	{ "merge", "'merge' is not in this version" },
	{ "serve", "'serve' is not in this version" },
	{ "verify", "'verify' is not in this version" },

	{ "map -p 1 -k rx=arg0", "-k: keys of the payload, on rx, are not in this version" },
	{ "map -p 1 -s f -k g=arg0", "-k: there is no stage 'g'; name it with -s" },
	{ "map -p 1 -s f -k f=arg0 -k f=arg1", "-k: two keys for stage 'f'" },
	{ "map -p 1 -s f -k f=a.", "-k: 'a.', at 3: a member's name is missing" },
	{ "map -p 1 -s f -k f", "-k: 'f' is no STAGE=KEYEXPR, as decode=arg1 is" },
	{ "map -p 1 -s send=f", "-s: 'send' is a name of the map's own; give another" },
	{ "map -p 1 -s f1=f", "-s: 'f1' is a name of the map's own; give another" },
	{ "map -p 1 -s f -s f", "-s: 'f' is a stage already; to stamp it twice, give a name" },
	{ "map -p 1 -s a=f -s f", "-s: 'f' is a stage already; to stamp it twice, give a name" },
	{ "map -p 1 -s a=f -s a=g", "-s: two stages are called 'a'" },
	{ "map -p 1 -s a~b=f",
	  "-s: 'a b' is no name for a stage: letters, digits and _.- make one, a letter first" },
	{ "map -p 1 -s f*",
	  "-s: 'f*' is a pattern, and a stage is one function; gemba stages lists those that fit" },
	{ "map -p 1 -s a=", "-s: 'a=' names no function, as decode=decode_packet does" },
	{ "map -p 1 -s app:", "-s: 'app:' names no function, as decode=decode_packet does" },
	{ "map -p 1 -s ::", "-s: '::' names no function, as decode=decode_packet does" },
	{ "map x.gemba -s f", "--stage goes with a live target: -p PID, -n NAME or -- COMMAND" },
	{ "map --key=recv=arg0", "--key: keys of the payload, on recv, are not in this version" },
	{ "map x.gemba --key=f=arg0",
	  "--key goes with a live target: -p PID, -n NAME or -- COMMAND" },
	{ "map --class x", "--class: not in this version" },
	{ "record -c /no/f.yaml", "-c: /no/f.yaml: No such file or directory" },
	{ "record -c /", "-c: /: Is a directory" },
	{ "record -p 1 --save-config f.yaml",
	  "--save-config: there is no stage to write; give -s" },
	{ "record --follow", "--follow: not in this version" },
	{ "record --redact", "--redact: not in this version" },
	{ "map --syscalls", "--syscalls: not in this version" },
	{ "map a -f svg", "-f: 'svg' is not in this version; there is text|json" },
	{ "map a -o m.html",
	  "-o m.html: the format 'html' is not in this version; there is text|json" },
	{ "items a -f prom", "-f: 'prom' is not in this version; there is text|csv|json" },
	{ "map a -f xml", "-f: 'xml' is unknown; there is text|json" },
	{ "map a --own key", "--own: 'key' is not in this version; there is connection|thread" },
	{ "map a --own us", "--own: 'us' is unknown; there is connection|thread" },

	{ "map --fro 1s", "--fro: unknown option; did you mean --for?" },
	{ "map --outptu x", "--outptu: unknown option; did you mean --output?" },
	{ "map --frobnicate", "--frobnicate: unknown option; 'gemba map -h' lists them" },
	{ "map -x", "-x: unknown option; 'gemba map -h' lists them" },
	{ "map -p 1 --slowest 3", "--slowest: not an option of 'map', but of 'items'" },
	{ "items -p 1", "-p: not an option of 'items', but of 'record'" },
	{ "version -q", "-q: not an option of 'version', but of 'record'" },
	{ "map --force=yes", "--force takes no value" },
	{ "map --for", "--for needs TIME" },
	{ "map -p", "-p needs PID[,PID...]" },
	{ "map -o -v", "-o needs FILE; if '-v' is meant, write --output=-v" },
	{ "map a -o x -o y", "-o is given twice" },
	{ "map a --output=x -o x", "-o is given twice" },
	{ "map -p 1 -q -v", "-v: -q and -v exclude each other" },

	{ "map -p 0", "-p: '0' is no process id: they go from 1 to 4194304" },
	{ "map -p -1", "-p needs PID[,PID...]; if '-1' is meant, write --pid=-1" },
	{ "map --pid=-1", "--pid: '-1' is not a process id; for a name there is -n" },
	{ "map -p redis", "-p: 'redis' is not a process id; for a name there is -n" },
	{ "map -p 1x", "-p: '1x' is not a process id; for a name there is -n" },
	{ "map -p 1e3", "-p: '1e3' is not a process id; for a name there is -n" },
	{ "map -p _", "-p: a process id is missing" },
	{ "map -p 1,,2", "-p: a process id is missing before a comma" },
	{ "map -p 1,", "-p: a process id is missing" },
	{ "map -p 4194305", "-p: '4194305' is no process id: they go from 1 to 4194304" },
	{ "map -p 99999999999999999999",
	  "-p: '99999999999999999999' is no process id: they go from 1 to 4194304" },
	{ "map -p 7,7", "-p: 7 is given twice" },
	{ "map -n _", "-n: the NAME is empty" },
	{ "map -p 1 -n x", "-p and -n exclude each other: there is one target" },
	{ "map -n x -- y", "-n and a command behind -- exclude each other: there is one target" },
	{ "map -p 1 --", "a command is missing behind --" },
	{ "items -- x", "'items' takes no target behind --" },
	{ "check -- x", "'check' starts nothing; its target is -p or -n" },
	{ "check 4711", "'4711': a target is -p PID or -n NAME" },
	{ "map --all -p 1", "--all goes with -n NAME" },
	{ "record", "record needs a target: -p PID, -n NAME or -- COMMAND" },
	{ "record 4711", "'4711': a target is -p PID or -n NAME, or -- COMMAND" },
	{ "map a.gemba -p 1", "'a.gemba' and -p: read a file or attach, not both" },
	{ "map a b", "'a' and 'b': 'map' takes one of them" },
	{ "map _", "the name of a file is empty" },
	{ "version x", "'x' is too much: 'version' takes nothing" },
	{ "map a --for 1s", "--for goes with a live target: -p PID, -n NAME or -- COMMAND" },
	{ "map --tag a=b", "--tag goes with a live target: -p PID, -n NAME or -- COMMAND" },

	{ "map -p 1 --for 0s", "--for: '0s' is not within 1ms and 8784h" },
	{ "map -p 1 --for 10", "--for: '10' has no unit: write 10ms, 10s or 10m" },
	{ "map -p 1 --for _", "--for: '' is not a time; write it as 500ms, 10s, 5m or 1h" },
	{ "map -p 1 --for 1e30", "--for: '1e30' is not a time; write it as 500ms, 10s, 5m or 1h" },
	{ "map -p 1 --for=-5s", "--for: '-5s' is not a time; write it as 500ms, 10s, 5m or 1h" },
	{ "map -p 1 --for 5sec", "--for: '5sec' is not a time; write it as 500ms, 10s, 5m or 1h" },
	{ "map -p 1 --for 9999999h", "--for: '9999999h' is not within 1ms and 8784h" },
	{ "map -p 1 --for 99999999999999999999h",
	  "--for: '99999999999999999999h' is not within 1ms and 8784h" },
	{ "map a --item-timeout 1ns", "--item-timeout: '1ns' is not within 1ms and 1h" },
	{ "map -p 1 --ring 1K", "--ring: '1K' is too little; at least 256K" },
	{ "map -p 1 --ring 0", "--ring: '0' is too little; at least 256K" },
	{ "map -p 1 --ring 1T", "--ring: '1T' is too much; at most 8G" },
	{ "map -p 1 --ring 16MB", "--ring: '16MB' is not a size; write it as 64K, 16M or 2G" },
	{ "record -p 1 --max-size 100", "--max-size: '100' is too little; at least 64K" },
	{ "record -p 1 --max-size 99999999T",
	  "--max-size: '99999999T' is too much; at most 16777216T" },
	{ "items --slowest 0", "--slowest: '0' is not a number from 1 to 100000" },
	{ "items --slowest x", "--slowest: 'x' is not a number from 1 to 100000" },
	{ "items --slowest 3 --where lead_time>1us", "--slowest and --where exclude each other" },

	{ "record -p 1 --tag venue", "--tag: 'venue' is not K=V, as venue=XETR" },
	{ "record -p 1 --tag =x", "--tag: '=x' is not K=V, as venue=XETR" },
	{ "record -p 1 --tag a~b=x",
	  "--tag: 'a b': only letters, digits, _ . and - may stand before =" },
	{ "record -p 1 --tag a=x --tag a=y", "--tag: 'a' is given twice" },
	{ "record -p 1 -o -", "-o: a trace is written to a file only" },
	{ "map /dev/null -o /dev/null", "-o: '/dev/null' is the file that is read" },
	{ "map a --color purple", "--color: 'purple' is unknown; there is auto|always|never" },
	{ "map a --fail-if lead_time.p99>80",
	  "--fail-if: '80' is not a time: a number and ns us ms s m or h, as 80us" },
	{ "map a --fail-if lead_time.p99>+10%",
	  "--fail-if: '+10%' compares two maps, which is only in diff; a ratio is a number "
	  "from 0 to 1" },
};

Test(opts, stages_takes_a_target_and_a_glob)
{
	assert_good("stages -p 1");
	cr_assert_null(opts.glob);
	cr_assert_str_eq(opts.format, "text");
	assert_good("stages libc:*alloc* -n redis -o x.json");
	cr_assert_str_eq(opts.glob, "libc:*alloc*");
	cr_assert_str_eq(opts.format, "json");
	cr_assert_null(opts.file);
}

Test(opts, every_bad_line_is_refused_with_its_own_message)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_bad(bad[i].line, bad[i].message);
}

Test(opts, a_message_is_one_line_whatever_was_given)
{
	char name[2000] = "", text[3000];

	memset(name, 'x', sizeof(name) - 1);
	snprintf(text, sizeof(text), "map --%s", name);
	cr_assert_neq(parse(text), 0);
	cr_assert_lt(strlen(why), OPTS_WHY_BYTES - 1);
	snprintf(text, sizeof(text), "map -o %s.svg", name);
	cr_assert_neq(parse(text), 0);
	cr_assert_lt(strlen(why), OPTS_WHY_BYTES - 1);
	cr_assert_eq(parse("map -p 1\nx"), -EINVAL);
}

Test(opts, more_than_64_processes_are_refused)
{
	char text[1024] = "map -p 1";

	for (int i = 2; i <= 64; i++)
		sprintf(text + strlen(text), ",%d", i);
	assert_good(text);
	cr_assert_eq(opts.nr_pids, 64);
	strcat(text, ",65");
	assert_bad(text, "-p: more than 64 processes; attach in several runs");
}

Test(opts, what_is_not_given_has_its_default)
{
	assert_good("map");
	cr_assert_eq(opts.command->id, CMD_MAP);
	cr_assert_null(opts.file);
	cr_assert_null(opts.output);
	cr_assert_str_eq(opts.format, "text");
	cr_assert_eq(opts.for_ns, 0);
	cr_assert_eq(opts.ring_bytes, 16 << 20);
	cr_assert_eq(opts.item_timeout_ns, UINT64_C(1000000000));
	cr_assert_eq(opts.own, OWN_AUTO);
	cr_assert_eq(opts.log_level, LOG_NORMAL);
	cr_assert_not(opts_has_target(&opts));
	cr_assert_null(opts.where.metric);
}

Test(opts, options_stand_before_or_behind_the_file)
{
	assert_good("map a.gemba -f json");
	cr_assert_str_eq(opts.file, "a.gemba");
	cr_assert_str_eq(opts.format, "json");
	assert_good("map -f json a.gemba");
	cr_assert_str_eq(opts.file, "a.gemba");
}

Test(opts, values_stand_in_the_same_word_or_the_next)
{
	assert_good("map -p42");
	cr_assert_eq(opts.pids[0], 42);
	assert_good("map --pid=42,43 -p 44");
	cr_assert_eq(opts.nr_pids, 3);
	cr_assert_eq(opts.pids[2], 44);
	assert_good("map -vfjson a");
	cr_assert_eq(opts.log_level, LOG_VERBOSE);
	cr_assert_str_eq(opts.format, "json");
	assert_good("map --name=-bash --all");
	cr_assert_str_eq(opts.name, "-bash");
	cr_assert(opts.is_all);
}

Test(opts, words_behind_two_dashes_are_the_command_as_it_stands)
{
	assert_good("record --for 5s -- server -p 1 -- x");
	cr_assert_str_eq(opts.command_line[0], "server");
	cr_assert_str_eq(opts.command_line[1], "-p");
	cr_assert_str_eq(opts.command_line[3], "--");
	cr_assert_null(opts.command_line[5]);
	cr_assert_eq(opts.nr_pids, 0);
	cr_assert(opts_has_target(&opts));
}

Test(opts, words_become_numbers_once)
{
	assert_good("record -p 1 --for 1.5s --max-size 4G --ring 1MiB");
	cr_assert_eq(opts.for_ns, UINT64_C(1500000000));
	cr_assert_eq(opts.max_bytes, UINT64_C(4) << 30);
	cr_assert_eq(opts.ring_bytes, 1 << 20);
	assert_good("items a --slowest 20 --own thread --item-timeout 250ms");
	cr_assert_eq(opts.nr_slowest, 20);
	cr_assert_eq(opts.own, OWN_THREAD);
	cr_assert_eq(opts.item_timeout_ns, 250000000);
}

Test(opts, tags_and_gates_add_up)
{
	assert_good("map -p 1 --tag venue=XETR --tag run=a=b --tag empty= "
		    "--fail-if lead_time.p99~>~80us --fail-if events_lost>0");
	cr_assert_eq(opts.nr_tags, 3);
	cr_assert_str_eq(opts.tags[1].key, "run");
	cr_assert_str_eq(opts.tags[1].value, "a=b");
	cr_assert_str_eq(opts.tags[2].value, "");
	cr_assert_eq(opts.nr_fail_if, 2);
	cr_assert_str_eq(opts.fail_if[1].metric, "events_lost");
}

Test(opts, the_format_follows_the_suffix_unless_given)
{
	assert_good("map a -o m.json");
	cr_assert_str_eq(opts.format, "json");
	assert_good("map a -o m.json -f text");
	cr_assert_str_eq(opts.format, "text");
	assert_good("map a -o m.v2");
	cr_assert_str_eq(opts.format, "text");
	assert_good("items a -o m.csv");
	cr_assert_str_eq(opts.format, "csv");
	assert_good("map a -o -");
	cr_assert_null(opts.output);
}

Test(opts, help_and_version_are_found_in_every_spelling)
{
	static const char *const of_map[] = { "map -h", "map --help", "help map",
					      "map -p 1 -h --frobnicate", "map -vh" };

	for (size_t i = 0; i < sizeof(of_map) / sizeof(*of_map); i++) {
		assert_good(of_map[i]);
		cr_assert_eq(opts.command->id, CMD_HELP, "%s", of_map[i]);
		cr_assert_str_eq(opts.word, "map");
	}
	assert_good("-h");
	cr_assert_eq(opts.command->id, CMD_HELP);
	cr_assert_null(opts.word);
	assert_good("--version");
	cr_assert_eq(opts.command->id, CMD_VERSION);
}

Test(opts, no_color_holds_unless_color_is_asked_for)
{
	setenv("NO_COLOR", "1", 1);
	assert_good("map");
	cr_assert_eq(opts.color, COLOR_NEVER);
	assert_good("map --color always");
	cr_assert(opts_is_coloured(&opts, -1));
	setenv("NO_COLOR", "", 1);
	assert_good("map");
	cr_assert_eq(opts.color, COLOR_AUTO, "an empty NO_COLOR means nothing");
}

Test(opts, every_option_has_help_and_a_name_of_its_own)
{
	for (const struct opt_row *row = opt_rows; row->name; row++)
		for (const struct opt_row *other = row + 1; other->name; other++) {
			cr_assert(!(row->commands & other->commands) ||
					  strcmp(row->name, other->name) != 0,
				  "%s", row->name);
			cr_assert(!row->letter || row->letter != other->letter, "%s", row->name);
		}
	for (const struct opt_row *row = opt_rows; row->name; row++)
		cr_assert_eq(!row->commands, !row->help, "%s", row->name);
}

Test(opts, a_stage_is_called_after_its_function_unless_it_has_a_name)
{
	static const struct {
		const char *given, *name, *probe;
	} stages[] = {
		{ "decode_packet", "decode_packet", "decode_packet" },
		{ "d=decode_packet", "d", "decode_packet" },
		{ "libx.so:ns::Engine::handle(ns::Order~const&)", "ns.Engine.handle",
		  "libx.so:ns::Engine::handle(ns::Order const&)" },
		{ "ns::operator==(int)", "ns.operator__", "ns::operator==(int)" },
		{ "=operator=", "operator_", "operator=" },
		{ "operator==", "operator__", "operator==" },
		{ "eq=operator==", "eq", "operator==" },
		{ "redis-server:call+0x4", "call", "redis-server:call+0x4" },
		{ "send", "send_", "send" },
		{ "x:0x1234", "_0x1234", "x:0x1234" },
		{ "a=libx.so:f=g", "a", "libx.so:f=g" },
		{ "srv:github.com/x/srv/server.(*client).parse", "server.client.parse",
		  "srv:github.com/x/srv/server.(*client).parse" },
		{ "ns::operator*(int*)", "ns.operator_", "ns::operator*(int*)" },
	};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "map -p 1 -s %s", stages[i].given);
		assert_good(text);
		cr_assert_str_eq(opts.stages[0].name, stages[i].name);
		cr_assert_str_eq(opts.stages[0].probe, stages[i].probe);
	}
	assert_good("map -p 1 -s f -s again=f");
	assert_good("map -p 1 -s f -s a:f -s b:f");
	cr_assert_str_eq(opts.stages[1].name, "f.2");
	cr_assert_str_eq(opts.stages[2].name, "f.3");
}
