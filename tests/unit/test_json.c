/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_json.c - the map as JSON, and a map file back into a map
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/render.h"
#include "tests/unit/test_render_sample.h"

#define HOSTILE "\033[2J\"\\\xff\xc3(\n\xe2\x80\xae受信\x01%s%n"

/* Takes the map. */
static void assert_round_trip(struct vsm *vsm)
{
	char *json = sample_json(vsm);
	struct vsm *back = sample_read(json);
	char *again = sample_json(back);

	cr_assert_str_eq(again, json);
	for (unsigned int columns = 40; columns <= 160; columns += 40) {
		char *text = sample_text(vsm, columns, true, true);
		char *text_again = sample_text(back, columns, true, true);

		cr_assert_str_eq(text_again, text);
		free(text);
		free(text_again);
	}
	free(json);
	free(again);
	vsm_free(vsm);
	vsm_free(back);
}

Test(json, is_the_golden_one)
{
	struct vsm *vsm = sample_redis();
	char *json = sample_json(vsm);

	assert_golden("render-map.json", json);
	free(json);
	vsm_free(vsm);
}

Test(json, a_map_read_back_renders_the_same)
{
	assert_round_trip(sample_redis());
	assert_round_trip(sample_stages(20));
	assert_round_trip(sample_empty());
	assert_round_trip(sample_nulls());
}

Test(json, hostile_names_survive_the_round_trip)
{
	struct vsm *vsm = sample_redis();

	sample_rename(vsm, HOSTILE HOSTILE);
	assert_round_trip(vsm);
}

Test(json, is_json_for_others)
{
	struct vsm *vsm = sample_redis();
	json_error_t error;
	json_t *document;
	char *json;

	sample_rename(vsm, HOSTILE);
	json = sample_json(vsm);
	document = json_loads(json, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(document, "line %d: %s", error.line, error.text);
	json_decref(document);
	free(json);
	vsm_free(vsm);
}

/* null when negative. */
static void assert_integer(const json_t *object, const char *key, json_int_t value)
{
	const json_t *member = json_object_get(object, key);

	if (value < 0)
		cr_assert(json_is_null(member), "%s", key);
	else
		cr_assert_eq(json_integer_value(member), value, "%s: %lld", key,
			     json_integer_value(member));
}

static void assert_figures(const char *json, const char *side, size_t i, json_int_t p50,
			   json_int_t wire, json_int_t peer)
{
	json_t *document = json_loads(json, 0, NULL);
	const json_t *endpoint = json_array_get(json_object_get(document, side), i);

	cr_assert_not_null(endpoint);
	assert_integer(endpoint, "rtt_p50_ns", p50);
	assert_integer(endpoint, "rtt_min_ns", wire);
	assert_integer(endpoint, "rtt_wire_ns", wire);
	assert_integer(endpoint, "rtt_peer_p50_ns", peer);
	json_decref(document);
}

Test(json, every_combination_of_null_survives)
{
	for (unsigned int set = 0; set < 1U << 9; set++) {
		struct vsm *vsm = sample_nulls();
		struct family *family = &vsm->families[0];
		struct step *step = &family->steps[0];

		step->has_parts = set & 1;
		step->inventory_mean = set & 2 ? 0.5 : NAN;
		step->inventory_counted_mean = set & 4 ? 0 : NAN;
		step->complete_and_accurate_ratio = set & 8 ? 1 : NAN;
		family->activity_ratio = set & 16 ? 1.0 / 3 : NAN;
		family->pce_ratio = set & 32 ? 0.1 : NAN;
		family->constraint = set & 64 ? 0 : -1;
		family->takt_mean_ns = set & 128 ? 7 : 0;
		vsm->observer_cpu_ratio = set & 256 ? 0.01 : NAN;
		assert_round_trip(vsm);
	}
}

Test(json, a_round_trip_is_the_wire_s_and_the_peer_s)
{
	struct vsm *vsm = sample_redis();
	char *json;

	hist_fini(&vsm->suppliers[0].rtt);
	hist_init(&vsm->suppliers[0].rtt);
	hist_add_n(&vsm->suppliers[0].rtt, 5000, 1);
	hist_add_n(&vsm->suppliers[0].rtt, 9000, 30);
	hist_fini(&vsm->suppliers[1].rtt);
	hist_init(&vsm->suppliers[1].rtt);
	hist_add_n(&vsm->suppliers[1].rtt, 7000, 3);
	hist_fini(&vsm->customers[0].rtt);
	hist_init(&vsm->customers[0].rtt);
	json = sample_json(vsm);
	assert_figures(json, "suppliers", 0, 9000, 5000, 4000);
	assert_figures(json, "suppliers", 1, -1, 7000, -1);
	assert_figures(json, "customers", 0, -1, -1, -1);
	free(json);
	vsm_free(vsm);
}

Test(json, switches_unseen_are_in_the_account)
{
	struct vsm *vsm = sample_redis();
	char *json = sample_json(vsm);

	cr_assert(strstr(json, "\"switches_unseen\": 3,"));
	free(json);
	vsm_free(vsm);
}

Test(json, sums_beyond_63_bits_are_integers_and_survive)
{
	struct vsm *vsm = sample_nulls();
	struct hist *lead = &vsm->families[0].lead_time;
	char *json;

	hist_add_n(lead, UINT64_C(1) << 62, 3);
	hist_add(lead, UINT64_MAX - 1);
	vsm->account.events = UINT64_MAX;
	vsm->account.lost = (UINT64_C(1) << 63) - 1;
	vsm->account.late = UINT64_C(1) << 63;
	json = sample_json(vsm);
	cr_assert(strstr(json, "\"events\": 18446744073709551615,"));
	cr_assert(strstr(json, "\"events_lost\": 9223372036854775807,"));
	cr_assert(strstr(json, "\"late\": 9223372036854775808,"));
	free(json);
	assert_round_trip(vsm);
}

Test(json, deviations_survive_when_they_are_small_beside_the_mean)
{
	for (uint64_t mean = 10; mean < UINT64_C(1000000000000000); mean *= 7) {
		struct vsm *vsm = sample_nulls();
		struct hist *lead = &vsm->families[0].lead_time;

		hist_add_n(lead, mean, 1000003);
		hist_add_n(lead, mean + 1 + mean / 1000000, 77);
		hist_add_n(&vsm->families[0].outputs, mean % 5, 1000);
		hist_add_n(&vsm->families[0].outputs, 7, 3);
		assert_round_trip(vsm);
	}
}

static int read_text(const char *json, char why[160])
{
	struct vsm *vsm = NULL;
	int err = vsm_read_json(&vsm, json, strlen(json), why);

	if (!err)
		vsm_free(vsm);
	return err;
}

Test(json, what_is_absent_is_null)
{
	struct vsm *vsm = sample_read("{\"schema\": \"gemba.map/1\", \"unknown\": [{}]}");
	char *text = sample_text(vsm, 80, true, false);

	cr_assert_eq(vsm->nr_families, 0);
	cr_assert(isnan(vsm->observer_cpu_ratio));
	cr_assert_eq(vsm->observer_path_ns_per_item, UINT64_MAX);
	free(text);
	vsm_free(vsm);
}

Test(json, whole_reals_of_other_tools_are_integers)
{
	struct vsm *vsm = sample_read("{\"schema\": \"gemba.map/1\", \"account\": {"
				      "\"events\": 5.0, \"late\": 1.8446744073709550e19}}");

	cr_assert_eq(vsm->account.events, 5);
	cr_assert_eq(vsm->account.late, UINT64_C(18446744073709549568));
	vsm_free(vsm);
}

#define MAP(rest) "{\"schema\": \"gemba.map/1\", " rest "}"
#define STEP "\"id\": \"a>b\", \"name\": \"a\", \"from\": \"a\", \"to\": \"b\""
#define FAMILY(rest) MAP("\"families\": [{\"id\": \"f1\", " rest "}]")

static const struct {
	const char *json;
	const char *why;
} wrong[] = {
	{ "", "line 1" },
	{ "[]", "map: not an object" },
	{ "{}", "schema: not gemba.map/1" },
	{ "{\"schema\": \"gemba.map/2\"}", "schema: not gemba.map/1" },
	{ "{\"schema\": 1}", "schema: not a string" },
	{ "{\"schema\": \"gemba.map/1\"", "line 1" },
	{ "{\"schema\": \"gemba.map/1\"}\n\n{", "line 3" },
	{ "{\"schema\": \"gemba.map/1\", \"schema\": \"gemba.map/1\"}", "duplicate" },
	{ MAP("\"map_id\": 7"), "map_id: not a string" },
	{ MAP("\"merged_from\": [1]"), "merged_from: not an array of strings" },
	{ MAP("\"capture\": []"), "capture: not an object" },
	{ MAP("\"capture\": {\"tags\": {\"a\\u001b\": 1}}"), "capture.tags.a\\x1b: not a string" },
	{ MAP("\"capture\": {\"window\": {\"start\": \"now\"}}"), "capture.window.start: not an" },
	{ MAP("\"capture\": {\"window\": {\"start_ns\": 2, \"end_ns\": 1}}"), "before start_ns" },
	{ MAP("\"capture\": {\"targets\": [{\"pid\": 1}, 5]}"),
	  "capture.targets[1]: not an object" },
	{ MAP("\"capture\": {\"targets\": [{\"pid\": 4294967296}]}"),
	  "capture.targets[0].pid: too large" },
	{ MAP("\"account\": {\"events\": -1}"), "account.events: not an integer" },
	{ MAP("\"account\": {\"events\": 1.5}"), "account.events: not an integer" },
	{ MAP("\"account\": {\"events\": 99999999999999999999}"), "account.events: not an int" },
	{ MAP("\"account\": {\"events\": \"7\"}"), "account.events: not an integer" },
	{ MAP("\"account\": {\"doubts\": [{}]}"), "account.doubts[0].code: missing" },
	{ MAP("\"families\": [{}]"), "families[0].id: missing" },
	{ FAMILY("\"outcome\": \"lost\""), "families[0].outcome: not a name known here" },
	{ FAMILY("\"constraint\": \"a>b\""), "families[0].constraint: not the id of a step" },
	{ FAMILY("\"steps\": [{" STEP ", \"kind\": \"x\"}]"), "families[0].steps[0].kind: not a" },
	{ FAMILY("\"steps\": [{" STEP ", \"time\": 5}]"), "families[0].steps[0].time: not an obj" },
	{ FAMILY("\"lead_time\": {\"count\": 3, \"histogram\": {\"schema\": 4}}"),
	  "families[0].lead_time.histogram.schema: not 5" },
	{ FAMILY("\"lead_time\": {\"count\": 3, \"histogram\": {\"schema\": 5}}"),
	  "families[0].lead_time: its counts do not make its count" },
	{ FAMILY("\"lead_time\": {\"histogram\": {\"schema\": 5, \"offset\": 2048, "
		 "\"counts\": [1, 1]}}"),
	  "families[0].lead_time.histogram.counts: too many elements" },
	{ FAMILY("\"lead_time\": {\"histogram\": {\"schema\": 5, \"counts\": [1, null]}}"),
	  "families[0].lead_time.histogram.counts: not an array of integers" },
	{ FAMILY("\"steps\": [{" STEP "}], \"by_lead\": {\"lead_ns\": [9], \"items\": [1]}"),
	  "families[0].by_lead.lead_sum_ns: missing" },
	{ FAMILY("\"by_lead\": {\"lead_ns\": [9, 8], \"items\": [1, 1], \"lead_sum_ns\": [1, 1]}"),
	  "families[0].by_lead.lead_ns: not ascending" },
	{ FAMILY("\"steps\": [{" STEP "}], \"ladders\": {\"norm\": {\"steps\": {\"a>b\": []}}}"),
	  "families[0].ladders.norm.steps.a>b: not an integer" },
	{ FAMILY("\"blocks\": {\"items\": [1], \"lead_sum_ns\": [null]}"),
	  "families[0].blocks.lead_sum_ns: not an array of integers" },
};

Test(json, what_is_wrong_is_named_with_the_way_to_it)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char why[160] = "";
		int err = read_text(wrong[i].json, why);

		cr_assert_eq(err, -EBADMSG, "%s: %d", wrong[i].json, err);
		cr_assert(strstr(why, wrong[i].why), "'%s' for %s", why, wrong[i].json);
	}
}

Test(json, a_truncated_file_is_refused)
{
	struct vsm *vsm = sample_stages(1);
	char *json = sample_json(vsm);
	size_t bytes = strlen(json);

	for (size_t cut = 0; cut + 2 < bytes; cut += 211) {
		struct vsm *back = NULL;
		char why[160];

		cr_assert_eq(vsm_read_json(&back, json, cut, why), -EBADMSG);
		cr_assert_neq(why[0], '\0');
		cr_assert_null(back);
	}
	free(json);
	vsm_free(vsm);
}

/* A byte changed at random: refused, or a map that every renderer can print. */
Test(json, a_damaged_file_is_refused_or_harmless)
{
	static const char replacements[] = "0123456789\"[]{},:-.enul";
	struct vsm *vsm = sample_nulls();
	uint64_t state = 42;
	size_t bytes;
	char *json;

	hist_add_n(&vsm->families[0].lead_time, 1000, 50);
	json = sample_json(vsm);
	bytes = strlen(json);
	for (unsigned int i = 0; i < 3000; i++) {
		struct vsm *back = NULL;
		char why[160];
		size_t at;
		char old;

		state = state * UINT64_C(6364136223846793005) + 1;
		at = (state >> 20) % bytes;
		old = json[at];
		json[at] = replacements[(state >> 50) % (sizeof(replacements) - 1)];
		if (!vsm_read_json(&back, json, bytes, why)) {
			free(sample_text(back, 60, true, false));
			free(sample_json(back));
			vsm_free(back);
		}
		json[at] = old;
	}
	free(json);
	vsm_free(vsm);
}
