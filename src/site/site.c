// SPDX-License-Identifier: BSD-2-Clause
/*
 * site.c - names of classes, and encodings as the kernel tells them apart
 *
 * An encoding is what the kernel's treatment depends on: the opcode of a direct branch, whose
 * displacement is but a number to it, and all the bytes of everything else.
 */
#include "src/site/site.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
	[SITE_NOP] = "nop",   [SITE_PUSH] = "push",	    [SITE_CALL] = "call",
	[SITE_JUMP] = "jump", [SITE_NOP_LONG] = "nop-long", [SITE_STEPPED] = "single-stepped",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == NR_SITE_CLASSES, "a class has no name");

const struct site_rules site_rules_hopeful = { .long_nops = 0x1f8, .long_nops_clean = 0x1f8 };

const char *site_class_name(enum site_class class)
{
	return names[class];
}

bool site_is_cheap(const struct site *site)
{
	return site->class != SITE_STEPPED;
}

struct site_encoding site_encoding_of(const struct site *site)
{
	struct site_encoding encoding = { .nr_bytes = site->nr_bytes };

	if (site->class == SITE_CALL || site->class == SITE_JUMP)
		encoding.nr_bytes = site->bytes[0] == 0x0f ? 2 : 1;
	memcpy(encoding.bytes, site->bytes, encoding.nr_bytes);
	return encoding;
}

bool site_encoding_equal(const struct site_encoding *a, const struct site_encoding *b)
{
	return a->nr_bytes == b->nr_bytes && !memcmp(a->bytes, b->bytes, a->nr_bytes);
}

int site_refuse(struct site_rules *rules, const struct site_encoding *encoding)
{
	if (rules->nr_refused == SITE_MAX_REFUSED)
		return -ENOSPC;
	rules->refused[rules->nr_refused++] = *encoding;
	return 0;
}
