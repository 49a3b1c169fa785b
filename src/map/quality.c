// SPDX-License-Identifier: BSD-2-Clause
/*
 * quality.c - complete and accurate: 1 - items with a defect / items that entered the step
 *
 * A datagram that was dropped never showed what route it would have taken; so that it counts
 * once, the largest family that waits in a socket carries it, and for the others nothing
 * could tell. Retransmits are known by item while it is open, see candidate_finish.c.
 */
#include "src/map/quality.h"

#include <math.h>
#include <string.h>

#include "src/map/figures.h"
#include "src/map/steps.h"

static struct step *socket_step(struct family *family)
{
	if (!family->is_udp || family->is_other)
		return NULL;
	for (size_t s = 0; s < family->nr_steps; s++)
		if (step_is_socket_wait(&family->steps[s]))
			return &family->steps[s];
	return NULL;
}

static void charge(struct step *step, uint64_t drops)
{
	step->drops = drops;
	step->complete_and_accurate_ratio = 1 - (double)drops / (double)(step->items + drops);
}

static void forget_retransmits(struct family *family)
{
	for (size_t s = 0; s < family->nr_steps; s++)
		family->steps[s].complete_and_accurate_ratio = NAN;
}

static struct step *stream_tx_step(struct family *family)
{
	if (family->is_udp || family->is_other || !family->nr_steps ||
	    strcmp(family->steps[family->nr_steps - 1].to, "tx"))
		return NULL;
	return &family->steps[family->nr_steps - 1];
}

/*
 * TCP sends again a round trip later or more, when most items are finished: those retransmits
 * are no item's. One family that sends by TCP carries them, of several nothing could tell whose.
 */
static void charge_late_retransmits(struct vsm *vsm)
{
	uint64_t late = vsm->account.retransmits;
	struct step *only = NULL;
	unsigned int nr = 0;

	for (size_t i = 0; i < vsm->nr_families; i++) {
		struct step *step = stream_tx_step(&vsm->families[i]);

		if (!step)
			continue;
		nr++;
		only = step;
		late -= step->retransmits < late ? step->retransmits : late;
	}
	if (!late || !nr)
		return;
	for (size_t i = 0; nr > 1 && i < vsm->nr_families; i++) {
		struct step *step = stream_tx_step(&vsm->families[i]);

		if (step)
			step->complete_and_accurate_ratio = NAN;
	}
	if (nr > 1)
		return;
	only->retransmits += late;
	only->complete_and_accurate_ratio -= (double)late / (double)only->items;
	if (only->complete_and_accurate_ratio < 0)
		only->complete_and_accurate_ratio = 0;
}

unsigned int quality_charge(struct vsm *vsm, const struct pairs *missing, uint64_t drops)
{
	bool is_told = !pairs_get(missing, "drops (udp)");
	unsigned int nr = 0;

	for (size_t i = 0; i < vsm->nr_families; i++) {
		struct step *step = socket_step(&vsm->families[i]);

		if (pairs_get(missing, "retransmits"))
			forget_retransmits(&vsm->families[i]);
		if (step && is_told && (nr == 0 || drops == 0))
			charge(step, drops);
		nr += step != NULL;
	}
	if (!pairs_get(missing, "retransmits"))
		charge_late_retransmits(vsm);
	for (size_t i = 0; i < vsm->nr_families; i++)
		family_roll(&vsm->families[i]);
	return nr;
}
