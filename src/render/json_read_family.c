// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_read_family.c - one family of a map file, read back
 *
 * Steps come first: all that is keyed by a step's id is laid out by their order.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/json_part.h"

#define MAX_FINDINGS 4096

static const char *outcome_text(size_t i)
{
	return i < OUTCOME_NR ? outcome_name((enum outcome)i) : "mixed"; /* of `other` */
}

static void get_steps(struct get *get, struct family *family)
{
	size_t nr;

	if (!get_enter_array(get, "steps", VSM_MAX_STEPS, &nr))
		return;
	family->steps = get_allocate(get, nr, sizeof(*family->steps));
	while (family->steps && family->nr_steps < nr && get_enter_element(get, family->nr_steps)) {
		get_step(get, &family->steps[family->nr_steps++]);
		get_leave(get);
	}
	get_leave(get);
}

static void get_constraint(struct get *get, struct family *family)
{
	const char *id = get_borrowed(get, "constraint");

	family->constraint = -1;
	for (size_t i = 0; id && !get->err && i < family->nr_steps; i++)
		if (!strcmp(family->steps[i].id, id))
			family->constraint = (int)i;
	if (id && family->constraint < 0)
		get_fail(get, "constraint", "not the id of a step");
}

/* The number of elements of an array, which is not yet read. */
static size_t size_of(struct get *get, const char *key, size_t max)
{
	size_t nr;

	if (get_enter_array(get, key, max, &nr))
		get_leave(get);
	return nr;
}

static void get_lead_buckets(struct get *get, struct by_lead *by_lead)
{
	uint64_t *tops = get_allocate(get, by_lead->nr, sizeof(*tops));

	get_u64s(get, "lead_ns", tops, tops ? by_lead->nr : 0, 0);
	for (size_t i = 0; tops && i < by_lead->nr && !get->err; i++) {
		by_lead->lead_bucket[i] = (uint16_t)hist_bucket(tops[i] ? tops[i] : 1);
		if (i && by_lead->lead_bucket[i] <= by_lead->lead_bucket[i - 1])
			get_fail(get, "lead_ns", "not ascending");
	}
	free(tops);
}

/* Columns in the file, rows in memory. */
static void get_matrix(struct get *get, struct family *family)
{
	struct by_lead *by_lead = &family->by_lead;
	uint64_t *column = get_allocate(get, by_lead->nr, sizeof(*column));

	if (!column || !get_enter(get, "sum_ns")) {
		free(column);
		return;
	}
	for (size_t s = 0; s < family->nr_steps && !get->err; s++) {
		get_u64s(get, family->steps[s].id, column, by_lead->nr, 0);
		for (size_t i = 0; i < by_lead->nr; i++)
			by_lead->sum_ns[i * family->nr_steps + s] = column[i];
	}
	get_leave(get);
	free(column);
}

static void get_by_lead(struct get *get, struct family *family)
{
	struct by_lead *by_lead = &family->by_lead;
	size_t nr;

	if (!get_enter(get, "by_lead"))
		return;
	nr = by_lead->nr = size_of(get, "lead_ns", HIST_NR_BUCKETS);
	by_lead->lead_bucket = get_allocate(get, nr, sizeof(*by_lead->lead_bucket));
	by_lead->items = get_allocate(get, nr, sizeof(*by_lead->items));
	by_lead->lead_sum_ns = get_allocate(get, nr, sizeof(*by_lead->lead_sum_ns));
	by_lead->sum_ns = get_allocate(get, nr * family->nr_steps, sizeof(*by_lead->sum_ns));
	get_lead_buckets(get, by_lead);
	get_u64s(get, "items", by_lead->items, nr, 0);
	get_matrix(get, family);
	get_u64s(get, "lead_sum_ns", by_lead->lead_sum_ns, nr, 0);
	get_leave(get);
}

static void get_ladder(struct get *get, const char *key, const struct family *family,
		       struct ladder *ladder)
{
	if (!get_enter(get, key))
		return;
	ladder->is_known = true;
	ladder->items = get_u64(get, "items");
	ladder->lead_mean_ns = get_u64(get, "lead_mean_ns");
	if (get_enter(get, "steps")) {
		for (size_t s = 0; s < family->nr_steps && !get->err; s++)
			ladder->step_mean_ns[s] = get_u64(get, family->steps[s].id);
		get_leave(get);
	}
	get_leave(get);
}

static void get_ladders(struct get *get, struct family *family)
{
	if (!get_enter(get, "ladders"))
		return;
	get_ladder(get, "norm", family, &family->ladders[LADDER_NORM]);
	get_ladder(get, "p99", family, &family->ladders[LADDER_P99]);
	get_ladder(get, "p99_99", family, &family->ladders[LADDER_P99_99]);
	get_leave(get);
}

static void get_blocks(struct get *get, struct family *family)
{
	struct blocks *blocks = &family->blocks;
	size_t nr;

	if (!get_enter(get, "blocks"))
		return;
	blocks->width_ns = get_u64(get, "width_ns");
	nr = blocks->nr = size_of(get, "items", VSM_MAX_BLOCKS);
	blocks->items = get_allocate(get, nr, sizeof(uint64_t));
	blocks->lead_sum_ns = get_allocate(get, nr, sizeof(uint64_t));
	blocks->lead_p50_ns = get_allocate(get, nr, sizeof(uint64_t));
	blocks->lead_p99_ns = get_allocate(get, nr, sizeof(uint64_t));
	blocks->in_flight_max = get_allocate(get, nr, sizeof(uint64_t));
	blocks->sum_ns = get_allocate(get, nr * family->nr_steps, sizeof(uint64_t));
	get_u64s(get, "items", blocks->items, nr, 0);
	get_u64s(get, "lead_sum_ns", blocks->lead_sum_ns, nr, 0);
	get_u64s(get, "lead_p50_ns", blocks->lead_p50_ns, nr, UINT64_MAX);
	get_u64s(get, "lead_p99_ns", blocks->lead_p99_ns, nr, UINT64_MAX);
	get_u64s(get, "in_flight_max", blocks->in_flight_max, nr, 0);
	if (nr && get_enter(get, "sum_ns")) {
		for (size_t s = 0; s < family->nr_steps && !get->err; s++)
			get_u64s(get, family->steps[s].id, &blocks->sum_ns[s * nr], nr, 0);
		get_leave(get);
	}
	get_leave(get);
}

static void get_findings(struct get *get, struct family *family)
{
	size_t nr;

	if (!get_enter_array(get, "findings", MAX_FINDINGS, &nr))
		return;
	family->findings = get_allocate(get, nr, sizeof(*family->findings));
	while (family->findings && family->nr_findings < nr &&
	       get_enter_element(get, family->nr_findings)) {
		struct finding *finding = &family->findings[family->nr_findings++];

		finding->waste = get_needed_text(get, "waste");
		finding->step = get_text(get, "step");
		finding->cost_ns_per_item = get_u64(get, "cost_ns_per_item");
		finding->lead_time_share_ratio = get_real(get, "lead_time_share_ratio");
		finding->evidence = get_text(get, "evidence");
		finding->example = get_text(get, "example");
		get_leave(get);
	}
	get_leave(get);
}

static void get_stamps(struct get *get, struct slow_item *item)
{
	size_t nr;

	if (!get_enter_array(get, "stations", JOURNEY_MAX_STATIONS, &nr))
		return;
	item->stamps = get_allocate(get, nr, sizeof(*item->stamps));
	while (item->stamps && item->nr_stamps < nr && get_enter_element(get, item->nr_stamps)) {
		uint32_t i = item->nr_stamps++;

		item->stamps[i].name = get_needed_text(get, "name");
		item->stamps[i].at_ns = get_u64(get, "at_ns");
		item->stamps[i].tid = (uint32_t)get_u64_max(get, "tid", UINT32_MAX);
		item->stamps[i].cpu = (uint16_t)get_u64_max(get, "cpu", UINT16_MAX);
		get_leave(get);
	}
	get_leave(get);
}

static void get_key(struct get *get, struct slow_item *item)
{
	const char *text = get_borrowed(get, "key");
	char *end;

	if (!text)
		return;
	errno = 0;
	item->key = strtoull(text, &end, 10);
	item->has_key = true;
	if (errno || *end || end == text)
		get_fail(get, "key", "is no key");
}

static void get_slowest(struct get *get, struct family *family)
{
	size_t nr;

	if (!get_enter_array(get, "slowest", VSM_NR_SLOWEST, &nr))
		return;
	while (family->nr_slowest < nr && get_enter_element(get, family->nr_slowest)) {
		struct slow_item *item = &family->slowest[family->nr_slowest++];

		get_key(get, item);
		item->lead_time_ns = get_u64(get, "lead_time_ns");
		get_stamps(get, item);
		item->id = get_u64(get, "id");
		get_leave(get);
	}
	get_leave(get);
}

static void get_totals(struct get *get, struct family *family)
{
	family->takt_declared_ns = get_u64(get, "takt_declared_ns");
	family->takt_mean_ns = get_u64(get, "takt_mean_ns");
	family->takt_peak_1ms_ns = get_u64(get, "takt_peak_1ms_ns");
	get_dist(get, "lead_time", &family->lead_time, DIST_NS);
	get_dist(get, "process_time", &family->process_time, DIST_NS);
	get_dist(get, "transport_time", &family->transport_time, DIST_NS);
	get_dist(get, "wait_time", &family->wait_time, DIST_NS);
	get_dist(get, "time_to_last_output", &family->time_to_last_output, DIST_NS);
	get_dist(get, "outputs", &family->outputs, DIST_COUNT);
	family->activity_ratio = get_real(get, "activity_ratio");
	family->pce_ratio = get_real(get, "pce_ratio");
	family->pce_min_ratio = get_real(get, "pce_min_ratio");
	family->pce_max_ratio = get_real(get, "pce_max_ratio");
	family->rolled_complete_and_accurate_ratio =
		get_real(get, "rolled_complete_and_accurate_ratio");
}

void get_family(struct get *get, struct family *family)
{
	const char *protocol = get_borrowed(get, "protocol");

	family->id = get_needed_text(get, "id");
	family->name = get_text(get, "name");
	family->route = get_texts(get, "route", VSM_MAX_STEPS + 1, &family->nr_route);
	family->class = get_text(get, "class");
	if (get_has(get, "outcome"))
		family->outcome =
			outcome_text(get_name(get, "outcome", outcome_text, OUTCOME_NR + 1));
	family->items = get_u64(get, "items");
	family->rate_hz = get_real(get, "rate_hz");
	get_totals(get, family);
	get_steps(get, family);
	get_constraint(get, family);
	get_by_lead(get, family);
	get_ladders(get, family);
	get_blocks(get, family);
	get_findings(get, family);
	get_slowest(get, family);
	family->is_udp = protocol && !strcmp(protocol, "udp");
	family->is_other = get_bool(get, "is_other");
}
