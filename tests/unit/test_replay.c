/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_replay.c - stand-ins for a trial keep the encoding; a trial's outcome changes the rules
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/attach/proof.h"
#include "src/site/replay.h"

enum { BRANCH = 64, DATA = 9088 };

static int plan(struct replay *replay, const char *hex)
{
	uint8_t bytes[SITE_MAX_BYTES];
	unsigned int byte;
	size_t nr = 0;

	for (; sscanf(hex, " %2x", &byte) == 1; hex += strspn(hex, " ") + 2)
		bytes[nr++] = byte;
	return replay_plan(replay, bytes, nr, BRANCH, DATA);
}

static void assert_bytes(const char *hex, const char *wanted, enum replay_kind kind)
{
	struct replay replay;
	char text[64] = "";

	cr_assert_eq(plan(&replay, hex), 0, "%s", hex);
	for (int i = 0; i < replay.nr_bytes; i++)
		sprintf(text + 3 * i, "%02x ", replay.bytes[i]);
	cr_assert_str_eq(text, wanted);
	cr_assert_eq(replay.kind, kind);
}

Test(replay, branches_get_a_displacement_that_is_there)
{
	assert_bytes("75 f0", "75 3e ", REPLAY_BRANCH);
	assert_bytes("e8 01 02 03 04", "e8 3b 00 00 00 ", REPLAY_BRANCH);
	assert_bytes("0f 84 01 02 03 04", "0f 84 3a 00 00 00 ", REPLAY_BRANCH);
}

Test(replay, relative_operands_get_data_that_is_there_and_keep_their_immediate)
{
	assert_bytes("48 8b 05 01 02 03 04", "48 8b 05 79 23 00 00 ", REPLAY_PLAIN);
	assert_bytes("c7 05 01 02 03 04 07 00 00 00", "c7 05 76 23 00 00 07 00 00 00 ",
		     REPLAY_PLAIN);
	assert_bytes("ff 25 01 02 03 04", "ff 25 7a 23 00 00 ", REPLAY_POINTER);
}

Test(replay, everything_else_stays_as_it_is)
{
	assert_bytes("55", "55 ", REPLAY_PLAIN);
	assert_bytes("c3", "c3 ", REPLAY_RETURN);
	assert_bytes("ff e0", "ff e0 ", REPLAY_REGISTER);
	assert_bytes("0f 1f 44 00 00", "0f 1f 44 00 00 ", REPLAY_PLAIN);
	assert_bytes("48 8d 7f 10", "48 8d 7f 10 ", REPLAY_PLAIN);
}

Test(replay, memory_operands_are_told)
{
	struct replay replay;

	cr_assert_eq(plan(&replay, "89 44 ce f8"), 0); /* mov [rsi + 8*rcx - 8], eax */
	cr_assert(replay.has_memory && !replay.is_relative);
	cr_assert_eq(replay.base, 6);
	cr_assert_eq(replay.index, 1);
	cr_assert_eq(replay.scale, 8);
	cr_assert_eq(replay.displacement, -8);
}

Test(replay, a_fixed_address_cannot_be_replayed)
{
	struct replay replay;

	cr_assert_eq(plan(&replay, "8b 04 25 00 10 00 00"), -ENOTSUP);
	cr_assert_eq(plan(&replay, "06"), -ENOTSUP);
}

Test(proof, what_failed_is_refused_from_then_on)
{
	const struct proof failed = { .encoding = { { 0x41, 0x57 }, 2 }, .verdict = PROOF_FAILED };
	struct site_rules rules = { 0 };

	cr_assert_eq(proof_apply(&rules, &failed, SITE_PUSH), 0);
	cr_assert_eq(rules.nr_refused, 1);
	cr_assert(site_encoding_equal(&rules.refused[0], &failed.encoding));
	for (int i = 1; i < SITE_MAX_REFUSED; i++)
		cr_assert_eq(proof_apply(&rules, &failed, SITE_PUSH), 0);
	cr_assert_eq(proof_apply(&rules, &failed, SITE_PUSH), -ENOSPC);
}

Test(proof, a_long_nop_becomes_what_the_trial_found)
{
	struct site_rules rules = site_rules_hopeful;
	struct proof proof = { .encoding = { { 0x0f, 0x1f, 0x44 }, 5 },
			       .verdict = PROOF_PASSED,
			       .is_emulated = true,
			       .spoils_red_zone = true };

	cr_assert_eq(proof_apply(&rules, &proof, SITE_NOP_LONG), 0);
	cr_assert_eq(rules.long_nops, 0x1f8);
	cr_assert_eq(rules.long_nops_clean, 0x1f8 & ~(1 << 5));
	proof.is_emulated = proof.spoils_red_zone = false;
	cr_assert_eq(proof_apply(&rules, &proof, SITE_NOP_LONG), 0);
	cr_assert_eq(rules.long_nops, 0x1f8 & ~(1 << 5));
	cr_assert_eq(rules.long_nops_clean, 0x1f8);
	proof.verdict = PROOF_UNTRIED;
	cr_assert_eq(proof_apply(&rules, &proof, SITE_PUSH), 0);
	cr_assert_eq(rules.nr_refused, 0);
}
