// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_vsm.c - names, doubts, and that anything half made can be freed
 */
#include "tests/unit/map_fixture.h"

Test(vsm, every_name_is_the_contract_s)
{
	cr_assert_str_eq(station_name(STATION_RX), "rx");
	cr_assert_str_eq(station_name(STATION_TX), "tx");
	cr_assert_null(station_name(STATION_STAGE));
	cr_assert_str_eq(outcome_name(OUTCOME_OUT), "out");
	cr_assert_str_eq(outcome_name(OUTCOME_IN_FLIGHT), "in_flight");
	cr_assert_str_eq(step_kind_name(STEP_HANDOFF), "handoff");
	cr_assert_str_eq(step_value_name(VALUE_NECESSARY), "necessary");
}

Test(vsm, a_doubt_has_its_words_and_its_steps)
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));

	cr_assert_eq(vsm_doubt(vsm, "one", NULL, 3, "%d of %s", 3, "many"), 0);
	cr_assert_eq(vsm_doubt(vsm, "two", "a>b,b>c", 0, "none"), 0);
	cr_assert_eq(vsm->nr_doubts, 2);
	cr_assert_str_eq(vsm->doubts[0].text, "3 of many");
	cr_assert_null(vsm->doubts[0].steps);
	cr_assert_eq(vsm->doubts[0].items, 3);
	cr_assert_str_eq(vsm->doubts[1].steps, "a>b,b>c");
	vsm_free(vsm);
}

Test(vsm, nothing_and_an_empty_map_can_be_freed)
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));

	vsm_free(NULL);
	vsm->families = calloc(2, sizeof(*vsm->families));
	vsm->nr_families = 2;
	vsm->families[1].steps = calloc(3, sizeof(struct step));
	vsm->families[1].nr_steps = 3;
	vsm->families[1].nr_route = 4;
	vsm->nr_suppliers = 1;
	vsm_free(vsm);
}
