// SPDX-License-Identifier: BSD-2-Clause
/*
 * doubts.c - one function per reason, in the order in which they weigh
 *
 * A doubt says how many items or events it is about and which figures it touches, so that a
 * reader can judge and a script can fail. Codes are stable.
 */
#include "src/map/doubts.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/steps.h"

#define MAX_UNKNOWN 1000 /* one item in so many without parts is no doubt yet */
#define MAX_SHARED 100	 /* one output in so many that answers several items neither */

enum touched { ITEMS = 1, PARTS = 2, DEFECTS = 4, PARTIES = 8 };

static const struct kind {
	const char *name;
	unsigned int touches;
} kinds[] = {
	[GEMBA_NONE] = { "other", ITEMS | PARTS },
	[GEMBA_RX] = { "rx", ITEMS },
	[GEMBA_SOCK] = { "sock", ITEMS },
	[GEMBA_RECV] = { "recv", ITEMS },
	[GEMBA_EMPTY] = { "empty", ITEMS },
	[GEMBA_SEND] = { "send", ITEMS },
	[GEMBA_SENT] = { "sent", ITEMS },
	[GEMBA_TXQ] = { "txq", ITEMS },
	[GEMBA_TX] = { "tx", ITEMS },
	[GEMBA_DROP] = { "drop", DEFECTS },
	[GEMBA_RETRANS] = { "retrans", DEFECTS },
	[GEMBA_SWITCH] = { "switch", PARTS },
	[GEMBA_FORK] = { "fork", PARTS },
	[GEMBA_EXIT] = { "exit", PARTS },
	[GEMBA_EXEC] = { "exec", PARTS },
	[GEMBA_CLOSE] = { "close", ITEMS },
	[GEMBA_HWSTAMP] = { "hwstamp", ITEMS },
	[GEMBA_CONN] = { "conn", ITEMS | PARTIES },
	[GEMBA_PEER] = { "peer", PARTIES },
	[GEMBA_MARK] = { "mark", ITEMS },
	[GEMBA_LOST] = { "lost", ITEMS },
	[GEMBA_COMM] = { "comm", PARTIES },
	[GEMBA_PEERNAME] = { "peername", PARTIES },
	[GEMBA_STAGE] = { "stage", ITEMS },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == GEMBA_NR_KINDS, "a kind is missing");

static const struct {
	enum touched bit;
	const char *what;
} figures[] = {
	{ ITEMS, "items, routes and lead times" },
	{ PARTS, "on_cpu, run_queue and blocked" },
	{ DEFECTS, "complete and accurate ratios" },
	{ PARTIES, "suppliers and customers" },
};

static unsigned int print_lost(FILE *text, const struct account *account)
{
	uint64_t left = account->lost;
	unsigned int touches = 0;
	const char *separator = "";

	for (unsigned int i = 0; i < GEMBA_NR_KINDS; i++) {
		if (!account->lost_by_kind[i])
			continue;
		fprintf(text, "%s%s %" PRIu64, separator, kinds[i].name, account->lost_by_kind[i]);
		separator = ", ";
		touches |= kinds[i].touches;
		left -= account->lost_by_kind[i];
	}
	if (left == 0)
		return touches;
	fprintf(text, "%sskipped by the kernel %" PRIu64, separator, left);
	return touches | ITEMS | PARTS;
}

static int events_lost(struct vsm *vsm)
{
	const char *separator = "";
	char *lost = NULL;
	unsigned int touches;
	size_t bytes;
	FILE *text;
	int err;

	if (!vsm->account.lost)
		return 0;
	text = open_memstream(&lost, &bytes);
	if (!text)
		return -ENOMEM;
	touches = print_lost(text, &vsm->account);
	fputs("; it touches ", text);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		if (!(touches & figures[i].bit))
			continue;
		fprintf(text, "%s%s", separator, figures[i].what);
		separator = "; ";
	}
	err = fclose(text) == 0 && lost ?
		      vsm_doubt(vsm, "events_lost", NULL,
				vsm->account.by_outcome[OUTCOME_UNOBSERVED],
				"%" PRIu64 " events were lost: %s.", vsm->account.lost, lost) :
		      -ENOMEM;
	free(lost);
	return err;
}

static int balance(struct vsm *vsm)
{
	const struct account *a = &vsm->account;
	uint64_t came = a->in_flight_start + a->in + a->originated, went = 0;

	for (unsigned int i = 0; i < OUTCOME_NR; i++)
		went += a->by_outcome[i];
	if (came == went)
		return 0;
	return vsm_doubt(vsm, "balance", NULL, came > went ? came - went : went - came,
			 "%" PRIu64 " items came and %" PRIu64 " went: gemba lost count, "
			 "please report it.",
			 came, went);
}

static int guessed(struct vsm *vsm)
{
	const uint64_t *attributed = vsm->account.attributed;
	uint64_t n = attributed[ATTRIBUTED_GUESSED], all = 0;

	if (!n)
		return 0;
	for (unsigned int i = ATTRIBUTED_NONE + 1; i < ATTRIBUTED_NR; i++)
		all += attributed[i];
	return vsm_doubt(vsm, "guessed", NULL, n,
			 "%" PRIu64 " of %" PRIu64 " outputs (%.3g %%) are guessed to belong to "
			 "their item; a key would settle it.",
			 n, all, 100.0 * (double)n / (double)all);
}

/* One way messages on a connection stay open until something is sent on it, see own.c. */
static int outputs_shared(struct vsm *vsm)
{
	uint64_t n = vsm->account.shared_outputs;

	if (n * MAX_SHARED <= vsm->account.by_outcome[OUTCOME_OUT])
		return 0;
	return vsm_doubt(vsm, "outputs_shared", NULL, n,
			 "Of %" PRIu64 " items the answer is shared with others: one send answered "
			 "several; a key would tell them apart.",
			 n);
}

/* One kernel of 6.18 told nothing of a packet in ten thousand or fewer, with nothing lost. */
static int tx_unseen(struct vsm *vsm)
{
	uint64_t n = vsm->account.unpaired_tx;

	if (vsm->account.lost || n * MAX_UNKNOWN <= vsm->account.in)
		return 0;
	return vsm_doubt(vsm, "tx_unseen", NULL, n,
			 "%" PRIu64 " packets left without an event, though none was lost; what "
			 "they carried is unobserved, in no family.",
			 n);
}

static bool has_unknown_parts(const struct step *step)
{
	return (step->kind == STEP_STAGE || step->kind == STEP_PROCESS) &&
	       step->on_cpu.count < step->items;
}

/* An earlier family has said so of this step. */
static bool is_told(const struct vsm *vsm, size_t nr_families, const char *id)
{
	for (size_t f = 0; f < nr_families; f++)
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++)
			if (has_unknown_parts(&vsm->families[f].steps[s]) &&
			    !strcmp(vsm->families[f].steps[s].id, id))
				return true;
	return false;
}

/* The steps of which some item's parts are not known, each once. NULL: no memory. */
static char *unknown_steps(const struct vsm *vsm)
{
	const char *separator = "";
	char *list = NULL;
	size_t bytes;
	FILE *text = open_memstream(&list, &bytes);

	for (size_t f = 0; text && f < vsm->nr_families; f++) {
		const struct family *family = &vsm->families[f];

		for (size_t s = 0; s < family->nr_steps; s++) {
			const struct step *step = &family->steps[s];

			if (!has_unknown_parts(step) || is_told(vsm, f, step->id))
				continue;
			fprintf(text, "%s%s", separator, step->id);
			separator = ",";
		}
	}
	if (!text || fclose(text) != 0) {
		free(list);
		return NULL;
	}
	return list;
}

static int parts_unknown(struct vsm *vsm, const struct tally *tally)
{
	char *steps;
	int err;

	/* some kernels leave out a switch in ten thousand: the account counts those */
	if (tally->parts_unknown * MAX_UNKNOWN <= vsm->account.in)
		return 0;
	steps = unknown_steps(vsm);
	if (!steps)
		return -ENOMEM;
	err = vsm_doubt(vsm, "parts_unknown", steps[0] ? steps : NULL, tally->parts_unknown,
			"Of %" PRIu64 " items it is not known whether they were worked on or "
			"waited in the process; that time is unmapped.",
			tally->parts_unknown);
	free(steps);
	return err;
}

static int inventory_disagrees(struct vsm *vsm, const struct tally *tally)
{
	double mean = 0, diff;

	if (isnan(tally->depth_mean))
		return 0;
	for (size_t f = 0; f < vsm->nr_families; f++)
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++)
			if (step_is_socket_wait(&vsm->families[f].steps[s]))
				mean += vsm->families[f].steps[s].inventory_mean;
	diff = fabs(mean - tally->depth_mean);
	if (!(diff > 1 && diff > 0.05 * tally->depth_mean))
		return 0;
	return vsm_doubt(vsm, "inventory_disagrees", "sock>recv,rx>recv", 0,
			 "The socket queues held %.1f items on average by the kernel's count and "
			 "%.1f by the journeys'.",
			 tally->depth_mean, mean);
}

/* A count that should be 0, and the sentence that says what it means if it is not. */
struct plain {
	const char *code;
	uint64_t n;
	const char *sentence;
};

static int raise_plain(struct vsm *vsm, const struct plain *plain, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int err;

		if (!plain[i].n)
			continue;
		err = vsm_doubt(vsm, plain[i].code, NULL, plain[i].n, "%" PRIu64 " %s.", plain[i].n,
				plain[i].sentence);
		if (err < 0)
			return err;
	}
	return 0;
}

static int plain_doubts(struct vsm *vsm, const struct tally *tally)
{
	const struct account *account = &vsm->account;
	const struct plain plain[] = {
		{ "late_events", account->late,
		  "events came after later ones had been used; items they belong to may be split" },
		{ "let_go", account->let_go,
		  "items were closed early because too many were open; their outputs may be missing" },
		{ "doubtful_pairs", account->doubtful_pairs,
		  "items have an arrival paired by count while CPUs raced, just after a "
		  "loss, or in a batch of several messages; it may be a neighbour's" },
		{ "bytes_read_unseen", account->bytes_read_unseen,
		  "bytes were taken off a stream by no receive call that gemba sees (splice, zero copy)" },
		{ "parts_do_not_add_up", tally->bad_parts,
		  "items have parts that do not add up to their step; they are taken for unknown" },
		{ "disordered", tally->disordered,
		  "items have stations out of order of time; they are in no family" },
		{ "routes_folded", tally->folded,
		  "items of rare routes went to `other` while the capture ran; a family that "
		  "appeared late can be short of its first items" },
		{ "inventory_late", tally->late,
		  "stays were told of too late; maxima of inventory may be too low" },
	};

	return raise_plain(vsm, plain, sizeof(plain) / sizeof(plain[0]));
}

static int drops_shared(struct vsm *vsm, const struct tally *tally)
{
	if (!tally->drops || tally->drop_homes < 2)
		return 0;
	return vsm_doubt(vsm, "drops_shared", NULL, tally->drops,
			 "%" PRIu64 " dropped datagrams are charged to the largest of %u families; "
			 "a datagram that was never read has no route.",
			 tally->drops, tally->drop_homes);
}

static int short_capture(struct vsm *vsm, const struct tally *tally)
{
	if (!tally->is_short)
		return 0;
	return vsm_doubt(vsm, "short_capture", NULL, vsm->account.warmup,
			 "The capture ended within the warm-up of 100 ms: nothing of it counts.");
}

int doubts_raise(struct vsm *vsm, const struct tally *tally)
{
	if (short_capture(vsm, tally) < 0 || balance(vsm) < 0 || events_lost(vsm) < 0 ||
	    guessed(vsm) < 0 || outputs_shared(vsm) < 0 || tx_unseen(vsm) < 0 ||
	    parts_unknown(vsm, tally) < 0 || inventory_disagrees(vsm, tally) < 0 ||
	    drops_shared(vsm, tally) < 0)
		return -ENOMEM;
	return plain_doubts(vsm, tally);
}
