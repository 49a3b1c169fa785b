// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_slowest.c - the ten of longest lead time
 */
#include "src/map/slowest.h"
#include "tests/unit/map_fixture.h"

static void add_item(struct slowest *slowest, uint64_t id, uint64_t lead_ns)
{
	struct journey journey = journey_of("rx 0, s0 1, tx 2");
	struct passage passage = { 0 };

	journey.id = id;
	journey.stamps[2].at_ns = MAP_T0 + lead_ns;
	cr_assert_eq(passage_read(&passage, &journey), 0);
	cr_assert_eq(slowest_add(slowest, &passage), 0);
}

Test(slowest, ten_stay_the_slowest_first)
{
	struct slowest slowest = { 0 };

	for (uint64_t i = 0; i < 1000; i++)
		add_item(&slowest, i + 1, 1000 + i * 7919 % 1000);
	cr_assert_eq(slowest.nr, VSM_NR_SLOWEST);
	for (unsigned int i = 0; i < VSM_NR_SLOWEST; i++)
		cr_assert_eq(slowest.items[i].lead_ns, 1999 - i);
	slowest_fini(&slowest);
}

Test(slowest, of_equals_the_first_to_arrive_stays)
{
	struct slowest slowest = { 0 };

	for (uint64_t id = 20; id > 0; id--)
		add_item(&slowest, id, 500);
	for (unsigned int i = 0; i < VSM_NR_SLOWEST; i++)
		cr_assert_eq(slowest.items[i].id, i + 1);
	slowest_fini(&slowest);
}

Test(slowest, stations_are_told_by_name)
{
	struct slowest slowest = { 0 };
	struct stage_names names = { 0 };
	struct family family = { 0 };

	add_item(&slowest, 3, 500);
	cr_assert_eq(slowest_finish(&slowest, &names, &family), 0);
	cr_assert_eq(family.nr_slowest, 1);
	cr_assert_eq(family.slowest[0].id, 3);
	cr_assert_eq(family.slowest[0].nr_stamps, 3);
	cr_assert_str_eq(family.slowest[0].stamps[0].name, "rx");
	cr_assert_str_eq(family.slowest[0].stamps[1].name, "stage0");
	cr_assert_eq(family.slowest[0].stamps[1].tid, 7);
	cr_assert_eq(family.slowest[0].stamps[2].at_ns, MAP_T0 + 500);
	vsm_family_fini(&family);
	slowest_fini(&slowest);
}
