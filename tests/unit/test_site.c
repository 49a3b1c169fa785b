/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_site.c - where in a function a probe may sit
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/site/site.h"

struct given {
	uint8_t bytes[256];
	size_t nr_bytes;
	struct site_ask ask;
	char why[SITE_WHY_BYTES];
};

/* A function of hexadecimal bytes, of known size, whose site is free. */
static void function(struct given *self, const char *hex)
{
	unsigned int byte;

	memset(self, 0, sizeof(*self));
	for (; sscanf(hex, " %2x", &byte) == 1; hex += strspn(hex, " ") + 2)
		self->bytes[self->nr_bytes++] = byte;
	self->ask.text = (struct site_text){ self->bytes, self->nr_bytes, 0x401000 };
	self->ask.size = self->nr_bytes;
	self->ask.offset = SITE_ANY;
}

static void assert_site(struct given *self, uint64_t offset, const char *class)
{
	struct site site;

	cr_assert_eq(site_choose(&site, &self->ask, self->why), 0, "%s", self->why);
	cr_assert_eq(site.offset, offset, "+%lu %s", site.offset, site.text);
	cr_assert_str_eq(site_class_name(site.class), class);
	cr_assert(!memcmp(site.bytes, self->bytes + offset, site.nr_bytes));
}

static void assert_refused(struct given *self, int err, const char *part)
{
	struct site site = { .offset = 77 };

	cr_assert_eq(site_choose(&site, &self->ask, self->why), err, "%s", site.text);
	cr_assert_eq(site.offset, 77, "the result was touched");
	cr_assert(strstr(self->why, part), "'%s' lacks '%s'", self->why, part);
}

static void assert_first(const char *hex, uint64_t offset, const char *class)
{
	struct given given;

	function(&given, hex);
	assert_site(&given, offset, class);
}

Test(site, a_cheap_first_instruction_is_taken)
{
	assert_first("55 c3", 0, "push");
	assert_first("41 57 c3", 0, "push");
	assert_first("90 c3", 0, "nop");
	assert_first("66 90 c3", 0, "nop");
	assert_first("e8 00 00 00 00 c3", 0, "call");
	assert_first("eb 00 c3", 0, "jump");
	assert_first("0f 84 00 00 00 00 c3", 0, "jump");
}

Test(site, a_cheap_instruction_further_on_in_the_entry_block_is_taken)
{
	assert_first("f3 0f 1e fa 55 c3", 4, "push");
	assert_first("48 85 ff 74 01 c3 c3", 3, "jump");
	assert_first("48 83 ec 08 e8 00 00 00 00 c3", 4, "call");
}

Test(site, the_entry_block_ends_with_its_first_transfer)
{
	assert_first("31 c0 c3 55 c3", 0, "single-stepped");
	assert_first("31 c0 ff d0 55 c3", 0, "single-stepped");
}

Test(site, without_a_cheap_one_the_first_safe_instruction_is_stepped)
{
	assert_first("c5 f9 eb c1 31 c0 c3", 4, "single-stepped");
	assert_first("48 83 ec 08 c3", 0, "single-stepped");
	assert_first("c3", 0, "single-stepped");
}

Test(site, a_vex_prefix_is_refused_with_its_reason)
{
	struct given given;

	function(&given, "c5 f9 eb c1");
	assert_refused(&given, -ENOTSUP, "begins with 'vpor xmm0, xmm0, xmm1', which has a VEX");
}

Test(site, a_jump_into_the_entry_block_ends_what_is_hit_once_a_call)
{
	/* mov eax, edi; L: sub eax, 1; push rbx; pop rbx; jne L */
	assert_first("89 f8 83 e8 01 53 5b 75 f9 c3", 0, "single-stepped");
	/* the same, landing behind the push */
	assert_first("89 f8 53 83 e8 01 75 fb 5b c3", 2, "push");
	/* landing on the entry is another call */
	assert_first("89 f8 53 5b 75 fa c3", 2, "push");
}

Test(site, a_jump_from_a_cold_part_counts_as_well)
{
	uint8_t section[64] = { 0 };
	struct given given;

	function(&given, "89 f8 83 e8 01 53 5b c3");
	assert_site(&given, 5, "push");
	section[32] = 0xe9; /* 32 bytes behind the entry, back to +2 */
	memcpy(section + 33, &(int32_t){ 2 - (32 + 5) }, 4);
	given.ask.around = (struct site_text){ section, sizeof(section), 0x401000 };
	assert_site(&given, 0, "single-stepped");
	given.ask.around.vaddr -= 7; /* now it leads elsewhere */
	assert_site(&given, 5, "push");
}

Test(site, a_short_jump_from_a_neighbour_counts_as_well)
{
	uint8_t section[64] = { [20] = 0x74, [21] = 10 + 2 }; /* leads to 34 */
	struct given given;

	function(&given, "89 f8 83 e8 01 53 5b c3");
	memcpy(section + 32, given.bytes, given.nr_bytes);
	given.ask.around = (struct site_text){ section, sizeof(section), 0x401000 - 32 };
	assert_site(&given, 0, "single-stepped");
	section[21] = 10; /* leads to the entry */
	assert_site(&given, 5, "push");
}

/* Where the function before begins, its bytes are instructions and no jumps of their middle. */
Test(site, bytes_of_a_decoded_neighbour_are_no_jumps)
{
	/* mov eax, 0x90900c74; ret; nops up to the entry */
	uint8_t section[64] = { [19] = 0xb8, [20] = 0x74, [21] = 10 + 2, [22] = 0x90, [23] = 0x90,
				[24] = 0xc3, [25] = 0x90, [26] = 0x90,	 [27] = 0x90, [28] = 0x90,
				[29] = 0x90, [30] = 0x90, [31] = 0x90 };
	struct given given;

	function(&given, "89 f8 83 e8 01 53 5b c3");
	memcpy(section + 32, given.bytes, given.nr_bytes);
	given.ask.around = (struct site_text){ section, sizeof(section), 0x401000 - 32 };
	assert_site(&given, 0, "single-stepped");
	given.ask.before = 0x401000 - 32 + 19;
	assert_site(&given, 5, "push");
	given.ask.before++; /* a true jump */
	assert_site(&given, 0, "single-stepped");
	section[31] = 0xb8; /* it does not lead to the entry */
	given.ask.before--;
	assert_site(&given, 0, "single-stepped");
}

Test(site, with_unknown_jumps_only_the_prologue_is_trusted)
{
	/* jmp rax: up to the last first push of a callee-saved register */
	assert_first("f3 0f 1e fa 55 89 f8 74 00 ff e0", 4, "push");
	assert_first("f3 0f 1e fa 89 f8 74 00 ff e0", 0, "single-stepped");
	/* push rdi saves nothing */
	assert_first("f3 0f 1e fa 57 74 00 ff e0", 0, "single-stepped");
	/* through the image: leaves the function */
	assert_first("f3 0f 1e fa 74 00 ff 25 00 00 00 00", 4, "jump");
	/* what cannot be decoded may be a jump, too */
	assert_first("f3 0f 1e fa 74 00 06 06", 0, "single-stepped");
}

Test(site, a_function_of_unknown_size_is_trusted_as_far_as_its_prologue)
{
	struct given given;

	function(&given, "f3 0f 1e fa 41 54 74 00 c3");
	given.ask.size = 0;
	assert_site(&given, 4, "push");
	function(&given, "f3 0f 1e fa 74 00 c3");
	given.ask.size = 0;
	assert_site(&given, 0, "single-stepped");
}

Test(site, what_the_key_needs_is_intact_at_the_site)
{
	struct given given;

	/* mov rbp, rdi; mov edi, 1; push rbx */
	function(&given, "48 89 fd bf 01 00 00 00 53 c3");
	assert_site(&given, 8, "push");
	given.ask.keep = 1;
	assert_site(&given, 0, "single-stepped");
	given.ask.keep = 2;
	assert_site(&given, 8, "push");
	/* xchg rsi, rax writes its second operand; mul writes rdx */
	function(&given, "48 96 53 c3");
	given.ask.keep = 2;
	assert_site(&given, 0, "single-stepped");
	function(&given, "48 f7 e1 53 c3");
	given.ask.keep = 4;
	assert_site(&given, 0, "single-stepped");
}

Test(site, a_site_on_a_call_has_the_registers_of_before_the_call)
{
	struct given given;

	function(&given, "31 c0 e8 00 00 00 00 c3");
	given.ask.keep = SITE_KEEP_ARGS | SITE_KEEP_STACK | SITE_KEEP_MEMORY;
	assert_site(&given, 2, "call");
}

Test(site, stack_and_memory_are_kept_when_asked)
{
	struct given given;

	function(&given, "48 83 ec 08 53 c3");
	given.ask.keep = SITE_KEEP_STACK;
	assert_site(&given, 0, "single-stepped");
	function(&given, "48 89 37 53 c3"); /* mov [rdi], rsi */
	given.ask.keep = SITE_KEEP_MEMORY;
	assert_site(&given, 0, "single-stepped");
}

Test(site, long_nops_are_cheap_only_where_the_kernel_was_seen_to_emulate_them)
{
	struct site_rules rules = { 0 };
	struct given given;

	function(&given, "0f 1f 44 00 00 c3");
	assert_site(&given, 0, "single-stepped");
	given.ask.rules = &rules;
	rules.long_nops = 1 << 5;
	assert_site(&given, 0, "nop-long");
	/* behind the entry it would overwrite the red zone */
	function(&given, "31 c0 0f 1f 44 00 00 c3");
	given.ask.rules = &rules;
	assert_site(&given, 0, "single-stepped");
	rules.long_nops_clean = 1 << 5;
	assert_site(&given, 2, "nop-long");
}

Test(site, an_encoding_that_failed_its_trial_is_passed_over)
{
	struct site_rules rules = site_rules_hopeful;
	struct given given;
	struct site site;

	function(&given, "55 48 89 e5 53 c3");
	given.ask.rules = &rules;
	assert_site(&given, 0, "push");
	cr_assert_eq(site_choose(&site, &given.ask, given.why), 0);
	cr_assert_eq(site_refuse(&rules, &(struct site_encoding){ { 0x55 }, 1 }), 0);
	assert_site(&given, 4, "push");
	cr_assert_eq(site_refuse(&rules, &(struct site_encoding){ { 0x53 }, 1 }), 0);
	assert_site(&given, 1, "single-stepped");
}

Test(site, a_call_is_passed_over_under_a_shadow_stack)
{
	const struct site_rules rules = { .has_shadow_stack = true };
	struct given given;

	function(&given, "31 c0 e8 00 00 00 00 c3");
	assert_site(&given, 2, "call");
	given.ask.rules = &rules;
	assert_site(&given, 0, "single-stepped");
}

Test(site, displacements_do_not_make_an_encoding)
{
	struct site a = { .class = SITE_JUMP, .nr_bytes = 2, .bytes = { 0x75, 1 } }, b = a;
	struct site_encoding x = site_encoding_of(&a), y;

	b.bytes[1] = 9;
	y = site_encoding_of(&b);
	cr_assert(site_encoding_equal(&x, &y));
	b.bytes[0] = 0x74;
	y = site_encoding_of(&b);
	cr_assert(!site_encoding_equal(&x, &y));
}

Test(site, a_given_offset_must_be_an_instruction_of_the_function)
{
	struct given given;

	function(&given, "48 83 ec 08 53 c3");
	given.ask.offset = 4;
	assert_site(&given, 4, "push");
	given.ask.offset = 2;
	assert_refused(&given, -EINVAL, "+2 is not the start of an instruction");
	given.ask.offset = 6;
	assert_refused(&given, -EINVAL, "+6");
}

Test(site, a_given_offset_may_be_behind_the_entry_block_but_never_unsafe)
{
	struct given given;

	function(&given, "74 02 31 c0 53 c5 f9 eb c1 5b c3");
	given.ask.offset = 4;
	assert_site(&given, 4, "push");
	given.ask.keep = 1;
	assert_refused(&given, -ENOTSUP, "overwritten, or perhaps so");
	given.ask.keep = 0;
	given.ask.offset = 5;
	assert_refused(&given, -ENOTSUP, "'vpor xmm0, xmm0, xmm1' at +5 has a VEX prefix");
}

Test(site, an_empty_or_unreadable_function_is_refused)
{
	struct given given;

	function(&given, "06");
	assert_refused(&given, -ENOTSUP, "cannot be decoded");
	function(&given, "");
	assert_refused(&given, -ENOTSUP, "cannot be decoded");
}
