// SPDX-License-Identifier: BSD-2-Clause
/*
 * choose.c - the entry block of a function in, the site for its probe out
 *
 * One hit must be one call, and the key's registers must still be there. So the site lies in the
 * straight line from the entry to the first control transfer, before anything that a jump of the
 * function leads to. Where a jump's target is unknown (an indirect jump, code that cannot be
 * decoded, a function of unknown size), only the prologue is trusted: up to the last push that
 * saves a callee-saved register for the first time. A jump back before such a push would deepen
 * the stack with each turn, and no compiler makes one.
 */
#include "src/site/site.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "src/site/decode.h"
#include "src/site/encoding.h"
#include "src/site/landing.h"

enum { BLOCK_INSNS = 48, UNKNOWN_SIZE_BYTES = 64 };

struct block {
	struct insn insns[BLOCK_INSNS];
	size_t nr;
	uint64_t end; /* offset behind the last */
};

static const struct site_rules untried;

static void read_block(struct block *self, struct decoder *decoder, const struct site_text *text)
{
	struct insn *insn = self->insns;

	while (self->nr < BLOCK_INSNS && decoder_read(decoder, text, self->end, insn)) {
		self->end += insn->site.nr_bytes;
		self->nr++;
		if (insn++->flow != FLOW_NEXT)
			return;
	}
}

/* Instructions up to the last that saves a register which was not saved before. */
static size_t prologue_length(const struct block *self)
{
	uint32_t saved = 0;
	size_t nr = 0;

	for (size_t i = 0; i < self->nr; i++) {
		const struct site *site = &self->insns[i].site;
		int reg = encoding_saved_register(site->bytes, site->nr_bytes);

		if (reg < 0 || (saved >> reg & 1))
			continue;
		saved |= 1u << reg;
		nr = i + 1;
	}
	return nr;
}

/* How many instructions from the entry on are run exactly once a call; at least the first. */
static size_t once_a_call(const struct block *self, const struct landing *landing)
{
	size_t most = landing->is_unsure ? prologue_length(self) : self->nr;
	size_t nr = 0;

	while (nr < most && self->insns[nr].site.offset < landing->first)
		nr++;
	return nr ?: self->nr > 0;
}

static bool is_refused(const struct site_rules *rules, const struct site *site)
{
	struct site_encoding encoding = site_encoding_of(site);

	for (size_t i = 0; i < rules->nr_refused; i++)
		if (site_encoding_equal(&rules->refused[i], &encoding))
			return true;
	return false;
}

/* NULL when a probe may sit on it, or why not; settles the class by what the kernel does. */
static const char *settle(struct insn *insn, const struct site_rules *rules)
{
	struct site *site = &insn->site;

	if (insn->refused)
		return insn->refused;
	if (is_refused(rules, site))
		return "failed the trial on this kernel";
	if (site->class == SITE_CALL && rules->has_shadow_stack)
		return "would be missing on the target's shadow stack";
	if (site->class != SITE_NOP_LONG)
		return NULL;
	if (site->offset && !(rules->long_nops_clean >> site->nr_bytes & 1))
		return "may be turned into a call that overwrites the red zone";
	if (!(rules->long_nops >> site->nr_bytes & 1))
		site->class = SITE_STEPPED;
	return NULL;
}

/* The first site of the kind that is wanted among insns[0..nr), or NULL. */
static const struct site *find(struct block *self, size_t nr, const struct site_ask *ask,
			       bool is_cheap)
{
	uint32_t written = 0;

	for (size_t i = 0; i < nr && !(written & ask->keep); i++) {
		struct insn *insn = &self->insns[i];

		if (!settle(insn, ask->rules) && site_is_cheap(&insn->site) == is_cheap)
			return &insn->site;
		written |= insn->writes;
	}
	return NULL;
}

static int explain(struct block *block, size_t nr, const struct site_ask *ask, char *why)
{
	const char *clause;

	if (!block->nr) {
		snprintf(why, SITE_WHY_BYTES, "its first instruction cannot be decoded");
		return -ENOTSUP;
	}
	clause = settle(&block->insns[0], ask->rules);
	snprintf(why, SITE_WHY_BYTES, "it begins with '%s', which %s%s", block->insns[0].site.text,
		 clause, nr > 1 ? ", and nothing behind it will do" : "");
	return -ENOTSUP;
}

static int choose_in_block(struct site *out, struct decoder *decoder, const struct site_ask *ask,
			   char *why)
{
	const struct site *site;
	struct landing landing;
	struct block block = { .nr = 0 };
	size_t nr = 1;

	read_block(&block, decoder, &ask->text);
	/* No jump lands before the entry: where that is cheap, nobody else need be asked. */
	site = block.nr ? find(&block, nr, ask, true) : NULL;
	if (!site) {
		landing = landing_find(decoder, ask, block.end);
		nr = once_a_call(&block, &landing);
		site = find(&block, nr, ask, true) ?: find(&block, nr, ask, false);
	}
	if (!site)
		return explain(&block, nr, ask, why);
	*out = *site;
	return 0;
}

/* What the straight line up to the offset has overwritten; all if there is no straight line. */
static uint32_t written_before(struct decoder *decoder, const struct site_ask *ask)
{
	struct landing landing;
	struct block block = { .nr = 0 };
	uint32_t written = 0;
	size_t nr;

	read_block(&block, decoder, &ask->text);
	landing = landing_find(decoder, ask, block.end);
	nr = once_a_call(&block, &landing);
	for (size_t i = 0; i < nr; i++) {
		if (block.insns[i].site.offset == ask->offset)
			return written;
		written |= block.insns[i].writes;
	}
	return UINT32_MAX;
}

static bool seek(struct decoder *decoder, const struct site_ask *ask, struct insn *insn)
{
	uint64_t at = 0;

	while (decoder_read(decoder, &ask->text, at, insn) && at < ask->offset)
		at += insn->site.nr_bytes;
	return at == ask->offset && decoder_read(decoder, &ask->text, at, insn);
}

static int take_given(struct site *out, struct decoder *decoder, const struct site_ask *ask,
		      char *why)
{
	const char *clause;
	struct insn insn;

	if (!seek(decoder, ask, &insn)) {
		snprintf(why, SITE_WHY_BYTES,
			 "+%" PRIu64 " is not the start of an instruction of this function",
			 ask->offset);
		return -EINVAL;
	}
	clause = settle(&insn, ask->rules);
	if (!clause && (written_before(decoder, ask) & ask->keep))
		clause = "is reached with the key's arguments overwritten, or perhaps so";
	if (clause) {
		snprintf(why, SITE_WHY_BYTES, "'%s' at +%" PRIu64 " %s", insn.site.text,
			 ask->offset, clause);
		return -ENOTSUP;
	}
	*out = insn.site;
	return 0;
}

/* The function's bytes only, or the first that may be taken for them, up to a return. */
static void trim(struct site_ask *ask, struct decoder *decoder)
{
	uint64_t most = ask->size ?: UNKNOWN_SIZE_BYTES, at = 0;
	struct insn insn;

	if (!ask->size && ask->offset != SITE_ANY)
		return;
	if (ask->text.nr_bytes > most)
		ask->text.nr_bytes = most;
	if (ask->size)
		return;
	while (decoder_read(decoder, &ask->text, at, &insn)) {
		at += insn.site.nr_bytes;
		if (insn.flow == FLOW_END)
			ask->text.nr_bytes = at;
	}
}

int site_choose(struct site *out, const struct site_ask *ask, char *why)
{
	struct site_ask own = *ask;
	struct decoder *decoder;
	int err = decoder_new(&decoder);

	if (err)
		return err;
	if (!own.rules)
		own.rules = &untried;
	trim(&own, decoder);
	if (own.offset == SITE_ANY)
		err = choose_in_block(out, decoder, &own, why);
	else
		err = take_given(out, decoder, &own, why);
	decoder_free(decoder);
	return err;
}
