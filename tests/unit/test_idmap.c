/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_idmap.c - numbers to pointers
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "src/util/idmap.h"

#define NR 4096

static int things[NR];

Test(idmap, an_empty_map_holds_nothing)
{
	struct idmap map = { 0 };

	cr_assert_null(idmap_get(&map, 1));
	cr_assert_null(idmap_get(&map, 0));
	cr_assert_null(idmap_del(&map, 1));
	idmap_fini(&map);
}

Test(idmap, key_0_is_no_key)
{
	struct idmap map = { 0 };

	cr_assert_eq(idmap_put(&map, 0, things), -EINVAL);
	cr_assert_eq(idmap_put(&map, 1, things), 0);
	cr_assert_null(idmap_get(&map, 0));
	cr_assert_null(idmap_del(&map, 0));
	idmap_fini(&map);
}

Test(idmap, a_deleted_key_does_not_hide_those_behind_it)
{
	struct idmap map = { 0 };
	uint32_t keys[48];

	/* all want the first slot of 64 */
	for (uint32_t key = 1, nr = 0; nr < 40; key++) {
		struct idmap probe = { .room = 64 };

		if (idmap_home(&probe, key) > 2)
			continue;
		keys[nr++] = key;
		cr_assert_eq(idmap_put(&map, key, &things[nr]), 0);
	}
	for (uint32_t gone = 0; gone < 40; gone++) {
		cr_assert_eq(idmap_del(&map, keys[gone]), &things[gone + 1]);
		cr_assert_null(idmap_get(&map, keys[gone]));
		for (uint32_t i = gone + 1; i < 40; i++)
			cr_assert_eq(idmap_get(&map, keys[i]), &things[i + 1]);
	}
	cr_assert_eq(map.nr, 0);
	idmap_fini(&map);
}

Test(idmap, does_what_an_array_would_do)
{
	struct idmap map = { 0 };
	void *model[NR] = { 0 };
	size_t nr = 0;

	srandom(1);
	for (int i = 0; i < 400000; i++) {
		uint32_t key = 1 + random() % (NR - 1);

		cr_assert_eq(idmap_get(&map, key), model[key]);
		if (model[key]) {
			cr_assert_eq(idmap_del(&map, key), model[key]);
			model[key] = NULL;
			nr--;
		} else {
			cr_assert_eq(idmap_put(&map, key, &things[random() % NR]), 0);
			model[key] = idmap_get(&map, key);
			nr++;
		}
		cr_assert_eq(map.nr, nr);
	}
	idmap_fini(&map);
}

Test(idmap, keys_that_are_multiples_of_a_page_do_not_pile_up)
{
	struct idmap map = { 0 };
	size_t steps = 0;

	for (uint32_t i = 1; i <= NR; i++)
		cr_assert_eq(idmap_put(&map, i << 12, things), 0);
	for (uint32_t i = 1; i <= NR; i++)
		for (size_t at = idmap_home(&map, i << 12); map.slots[at].key != i << 12;
		     at = (at + 1) & (map.room - 1))
			steps++;
	cr_assert_lt(steps, 4 * NR);
	idmap_fini(&map);
}
