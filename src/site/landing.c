// SPDX-License-Identifier: BSD-2-Clause
/*
 * landing.c - finds the lowest jump target inside the entry block
 *
 * A jump that lands between the entry and the probe makes a loop of it: more hits than calls.
 * So every direct jump of the function is looked at, and whatever cannot be decoded is read at
 * each of its bytes as if a jump began there: too many jumps are found that way, never too few.
 * Data between instructions can lead decoding astray, and compilers put a function's cold part
 * elsewhere, from where it jumps back: so jumps with four displacement bytes are looked for at
 * each byte of the function and of the section around. Indirect jumps, and code of unknown end,
 * leave it unsure: choose.c then trusts only the prologue.
 */
#include "src/site/landing.h"

#include "src/site/encoding.h"

static void note(struct landing *self, uint64_t from, int64_t to, uint64_t end)
{
	uint64_t offset = from + (uint64_t)to;

	if (offset && offset < end && offset < self->first)
		self->first = offset;
}

/* Jumps beginning at each byte of [from, before). */
static void scan_every_byte(struct landing *self, const struct site_text *text, uint64_t from,
			    uint64_t before, uint64_t end)
{
	int64_t to;

	for (; from < before; from++)
		if (encoding_branch(text->bytes + from, text->nr_bytes - from, &to))
			note(self, from, to, end);
}

static void scan_function(struct landing *self, struct decoder *decoder,
			  const struct site_text *text, uint64_t end)
{
	struct insn insn;
	uint64_t at = 0;
	int64_t to;

	for (; decoder_read(decoder, text, at, &insn); at += insn.site.nr_bytes) {
		if (insn.flow == FLOW_INDIRECT)
			self->is_unsure = true;
		if (encoding_branch(insn.site.bytes, insn.site.nr_bytes, &to))
			note(self, at, to, end);
		else if (insn.flow == FLOW_JUMP || insn.flow == FLOW_CALL)
			scan_every_byte(self, text, at, at + insn.site.nr_bytes, end);
	}
	if (at < text->nr_bytes) {
		self->is_unsure = true;
		scan_every_byte(self, text, at, text->nr_bytes, end);
	}
}

/* Offsets wrap on purpose: what lies before the function has one near 2^64. */
static void scan_around(struct landing *self, const struct site_text *around, uint64_t entry,
			uint64_t end)
{
	const uint8_t *bytes = around->bytes;
	int64_t to;

	for (size_t i = 0; i + 5 <= around->nr_bytes; i++) {
		if ((bytes[i] & 0xfe) != 0xe8 && bytes[i] != 0x0f)
			continue;
		if (encoding_branch(bytes + i, around->nr_bytes - i, &to))
			note(self, around->vaddr + i - entry, to, end);
	}
}

struct landing landing_find(struct decoder *decoder, const struct site_ask *ask, uint64_t end)
{
	struct landing self = { .first = SITE_ANY };

	self.is_unsure = !ask->size || ask->size > ask->text.nr_bytes;
	scan_function(&self, decoder, &ask->text, end);
	scan_around(&self, &ask->text, ask->text.vaddr, end);
	scan_around(&self, &ask->around, ask->text.vaddr, end);
	return self;
}
