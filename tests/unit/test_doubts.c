// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_doubts.c - what is raised, and that a clean capture raises nothing
 */
#include <ctype.h>

#include "tests/unit/map_fixture.h"

static void assert_doubt(const struct vsm *vsm, const char *code, uint64_t items, const char *says)
{
	const struct doubt *doubt = doubt_of(vsm, code);

	cr_assert_not_null(doubt, "no doubt %s", code);
	cr_assert_eq(doubt->items, items, "%s: %lu items", code, doubt->items);
	cr_assert_not_null(strstr(doubt->text, says), "%s: %s", code, doubt->text);
}

Test(doubts, a_clean_capture_has_none)
{
	struct journey journey = journey_of("rx 0, sock 5, recv 10, send 20, txq 25, tx 30");
	struct map map;

	set_parts(&journey, "send", 5, 0);
	map_begin(&map);
	map_add(&map, journey);
	map.account.in = map.account.by_outcome[OUTCOME_OUT] = 1;
	map.account.attributed[ATTRIBUTED_CONNECTION] = 1;
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_doubts, 0, "%s",
		     map.vsm->nr_doubts ? map.vsm->doubts[0].text : "");
	map_free(&map);
}

Test(doubts, lost_events_say_which_and_what_they_touch)
{
	struct map map;

	map_begin(&map);
	map.account.lost = 13;
	map.account.lost_by_kind[GEMBA_RX] = 3;
	map.account.lost_by_kind[GEMBA_SWITCH] = 8;
	map.account.in = map.account.by_outcome[OUTCOME_UNOBSERVED] = 2;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "events_lost", 2,
		     "13 events were lost: rx 3, switch 8, skipped by the kernel 2; it touches "
		     "items, routes and lead times; on_cpu, run_queue and blocked");
	map_free(&map);
}

Test(doubts, packets_that_left_untold_are_said_when_they_are_many)
{
	struct map map;

	map_begin(&map);
	map.account.unpaired_tx = 2;
	map.account.in = map.account.by_outcome[OUTCOME_OUT] = 1999;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "tx_unseen", 2, "2 packets left without an event");
	map_free(&map);
	map_begin(&map);
	map.account.unpaired_tx = 2;
	map.account.in = map.account.by_outcome[OUTCOME_OUT] = 2000;
	map_end(&map, 2000000000);
	cr_assert_null(doubt_of(map.vsm, "tx_unseen"));
	map_free(&map);
}

Test(doubts, guessed_outputs_say_that_a_key_would_settle_it)
{
	struct map map;

	map_begin(&map);
	map.account.attributed[ATTRIBUTED_GUESSED] = 1;
	map.account.attributed[ATTRIBUTED_THREAD] = 7;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "guessed", 1, "1 of 8 outputs (12.5 %)");
	assert_doubt(map.vsm, "guessed", 1, "a key would settle it");
	map_free(&map);
}

Test(doubts, counts_of_the_account_become_sentences)
{
	static const char *const codes[] = { "late_events", "let_go", "doubtful_pairs",
					     "bytes_read_unseen" };
	struct map map;

	map_begin(&map);
	map.account.late = map.account.let_go = 5;
	map.account.doubtful_pairs = map.account.bytes_read_unseen = 5;
	map_end(&map, 2000000000);
	for (size_t i = 0; i < 4; i++)
		assert_doubt(map.vsm, codes[i], 5, "5 ");
	cr_assert_eq(map.vsm->nr_doubts, 4);
	map_free(&map);
}

Test(doubts, a_balance_that_does_not_close_is_said)
{
	struct map map;

	map_begin(&map);
	map.account.in_flight_start = 1;
	map.account.in = 10;
	map.account.originated = 2;
	map.account.by_outcome[OUTCOME_OUT] = 9;
	map.account.by_outcome[OUTCOME_IN_FLIGHT] = 3;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "balance", 1, "13 items came and 12 went");
	map_free(&map);
}

Test(doubts, unknown_parts_name_their_steps_once)
{
	struct map map;

	map_begin(&map);
	map_add_n(&map, "rx 0, sock 5, recv 10, send 20, tx 30", 2);
	map_add_n(&map, "rx 0, sock 5, recv 10, s0 15, send 20, tx 30", 1);
	map_add_n(&map, "rx 0, recv 10, send 20, tx 30", 1);
	map_add_n(&map, "rx 0, recv 10, s0 15, s10 16, s1 17, tx 30", 1);
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "parts_unknown", 5, "unmapped");
	cr_assert_str_eq(doubt_of(map.vsm, "parts_unknown")->steps,
			 "recv>send,recv>stage0,stage0>send,stage0>stage10,stage10>stage1,"
			 "stage1>tx");
	map_free(&map);
}

/* So many items, of which the parts of so many are unknown. */
static void build_unknown(struct map *map, unsigned int items, unsigned int unknown)
{
	struct journey known = journey_of("rx 0, sock 5, recv 10, send 20, tx 30");

	set_parts(&known, "send", 5, 0);
	map_begin(map);
	for (unsigned int i = unknown; i < items; i++)
		map_add(map, known);
	map_add_n(map, "rx 0, sock 5, recv 10, send 20, tx 30", unknown);
	map->account.in = map->account.by_outcome[OUTCOME_OUT] = items;
	map_end(map, 2000000000);
}

Test(doubts, unknown_parts_of_one_item_in_a_thousand_are_none)
{
	struct map map;

	build_unknown(&map, 2000, 2);
	cr_assert_null(doubt_of(map.vsm, "parts_unknown"));
	map_free(&map);
}

Test(doubts, unknown_parts_of_more_than_one_item_in_a_thousand_are_one)
{
	struct map map;

	build_unknown(&map, 2000, 3);
	assert_doubt(map.vsm, "parts_unknown", 3, "Of 3 items it is not known");
	cr_assert_str_eq(doubt_of(map.vsm, "parts_unknown")->steps, "recv>send");
	map_free(&map);
}

static void build_shared(struct map *map, uint64_t shared, uint64_t out)
{
	map_begin(map);
	map->account.shared_outputs = shared;
	map->account.in = map->account.by_outcome[OUTCOME_OUT] = out;
	map_end(map, 2000000000);
}

Test(doubts, answers_shared_by_more_than_one_item_in_a_hundred_are_one)
{
	struct map map;

	build_shared(&map, 10, 1000);
	cr_assert_null(doubt_of(map.vsm, "outputs_shared"));
	map_free(&map);
	build_shared(&map, 11, 1000);
	assert_doubt(map.vsm, "outputs_shared", 11, "Of 11 items the answer is shared with others");
	map_free(&map);
}

static void assert_sentence(const struct doubt *doubt)
{
	size_t end = strlen(doubt->text) - 1;

	cr_assert_not(islower((unsigned char)doubt->text[0]), "%s", doubt->text);
	cr_assert_eq(doubt->text[end], '.', "%s", doubt->text);
	cr_assert_neq(doubt->text[end - 1], '.', "%s", doubt->text);
}

Test(doubts, are_sentences_from_capital_to_full_stop)
{
	struct account *account;
	struct map map;

	map_begin(&map);
	account = &map.account;
	map_add_n(&map, "rx 0, sock 5, recv 10, send 20, tx 30", 5);
	map_add_n(&map, "rx 100, recv 50", 3);
	map.sink.queue_depth(map.sink.ctx, MAP_WINDOW_NS, MAP_WINDOW_NS + 1000000000, 100);
	account->in = 9;
	account->lost = account->late = account->let_go = account->doubtful_pairs = 5;
	account->bytes_read_unseen = account->shared_outputs = 5;
	account->attributed[ATTRIBUTED_GUESSED] = 1;
	map_end(&map, 2000000000);
	cr_assert_geq(map.vsm->nr_doubts, 10);
	for (size_t i = 0; i < map.vsm->nr_doubts; i++)
		assert_sentence(&map.vsm->doubts[i]);
	map_free(&map);
}

Test(doubts, a_capture_within_the_warm_up_is_empty_and_says_so)
{
	struct map map;

	map_begin(&map);
	map.capture.end_ns = MAP_START_NS + 50000000;
	cr_assert_eq(vsm_builder_finish(map.builder, &map.vsm, &map.capture, &map.account, NULL, 0),
		     0);
	cr_assert_not_null(doubt_of(map.vsm, "short_capture"));
	cr_assert_eq(map.vsm->window_start_ns, map.vsm->window_end_ns);
	map_free(&map);
}

/* 1 000 items of 10 ms in a socket within a second: 10 at a time. */
static void build_queue(struct map *map, uint64_t counted)
{
	map_begin(map);
	for (unsigned int i = 0; i < 1000; i++) {
		struct journey journey = journey_of("rx 0, sock 5, recv 10000005, send 10000006");

		move_by(&journey, i * 1000ULL);
		map_add(map, journey);
	}
	map->sink.queue_depth(map->sink.ctx, MAP_START_NS, MAP_WINDOW_NS, 1000000);
	map->sink.queue_depth(map->sink.ctx, MAP_WINDOW_NS, MAP_WINDOW_NS + 1000000000, counted);
	map_end(map, 1000000000);
}

Test(doubts, counted_inventory_that_agrees_is_shown)
{
	struct map map;

	build_queue(&map, 10);
	cr_assert_null(doubt_of(map.vsm, "inventory_disagrees"));
	/* the last stamps lie behind last_ns and set the end of the window */
	cr_assert_float_eq(step_of(&map.vsm->families[0], "sock>recv")->inventory_counted_mean, 10,
			   1.2);
	map_free(&map);
}

Test(doubts, counted_inventory_that_disagrees_is_a_doubt)
{
	struct map map;

	build_queue(&map, 20);
	assert_doubt(map.vsm, "inventory_disagrees", 0, "by the kernel's count");
	cr_assert_str_eq(doubt_of(map.vsm, "inventory_disagrees")->steps, "sock>recv,rx>recv");
	map_free(&map);
}

Test(doubts, a_difference_of_one_item_is_none)
{
	struct map map;

	map_begin(&map);
	map_add_n(&map, "rx 0, sock 5, recv 10, send 20", 1);
	map.sink.queue_depth(map.sink.ctx, MAP_WINDOW_NS, MAP_WINDOW_NS + 1000000000, 1);
	map_end(&map, 2000000000);
	cr_assert_null(doubt_of(map.vsm, "inventory_disagrees"));
	map_free(&map);
}

Test(doubts, stations_out_of_order_keep_an_item_out_of_the_families)
{
	struct map map;

	map_begin(&map);
	map_add_n(&map, "rx 100, recv 50", 3);
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "disordered", 3, "no family");
	cr_assert_eq(map.vsm->nr_families, 0);
	map_free(&map);
}

static struct journey dropped(void)
{
	struct journey journey = journey_of("rx 0");

	journey.is_udp = true;
	journey.outcome = OUTCOME_DROPPED;
	journey.outputs = 0;
	return journey;
}

static struct journey datagram(const char *text)
{
	struct journey journey = journey_of(text);

	journey.is_udp = true;
	return journey;
}

Test(quality, drops_are_charged_to_the_wait_in_the_socket)
{
	const struct step *step;
	struct map map;

	map_begin(&map);
	for (int i = 0; i < 9; i++)
		map_add(&map, datagram("rx 0, sock 5, recv 10, txq 20, tx 30"));
	map_add(&map, dropped());
	map_end(&map, 2000000000);
	step = step_of(&map.vsm->families[0], "sock>recv");
	cr_assert_eq(step->drops, 1);
	cr_assert_eq(step->items, 9);
	cr_assert_float_eq(step->complete_and_accurate_ratio, 0.9, 1e-9);
	cr_assert_float_eq(map.vsm->families[0].rolled_complete_and_accurate_ratio, 0.9, 1e-9);
	cr_assert_null(doubt_of(map.vsm, "drops_shared"));
	cr_assert(isnan(step_of(&map.vsm->families[0], "txq>tx")->complete_and_accurate_ratio));
	cr_assert_str_eq(map.vsm->families[1].outcome, "dropped");
	map_free(&map);
}

Test(quality, drops_that_may_be_of_several_families_are_charged_once_and_doubted)
{
	struct map map;

	map_begin(&map);
	map_add(&map, datagram("rx 0, sock 5, recv 10, txq 20, tx 30"));
	map_add(&map, datagram("rx 0, sock 5, recv 10, txq 20, tx 30"));
	map_add(&map, datagram("rx 0, sock 5, recv 10, s0 15, txq 20, tx 30"));
	map_add(&map, dropped());
	map_end(&map, 2000000000);
	cr_assert_eq(step_of(&map.vsm->families[0], "sock>recv")->drops, 1);
	cr_assert_eq(step_of(&map.vsm->families[1], "sock>recv")->drops, 0);
	cr_assert(isnan(step_of(&map.vsm->families[1], "sock>recv")->complete_and_accurate_ratio));
	assert_doubt(map.vsm, "drops_shared", 1, "the largest of 2 families");
	map_free(&map);
}

Test(quality, retransmits_are_charged_to_the_last_step_before_tx)
{
	struct journey journey = journey_of("rx 0, recv 10, send 20, txq 25, tx 30");
	const struct step *step;
	struct map map;

	map_begin(&map);
	for (int i = 0; i < 4; i++) {
		journey.retransmits = i == 2 ? 5 : 0;
		map_add(&map, journey);
	}
	map_end(&map, 2000000000);
	step = step_of(&map.vsm->families[0], "txq>tx");
	cr_assert_eq(step->retransmits, 5);
	cr_assert_float_eq(step->complete_and_accurate_ratio, 0.75, 1e-9);
	cr_assert(isnan(step_of(&map.vsm->families[0], "rx>recv")->complete_and_accurate_ratio),
		  "a stream drops nothing");
	map_free(&map);
}

Test(quality, what_the_kernel_could_not_tell_is_null)
{
	struct map map;

	map_begin(&map);
	pairs_add(&map.capture.missing, "drops (udp)", "no tracepoint");
	pairs_add(&map.capture.missing, "retransmits", "no tracepoint");
	map_add(&map, datagram("rx 0, sock 5, recv 10, txq 20, tx 30"));
	map_add(&map, journey_of("rx 0, recv 10, send 20, txq 25, tx 30"));
	map_end(&map, 2000000000);
	for (size_t f = 0; f < 2; f++) {
		const struct family *family = &map.vsm->families[f];

		for (size_t s = 0; s < family->nr_steps; s++)
			cr_assert(isnan(family->steps[s].complete_and_accurate_ratio));
		cr_assert(isnan(family->rolled_complete_and_accurate_ratio));
	}
	map_free(&map);
}

static struct stage_info *one_stage(struct map *map, uint64_t hits)
{
	map->capture.end_ns = MAP_START_NS + 2000000000;
	map->capture.stages = calloc(1, sizeof(*map->capture.stages));
	map->capture.nr_stages = 1;
	map->capture.stages[0] = (struct stage_info){ .name = strdup("decode"),
						      .probe = strdup("decode"),
						      .binary = strdup("/bin/x"),
						      .hits = hits };
	return map->capture.stages;
}

Test(doubts, a_stage_that_was_never_entered_or_not_found_or_braked_is_named)
{
	struct map map;

	map_begin(&map);
	one_stage(&map, 0);
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "stage_never_entered", 0, "decode was never entered");
	map_free(&map);

	map_begin(&map);
	free(one_stage(&map, 0)->binary);
	map.capture.stages[0].binary = NULL;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "stage_not_found", 0, "was not found in the target");
	map_free(&map);

	map_begin(&map);
	one_stage(&map, 9)->note = strdup("braked: too dear");
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "stage_braked", 0, "too dear");
	map_free(&map);
}

Test(doubts, stage_entries_without_an_item_are_told_when_they_are_many)
{
	struct map map;

	map_begin(&map);
	one_stage(&map, 1000);
	map.account.stage_hits = 1000;
	map.account.stage_hits_unowned = 10;
	map_end(&map, 2000000000);
	cr_assert_null(doubt_of(map.vsm, "stage_hits_unowned"));
	map_free(&map);

	map_begin(&map);
	one_stage(&map, 1000);
	map.account.stage_hits = 1000;
	map.account.stage_hits_unowned = 11;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "stage_hits_unowned", 11, "11 of 1000 stage entries");
	map_free(&map);
}

static const struct stage_keys good_keys = { .nr = 1000, .varies = true };

/* A map with two stages of these keys. */
static void raise_keys(struct map *map, struct stage_keys first, struct stage_keys second)
{
	map_begin(map);
	one_stage(map, 1000);
	map->capture.stages = reallocarray(map->capture.stages, 2, sizeof(struct stage_info));
	map->capture.stages[1] = (struct stage_info){ .name = strdup("risk"),
						      .probe = strdup("check_risk"),
						      .binary = strdup("trader"),
						      .key = strdup("arg1"),
						      .hits = 1000 };
	map->capture.nr_stages = 2;
	map->account.stage_hits = 2000;
	map->account.keys[0] = first;
	map->account.keys[1] = second;
	map_end(map, 2000000000);
}

Test(doubts, keys_that_do_what_they_should_raise_nothing)
{
	struct map map;

	raise_keys(&map, good_keys, good_keys);
	cr_assert_eq(map.vsm->nr_doubts, 0);
	map_free(&map);
}

Test(doubts, a_key_that_is_always_the_same_names_no_item)
{
	struct map map;

	raise_keys(&map, good_keys, (struct stage_keys){ .nr = 1000, .first = 4711 });
	assert_doubt(map.vsm, "key_constant", 1000,
		     "stage risk is always 4711: it names no item; see arg1");
	map_free(&map);
}

Test(doubts, stages_that_share_no_keys_are_told)
{
	struct map map;

	raise_keys(&map, good_keys,
		   (struct stage_keys){ .nr = 1000, .varies = true, .unmatched = 1000 });
	assert_doubt(map.vsm, "keys_not_shared", 1000, "Stages decode and risk share no keys");
	map_free(&map);
}

Test(doubts, keys_that_met_no_item_are_counted_above_one_in_a_thousand)
{
	struct map map;

	raise_keys(&map, good_keys,
		   (struct stage_keys){ .nr = 1000, .varies = true, .unmatched = 2 });
	assert_doubt(map.vsm, "keys_unmatched", 2, "2 of 1000 entries of stage risk (0.2 %)");
	map_free(&map);
	raise_keys(&map, good_keys,
		   (struct stage_keys){ .nr = 1000, .varies = true, .unmatched = 1 });
	cr_assert_eq(map.vsm->nr_doubts, 0);
	map_free(&map);
}

Test(doubts, keys_that_could_not_be_read_are_counted)
{
	struct map map;

	raise_keys(&map, good_keys, (struct stage_keys){ .nr = 990, .varies = true, .unread = 10 });
	assert_doubt(map.vsm, "key_unread", 10, "Of 1000 keys of stage risk 10 could not be read");
	map_free(&map);
}

Test(doubts, a_key_of_one_stage_alone_joins_nothing)
{
	struct map map;

	raise_keys(&map, good_keys, (struct stage_keys){ 0 });
	assert_doubt(map.vsm, "key_alone", 0, "Stage decode alone has a key");
	map_free(&map);
}

Test(doubts, a_stage_without_a_key_among_others_that_have_one_is_told)
{
	struct map map;

	map_begin(&map);
	one_stage(&map, 1000);
	map.account.handoffs = 10;
	map.account.keys[0] = good_keys;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "key_missing", 1000, "Stage decode has no key and others have");
	map_free(&map);
}

Test(doubts, keys_that_repeat_too_soon_are_told)
{
	struct map map;

	map_begin(&map);
	one_stage(&map, 1000);
	map.account.keys[0] = good_keys;
	map.account.keys_reused = 11;
	map_end(&map, 2000000000);
	assert_doubt(map.vsm, "keys_reused", 11, "11 of 1000 items lost their key");
	map_free(&map);
}
