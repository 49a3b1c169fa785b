// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_quality.c - how far the figures can be believed: no map is without these lines
 */
#include <math.h>

#include <string.h>

#include "src/render/figure.h"
#include "src/render/text.h"

static void put_events(struct flow *flow, const struct account *account)
{
	flow_begin(flow, "events");
	flow_add(flow, STYLE_PLAIN, "%s seen", figure_count(account->events).s);
	flow_add(flow, account->lost ? STYLE_BAD : STYLE_PLAIN, "%s lost",
		 figure_count(account->lost).s);
	flow_add(flow, account->late ? STYLE_WARN : STYLE_PLAIN, "%s late",
		 figure_count(account->late).s);
	if (account->switches_unseen)
		flow_add(flow, STYLE_PLAIN, "%s switch%s unseen",
			 figure_count(account->switches_unseen).s,
			 account->switches_unseen == 1 ? "" : "es");
	flow_end(flow);
}

struct term {
	const char *name;
	uint64_t items;
};

/* Terms that are 0 are left out; the first stays. */
static void add_terms(struct flow *flow, const struct term *terms, size_t nr, const char *sign)
{
	for (size_t i = 0; i < nr; i++)
		if (terms[i].items || !i)
			flow_add(flow, STYLE_PLAIN, "%s%s %s", i ? "+ " : sign,
				 figure_count(terms[i].items).s, terms[i].name);
}

static void put_balance(struct flow *flow, const struct account *account)
{
	const uint64_t *by_outcome = account->by_outcome;
	const struct term came[] = {
		{ "in", account->in },
		{ "originated", account->originated },
		{ "in flight", account->in_flight_start },
	};
	const struct term went[] = {
		{ "out", by_outcome[OUTCOME_OUT] },
		{ "ended", by_outcome[OUTCOME_ENDED] },
		{ "merged", by_outcome[OUTCOME_MERGED] },
		{ "dropped", by_outcome[OUTCOME_DROPPED] },
		{ "unobserved", by_outcome[OUTCOME_UNOBSERVED] },
		{ "in flight", by_outcome[OUTCOME_IN_FLIGHT] },
	};

	flow_begin(flow, "items");
	flow->gap = 1;
	add_terms(flow, came, sizeof(came) / sizeof(came[0]), "");
	add_terms(flow, went, sizeof(went) / sizeof(went[0]), "= ");
	flow_end(flow);
}

static double attributed_ratio(const struct account *account, enum attribution how)
{
	uint64_t all = 0;

	for (unsigned int i = ATTRIBUTED_NONE + 1; i < ATTRIBUTED_NR; i++)
		all += account->attributed[i];
	return all ? (double)account->attributed[how] / (double)all : NAN;
}

static void put_joins(struct flow *flow, const struct account *account)
{
	double guessed = attributed_ratio(account, ATTRIBUTED_GUESSED);
	double keyed = attributed_ratio(account, ATTRIBUTED_KEY);

	flow_begin(flow, "joins");
	if (account->attributed[ATTRIBUTED_KEY])
		flow_add(flow, STYLE_PLAIN, "%s by key", figure_ratio(keyed).s);
	flow_add(flow, guessed > 0 ? STYLE_WARN : STYLE_PLAIN, "%s guessed",
		 figure_ratio(guessed).s);
	flow_add(flow, account->doubtful_pairs ? STYLE_WARN : STYLE_PLAIN, "%s doubtful",
		 figure_count(account->doubtful_pairs).s);
	flow_add(flow, STYLE_PLAIN, "%s partial", figure_count(account->partial).s);
	flow_add(flow, STYLE_PLAIN, "%s in warm-up", figure_count(account->warmup).s);
	if (account->let_go)
		flow_add(flow, STYLE_WARN, "%s let go", figure_count(account->let_go).s);
	flow_end(flow);
}

static void put_defects(struct flow *flow, const struct account *account)
{
	flow_begin(flow, "defects");
	flow_add(flow, account->drops ? STYLE_BAD : STYLE_PLAIN, "%s dropped by the host",
		 figure_count(account->drops).s);
	flow_add(flow, account->retransmits ? STYLE_WARN : STYLE_PLAIN, "%s retransmits",
		 figure_count(account->retransmits).s);
	flow_end(flow);
}

static void put_observer(struct flow *flow, const struct vsm *vsm)
{
	flow_begin(flow, "observer");
	if (vsm->observer_path_ns_per_item != UINT64_MAX)
		flow_add(flow, STYLE_PLAIN, "%s an item in the target",
			 figure_time(vsm->observer_path_ns_per_item).s);
	flow_add(flow, STYLE_PLAIN, "%s of a CPU by gemba itself",
		 figure_ratio(vsm->observer_cpu_ratio).s);
	flow_add(flow, STYLE_PLAIN, "%s",
		 vsm->capture.observer_rss_bytes ? figure_bytes(vsm->capture.observer_rss_bytes).s :
						   "memory -");
	flow_end(flow);
}

/* Unless --own thread made it join by thread all the same. */
static void put_go(struct flow *flow, const struct vsm *vsm)
{
	const struct target_info *targets = vsm->capture.targets;
	size_t i = 0;

	while (i < vsm->capture.nr_targets && !targets[i].is_go)
		i++;
	if (i == vsm->capture.nr_targets || vsm->account.attributed[ATTRIBUTED_THREAD])
		return;
	flow_begin(flow, "info");
	flow_add(flow, STYLE_PLAIN, "%s", targets[i].comm ? targets[i].comm : "the target");
	flow->gap = 1;
	flow_words(flow, STYLE_PLAIN,
		   "is a Go program: its work moves between threads, so that what a thread did "
		   "last is not believed; items join by connection or key");
	flow_end(flow);
}

static void put_stages(struct flow *flow, const struct capture *capture)
{
	for (size_t i = 0; i < capture->nr_stages; i++) {
		const struct stage_info *stage = &capture->stages[i];
		const char *binary = stage->binary ? strrchr(stage->binary, '/') : NULL;

		if (!stage->binary)
			continue;
		flow_begin(flow, "stage");
		flow_add(flow, STYLE_PLAIN, "%s", stage->name);
		flow_add(flow, STYLE_PLAIN, "%s in %s", stage->symbol ? stage->symbol : "-",
			 binary ? binary + 1 : stage->binary);
		flow_add(flow, STYLE_PLAIN, "+%llu %s", (unsigned long long)stage->site_offset,
			 stage->site_class ? stage->site_class : "-");
		flow_add(flow, STYLE_PLAIN, "%s a hit", figure_time(stage->cost_ns).s);
		flow_add(flow, STYLE_PLAIN, "%s hits", figure_count(stage->hits).s);
		flow_end(flow);
	}
}

/* Stages shorter than the error of what was taken off for their probes. */
static void put_resolution(struct flow *flow, const struct vsm *vsm)
{
	for (size_t f = 0; f < vsm->nr_families; f++) {
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++) {
			const struct step *step = &vsm->families[f].steps[s];

			if (!step->error_ns || hist_mean_ns(&step->time) >= step->error_ns)
				continue;
			flow_begin(flow, "info");
			flow_add(flow, STYLE_PLAIN, "%s of %s is below resolution:", step->name,
				 vsm->families[f].id);
			flow->gap = 1;
			flow_words(flow, STYLE_PLAIN,
				   "shorter than the error of what was taken off for its probes,");
			flow_add(flow, STYLE_PLAIN, "%s", figure_time(step->error_ns).s);
			flow->gap = 2;
			flow_end(flow);
		}
	}
}

static void put_missing(struct flow *flow, const struct pairs *missing)
{
	for (size_t i = 0; i < missing->nr; i++) {
		flow_begin(flow, "missing");
		flow_add(flow, STYLE_WARN, "%s:", missing->items[i].key);
		flow_words(flow, STYLE_PLAIN,
			   missing->items[i].value ? missing->items[i].value : "-");
		flow_end(flow);
	}
}

static void put_doubt(struct flow *flow, const struct doubt *doubt)
{
	flow_begin(flow, "doubt");
	flow_words(flow, STYLE_WARN, doubt->text ? doubt->text : "-");
	if (doubt->steps && *doubt->steps) {
		flow->gap = 1;
		flow_add(flow, STYLE_PLAIN, "[%s]", doubt->steps);
		flow->gap = 2;
	}
	flow_end(flow);
}

void text_quality(const struct text *self)
{
	const struct vsm *vsm = self->vsm;
	struct flow flow = text_flow(self);

	put_events(&flow, &vsm->account);
	put_balance(&flow, &vsm->account);
	put_joins(&flow, &vsm->account);
	put_defects(&flow, &vsm->account);
	put_observer(&flow, vsm);
	put_stages(&flow, &vsm->capture);
	put_resolution(&flow, vsm);
	put_go(&flow, vsm);
	put_missing(&flow, &vsm->capture.missing);
	for (size_t i = 0; i < vsm->nr_doubts; i++)
		put_doubt(&flow, &vsm->doubts[i]);
}
