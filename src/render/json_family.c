// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_family.c - one family of the map as JSON: its steps, ladders, blocks, slowest items
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/render/json_part.h"

static void emit_parts(struct emit *emit, const struct step *step)
{
	const struct {
		const char *name;
		const struct hist *hist;
	} parts[] = {
		{ "on_cpu", &step->on_cpu },	     { "run_queue", &step->run_queue },
		{ "blocked", &step->blocked },	     { "busy_item", &step->busy_item },
		{ "busy_other", &step->busy_other },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (step->has_parts)
			emit_dist(emit, parts[i].name, parts[i].hist, DIST_NS);
		else
			emit_null(emit, parts[i].name);
}

static void emit_ran(struct emit *emit, const struct step *step)
{
	char comm[sizeof(step->ran[0].comm) + 1];

	emit_open(emit, "ran_instead", '[');
	for (size_t i = 0; i < step->nr_ran; i++) {
		snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(step->ran[i].comm),
			 step->ran[i].comm);
		emit_open_flat(emit, NULL, '{');
		emit_text(emit, "comm", comm);
		emit_u64(emit, "pid", step->ran[i].pid);
		emit_u64(emit, "sum_ns", step->ran[i].sum_ns);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

static void emit_flow(struct emit *emit, const struct step *step)
{
	emit_u64(emit, "threads", step->threads);
	emit_u64(emit, "cpus", step->cpus);
	if (step->has_parts)
		emit_u64(emit, "preemptions", step->preemptions);
	else
		emit_null(emit, "preemptions");
	emit_real(emit, "utilisation_ratio", step->utilisation_ratio);
	emit_dist(emit, "cycle_time", &step->cycle_time, DIST_NS);
	emit_open_flat(emit, "inventory", '{');
	emit_real(emit, "mean", step->inventory_mean);
	emit_u64(emit, "max", step->inventory_max);
	emit_real(emit, "counted_mean", step->inventory_counted_mean);
	emit_close(emit, '}');
	emit_real(emit, "lead_time_share_ratio", step->lead_time_share_ratio);
	emit_real(emit, "complete_and_accurate_ratio", step->complete_and_accurate_ratio);
	emit_open_flat(emit, "defects", '{');
	emit_u64(emit, "drops", step->drops);
	emit_u64(emit, "retransmits", step->retransmits);
	emit_close(emit, '}');
}

static void emit_step(struct emit *emit, const struct step *step)
{
	emit_open(emit, NULL, '{');
	emit_text(emit, "id", step->id);
	emit_text(emit, "name", step->name);
	emit_text(emit, "kind", step_kind_name(step->kind));
	emit_text(emit, "from", step->from);
	emit_text(emit, "to", step->to);
	emit_u64(emit, "items", step->items);
	emit_dist(emit, "time", &step->time, DIST_NS);
	if (step->time_raw.count) {
		emit_dist(emit, "time_raw", &step->time_raw, DIST_NS);
		emit_u64(emit, "error_ns", step->error_ns);
	}
	emit_parts(emit, step);
	emit_ran(emit, step);
	emit_dist(emit, "visits", &step->visits, DIST_COUNT);
	emit_flow(emit, step);
	emit_text(emit, "value", step_value_name(step->value));
	emit_close(emit, '}');
}

static void emit_by_lead(struct emit *emit, const struct family *family)
{
	const struct by_lead *by_lead = &family->by_lead;

	emit_open(emit, "by_lead", '{');
	emit_open_flat(emit, "lead_ns", '[');
	for (size_t i = 0; i < by_lead->nr; i++)
		emit_u64(emit, NULL, hist_bucket_top_ns(by_lead->lead_bucket[i]));
	emit_close(emit, ']');
	emit_u64s(emit, "items", by_lead->items, by_lead->nr);
	emit_open(emit, "sum_ns", '{');
	for (size_t s = 0; s < family->nr_steps; s++) {
		emit_open_flat(emit, family->steps[s].id, '[');
		for (size_t i = 0; i < by_lead->nr; i++)
			emit_u64(emit, NULL, by_lead->sum_ns[i * family->nr_steps + s]);
		emit_close(emit, ']');
	}
	emit_close(emit, '}');
	emit_u64s(emit, "lead_sum_ns", by_lead->lead_sum_ns, by_lead->nr);
	emit_close(emit, '}');
}

static void emit_ladder(struct emit *emit, const char *key, const struct family *family,
			const struct ladder *ladder)
{
	if (!ladder->is_known) {
		emit_null(emit, key);
		return;
	}
	emit_open(emit, key, '{');
	emit_u64(emit, "items", ladder->items);
	emit_u64(emit, "lead_mean_ns", ladder->lead_mean_ns);
	emit_open_flat(emit, "steps", '{');
	for (size_t s = 0; s < family->nr_steps; s++)
		emit_u64(emit, family->steps[s].id, ladder->step_mean_ns[s]);
	emit_close(emit, '}');
	emit_close(emit, '}');
}

static void emit_ladders(struct emit *emit, const struct family *family)
{
	emit_open(emit, "ladders", '{');
	emit_ladder(emit, "norm", family, &family->ladders[LADDER_NORM]);
	emit_ladder(emit, "p99", family, &family->ladders[LADDER_P99]);
	emit_ladder(emit, "p99_99", family, &family->ladders[LADDER_P99_99]);
	emit_close(emit, '}');
}

static void emit_nullable(struct emit *emit, const char *key, const uint64_t *values, size_t nr)
{
	emit_open_flat(emit, key, '[');
	for (size_t i = 0; i < nr; i++)
		emit_u64_or_null(emit, NULL, values[i], UINT64_MAX);
	emit_close(emit, ']');
}

static void emit_blocks(struct emit *emit, const struct family *family)
{
	const struct blocks *blocks = &family->blocks;

	emit_open(emit, "blocks", '{');
	emit_u64(emit, "width_ns", blocks->width_ns);
	emit_u64s(emit, "items", blocks->items, blocks->nr);
	emit_u64s(emit, "lead_sum_ns", blocks->lead_sum_ns, blocks->nr);
	emit_nullable(emit, "lead_p50_ns", blocks->lead_p50_ns, blocks->nr);
	emit_nullable(emit, "lead_p99_ns", blocks->lead_p99_ns, blocks->nr);
	emit_u64s(emit, "in_flight_max", blocks->in_flight_max, blocks->nr);
	emit_open(emit, "sum_ns", '{');
	for (size_t s = 0; blocks->nr && s < family->nr_steps; s++)
		emit_u64s(emit, family->steps[s].id, &blocks->sum_ns[s * blocks->nr], blocks->nr);
	emit_close(emit, '}');
	emit_close(emit, '}');
}

static void emit_findings(struct emit *emit, const struct family *family)
{
	emit_open(emit, "findings", '[');
	for (size_t i = 0; i < family->nr_findings; i++) {
		const struct finding *finding = &family->findings[i];

		emit_open(emit, NULL, '{');
		emit_text(emit, "waste", finding->waste);
		emit_text(emit, "step", finding->step);
		emit_u64(emit, "cost_ns_per_item", finding->cost_ns_per_item);
		emit_real(emit, "lead_time_share_ratio", finding->lead_time_share_ratio);
		emit_text(emit, "evidence", finding->evidence);
		emit_text(emit, "example", finding->example);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

/* As text: readers of JSON may take numbers for doubles. */
static void emit_key(struct emit *emit, const struct slow_item *item)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, item->key);
	if (item->has_key)
		emit_text(emit, "key", text);
	else
		emit_null(emit, "key");
}

static void emit_slowest(struct emit *emit, const struct family *family)
{
	emit_open(emit, "slowest", '[');
	for (size_t i = 0; i < family->nr_slowest; i++) {
		const struct slow_item *item = &family->slowest[i];

		emit_open(emit, NULL, '{');
		emit_key(emit, item);
		emit_u64(emit, "lead_time_ns", item->lead_time_ns);
		emit_open(emit, "stations", '[');
		for (uint32_t s = 0; s < item->nr_stamps; s++) {
			emit_open_flat(emit, NULL, '{');
			emit_text(emit, "name", item->stamps[s].name);
			emit_u64(emit, "at_ns", item->stamps[s].at_ns);
			emit_u64(emit, "tid", item->stamps[s].tid);
			emit_u64(emit, "cpu", item->stamps[s].cpu);
			emit_close(emit, '}');
		}
		emit_close(emit, ']');
		emit_u64(emit, "id", item->id);
		emit_close(emit, '}');
	}
	emit_close(emit, ']');
}

static void emit_times(struct emit *emit, const struct family *family)
{
	emit_u64_or_null(emit, "takt_declared_ns", family->takt_declared_ns, 0);
	emit_u64_or_null(emit, "takt_mean_ns", family->takt_mean_ns, 0);
	emit_u64_or_null(emit, "takt_peak_1ms_ns", family->takt_peak_1ms_ns, 0);
	emit_dist(emit, "lead_time", &family->lead_time, DIST_NS);
	emit_dist(emit, "process_time", &family->process_time, DIST_NS);
	emit_dist(emit, "transport_time", &family->transport_time, DIST_NS);
	emit_dist(emit, "wait_time", &family->wait_time, DIST_NS);
	emit_dist(emit, "time_to_last_output", &family->time_to_last_output, DIST_NS);
	emit_dist(emit, "outputs", &family->outputs, DIST_COUNT);
	emit_real(emit, "activity_ratio", family->activity_ratio);
	emit_real(emit, "pce_ratio", family->pce_ratio);
	emit_real(emit, "pce_min_ratio", family->pce_min_ratio);
	emit_real(emit, "pce_max_ratio", family->pce_max_ratio);
	emit_real(emit, "rolled_complete_and_accurate_ratio",
		  family->rolled_complete_and_accurate_ratio);
}

void emit_family(struct emit *emit, const struct family *family)
{
	bool is_constrained = family->constraint >= 0 &&
			      (size_t)family->constraint < family->nr_steps;

	emit_open(emit, NULL, '{');
	emit_text(emit, "id", family->id);
	emit_text(emit, "name", family->name);
	emit_open_flat(emit, "route", '[');
	for (size_t i = 0; i < family->nr_route; i++)
		emit_text(emit, NULL, family->route[i]);
	emit_close(emit, ']');
	emit_text(emit, "class", family->class);
	emit_text(emit, "outcome", family->outcome);
	emit_u64(emit, "items", family->items);
	emit_real(emit, "rate_hz", family->rate_hz);
	emit_times(emit, family);
	emit_text(emit, "constraint", is_constrained ? family->steps[family->constraint].id : NULL);
	emit_open(emit, "steps", '[');
	for (size_t i = 0; i < family->nr_steps; i++)
		emit_step(emit, &family->steps[i]);
	emit_close(emit, ']');
	emit_by_lead(emit, family);
	emit_ladders(emit, family);
	emit_blocks(emit, family);
	emit_findings(emit, family);
	emit_slowest(emit, family);
	emit_text(emit, "protocol", family->is_udp ? "udp" : "tcp");
	emit_bool(emit, "is_other", family->is_other);
	emit_close(emit, '}');
}
