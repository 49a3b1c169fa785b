/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_key.c - KEYEXPR: what is read, in which order, and where a wrong one is wrong
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/key/key.h"

/* A program as text: the register, then each read. */
static const char *text_of(const char *expr, bool is_go)
{
	static const char *const regs[] = { "rdi", "rsi", "rdx", "rcx", "r8",
					    "r9",  "rax", "rbx", "r10", "r11" };
	static char text[256];
	char why[KEY_WHY_BYTES];
	struct gemba_key key;
	struct key parsed;
	size_t used;

	if (key_parse(&parsed, expr, why) || key_place(&parsed, is_go, &key, why)) {
		snprintf(text, sizeof(text), "%s", why);
		return text;
	}
	used = snprintf(text, sizeof(text), "%s", regs[key.reg]);
	for (unsigned int i = 0; i < key.nr_reads; i++)
		used += snprintf(text + used, sizeof(text) - used, " %+d:%u%s",
				 (int32_t)key.reads[i].offset, key.reads[i].bytes,
				 key.reads[i].is_big_endian ? "be" : "");
	return text;
}

Test(key, a_program_is_a_register_and_its_reads_from_the_inside_out)
{
	static const struct {
		const char *expr, *program;
	} rows[] = {
		{ "arg0", "rdi" },
		{ "arg5", "r9" },
		{ "u64(arg1)", "rsi +0:8" },
		{ "u32(arg2+12)", "rdx +12:4" },
		{ "u16be(arg3+0x10)", "rcx +16:2be" },
		{ "u8(arg4-1)", "r8 -1:1" },
		{ "u32be(u64(arg0+8)+24)", "rdi +8:8 +24:4be" },
		{ "u64(u64(u64(u64(arg0)+1)+2)-3)", "rdi +0:8 +1:8 +2:8 -3:8" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(text_of(rows[i].expr, false), rows[i].program, "%s: %s",
				 rows[i].expr, text_of(rows[i].expr, false));
}

Test(key, go_has_its_own_registers)
{
	cr_assert_str_eq(text_of("arg0", true), "rax");
	cr_assert_str_eq(text_of("u64(arg2+8)", true), "rcx +8:8");
	cr_assert_str_eq(text_of("arg8", true), "r11");
	cr_assert_str_eq(text_of("arg9", true), "arg9 is in no register: arg0 to arg8 are");
}

Test(key, a_wrong_one_says_where_and_what_would_be_right)
{
	static const struct {
		const char *expr, *why;
	} rows[] = {
		{ "", "'', at 1: a key is argN, order->seq, or a read of memory as u64(arg0+8)" },
		{ "arg6", "arg6 is in no register: arg0 to arg5 are" },
		{ "arg99", "'arg99', at 4: no function has that many arguments" },
		{ "arg0+8", "'arg0+8', at 5: the key is over here, and something follows" },
		{ "u64(", "'u64(', at 5: a key is argN, order->seq, or a read of memory as "
			  "u64(arg0+8)" },
		{ "u64[", "'u64[', at 4: u64 is followed by what it reads, u64(arg0+8)" },
		{ "order->", "'order->', at 8: a member's name is missing" },
		{ "order..seq", "'order..seq', at 7: a member's name is missing" },
		{ "order->8", "'order->8', at 8: a member's name is missing" },
		{ "order seq", "'order seq', at 6: the key is over here, and something follows" },
		{ "u64(arg0", "'u64(arg0', at 9: here a ) or an offset is missing, u64(arg0+8)" },
		{ "u64(arg0+)", "'u64(arg0+)', at 10: an offset in bytes is a number, 16 or 0x10" },
		{ "u64(arg0+-8)",
		  "'u64(arg0+-8)', at 10: an offset in bytes is a number, 16 or 0x10" },
		{ "u64(arg0+99999999999)",
		  "'u64(arg0+99999999999)', at 10: the offset is too large" },
		{ "u64(arg0))",
		  "'u64(arg0))', at 10: the key is over here, and something follows" },
		{ "u8(u8(u8(u8(u8(arg0)))))",
		  "'u8(u8(u8(u8(u8(arg0)))))', at 15: more than 4 reads within each other" },
		{ "u64(payload+8)",
		  "'u64(payload+8)', at 5: keys of the payload are not in this version" },
		{ "fix(11)", "'fix(11)', at 1: keys of the payload are not in this version" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(text_of(rows[i].expr, false), rows[i].why, "%s: %s", rows[i].expr,
				 text_of(rows[i].expr, false));
}

Test(key, a_path_begins_with_a_parameter_and_stands_where_an_argument_may)
{
	static const struct {
		const char *expr, *path;
		unsigned int nr_reads;
	} rows[] = {
		{ "seq", "seq", 0 },
		{ "order->hdr.seq", "order->hdr.seq", 0 },
		{ "args->u32", "args->u32", 0 },
		{ "arg0->seq", "arg0->seq", 0 },
		{ "arg1.hdr.seq", "arg1.hdr.seq", 0 },
		{ "arg0_t", "arg0_t", 0 },
		{ "u32be(order->raw+8)", "order->raw", 1 },
		{ "u64(this->head-8)", "this->head", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char why[KEY_WHY_BYTES] = "";
		struct key key;

		cr_assert_eq(key_parse(&key, rows[i].expr, why), 0, "%s", why);
		cr_assert_str_eq(key.path, rows[i].path);
		cr_assert_eq(key.nr_reads, rows[i].nr_reads);
	}
}

Test(key, what_a_path_came_to_is_read_before_the_rest)
{
	const struct gemba_key_read first[2] = { { .offset = 8, .bytes = 8 },
						 { .offset = 4, .bytes = 4 } };
	struct gemba_key program;
	char why[KEY_WHY_BYTES];
	struct key key;

	cr_assert_eq(key_parse(&key, "u16(u64(order->raw+1)+2)", why), 0);
	cr_assert_eq(key_follow(&key, 2, 8, first, 2, why), 0);
	cr_assert_eq(key_place(&key, false, &program, why), 0);
	cr_assert_eq(program.reg, GEMBA_RDX);
	cr_assert_eq(program.nr_reads, 4);
	cr_assert_eq(program.reads[0].offset, 8);
	cr_assert_eq(program.reads[1].bytes, 4);
	cr_assert_eq(program.reads[2].offset, 1);
	cr_assert_eq(program.reads[3].bytes, 2);
	cr_assert_eq(key_follow(&key, 2, 8, first, 1, why), -ERANGE);
	/* an int takes half of its register, the other half is anything */
	cr_assert_eq(key_parse(&key, "seq", why), 0);
	cr_assert_eq(key_follow(&key, 1, 4, NULL, 0, why), 0);
	cr_assert_eq(key_place(&key, false, &program, why), 0);
	cr_assert_eq(program.reg_bytes, 4);
}

Test(key, random_text_never_makes_more_than_it_may)
{
	static const char words[] = "u8u16u32u64be(((arg0)))+-x19payload";
	uint64_t seed = 7;

	for (int n = 0; n < 200000; n++) {
		char text[24], why[KEY_WHY_BYTES] = "";
		struct key key;
		size_t length;
		int err;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		length = seed >> 60;
		for (size_t i = 0; i < length; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[i] = words[(seed >> 33) % (sizeof(words) - 1)];
		}
		text[length] = 0;
		err = key_parse(&key, text, why);
		cr_assert(err ? why[0] : key.nr_reads <= GEMBA_KEY_MAX_READS, "%s", text);
	}
}
