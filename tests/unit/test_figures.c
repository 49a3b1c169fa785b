// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_figures.c - ratios from sums
 */
#include "src/map/figures.h"
#include "tests/unit/map_fixture.h"

enum { WINDOW_NS = 1000000 };

static struct step steps[3];
static struct family family;

static void set_step(int i, enum step_kind kind, uint64_t time_ns, uint64_t on_cpu_ns,
		     enum step_value value)
{
	steps[i] = (struct step){ .kind = kind, .value = value, .items = 1, .threads = 1 };
	steps[i].has_parts = kind != STEP_QUEUE;
	steps[i].time.sum_ns = time_ns;
	steps[i].on_cpu.sum_ns = on_cpu_ns;
	steps[i].complete_and_accurate_ratio = NAN;
}

/* A queue and two stages of 60 and 20 on a CPU; 200 in all. */
static void setup(void)
{
	set_step(0, STEP_QUEUE, 100, 0, VALUE_UNKNOWN);
	set_step(1, STEP_STAGE, 80, 60, VALUE_UNKNOWN);
	set_step(2, STEP_STAGE, 20, 20, VALUE_UNKNOWN);
	family = (struct family){ .items = 4, .steps = steps, .nr_steps = 3 };
	family.lead_time.sum_ns = 200;
	family.process_time.sum_ns = 80;
	family.process_time.count = 4;
}

TestSuite(figures, .init = setup);

Test(figures, rate_and_takt_are_those_of_the_window)
{
	family_figures(&family, WINDOW_NS);
	cr_assert_float_eq(family.rate_hz, 4000, 1e-9);
	cr_assert_eq(family.takt_mean_ns, 250000);
}

Test(figures, activity_is_process_of_lead_time_and_null_when_unknown)
{
	family_figures(&family, WINDOW_NS);
	cr_assert_float_eq(family.activity_ratio, 0.4, 1e-9);
	cr_assert_float_eq(steps[0].lead_time_share_ratio, 0.5, 1e-9);
	family.process_time.count = 0;
	family_figures(&family, WINDOW_NS);
	cr_assert(isnan(family.activity_ratio));
}

Test(figures, the_constraint_is_the_busiest_step_not_the_longest)
{
	family_figures(&family, WINDOW_NS);
	cr_assert_eq(family.constraint, 1);
	cr_assert_float_eq(steps[1].utilisation_ratio, 60.0 / WINDOW_NS, 1e-12);
	cr_assert(isnan(steps[0].utilisation_ratio));
	steps[1].threads = 4;
	family_figures(&family, WINDOW_NS);
	cr_assert_eq(family.constraint, 2);
}

Test(figures, without_parts_there_is_no_constraint)
{
	steps[1].has_parts = steps[2].has_parts = false;
	family_figures(&family, WINDOW_NS);
	cr_assert_eq(family.constraint, -1);
}

Test(figures, undeclared_value_gives_bounds_only)
{
	family_figures(&family, WINDOW_NS);
	cr_assert(isnan(family.pce_ratio));
	cr_assert_float_eq(family.pce_min_ratio, 0, 1e-9);
	cr_assert_float_eq(family.pce_max_ratio, 0.4, 1e-9);
	steps[1].value = VALUE_ADDED;
	family_figures(&family, WINDOW_NS);
	cr_assert(isnan(family.pce_ratio));
	cr_assert_float_eq(family.pce_min_ratio, 0.3, 1e-9);
}

Test(figures, declared_value_gives_the_cycle_efficiency)
{
	steps[1].value = VALUE_ADDED;
	steps[2].value = VALUE_NECESSARY;
	family_figures(&family, WINDOW_NS);
	cr_assert_float_eq(family.pce_ratio, 0.3, 1e-9);
	cr_assert_float_eq(family.pce_max_ratio, 0.3, 1e-9);
}

Test(figures, without_stages_all_of_process_may_be_of_value)
{
	steps[1].kind = STEP_PROCESS;
	steps[2].kind = STEP_KERNEL;
	family_figures(&family, WINDOW_NS);
	cr_assert(isnan(family.pce_ratio));
	cr_assert_float_eq(family.pce_max_ratio, 0.3, 1e-9);
}

Test(figures, an_empty_window_gives_nulls)
{
	family.items = 0;
	family.lead_time.sum_ns = 0;
	family_figures(&family, 0);
	cr_assert(isnan(family.rate_hz));
	cr_assert(isnan(family.activity_ratio));
	cr_assert_eq(family.takt_mean_ns, 0);
	cr_assert_eq(family.constraint, -1);
}

Test(figures, rolled_is_the_product_of_what_is_known)
{
	family_roll(&family);
	cr_assert(isnan(family.rolled_complete_and_accurate_ratio));
	steps[0].complete_and_accurate_ratio = 0.9;
	steps[2].complete_and_accurate_ratio = 0.5;
	family_roll(&family);
	cr_assert_float_eq(family.rolled_complete_and_accurate_ratio, 0.45, 1e-9);
}
