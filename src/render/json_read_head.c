// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_read_head.c - the circumstances and the account of a map file, read back
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/figure.h"
#include "src/render/json_part.h"

#define MAX_PAIRS 4096
#define MAX_TARGETS 4096
#define MAX_DOUBTS 4096

static void get_pairs(struct get *get, const char *key, struct pairs *pairs)
{
	const char *name;
	const json_t *value;

	if (!get_enter(get, key))
		return;
	if (json_object_size(get->at[get->depth]) > MAX_PAIRS)
		get_fail(get, NULL, "too many members");
	json_object_foreach((json_t *)get->at[get->depth], name, value) {
		const char *text = get_borrowed(get, name);

		if (!get->err && pairs_add(pairs, name, text ? text : ""))
			get_no_memory(get);
	}
	get_leave(get);
}

static void get_missing(struct get *get, struct pairs *pairs)
{
	size_t nr;

	if (!get_enter_array(get, "stations_missing", MAX_PAIRS, &nr))
		return;
	for (size_t i = 0; i < nr && get_enter_element(get, i); i++) {
		const char *station = get_borrowed(get, "station");
		const char *why = get_borrowed(get, "why");

		if (!get->err && pairs_add(pairs, station ? station : "", why ? why : ""))
			get_no_memory(get);
		get_leave(get);
	}
	get_leave(get);
}

static void get_window(struct get *get, struct vsm *vsm)
{
	struct capture *capture = &vsm->capture;
	const char *start;

	if (!get_enter(get, "window"))
		return;
	vsm->window_start_ns = get_u64(get, "start_ns");
	vsm->window_end_ns = get_u64(get, "end_ns");
	if (vsm->window_end_ns < vsm->window_start_ns)
		get_fail(get, "end_ns", "before start_ns");
	start = get_borrowed(get, "start");
	if (start && !figure_parse_instant(start, &capture->start_wall_ns))
		get_fail(get, "start", "not an instant such as 2026-11-14T09:30:00.000000000Z");
	capture->start_ns = vsm->window_start_ns;
	if (!get_has(get, "ended_in_order") || get_bool(get, "ended_in_order"))
		capture->end_ns = vsm->window_end_ns;
	get_leave(get);
}

static int get_status(struct get *get, const char *key)
{
	double status = get_real(get, key);

	if (status >= INT32_MIN && status <= INT32_MAX)
		return (int)status;
	if (get_has(get, key))
		get_fail(get, key, "not an exit status");
	return 0;
}

static void get_target(struct get *get, struct target_info *target)
{
	target->pid = (uint32_t)get_u64_max(get, "pid", UINT32_MAX);
	target->comm = get_text(get, "comm");
	target->exe = get_text(get, "exe");
	target->build_id = get_text(get, "build_id");
	target->cmdline = get_text(get, "cmdline");
	target->has_exited = get_has(get, "exit_status");
	target->exit_status = get_status(get, "exit_status");
	target->is_go = get_bool(get, "is_go");
}

static void get_targets(struct get *get, struct capture *capture)
{
	size_t nr;

	if (!get_enter_array(get, "targets", MAX_TARGETS, &nr))
		return;
	capture->targets = get_allocate(get, nr, sizeof(*capture->targets));
	while (capture->targets && capture->nr_targets < nr &&
	       get_enter_element(get, capture->nr_targets)) {
		get_target(get, &capture->targets[capture->nr_targets++]);
		get_leave(get);
	}
	get_leave(get);
}

static void get_stage(struct get *get, struct stage_info *stage)
{
	for (const struct field *field = stage_texts; field->name; field++)
		*(char **)((char *)stage + field->offset) = get_text(get, field->name);
	stage->site_offset = get_u64(get, "site_offset");
	stage->hits = get_u64(get, "hits");
	stage->cost_ns = (uint32_t)get_u64_max(get, "cost_ns", UINT32_MAX);
	stage->before_ns = (uint32_t)get_u64_max(get, "before_ns", UINT32_MAX);
	stage->spread_ns = (uint32_t)get_u64_max(get, "spread_ns", UINT32_MAX);
	stage->cold_before_ns = (uint32_t)get_u64_max(get, "cold_before_ns", UINT32_MAX);
	stage->cold_after_ns = (uint32_t)get_u64_max(get, "cold_after_ns", UINT32_MAX);
}

static void get_stages(struct get *get, struct capture *capture)
{
	size_t nr;

	if (!get_enter_array(get, "stages", GEMBA_MAX_STAGES, &nr))
		return;
	capture->stages = get_allocate(get, nr, sizeof(*capture->stages));
	while (capture->stages && capture->nr_stages < nr &&
	       get_enter_element(get, capture->nr_stages)) {
		get_stage(get, &capture->stages[capture->nr_stages++]);
		get_leave(get);
	}
	get_leave(get);
}

void get_capture(struct get *get, struct vsm *vsm)
{
	struct capture *capture = &vsm->capture;

	if (!get_enter(get, "capture"))
		return;
	for (const struct field *field = capture_texts; field->name; field++)
		*(char **)((char *)capture + field->offset) = get_text(get, field->name);
	get_pairs(get, "tags", &capture->tags);
	get_window(get, vsm);
	get_pairs(get, "clock", &capture->clock);
	get_pairs(get, "environment", &capture->environment);
	get_missing(get, &capture->missing);
	get_targets(get, capture);
	get_stages(get, capture);
	get_leave(get);
}

static void get_counts(struct get *get, struct account *account, const struct field *field)
{
	for (; field->name; field++)
		*(uint64_t *)((char *)account + field->offset) = get_u64(get, field->name);
}

static void get_by_kind(struct get *get, const char *key, uint64_t *by_kind)
{
	if (!get_enter(get, key))
		return;
	for (unsigned int i = 0; i < GEMBA_NR_KINDS; i++)
		by_kind[i] = get_u64(get, event_kind_names[i]);
	get_leave(get);
}

static void get_observer(struct get *get, struct vsm *vsm)
{
	if (!get_enter(get, "observer"))
		return;
	vsm->observer_path_ns_per_item = get_u64_or(get, "path_ns_per_item", UINT64_MAX);
	vsm->observer_cpu_ratio = get_real(get, "cpu_ratio");
	vsm->capture.observer_rss_bytes = get_u64(get, "rss_bytes");
	vsm->capture.observer_cpu_ns = get_u64(get, "cpu_ns");
	vsm->capture.recursion_misses = get_u64(get, "recursion_misses");
	get_leave(get);
}

/* One text, a comma between. */
static char *join(char **texts, size_t nr)
{
	size_t bytes = 1;
	char *list;

	for (size_t i = 0; i < nr; i++)
		bytes += strlen(texts[i]) + 1;
	list = calloc(1, bytes);
	for (size_t i = 0; list && i < nr; i++)
		strcat(strcat(list, i ? "," : ""), texts[i]);
	return list;
}

static char *get_step_list(struct get *get, const char *key)
{
	size_t nr;
	char **ids = get_texts(get, key, VSM_MAX_STEPS, &nr);
	char *list = NULL;

	if (get_has(get, key)) {
		list = join(ids, nr);
		if (!list)
			get_no_memory(get);
	}
	for (size_t i = 0; i < nr; i++)
		free(ids[i]);
	free(ids);
	return list;
}

static void get_doubts(struct get *get, struct vsm *vsm)
{
	size_t nr;

	if (!get_enter_array(get, "doubts", MAX_DOUBTS, &nr))
		return;
	vsm->doubts = get_allocate(get, nr, sizeof(*vsm->doubts));
	while (vsm->doubts && vsm->nr_doubts < nr && get_enter_element(get, vsm->nr_doubts)) {
		struct doubt *doubt = &vsm->doubts[vsm->nr_doubts++];

		doubt->code = get_needed_text(get, "code");
		doubt->text = get_needed_text(get, "text");
		doubt->steps = get_step_list(get, "steps");
		doubt->items = get_u64(get, "items");
		get_leave(get);
	}
	get_leave(get);
}

void get_account(struct get *get, struct vsm *vsm)
{
	struct account *account = &vsm->account;

	vsm->observer_path_ns_per_item = UINT64_MAX;
	vsm->observer_cpu_ratio = NAN;
	if (!get_enter(get, "account"))
		return;
	get_counts(get, account, account_items);
	if (get_enter(get, "attributed")) {
		get_counts(get, account, account_attributed);
		get_leave(get);
	}
	account->events = get_u64(get, "events");
	account->lost = get_u64(get, "events_lost");
	get_by_kind(get, "events_lost_by_kind", account->lost_by_kind);
	vsm->unmapped_ns = get_u64(get, "unmapped_ns");
	get_observer(get, vsm);
	get_doubts(get, vsm);
	get_by_kind(get, "events_by_kind", account->events_by_kind);
	get_counts(get, account, account_more);
	get_leave(get);
}
