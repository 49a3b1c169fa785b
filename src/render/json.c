// SPDX-License-Identifier: BSD-2-Clause
/*
 * json.c - the map as JSON, every field of it, in the order of the contract
 *
 * What is not known is null. Fields that the contract does not name follow those it does. The
 * bytes depend on nothing but the map.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "src/render/figure.h"
#include "src/render/json_part.h"
#include "src/render/render.h"

/* The first of several pairs of one key counts, as in pairs_get(). */
static void emit_pairs(struct emit *emit, const char *key, const struct pairs *pairs)
{
	emit_open(emit, key, '{');
	for (size_t i = 0; i < pairs->nr; i++) {
		const struct pair *pair = &pairs->items[i];

		if (pair->key && pairs_get(pairs, pair->key) == pair->value)
			emit_text(emit, pair->key, pair->value);
	}
	emit_close(emit, '}');
}

static void emit_instant(struct emit *emit, const char *key, const struct vsm *vsm, uint64_t at_ns)
{
	const struct capture *capture = &vsm->capture;

	if (capture->start_wall_ns)
		emit_text(emit, key,
			  figure_instant(capture->start_wall_ns + (at_ns - capture->start_ns)).s);
	else
		emit_null(emit, key);
}

static void emit_window(struct emit *emit, const struct vsm *vsm)
{
	emit_open(emit, "window", '{');
	emit_instant(emit, "start", vsm, vsm->window_start_ns);
	emit_instant(emit, "end", vsm, vsm->window_end_ns);
	emit_u64(emit, "start_ns", vsm->window_start_ns);
	emit_u64(emit, "end_ns", vsm->window_end_ns);
	emit_u64(emit, "duration_ns", vsm->window_end_ns - vsm->window_start_ns);
	emit_bool(emit, "ended_in_order", vsm->capture.end_ns);
	emit_close(emit, '}');
}

static void emit_targets(struct emit *emit, const struct capture *capture)
{
	emit_open(emit, "targets", '[');
	for (size_t i = 0; i < capture->nr_targets; i++) {
		const struct target_info *target = &capture->targets[i];

		emit_open(emit, NULL, '{');
		emit_u64(emit, "pid", target->pid);
		emit_text(emit, "comm", target->comm);
		emit_text(emit, "exe", target->exe);
		emit_text(emit, "build_id", target->build_id);
		emit_text(emit, "cmdline", target->cmdline);
		emit_real(emit, "exit_status", target->has_exited ? target->exit_status : NAN);
		emit_bool(emit, "is_go", target->is_go);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

static void emit_stages(struct emit *emit, const struct capture *capture)
{
	emit_open(emit, "stages", '[');
	for (size_t i = 0; i < capture->nr_stages; i++) {
		const struct stage_info *stage = &capture->stages[i];

		emit_open(emit, NULL, '{');
		for (const struct field *field = stage_texts; field->name; field++)
			emit_text(emit, field->name, *(char **)((char *)stage + field->offset));
		emit_u64(emit, "site_offset", stage->site_offset);
		emit_u64(emit, "hits", stage->hits);
		emit_u64_or_null(emit, "cost_ns", stage->cost_ns, 0);
		emit_u64_or_null(emit, "before_ns", stage->before_ns, 0);
		emit_u64_or_null(emit, "spread_ns", stage->spread_ns, 0);
		emit_u64(emit, "cold_before_ns", stage->cold_before_ns);
		emit_u64(emit, "cold_after_ns", stage->cold_after_ns);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

static void emit_missing(struct emit *emit, const struct pairs *missing)
{
	emit_open(emit, "stations_missing", '[');
	for (size_t i = 0; i < missing->nr; i++) {
		emit_open(emit, NULL, '{');
		emit_text(emit, "station", missing->items[i].key);
		emit_text(emit, "why", missing->items[i].value);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

static void emit_capture(struct emit *emit, const struct vsm *vsm)
{
	const struct capture *capture = &vsm->capture;
	const struct field *field = capture_texts;

	emit_open(emit, "capture", '{');
	for (; field->name; field++) {
		emit_text(emit, field->name, *(char **)((char *)capture + field->offset));
		if (!strcmp(field->name, "review_by"))
			emit_pairs(emit, "tags", &capture->tags);
	}
	emit_window(emit, vsm);
	emit_pairs(emit, "clock", &capture->clock);
	emit_pairs(emit, "environment", &capture->environment);
	emit_missing(emit, &capture->missing);
	emit_targets(emit, capture);
	emit_stages(emit, capture);
	emit_close(emit, '}');
}

static void emit_counts(struct emit *emit, const struct account *account, const struct field *field)
{
	for (; field->name; field++)
		emit_u64(emit, field->name,
			 *(const uint64_t *)((const char *)account + field->offset));
}

static void emit_by_kind(struct emit *emit, const char *key, const uint64_t *by_kind)
{
	emit_open(emit, key, '{');
	for (unsigned int i = 0; i < GEMBA_NR_KINDS; i++)
		if (by_kind[i])
			emit_u64(emit, event_kind_names[i], by_kind[i]);
	emit_close(emit, '}');
}

static void emit_observer(struct emit *emit, const struct vsm *vsm)
{
	emit_open(emit, "observer", '{');
	emit_u64_or_null(emit, "path_ns_per_item", vsm->observer_path_ns_per_item, UINT64_MAX);
	emit_real(emit, "cpu_ratio", vsm->observer_cpu_ratio);
	emit_u64_or_null(emit, "rss_bytes", vsm->capture.observer_rss_bytes, 0);
	emit_u64_or_null(emit, "cpu_ns", vsm->capture.observer_cpu_ns, 0);
	emit_u64(emit, "recursion_misses", vsm->capture.recursion_misses);
	emit_close(emit, '}');
}

/* A list of step ids as the map file has it: an array; null is every step. */
static void emit_step_list(struct emit *emit, const char *key, const char *list)
{
	char id[160];

	if (!list) {
		emit_null(emit, key);
		return;
	}
	emit_open_flat(emit, key, '[');
	while (*list) {
		size_t nr = strcspn(list, ",");

		snprintf(id, sizeof(id), "%.*s", (int)nr, list);
		emit_text(emit, NULL, id);
		list += nr + (list[nr] == ',');
	}
	emit_close(emit, ']');
}

static void emit_doubts(struct emit *emit, const struct vsm *vsm)
{
	emit_open(emit, "doubts", '[');
	for (size_t i = 0; i < vsm->nr_doubts; i++) {
		const struct doubt *doubt = &vsm->doubts[i];

		emit_open(emit, NULL, '{');
		emit_text(emit, "code", doubt->code);
		emit_text(emit, "text", doubt->text);
		emit_step_list(emit, "steps", doubt->steps);
		emit_u64(emit, "items", doubt->items);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

static void emit_account(struct emit *emit, const struct vsm *vsm)
{
	const struct account *account = &vsm->account;

	emit_open(emit, "account", '{');
	emit_counts(emit, account, account_items);
	emit_open(emit, "attributed", '{');
	emit_counts(emit, account, account_attributed);
	emit_close(emit, '}');
	emit_u64(emit, "events", account->events);
	emit_u64(emit, "events_lost", account->lost);
	emit_by_kind(emit, "events_lost_by_kind", account->lost_by_kind);
	emit_u64(emit, "unmapped_ns", vsm->unmapped_ns);
	emit_null(emit, "sampling");
	emit_observer(emit, vsm);
	emit_doubts(emit, vsm);
	emit_by_kind(emit, "events_by_kind", account->events_by_kind);
	emit_counts(emit, account, account_more);
	emit_close(emit, '}');
}

/* The least round trip is the wire and the peer's fastest answer; what the usual one takes more
 * is the peer's. */
static void emit_round_trip(struct emit *emit, const struct hist *rtt)
{
	uint64_t min = rtt->count ? rtt->min_ns : UINT64_MAX;
	uint64_t p50 = UINT64_MAX;

	if (rtt->count)
		hist_quantile(rtt, 0.5, &p50);
	emit_u64_or_null(emit, "rtt_p50_ns", p50, UINT64_MAX);
	emit_u64_or_null(emit, "rtt_min_ns", min, UINT64_MAX);
	emit_u64_or_null(emit, "rtt_wire_ns", min, UINT64_MAX);
	emit_u64_or_null(emit, "rtt_peer_p50_ns", p50 == UINT64_MAX ? p50 : p50 - min, UINT64_MAX);
	if (rtt->count)
		emit_dist(emit, "rtt", rtt, DIST_NS);
	else
		emit_null(emit, "rtt");
}

static void emit_endpoints(struct emit *emit, const char *key, const struct vsm_endpoint *endpoints,
			   size_t nr)
{
	emit_open(emit, key, '[');
	for (size_t i = 0; i < nr; i++) {
		const struct vsm_endpoint *endpoint = &endpoints[i];

		emit_open(emit, NULL, '{');
		emit_text(emit, "id", endpoint->id);
		emit_text(emit, "name", endpoint->name);
		emit_text(emit, "protocol", endpoint->is_udp ? "udp" : "tcp");
		emit_text(emit, "local", endpoint->local);
		emit_text(emit, "remote", endpoint->remote);
		emit_u64(emit, "flows", endpoint->flows);
		emit_u64(emit, "items", endpoint->items);
		emit_u64(emit, "bytes", endpoint->bytes);
		emit_real(emit, "rate_hz", endpoint->rate_hz);
		emit_round_trip(emit, &endpoint->rtt);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

int render_json(const struct vsm *vsm, const struct render_opts *opts, FILE *out)
{
	struct emit emit = { .out = out };

	(void)opts;
	emit_open(&emit, NULL, '{');
	emit_text(&emit, "schema", MAP_SCHEMA);
	emit_text(&emit, "made_by", vsm->made_by);
	emit_text(&emit, "map_id", vsm->map_id);
	emit_open_flat(&emit, "merged_from", '[');
	for (size_t i = 0; i < vsm->nr_merged_from; i++)
		emit_text(&emit, NULL, vsm->merged_from[i]);
	emit_close(&emit, ']');
	emit_capture(&emit, vsm);
	emit_account(&emit, vsm);
	emit_endpoints(&emit, "suppliers", vsm->suppliers, vsm->nr_suppliers);
	emit_endpoints(&emit, "customers", vsm->customers, vsm->nr_customers);
	emit_open(&emit, "families", '[');
	for (size_t i = 0; i < vsm->nr_families; i++)
		emit_family(&emit, &vsm->families[i]);
	emit_close(&emit, ']');
	emit_close(&emit, '}');
	putc('\n', out);
	return ferror(out) ? -EIO : 0;
}
