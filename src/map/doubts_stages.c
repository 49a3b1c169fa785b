// SPDX-License-Identifier: BSD-2-Clause
/*
 * doubts_stages.c - what has to be known of stages before their figures are believed
 *
 * A stage that was never entered, that was braked on the way, whose hits fell on threads without
 * an item: each leaves a map that looks whole and is not.
 */
#include "src/map/doubts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MANY_KEYS 20	      /* before it is told what they have in common */
#define REUSED_SHARE 0.01     /* less are items that end without a word */
#define UNMATCHED_SHARE 0.001 /* less are items that were open before the capture began */
#define UNOWNED_SHARE 0.01    /* of all hits: less is a timer or two */

static bool is_braked(const struct stage_info *stage)
{
	return stage->note && !strncmp(stage->note, "braked", strlen("braked"));
}

static int one(struct vsm *vsm, const struct stage_info *stage)
{
	if (is_braked(stage))
		return vsm_doubt(vsm, "stage_braked", stage->name, 0,
				 "Stage %s was %s; items after that go without it.", stage->name,
				 stage->note);
	if (!stage->hits && !stage->binary)
		return vsm_doubt(vsm, "stage_not_found", stage->name, 0,
				 "Stage %s (%s) was not found in the target: %s.", stage->name,
				 stage->probe, stage->note ? stage->note : "no such function");
	if (!stage->hits)
		return vsm_doubt(
			vsm, "stage_never_entered", stage->name, 0,
			"Stage %s was never entered: %s is not on the items' way, or calls "
			"of it are inlined.",
			stage->name, stage->symbol ? stage->symbol : stage->probe);
	if (stage->note)
		return vsm_doubt(vsm, "stage_note", stage->name, 0, "Stage %s: %s.", stage->name,
				 stage->note);
	return 0;
}

static bool has_go(const struct capture *capture)
{
	for (size_t i = 0; i < capture->nr_targets; i++)
		if (capture->targets[i].is_go)
			return true;
	return false;
}

static int unowned(struct vsm *vsm)
{
	const struct account *account = &vsm->account;
	uint64_t nr = account->stage_hits_unowned;
	double share = account->stage_hits ? (double)nr / (double)account->stage_hits : 0;

	if (share <= UNOWNED_SHARE)
		return 0;
	return vsm_doubt(vsm, "stage_hits_unowned", NULL, nr,
			 "%" PRIu64 " of %" PRIu64 " stage entries (%.3g %%) fell on no item: %s.",
			 nr, account->stage_hits, 100 * share,
			 has_go(&vsm->capture) ?
				 "in a Go program what a thread enters says nothing of the item" :
				 "their threads had read none, or had sent its output already, or "
				 "their key was no open item's");
}

static int skipped(struct vsm *vsm)
{
	uint64_t nr = vsm->account.stage_hits_skipped;

	if (!nr)
		return 0;
	return vsm_doubt(vsm, "stage_hits_skipped", NULL, nr,
			 "%" PRIu64 " stage entries are not stamped: their items had too many "
			 "stations already; name fewer functions of a loop.",
			 nr);
}

static bool is_alone(const struct vsm *vsm, size_t stage)
{
	for (size_t i = 0; i < vsm->capture.nr_stages; i++)
		if (i != stage && vsm->account.keys[i].nr)
			return false;
	return true;
}

/* A key that says the same of all items, or nothing that another stage says. */
static int keys_of_one(struct vsm *vsm, size_t stage)
{
	const struct stage_keys *keys = &vsm->account.keys[stage];
	const struct stage_info *info = &vsm->capture.stages[stage];
	const char *entry = vsm->capture.stages[0].name;
	uint64_t all = keys->nr + keys->unread;

	if (keys->unread && vsm_doubt(vsm, "key_unread", info->name, keys->unread,
				      "Of %" PRIu64 " keys of stage %s %" PRIu64 " could not be "
				      "read: memory that is not there or swapped out; the thread "
				      "decided instead.",
				      all, info->name, keys->unread) < 0)
		return -ENOMEM;
	if (keys->nr >= MANY_KEYS && !keys->varies)
		return vsm_doubt(vsm, "key_constant", info->name, keys->nr,
				 "The key of stage %s is always %" PRIu64 ": it names no item; see "
				 "%s.",
				 info->name, keys->first, info->key ? info->key : "its expression");
	if (stage && keys->nr >= MANY_KEYS && keys->unmatched == keys->nr)
		return vsm_doubt(vsm, "keys_not_shared", info->name, keys->nr,
				 "Stages %s and %s share no keys: none of %" PRIu64
				 " entries of %s "
				 "met an open item of its key.",
				 entry, info->name, keys->nr, info->name);
	if (keys->nr && keys->unmatched > UNMATCHED_SHARE * (double)keys->nr)
		return vsm_doubt(vsm, "keys_unmatched", info->name, keys->unmatched,
				 "%" PRIu64 " of %" PRIu64 " entries of stage %s (%.3g %%) met no "
				 "open item of their key.",
				 keys->unmatched, keys->nr, info->name,
				 100 * (double)keys->unmatched / (double)keys->nr);
	if (!stage && keys->nr >= MANY_KEYS && vsm->capture.nr_stages > 1 && is_alone(vsm, stage))
		return vsm_doubt(vsm, "key_alone", info->name, 0,
				 "Stage %s alone has a key: it joins nothing; give the others "
				 "theirs with -k.",
				 info->name);
	return 0;
}

/* On a thread that takes items over by key, its other stages are of the item it had before. */
static int key_missing(struct vsm *vsm, size_t stage)
{
	const struct stage_info *info = &vsm->capture.stages[stage];

	if (!vsm->account.handoffs || !info->hits || info->key)
		return 0;
	return vsm_doubt(vsm, "key_missing", info->name, info->hits,
			 "Stage %s has no key and others have: it is credited to what its thread "
			 "was brought to last, which may be the item before; give it one with -k.",
			 info->name);
}

/* Names that come again while their item is open make it unfindable. */
static int keys_reused(struct vsm *vsm)
{
	uint64_t nr = vsm->account.keys[0].nr, reused = vsm->account.keys_reused;

	if (reused <= REUSED_SHARE * (double)nr)
		return 0;
	return vsm_doubt(vsm, "keys_reused", NULL, reused,
			 "%" PRIu64 " of %" PRIu64
			 " items lost their key to a newer one while they "
			 "were open: it repeats too soon to name one.",
			 reused, nr);
}

static int all_keys(struct vsm *vsm)
{
	int err = keys_reused(vsm);

	for (size_t i = 0; i < vsm->capture.nr_stages && i < GEMBA_MAX_STAGES && err >= 0; i++)
		err = keys_of_one(vsm, i) ?: key_missing(vsm, i);
	return err;
}

int doubts_raise_stages(struct vsm *vsm)
{
	const struct capture *capture = &vsm->capture;
	int err = 0;

	for (size_t i = 0; i < capture->nr_stages && !err; i++)
		err = one(vsm, &capture->stages[i]);
	err = err ? err : all_keys(vsm);
	err = err ? err : unowned(vsm);
	return err ? err : skipped(vsm);
}
