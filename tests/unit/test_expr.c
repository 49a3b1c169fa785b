// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_expr.c - conditions on a small map: two families, a step whose name holds a dot
 */
#include "src/reason/expr.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct step steps[] = {
	{ .id = "rx>sock", .name = "kernel_rx", .inventory_counted_mean = NAN },
	{ .id = "recv>send",
	  .name = "process",
	  .has_parts = true,
	  .items = 1500,
	  .inventory_mean = 0.25 },
	{ .id = "send>txq", .name = "send.v2" },
};
static struct step other_steps[] = { { .id = "recv>send", .name = "process" } };
static struct family families[] = {
	{ .id = "f1",
	  .name = "tcp rx-tx",
	  .items = 1500,
	  .steps = steps,
	  .nr_steps = 3,
	  .activity_ratio = 0.2,
	  .pce_ratio = NAN,
	  .takt_mean_ns = 50000 },
	{ .id = "f2",
	  .name = "udp rx-recv",
	  .items = 10,
	  .steps = other_steps,
	  .nr_steps = 1,
	  .activity_ratio = NAN },
};
static struct vsm map = { .families = families,
			  .nr_families = 2,
			  .account = { .lost = 3, .by_outcome = { [OUTCOME_OUT] = 1500 } },
			  .observer_path_ns_per_item = UINT64_MAX,
			  .observer_cpu_ratio = 0.01 };
static struct expr expr;
static struct expr_result result;
static char why[EXPR_WHY_BYTES];

static void draw_map(void)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		hist_init(&families[i].lead_time);
		hist_init(&families[i].wait_time);
	}
	for (size_t i = 0; i < 3; i++) {
		hist_init(&steps[i].time);
		hist_init(&steps[i].on_cpu);
	}
	hist_init(&other_steps[0].time);
	cr_assert_eq(hist_add_n(&families[0].lead_time, 100000, 1500), 0);
	cr_assert_eq(hist_add_n(&families[1].lead_time, 7000, 10), 0);
	cr_assert_eq(hist_add_n(&steps[0].time, 2000, 1500), 0);
	cr_assert_eq(hist_add_n(&steps[1].time, 30000, 1500), 0);
	cr_assert_eq(hist_add_n(&steps[1].on_cpu, 20000, 1500), 0);
	cr_assert_eq(hist_add_n(&steps[2].time, 4000, 1500), 0);
	cr_assert_eq(hist_add_n(&other_steps[0].time, 5000, 10), 0);
}

static void clear_map(void)
{
	for (size_t i = 0; i < 2; i++)
		hist_fini(&families[i].lead_time);
	for (size_t i = 0; i < 3; i++) {
		hist_fini(&steps[i].time);
		hist_fini(&steps[i].on_cpu);
	}
	hist_fini(&other_steps[0].time);
}

TestSuite(expr, .init = draw_map, .fini = clear_map);

static void assert_verdict(const char *text, enum expr_verdict want, const char *want_why)
{
	cr_assert_eq(expr_parse(&expr, text, EXPR_OF_MAP, why), 0, "%s: %s", text, why);
	expr_eval(&expr, &map, &result);
	cr_assert_eq(result.verdict, want, "%s: %s", text, result.why);
	if (want_why)
		cr_assert_str_eq(result.why, want_why, "%s: %s", text, result.why);
}

static void assert_holds(const char *text)
{
	assert_verdict(text, EXPR_TRUE, NULL);
}

static void assert_does_not_hold(const char *text)
{
	assert_verdict(text, EXPR_FALSE, NULL);
}

static void assert_bad(const char *text, enum expr_subject subject, const char *want)
{
	cr_assert_neq(expr_parse(&expr, text, subject, why), 0, "%s: was taken", text);
	cr_assert_str_eq(why, want, "%s: %s", text, why);
}

Test(expr, a_percentile_is_compared_with_a_time)
{
	assert_verdict("lead_time.p99 > 80us", EXPR_TRUE, "lead_time.p99 of f1 is 100us");
	assert_does_not_hold("lead_time.p99 > 0.1ms");
	assert_holds("lead_time.p99>=100us");
	assert_holds("lead_time.p99_ns == 100000ns");
	assert_holds("f1.lead_time.p50 != 1us");
	assert_holds("f2.lead_time.max < 8us");
	assert_holds("lead_time.min > 0");
}

Test(expr, steps_are_named_by_id_or_name)
{
	assert_holds("rx>sock.time.p99 > 1us");
	assert_holds("rx>sock.time.p99>1us");
	assert_holds("kernel_rx.time.p99 == 2us");
	assert_holds("f1.recv>send.time.mean == 30us");
	assert_holds("f1.process.on_cpu.mean < 21us");
	assert_holds("process.items >= 1500");
	assert_holds("process.time.count == 1500");
}

Test(expr, the_name_of_a_step_or_family_may_hold_dots_and_blanks)
{
	assert_holds("send.v2.time.p99 == 4us");
	assert_holds("f1.send.v2.time.mean == 4us");
	assert_holds("tcp rx-tx.lead_time.p50 == 100us");
	assert_holds("udp rx-recv.process.time.max == 5us");
}

Test(expr, counts_and_ratios_are_plain_numbers)
{
	assert_verdict("events_lost > 0", EXPR_TRUE, "events_lost is 3");
	assert_holds("account.events_lost <= 3");
	assert_holds("items_out == 1500");
	assert_holds("items == 1500");
	assert_holds("f2.items < 11");
	assert_holds("activity_ratio < 0.25");
	assert_holds("observer.cpu_ratio <= 0.01");
	assert_holds("process.inventory.mean == 0.25");
	assert_verdict("takt_mean_ns > 49us", EXPR_TRUE, "takt_mean of f1 is 50us");
}

Test(expr, a_null_figure_neither_holds_nor_fails_and_says_why)
{
	assert_verdict("lead_time.p99_9 > 1us", EXPR_NULL,
		       "lead_time.p99_9 of f1 is null: it needs 10000 items and has 1500");
	assert_verdict("f2.lead_time.p50 > 1us", EXPR_NULL,
		       "lead_time.p50 of f2 is null: it needs 20 items and has 10");
	assert_verdict("kernel_rx.on_cpu.mean > 1us", EXPR_NULL,
		       "on_cpu.mean of f1.kernel_rx is null: its thread's time is not known");
	assert_verdict("pce_ratio < 0.5", EXPR_NULL,
		       "pce_ratio of f1 is null: the stages' value is not declared");
	assert_verdict("takt_declared > 1us", EXPR_NULL,
		       "takt_declared of f1 is null: none is declared");
	assert_verdict("observer.path_ns_per_item > 1us", EXPR_NULL,
		       "observer.path_ns_per_item is null: it was not measured");
	assert_verdict("rx>sock.inventory.counted_mean > 1", EXPR_NULL,
		       "inventory.counted_mean of f1.kernel_rx is null: nothing counted it "
		       "independently");
	assert_verdict("wait_time.mean > 1us", EXPR_NULL,
		       "wait_time.mean of f1 is null: it needs 1 items and has 0");
	cr_assert(isnan(result.value));
}

Test(expr, a_place_that_the_map_does_not_have_is_null_with_those_it_has)
{
	assert_verdict("f9.lead_time.p99 > 1us", EXPR_NULL,
		       "the map has no 'f9'; f1 has the steps kernel_rx process send.v2; "
		       "families: f1 to f2");
	assert_verdict("risk.time.p50 > 1us", EXPR_NULL, NULL);
	assert_verdict("process.lead_time.p50 > 1us", EXPR_NULL,
		       "lead_time is of a family, and 'process' is a step");
	assert_verdict("f1.time.p50 > 1us", EXPR_NULL, "time is of a step, and 'f1' is a family");
}

Test(expr, a_map_without_items_is_null)
{
	struct vsm empty = { .account = { .lost = 0 } };

	cr_assert_eq(expr_parse(&expr, "lead_time.p99 > 1us", EXPR_OF_MAP, why), 0);
	expr_eval(&expr, &empty, &result);
	cr_assert_eq(result.verdict, EXPR_NULL);
	cr_assert_eq(expr_parse(&expr, "events_lost > 0", EXPR_OF_MAP, why), 0);
	expr_eval(&expr, &empty, &result);
	cr_assert_eq(result.verdict, EXPR_FALSE);
}

Test(expr, bad_conditions_are_refused_with_what_is_wrong)
{
	assert_bad("", EXPR_OF_MAP,
		   "'' has no comparison: PATH OP VALUE, OP one of < <= > >= == !=, as in "
		   "'lead_time.p99 > 80us'");
	assert_bad("lead_time.p99 = 80us", EXPR_OF_MAP,
		   "'lead_time.p99 = 80us' has no comparison: PATH OP VALUE, OP one of < <= > >= "
		   "== !=, as in 'lead_time.p99 > 80us'");
	assert_bad("> 80us", EXPR_OF_MAP, "'> 80us' has nothing before the comparison");
	assert_bad("lead_time.p99 >", EXPR_OF_MAP,
		   "'lead_time.p99 >' has no value behind the comparison");
	assert_bad("laed_time.p99 > 1us", EXPR_OF_MAP,
		   "'laed_time' is no figure; did you mean 'lead_time'?");
	assert_bad("p99 > 1us", EXPR_OF_MAP,
		   "'p99' is no figure; gemba(1) lists them under CONDITIONS");
	assert_bad("f1.event_lost > 0", EXPR_OF_MAP,
		   "'event_lost' is no figure; did you mean 'events_lost'?");
	assert_bad("f1.events_lost > 0", EXPR_OF_MAP,
		   "'events_lost' is of the whole map: write it without 'f1.'");
	assert_bad("lead_time > 80us", EXPR_OF_MAP,
		   "'lead_time' is a distribution: which figure of it, as in 'lead_time.p99'?");
	assert_bad("lead_time.p98 > 80us", EXPR_OF_MAP,
		   "'lead_time.p98': lead_time has no 'p98'; it has count sum min mean stddev p50 "
		   "p90 p99 p99_9 p99_99 max");
	assert_bad("activity_ratio.p99 > 0.1", EXPR_OF_MAP,
		   "'activity_ratio.p99': activity_ratio is one number and has no 'p99'");
	assert_bad("time.p99 > 1us", EXPR_OF_MAP,
		   "'time.p99' is of a step: which one, as in 'process.time.p99'?");
}

Test(expr, bad_values_are_refused_with_what_is_wrong)
{
	assert_bad("risk.time.p50 > +10%", EXPR_OF_MAP,
		   "'+10%' compares two maps, which is only in diff; a ratio is a number from 0 "
		   "to 1");
	assert_bad("lead_time.p99 > -1us", EXPR_OF_MAP, "'-1us' is not a value: a time as 80us");
	assert_bad("lead_time.p99 > 80", EXPR_OF_MAP,
		   "'80' is not a time: a number and ns us ms s m or h, as 80us");
	assert_bad("lead_time.p99 > 80parsecs", EXPR_OF_MAP,
		   "'80parsecs' is not a time: a number and ns us ms s m or h, as 80us");
	assert_bad("lead_time.count > 1us", EXPR_OF_MAP,
		   "'1us': count is not a time; give a plain number");
	assert_bad("events_lost > 1e3", EXPR_OF_MAP, "'1e3' is not a number");
	assert_bad("events_lost > many", EXPR_OF_MAP, "'many' is not a value: a number");
	assert_bad("activity_ratio < 20%", EXPR_OF_MAP,
		   "'20%' compares two maps, which is only in diff; a ratio is a number from 0 "
		   "to 1");
}

Test(expr, an_endless_condition_is_refused)
{
	char text[2 * EXPR_TEXT_BYTES];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_bad(text, EXPR_OF_MAP, "the condition is longer than 255 bytes");
}

Test(expr, an_item_has_times_and_not_distributions)
{
	cr_assert_eq(expr_parse(&expr, "lead_time > 80us", EXPR_OF_ITEM, why), 0, "%s", why);
	cr_assert_str_eq(expr.metric, "lead_time");
	cr_assert_eq(expr.stat, STAT_NONE);
	cr_assert(expr_compare(&expr, 80001));
	cr_assert_not(expr_compare(&expr, 80000));
	cr_assert_not(expr_compare(&expr, NAN));
	cr_assert_eq(expr_parse(&expr, "recv>send.on_cpu>1us", EXPR_OF_ITEM, why), 0, "%s", why);
	cr_assert_str_eq(expr.scope, "recv>send");
	assert_bad("lead_time.p99 > 1us", EXPR_OF_ITEM,
		   "'lead_time.p99': lead_time is one number and has no 'p99'");
	assert_bad("events_lost > 0", EXPR_OF_ITEM,
		   "'events_lost' is no figure; gemba(1) lists them under CONDITIONS");
}
