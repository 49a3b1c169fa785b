// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_stages_row.c - rows of gemba stages, as they are read
 */
#include "src/stages_row.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct survey_row rows[] = {
	{ .symbol = "decode",
	  .probe = "server:decode",
	  .typed = "server:decode",
	  .is_by_name = true,
	  .binary = "/opt/server",
	  .base = "server",
	  .build_id = "ab12",
	  .vaddr = 0x1000,
	  .site = { .offset = 2, .class = SITE_PUSH, .text = "push r14" },
	  .cost_ns = 850,
	  .inlined_copies = 3,
	  .has_more_copies = true },
	{ .symbol = "_ZN6engine5matchERKNS_5OrderE",
	  .demangled = "engine::match(engine::Order const&)",
	  .probe = "server:0x2000",
	  .typed = "server:0x2000",
	  .binary = "/opt/server",
	  .base = "server",
	  .build_id = "",
	  .vaddr = 0x2000,
	  .site = { .offset = 0, .class = SITE_STEPPED, .text = "mov rax, qword ptr [rdi]" },
	  .cost_ns = 11640,
	  .is_cost_of_class = true,
	  .inlined_copies = -1 },
	{ .symbol = "vector\033",
	  .probe = "server:vector",
	  .typed = "server:vec'tor\033",
	  .is_by_name = true,
	  .binary = "/opt/server",
	  .base = "server",
	  .build_id = "",
	  .refused = "it begins with 'vpxor', which has a VEX prefix",
	  .inlined_copies = 0 },
};

static const struct target target = { .pids = { 42 }, .nr_pids = 1 };
static const struct survey survey = {
	.target = &target, .rows = rows, .nr = 3, .nr_cheap = 1, .nr_stepped = 1, .nr_refused = 1
};

static char *text;

static char *write_as(const char *format, bool is_utf8)
{
	const struct stages_view view = { is_utf8 };
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	stages_format(format)->write(&survey, &view, to);
	fclose(to);
	return text;
}

static void assert_has(const char *part)
{
	cr_assert(strstr(text, part), "no '%s' in\n%s", part, text);
}

Test(stages_row, text_says_where_at_what_cost_and_what_to_type)
{
	write_as("text", true);
	assert_has("COST/HIT CLASS    SITE                 INLINED PROBE\n"
		   "  0.85us push     +2 push r14               3+ server:decode\n");
	assert_has("   ~12us stepped  +0 mov rax, qword p\u2026       - server:0x2000  # "
		   "'engine::match(engine::Order const&)'\n");
	assert_has(
		"       - refused  -                          0 'server:vec'\\''tor\\x1b'  # refused: it "
		"begins with 'vpxor', which has a VEX prefix\n");
	assert_has("3 functions: 1 with a cheap site, 1 single-stepped, 1 refused\n");
	assert_has("to stamp one: gemba map -p 42 -s server:decode\n");
	free(text);
}

Test(stages_row, json_has_units_in_its_names)
{
	write_as("json", true);
	assert_has("[\n {\"symbol\": \"decode\", \"demangled\": null, "
		   "\"binary\": \"/opt/server\", \"build_id\": \"ab12\"");
	assert_has("\"site_offset\": 2, \"site_class\": \"push\", \"site_text\": \"push r14\", "
		   "\"cost_ns\": 850, \"cost_is_of_class\": false, \"inlined_copies\": null, "
		   "\"refused\": null}");
	assert_has("\"site_class\": \"single-stepped\"");
	assert_has("\"site_class\": null");
	assert_has("\"inlined_copies\": 0, \"refused\": \"it begins");
	free(text);
}
