// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_read_step.c - one step of a map file, read back
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/json_part.h"

static const char *kind_name(size_t i)
{
	return step_kind_name((enum step_kind)i);
}

static const char *value_name(size_t i)
{
	return step_value_name((enum step_value)i);
}

/* What the writer made of a byte that is no UTF-8. */
static bool is_escape(const char *text)
{
	return text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
	       isxdigit((unsigned char)text[3]);
}

/* A name of the kernel's has a fixed room. If it is longer here its escapes made it so, and the
 * bytes they stand for, which print the same, fit. */
static void copy_comm(char comm[16], const char *text)
{
	bool is_longer = strlen(text) > 16;

	for (size_t i = 0; i < 16 && *text; i++) {
		if (is_longer && is_escape(text)) {
			char digits[3] = { text[2], text[3], '\0' };

			comm[i] = (char)strtoul(digits, NULL, 16);
			text += 4;
		} else {
			comm[i] = *text++;
		}
	}
}

static void get_ran(struct get *get, struct step *step)
{
	size_t nr;

	if (!get_enter_array(get, "ran_instead", VSM_MAX_RAN, &nr))
		return;
	while (step->nr_ran < nr && get_enter_element(get, step->nr_ran)) {
		struct ran_instead *ran = &step->ran[step->nr_ran++];
		const char *comm = get_borrowed(get, "comm");

		if (comm)
			copy_comm(ran->comm, comm);
		ran->pid = (uint32_t)get_u64_max(get, "pid", UINT32_MAX);
		ran->sum_ns = get_u64(get, "sum_ns");
		get_leave(get);
	}
	get_leave(get);
}

static void get_inventory(struct get *get, struct step *step)
{
	step->inventory_mean = NAN;
	step->inventory_counted_mean = NAN;
	if (get_enter(get, "inventory")) {
		step->inventory_mean = get_real(get, "mean");
		step->inventory_max = get_u64(get, "max");
		step->inventory_counted_mean = get_real(get, "counted_mean");
		get_leave(get);
	}
	if (get_enter(get, "defects")) {
		step->drops = get_u64(get, "drops");
		step->retransmits = get_u64(get, "retransmits");
		get_leave(get);
	}
}

static void get_parts(struct get *get, struct step *step)
{
	step->has_parts = get_has(get, "on_cpu");
	get_dist(get, "on_cpu", &step->on_cpu, DIST_NS);
	get_dist(get, "run_queue", &step->run_queue, DIST_NS);
	get_dist(get, "blocked", &step->blocked, DIST_NS);
	get_dist(get, "busy_item", &step->busy_item, DIST_NS);
	get_dist(get, "busy_other", &step->busy_other, DIST_NS);
}

void get_step(struct get *get, struct step *step)
{
	step->id = get_needed_text(get, "id");
	step->name = get_needed_text(get, "name");
	step->kind = (enum step_kind)get_name(get, "kind", kind_name, STEP_NR_KINDS);
	step->from = get_needed_text(get, "from");
	step->to = get_needed_text(get, "to");
	step->items = get_u64(get, "items");
	get_dist(get, "time", &step->time, DIST_NS);
	get_dist(get, "time_raw", &step->time_raw, DIST_NS);
	step->error_ns = get_u64(get, "error_ns");
	get_parts(get, step);
	get_ran(get, step);
	get_dist(get, "visits", &step->visits, DIST_COUNT);
	step->threads = (uint32_t)get_u64_max(get, "threads", UINT32_MAX);
	step->cpus = (uint32_t)get_u64_max(get, "cpus", UINT32_MAX);
	step->preemptions = get_u64(get, "preemptions");
	step->utilisation_ratio = get_real(get, "utilisation_ratio");
	get_dist(get, "cycle_time", &step->cycle_time, DIST_NS);
	get_inventory(get, step);
	step->lead_time_share_ratio = get_real(get, "lead_time_share_ratio");
	step->complete_and_accurate_ratio = get_real(get, "complete_and_accurate_ratio");
	step->value = (enum step_value)get_name(get, "value", value_name, VALUE_WASTE + 1);
}
