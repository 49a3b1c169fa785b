// SPDX-License-Identifier: BSD-2-Clause
/*
 * trials.c - each encoding is tried once, and the rules for choosing follow from it
 */
#include "src/attach/trials.h"

#include <string.h>

#include "src/util/log.h"

void trials_init(struct trials *self)
{
	memset(self, 0, sizeof(*self));
	self->rules = site_rules_hopeful;
}

int trials_choose(const struct trials *self, const struct place *place, struct site_text around,
		  uint32_t keep, struct site *out, char *why)
{
	const struct site_ask ask = {
		.text = { place->text, place->text_bytes, place->vaddr },
		.size = place->size,
		.before = place->before,
		.offset = place->offset ? place->offset : SITE_ANY,
		.rules = &self->rules,
		.around = around,
		.keep = keep,
	};

	return site_choose(out, &ask, why);
}

const struct proof *trials_of(const struct trials *self, const struct site *site)
{
	struct site_encoding encoding = site_encoding_of(site);

	for (size_t i = 0; i < self->nr; i++)
		if (site_encoding_equal(&self->proofs[i].encoding, &encoding))
			return &self->proofs[i];
	return NULL;
}

void trials_want(struct trials *self, const struct site *site)
{
	struct site_encoding encoding = site_encoding_of(site), other;

	if (trials_of(self, site) || self->nr_wanted == TRIALS_AT_ONCE ||
	    self->nr + self->nr_wanted == TRIALS_MAX)
		return;
	for (size_t i = 0; i < self->nr_wanted; i++) {
		other = site_encoding_of(&self->wanted[i]);
		if (site_encoding_equal(&encoding, &other))
			return;
	}
	self->wanted[self->nr_wanted++] = *site;
}

int trials_run(struct trials *self, const struct proof_opts *opts, char *why)
{
	struct proof *proofs = &self->proofs[self->nr];
	size_t nr = self->nr_wanted;
	int err = nr ? proof_run(proofs, self->wanted, nr, opts, why) : 0;

	if (err)
		return err;
	for (size_t i = 0; i < nr; i++)
		if (proofs[i].why[0])
			log_debug("trial of '%s': %s", self->wanted[i].text, proofs[i].why);
	for (size_t i = 0; i < nr && !err; i++)
		err = proof_apply(&self->rules, &proofs[i], self->wanted[i].class);
	self->nr += nr;
	self->nr_wanted = 0;
	return err ? err : (int)nr;
}

uint32_t trials_cost_ns(const struct trials *self, const struct site *site)
{
	const struct proof *proof = trials_of(self, site);

	if (!proof || proof->verdict != PROOF_PASSED)
		return 0;
	return (proof->prog_ns ? proof->prog_ns : proof->count_ns) + TRIALS_EMIT_NS;
}
