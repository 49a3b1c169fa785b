/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_stage_file.c - what a stage file may say, and where it is wrong
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/opts.h"
#include "src/opts_value.h"
#include "src/stage_file.h"

static char path[] = "/tmp/gemba-stages-XXXXXX";

static void write_file(const char *text, size_t bytes)
{
	int fd = mkstemp(strcpy(path, "/tmp/gemba-stages-XXXXXX"));

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, bytes), (ssize_t)bytes);
	close(fd);
}

/* What is wrong with it, behind the path; "" if nothing is. */
static const char *wrong(const char *text)
{
	static struct opts opts;
	static char why[OPTS_WHY_BYTES];
	int err;

	write_file(text, strlen(text));
	memset(&opts, 0, sizeof(opts));
	err = opt_config(&opts, NULL, path, why);
	unlink(path);
	opts_free_config(&opts);
	if (!err)
		return "";
	cr_assert_eq(strncmp(why, path, strlen(path)), 0, "%s", why);
	return why + strlen(path);
}

Test(stage_file, all_that_it_says_is_an_option)
{
	static struct opts opts;
	char why[OPTS_WHY_BYTES];
	const char text[] = "map: equities gateway\nowner: low-latency team <ll@example.com>\n"
			    "review_by: 2027-01-31\ntakt: 50us\nstages:\n"
			    "  - {name: decode, probe: decode_packet, key: arg0->seq}\n"
			    "  - {name: strategy, probe: 'lib.so:on_tick', key: 'u64(arg0+8)', "
			    "value: added}\n"
			    "  - probe: ns::send\n";

	write_file(text, strlen(text));
	cr_assert_eq(opt_config(&opts, NULL, path, why), 0, "%s", why);
	unlink(path);
	cr_assert_str_eq(opts.map_name, "equities gateway");
	cr_assert_str_eq(opts.owner, "low-latency team <ll@example.com>");
	cr_assert_str_eq(opts.review_by, "2027-01-31");
	cr_assert_eq(opts.takt_declared_ns, 50000);
	cr_assert_eq(opts.nr_stages, 3);
	cr_assert_str_eq(opts.stages[0].name, "decode");
	cr_assert_str_eq(opts.stages[0].key, "arg0->seq");
	cr_assert_null(opts.stages[0].value);
	cr_assert_str_eq(opts.stages[1].probe, "lib.so:on_tick");
	cr_assert_str_eq(opts.stages[1].value, "added");
	cr_assert_str_eq(opts.stages[2].name, "ns.send");
	cr_assert_null(opts.stages[2].key);
	opts_free_config(&opts);
}

Test(stage_file, what_is_wrong_is_told_with_line_and_column)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", ": it is empty; give stages:" },
		{ "map: a\n", ":1:6: Missing required mapping field: stages" },
		{ "map: a\nstagse:\n  - {probe: f}\n", ":1:6: Unexpected key: stagse" },
		{ "stages: 4\n", ":1:9: Expecting SEQUENCE, got event: SCALAR" },
		{ "stages:\n  - name: d\n", ":2:11: Missing required mapping field: probe" },
		{ "stages:\n  - {name: a b, probe: f}\n",
		  ":2:12: 'a b' is no name for a stage: letters, digits and _.- make one, a "
		  "letter first" },
		{ "stages:\n  - {probe: f}\n  - {probe: f, value: nice}\n",
		  ":3:23: value 'nice' is unknown; there is added|necessary|waste|unknown" },
		{ "stages:\n  - {probe: f, key: u64(}\n",
		  ":2:21: key 'u64(', at 5: a key is argN, order->seq, or a read of memory as "
		  "u64(arg0+8)" },
		{ "stages: [{probe: f}]\ntakt: soon\n",
		  ":2:7: takt 'soon' is no time, as 50us is" },
		{ "stages: [{probe: f}]\nreview_by: soon\n",
		  ":2:12: review_by 'soon' is no day, as 2027-01-31 is" },
		{ "stages: [{probe: f}]\nreview_by: 2027-02-29\n",
		  ":2:12: review_by '2027-02-29' is no day, as 2027-01-31 is" },
		{ "stages:\n  - {name: x, probe: f}\n  - probe: g\n    name: x\n",
		  ":4:11: two stages are called 'x'" },
		{ "stages:\n  - name: x\n    probe: 'lib.so:'\n",
		  ":3:12: 'x=lib.so:' names no function, as decode=decode_packet does" },
		{ "stages: [{probe: f}, {probe: [1]}]\n",
		  ":1:30: Expecting STRING, got event: SEQUENCE_START" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(wrong(rows[i].text), rows[i].why, "%zu: %s", i,
				 wrong(rows[i].text));
	cr_assert_neq(wrong("\tstages: x\n")[0], '\0');
	cr_assert_neq(wrong("&a [*a]\n")[0], '\0');
	cr_assert_neq(wrong("a: &a [b]\nstages: *a\n")[0], '\0');
}

Test(stage_file, what_is_saved_is_loaded_again)
{
	struct stage_file_stage stages[] = {
		{ .name = "a", .probe = "f: #g", .key = "u64(arg0-8)", .value = "waste" },
		{ .name = "b.2", .probe = "operator==" },
	};
	const struct stage_file file = {
		.map = "it's \"mine\"", .takt = "50us", .stages = stages, .nr_stages = 2
	};
	char why[STAGE_FILE_WHY_BYTES] = "";
	struct stage_file *back;
	FILE *out;

	write_file("", 0);
	out = fopen(path, "w");
	cr_assert_eq(stage_file_save(&file, out), 0);
	fclose(out);
	cr_assert_eq(stage_file_load(&back, path, why), 0, "%s", why);
	unlink(path);
	cr_assert_str_eq(back->map, file.map);
	cr_assert_null(back->owner);
	cr_assert_eq(back->nr_stages, 2);
	cr_assert_str_eq(back->stages[0].probe, "f: #g");
	cr_assert_str_eq(back->stages[0].value, "waste");
	cr_assert_str_eq(back->stages[1].probe, "operator==");
	cr_assert_null(back->stages[1].key);
	stage_file_free(back);
}

Test(stage_file, random_bytes_are_refused_or_read_and_never_more)
{
	static const char words[] = "stages:\n- {}[]name probe: &*!|>'\"\t#,\x01\xff%";
	uint64_t seed = 5;

	for (int n = 0; n < 3000; n++) {
		static struct opts opts;
		char text[64], why[OPTS_WHY_BYTES] = "";
		size_t length;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		length = seed >> 58;
		for (size_t i = 0; i < length; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[i] = words[(seed >> 33) % (sizeof(words) - 1)];
		}
		write_file(text, length);
		memset(&opts, 0, sizeof(opts));
		cr_assert(!opt_config(&opts, NULL, path, why) || why[0]);
		opts_free_config(&opts);
		unlink(path);
	}
}
