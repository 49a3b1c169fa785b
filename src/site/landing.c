// SPDX-License-Identifier: BSD-2-Clause
/*
 * landing.c - finds the lowest jump target inside the entry block
 *
 * A jump that lands between the entry and the probe makes a loop of it: more hits than calls.
 * So every direct jump of the function is looked at, and whatever cannot be decoded is read at
 * each of its bytes as if a jump began there: too many jumps are found that way, never too few.
 * Data between instructions can lead decoding astray, and compilers put a function's cold part
 * elsewhere, from where it jumps back: so jumps with four displacement bytes are looked for at
 * each byte of the function and of the section around, short ones in the neighbours, for
 * hand-written functions share their code. Indirect jumps, and code of unknown end, leave it
 * unsure: choose.c then trusts only the prologue.
 */
#include "src/site/landing.h"

#include <string.h>

#include "src/site/encoding.h"

enum { SHORT_REACH = 130, BEFORE_BYTES = 16384 };

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

/*
 * Jumps and calls with four displacement bytes, beginning anywhere in `text`. The displacement is
 * looked at first: next to none leads here, whereas opcodes are everywhere. Offsets wrap on
 * purpose: what lies before the entry has one near 2^64.
 */
static void scan_long(struct landing *self, const struct site_text *text, uint64_t entry,
		      uint64_t end)
{
	const uint8_t *bytes = text->bytes;
	uint64_t offset = text->vaddr - entry;
	int32_t displacement;

	for (size_t i = 1; i + 4 <= text->nr_bytes; i++) {
		memcpy(&displacement, bytes + i, sizeof(displacement));
		if (offset + i + 4 + displacement - 1 >= end - 1)
			continue;
		if ((bytes[i - 1] & 0xfe) == 0xe8 ||
		    (i > 1 && bytes[i - 2] == 0x0f && (bytes[i - 1] & 0xf0) == 0x80))
			note(self, offset + i, 4 + displacement, end);
	}
}

/* Those of the function before, decoded; false: that does not lead to the entry, all is open. */
static bool scan_before(struct landing *self, struct decoder *decoder, const struct site_ask *ask,
			uint64_t entry, uint64_t end)
{
	const struct site_text *around = &ask->around;
	uint64_t at = ask->before - around->vaddr;
	struct landing found = *self;
	struct insn insn;
	int64_t to;

	if (ask->before < around->vaddr || at >= entry || entry - at > BEFORE_BYTES)
		return false;
	for (; at < entry && decoder_read(decoder, around, at, &insn); at += insn.site.nr_bytes)
		if (encoding_branch(insn.site.bytes, insn.site.nr_bytes, &to))
			note(&found, at - entry, to, end);
	if (at != entry)
		return false;
	*self = found;
	return true;
}

/* Short ones from the neighbours: behind, decoded from where the function ends; before, where
 * no boundary is known, at each byte. */
static void scan_short(struct landing *self, struct decoder *decoder, const struct site_ask *ask,
		       uint64_t end)
{
	const struct site_text *around = &ask->around;
	uint64_t entry = ask->text.vaddr - around->vaddr, at = entry + ask->text.nr_bytes;
	uint64_t from = entry < SHORT_REACH ? 0 : entry - SHORT_REACH;
	struct insn insn;
	int64_t to;

	if (ask->text.vaddr < around->vaddr || entry > around->nr_bytes)
		return;
	if (scan_before(self, decoder, ask, entry, end))
		from = entry;
	for (; from < entry; from++)
		if (encoding_branch(around->bytes + from, around->nr_bytes - from, &to))
			note(self, from - entry, to, end);
	for (; at < entry + end + SHORT_REACH && decoder_read(decoder, around, at, &insn);
	     at += insn.site.nr_bytes)
		if (encoding_branch(insn.site.bytes, insn.site.nr_bytes, &to))
			note(self, at - entry, to, end);
}

struct landing landing_find(struct decoder *decoder, const struct site_ask *ask, uint64_t end)
{
	struct landing self = { .first = SITE_ANY };

	self.is_unsure = !ask->size || ask->size > ask->text.nr_bytes;
	scan_function(&self, decoder, &ask->text, end);
	scan_long(&self, &ask->text, ask->text.vaddr, end);
	scan_long(&self, &ask->around, ask->text.vaddr, end);
	scan_short(&self, decoder, ask, end);
	return self;
}
