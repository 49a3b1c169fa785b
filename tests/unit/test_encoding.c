/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_encoding.c - the whitelist of instructions, byte by byte
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/site/decode.h"
#include "src/site/encoding.h"

/* NULL when a probe may sit on these hexadecimal bytes. */
static const char *judge(const char *hex, enum site_class *class)
{
	uint8_t bytes[SITE_MAX_BYTES];
	unsigned int byte;
	size_t nr = 0;

	for (; sscanf(hex, " %2x", &byte) == 1; hex += strspn(hex, " ") + 2)
		bytes[nr++] = byte;
	return encoding_judge(bytes, nr, class);
}

static void assert_class(const char *hex, enum site_class wanted)
{
	enum site_class class;
	const char *why = judge(hex, &class);

	cr_assert_null(why, "%s %s", hex, why);
	cr_assert_eq(class, wanted, "%s is %s", hex, site_class_name(class));
}

static void assert_never(const char *hex, const char *part)
{
	enum site_class class;
	const char *why = judge(hex, &class);

	cr_assert(why, "%s is allowed", hex);
	cr_assert(strstr(why, part), "%s: '%s' lacks '%s'", hex, why, part);
}

Test(encoding, what_kernels_emulate_is_exactly_listed)
{
	assert_class("90", SITE_NOP);
	assert_class("66 90", SITE_NOP);
	assert_class("50", SITE_PUSH);
	assert_class("57", SITE_PUSH);
	assert_class("41 57", SITE_PUSH);
	assert_class("e8 01 02 03 04", SITE_CALL);
	assert_class("70 01", SITE_JUMP);
	assert_class("7f 01", SITE_JUMP);
	assert_class("0f 8f 01 02 03 04", SITE_JUMP);
	assert_class("e9 01 02 03 04", SITE_JUMP);
	assert_class("0f 1f 84 00 00 00 00 00", SITE_NOP_LONG);
}

Test(encoding, one_prefix_more_is_not_the_same)
{
	assert_never("f3 90", "no plain nop");
	assert_never("41 90", "no plain nop"); /* xchg r8d, eax */
	assert_never("49 90", "no plain nop");
	assert_never("66 e8 00 00", "branch with a prefix");
	assert_never("48 e8 00 00 00 00", "branch with a prefix");
	assert_never("f2 e9 00 00 00 00", "branch with a prefix");
	assert_never("3e 75 00", "segment");
	assert_never("66 55", "not among");
	assert_class("48 55", SITE_STEPPED);
}

Test(encoding, vex_evex_and_xop_are_never_probed)
{
	assert_never("c5 f9 eb c1", "VEX");
	assert_never("c5 f8 77", "VEX");
	assert_never("c4 e2 79 30 c1", "VEX");
	assert_never("62 f1 7d 08 eb c1", "EVEX");
	assert_never("66 c5 f9 eb c1", "VEX");
	assert_never("8f e9 78 e1 c1", "XOP");
	assert_never("8f 00", "XOP");
}

Test(encoding, nops_beyond_eight_bytes_are_never_probed)
{
	assert_never("66 0f 1f 84 00 00 00 00 00", "nop of more than 8");
	assert_never("66 2e 0f 1f 84 00 00 00 00 00", "nop of more than 8");
}

Test(encoding, prefixes_that_kernels_refuse_are_refused)
{
	assert_never("f0 ff 07", "lock");
	assert_never("64 48 8b 04 25 28 00 00 00", "segment");
	assert_never("2e 90", "segment");
	assert_never("67 8b 07", "address");
	assert_never("66 f2 0f 10 c0", "doubled");
}

Test(encoding, what_its_address_or_the_trap_flag_would_show_in_is_never_stepped)
{
	assert_never("9c", "trap flag");
	assert_never("9d", "trap flag");
	assert_never("0f 05", "rcx");
	assert_never("c7 f8 00 00 00 00", "transaction");
	assert_never("ff d0", "shadow stack");
	assert_never("ff 15 00 00 00 00", "shadow stack");
	assert_never("f3 a4", "string");
	assert_never("d9 e8", "x87");
	assert_never("8e d0", "segment register");
	assert_never("e2 00", "not emulate");
	assert_never("cc", "trap of its own");
	assert_never("0f 0b", "trap of its own");
	assert_never("f4", "privileged");
	assert_never("66 0f 38 00 c1", "three-byte");
	assert_never("f3 0f b8 c1", "not among");
}

Test(encoding, ordinary_instructions_are_stepped)
{
	assert_class("f3 0f 1e fa", SITE_STEPPED); /* endbr64 */
	assert_class("48 83 ec 08", SITE_STEPPED);
	assert_class("48 8b 05 00 00 00 00", SITE_STEPPED);
	assert_class("31 c0", SITE_STEPPED);
	assert_class("5d", SITE_STEPPED);
	assert_class("6a 07", SITE_STEPPED);
	assert_class("c3", SITE_STEPPED);
	assert_class("ff 25 00 00 00 00", SITE_STEPPED);
	assert_class("f2 48 0f 2a c0", SITE_STEPPED);
	assert_class("66 0f ef c0", SITE_STEPPED);
}

/* What no kernel may ever be given, in words of its own: any prefix, then these opcodes. */
static bool is_forbidden(const uint8_t *bytes, size_t nr)
{
	static const char prefixes[] = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3";
	size_t at = 0;

	while (at < nr && bytes[at] && strchr(prefixes, bytes[at])) {
		if (!strchr("\x66\xf2\xf3", bytes[at]))
			return true;
		at++;
	}
	if (at < nr && bytes[at] >> 4 == 4)
		at++;
	return at == nr ||
	       (bytes[at] && strchr("\x62\xc4\xc5\x8f\xcc\xcd\xf4\x9c\x9d", bytes[at])) ||
	       (bytes[at] == 0x90 && at && !(nr == 2 && bytes[0] == 0x66)) || nr > 11 + at;
}

static uint64_t seed = 20261122;

static uint8_t random_byte(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 56;
}

/* Random bytes, or a likely beginning with random bytes behind it. */
static void fill(uint8_t *bytes, size_t nr)
{
	static const char *const beginnings[] = {
		"\xf3\x0f\x1e\xfa", "\xc5\xf9", "\x62\xf1\x7c\x48", "\x41",
		"\x66\x90",	    "\xf3\x90", "\x48\x89\xf8",	    "\x66\x0f\x1f\x84",
		"\x31\xc0",	    "\xf0\xff", "\x64\x48\x8b",	    "\x55",
	};
	const char *beginning = beginnings[random_byte() % 12];

	for (size_t i = 0; i < nr; i++)
		bytes[i] = random_byte();
	if (random_byte() & 1)
		memcpy(bytes, beginning, strlen(beginning));
}

static bool is_boundary(struct decoder *decoder, const struct site_text *text, uint64_t offset)
{
	struct insn insn;
	uint64_t at = 0;

	while (at < offset && decoder_read(decoder, text, at, &insn))
		at += insn.site.nr_bytes;
	return at == offset;
}

Test(encoding, whatever_the_bytes_a_site_is_on_a_boundary_and_never_forbidden)
{
	static const uint64_t offsets[] = { SITE_ANY, 0, 1, 2, 3, 4, 7 };
	struct decoder *decoder;
	uint8_t bytes[96];
	size_t nr_sites = 0;

	cr_assert_eq(decoder_new(&decoder), 0);
	for (int i = 0; i < 60000; i++) {
		struct site_ask ask = { .text = { bytes, random_byte() % 97, 0 } };
		char why[SITE_WHY_BYTES] = "";
		struct site site;

		fill(bytes, sizeof(bytes));
		ask.size = random_byte() & 1 ? ask.text.nr_bytes : 0;
		ask.offset = offsets[random_byte() % 7];
		ask.keep = random_byte() & 1 ? 0 : random_byte();
		ask.rules = random_byte() & 1 ? &site_rules_hopeful : NULL;
		if (site_choose(&site, &ask, why)) {
			cr_assert(why[0]);
			continue;
		}
		nr_sites++;
		cr_assert_leq(site.offset + site.nr_bytes, ask.text.nr_bytes);
		cr_assert(!memcmp(site.bytes, bytes + site.offset, site.nr_bytes));
		cr_assert(is_boundary(decoder, &ask.text, site.offset));
		cr_assert(!is_forbidden(site.bytes, site.nr_bytes), "%s", site.text);
	}
	decoder_free(decoder);
	cr_assert_gt(nr_sites, 10000, "only %zu", nr_sites);
}
