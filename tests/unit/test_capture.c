/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_capture.c - a capture and its text are the same thing
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/collect/capture.h"

static struct capture full_capture(void)
{
	struct capture self = {
		.name = strdup("equities gateway"),
		.owner = strdup("low-latency team <ll@example.com>"),
		.host = strdup(""),
		.start_ns = 1,
		.end_ns = UINT64_MAX,
		.start_wall_ns = 1790000000000000000,
		.observer_cpu_ns = 5,
		.observer_rss_bytes = 6,
		.recursion_misses = 7,
		.targets = calloc(2, sizeof(struct target_info)),
		.nr_targets = 2,
	};

	self.targets[0] = (struct target_info){ .pid = UINT32_MAX, .is_go = true };
	self.targets[1] = (struct target_info){ .pid = 7,
						.comm = strdup("a=b\\n"),
						.cmdline = strdup("x -e 'one\ntwo\r\n'\\"),
						.has_exited = true,
						.exit_status = -5 };
	self.stages = calloc(2, sizeof(struct stage_info));
	self.nr_stages = 2;
	self.stages[0] = (struct stage_info){ .name = strdup("decode"),
					      .probe = strdup("libx.so:ns::decode(int)"),
					      .symbol = strdup("ns::decode(int)"),
					      .note = strdup(""),
					      .site_offset = 4,
					      .hits = UINT64_MAX,
					      .cost_ns = 1350,
					      .before_ns = 700,
					      .spread_ns = 80,
					      .cold_before_ns = 510,
					      .cold_after_ns = 220 };
	self.stages[1] = (struct stage_info){ .name = strdup("=") };
	pairs_add(&self.tags, "k=e\\y\n", "v=1");
	pairs_add(&self.tags, "", "");
	pairs_add(&self.clock, "offset_ns", "-12");
	pairs_add(&self.environment, "cpus", "64");
	pairs_add(&self.missing, "txq", "no\nqueue");
	return self;
}

static int read_string(struct capture *self, const char *text)
{
	return capture_read(self, text, strlen(text));
}

static void assert_round_trip(const struct capture *capture)
{
	struct capture back = { 0 };
	char *text = capture_write(capture), *again;

	cr_assert_eq(read_string(&back, text), 0);
	again = capture_write(&back);
	cr_assert_str_eq(again, text);
	free(text);
	free(again);
	capture_fini(&back);
}

Test(capture, an_empty_one_comes_back_as_it_was)
{
	struct capture capture = { 0 };

	assert_round_trip(&capture);
}

Test(capture, every_field_comes_back_as_it_was)
{
	struct capture capture = full_capture(), back = { 0 };
	char *text = capture_write(&capture);

	assert_round_trip(&capture);
	cr_assert_eq(read_string(&back, text), 0);
	cr_assert_str_eq(back.name, "equities gateway");
	cr_assert_str_eq(back.host, "");
	cr_assert_null(back.kernel);
	cr_assert_eq(back.end_ns, UINT64_MAX);
	cr_assert_eq(back.start_wall_ns, 1790000000000000000);
	cr_assert_eq(back.recursion_misses, 7);
	cr_assert_eq(back.nr_targets, 2);
	cr_assert_eq(back.targets[0].pid, UINT32_MAX);
	cr_assert(back.targets[0].is_go);
	cr_assert_null(back.targets[0].comm);
	cr_assert_str_eq(back.targets[1].comm, "a=b\\n");
	cr_assert_str_eq(back.targets[1].cmdline, "x -e 'one\ntwo\r\n'\\");
	cr_assert(back.targets[1].has_exited);
	cr_assert_eq(back.targets[1].exit_status, -5);
	cr_assert_str_eq(pairs_get(&back.tags, "k=e\\y\n"), "v=1");
	cr_assert_str_eq(pairs_get(&back.tags, ""), "");
	cr_assert_str_eq(pairs_get(&back.missing, "txq"), "no\nqueue");
	cr_assert_null(pairs_get(&back.missing, "tx"));
	free(text);
	capture_fini(&capture);
	capture_fini(&back);
}

Test(capture, its_text_has_one_line_per_value)
{
	struct capture capture = full_capture();
	char *text = capture_write(&capture);

	for (char *line = text; *line; line = strchr(line, '\n') + 1)
		cr_assert_lt(strcspn(line, "="), strcspn(line, "\n"));
	cr_assert_null(strchr(text, '\r'));
	free(text);
	capture_fini(&capture);
}

Test(capture, later_lines_win)
{
	struct capture capture = { 0 };

	cr_assert_eq(read_string(&capture, "name=a\nend_ns=0\ntag.env=test\ntarget.0.pid=1\n"), 0);
	cr_assert_eq(read_string(&capture, "name=b\nend_ns=9\ntag.env=prod\ntarget.0.pid=2\n"), 0);
	cr_assert_str_eq(capture.name, "b");
	cr_assert_eq(capture.end_ns, 9);
	cr_assert_eq(capture.tags.nr, 1);
	cr_assert_str_eq(pairs_get(&capture.tags, "env"), "prod");
	cr_assert_eq(capture.nr_targets, 1);
	cr_assert_eq(capture.targets[0].pid, 2);
	capture_fini(&capture);
}

Test(capture, unknown_keys_are_passed_over)
{
	struct capture capture = { 0 };

	cr_assert_eq(read_string(&capture, "colour=red\ntarget.0.colour=red\ntarget.7.pid=1\n"
					   "target.=1\ntarget.0=1\ntarget.x.pid=1\n=\ntag=1\n"
					   "target.99999999999999999999999.pid=1\nname=a"),
		     0);
	cr_assert_eq(capture.nr_targets, 0);
	cr_assert_eq(capture.tags.nr, 0);
	cr_assert_str_eq(capture.name, "a");
	capture_fini(&capture);
}

Test(capture, a_line_without_equals_is_refused)
{
	struct capture capture = { 0 };

	cr_assert_eq(read_string(&capture, "name=a\nname\n"), -EBADMSG);
	cr_assert_eq(read_string(&capture, "\n"), -EBADMSG);
	cr_assert_eq(read_string(&capture, ""), 0);
	capture_fini(&capture);
}

Test(capture, more_pairs_than_anyone_has_are_refused)
{
	struct capture capture = { 0 };
	char line[32];
	int err = 0, i;

	for (i = 0; i < 5000 && !err; i++) {
		snprintf(line, sizeof(line), "tag.%d=\n", i);
		err = read_string(&capture, line);
	}
	cr_assert_eq(err, -EBADMSG);
	cr_assert_eq(i, 1025);
	capture_fini(&capture);
}

Test(capture, any_bytes_are_read_without_harm)
{
	static const char letters[] = "target.0.pid=9\n\\tag.name\r\x00\xff";
	char text[64];

	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct capture capture = { 0 };
		size_t bytes = rand() % sizeof(text);

		for (size_t i = 0; i < bytes; i++)
			text[i] = letters[rand() % sizeof(letters)];
		capture_read(&capture, text, bytes);
		capture_fini(&capture);
	}
}
