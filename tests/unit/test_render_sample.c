/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_render_sample.c - maps to render
 *
 * Items are drawn from a fixed seed with integer arithmetic and added up as map/ would, so that
 * every figure of a sample agrees with every other.
 */
#include "tests/unit/test_render_sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/by_lead.h"

#define START_NS UINT64_C(86400100000000)
#define WINDOW_NS UINT64_C(6000000000)
#define NR_ITEMS 120000
#define NR_BLOCKS 60

struct draw {
	uint64_t state;
};

static uint64_t below(struct draw *draw, uint64_t limit)
{
	draw->state = draw->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (draw->state >> 33) % limit;
}

/* Around `ns`, with a long tail when `tail` is not 0: one in `rarity` is up to tail times it. */
static uint64_t around(struct draw *draw, uint64_t ns, uint64_t rarity, uint64_t tail)
{
	uint64_t value = ns * 3 / 4 + below(draw, ns / 4) + below(draw, ns / 4 + 1);

	if (tail && below(draw, rarity) == 0)
		value += ns * below(draw, tail) * below(draw, 1000) / 1000;
	return value;
}

static struct hist *hists_of(struct family *family, size_t i)
{
	struct hist *hists[] = {
		&family->lead_time, &family->process_time,	  &family->transport_time,
		&family->wait_time, &family->time_to_last_output, &family->outputs,
	};

	return i < sizeof(hists) / sizeof(hists[0]) ? hists[i] : NULL;
}

static struct hist *step_hist(struct step *step, size_t i)
{
	struct hist *hists[] = {
		&step->time,	  &step->on_cpu,     &step->run_queue, &step->blocked,
		&step->busy_item, &step->busy_other, &step->visits,    &step->cycle_time,
	};

	return i < sizeof(hists) / sizeof(hists[0]) ? hists[i] : NULL;
}

static void name_step(struct step *step, const char *name, const char *from, const char *to,
		      enum step_kind kind)
{
	cr_assert(asprintf(&step->id, "%s>%s", from, to) > 0);
	step->name = strdup(name);
	step->from = strdup(from);
	step->to = strdup(to);
	step->kind = kind;
	for (size_t i = 0; step_hist(step, i); i++)
		hist_init(step_hist(step, i));
	step->inventory_counted_mean = NAN;
	step->utilisation_ratio = NAN;
	step->complete_and_accurate_ratio = NAN;
}

static struct family *add_family(struct vsm *vsm, const char *name, const char *outcome,
				 size_t nr_steps)
{
	struct family *family;

	vsm->families = realloc(vsm->families, (vsm->nr_families + 1) * sizeof(*family));
	family = &vsm->families[vsm->nr_families++];
	memset(family, 0, sizeof(*family));
	cr_assert(asprintf(&family->id, "f%zu", vsm->nr_families) > 0);
	family->name = strdup(name);
	family->outcome = outcome;
	for (size_t i = 0; hists_of(family, i); i++)
		hist_init(hists_of(family, i));
	family->constraint = -1;
	family->activity_ratio = family->pce_ratio = NAN;
	family->pce_min_ratio = family->pce_max_ratio = NAN;
	family->rolled_complete_and_accurate_ratio = NAN;
	family->steps = nr_steps ? calloc(nr_steps, sizeof(struct step)) : NULL;
	family->nr_steps = nr_steps;
	return family;
}

static void make_route(struct family *family)
{
	family->nr_route = family->nr_steps + 1;
	family->route = calloc(family->nr_route, sizeof(char *));
	family->route[0] = strdup(family->steps[0].from);
	for (size_t i = 0; i < family->nr_steps; i++)
		family->route[i + 1] = strdup(family->steps[i].to);
}

/* How a step's times are drawn; a step with parts is on CPU but for queue and tail. */
struct plan {
	const char *name;
	const char *from;
	const char *to;
	enum step_kind kind;
	uint64_t ns;
	uint64_t rarity;
	uint64_t tail;
	bool has_parts;
};

static const struct plan redis_plan[] = {
	{ "kernel_rx", "rx", "sock", STEP_KERNEL, 1150, 90, 4, false },
	{ "socket_queue", "sock", "recv", STEP_QUEUE, 8300, 40, 16, true },
	{ "process", "recv", "send", STEP_PROCESS, 6200, 120, 9, true },
	{ "send", "send", "txq", STEP_KERNEL, 2350, 300, 5, true },
	{ "qdisc", "txq", "tx", STEP_QUEUE, 412, 500, 8, false },
};
#define NR_REDIS (sizeof(redis_plan) / sizeof(redis_plan[0]))

static uint64_t draw_step(struct draw *draw, const struct plan *plan, struct step *step)
{
	uint64_t time = around(draw, plan->ns, plan->rarity, plan->tail);
	uint64_t usual = time < plan->ns * 5 / 4 ? time : plan->ns * 5 / 4;
	bool is_work = plan->kind == STEP_PROCESS || plan->kind == STEP_STAGE;
	uint64_t late = time - usual;

	step->items++;
	hist_add(&step->time, time);
	hist_add(&step->visits, 1);
	if (!step->has_parts)
		return time;
	hist_add(&step->on_cpu, is_work ? usual : 0);
	hist_add(&step->busy_item, is_work ? 0 : usual);
	hist_add(&step->run_queue, late * 2 / 3);
	hist_add(&step->busy_other, late / 6);
	hist_add(&step->blocked, late - late * 2 / 3 - late / 6);
	return time;
}

static void room_for_blocks(struct family *family)
{
	struct blocks *blocks = &family->blocks;

	blocks->width_ns = WINDOW_NS / NR_BLOCKS;
	blocks->nr = NR_BLOCKS;
	blocks->items = calloc(NR_BLOCKS, sizeof(uint64_t));
	blocks->lead_sum_ns = calloc(NR_BLOCKS, sizeof(uint64_t));
	blocks->lead_p50_ns = calloc(NR_BLOCKS, sizeof(uint64_t));
	blocks->lead_p99_ns = calloc(NR_BLOCKS, sizeof(uint64_t));
	blocks->in_flight_max = calloc(NR_BLOCKS, sizeof(uint64_t));
	blocks->sum_ns = calloc(NR_BLOCKS * family->nr_steps, sizeof(uint64_t));
	for (size_t i = 0; i < NR_BLOCKS; i++) {
		blocks->lead_p50_ns[i] = 18000 + i;
		blocks->lead_p99_ns[i] = i % 7 ? 90000 + i : UINT64_MAX;
		blocks->in_flight_max[i] = 12 + i % 5;
	}
}

static void draw_item(struct family *family, struct draw *draw, const struct plan *plan,
		      struct lead_matrix *matrix, size_t block)
{
	uint64_t times[VSM_MAX_STEPS];
	uint64_t lead = 0;
	uint64_t *row;

	for (size_t s = 0; s < family->nr_steps; s++) {
		times[s] = draw_step(draw, &plan[s], &family->steps[s]);
		lead += times[s];
		family->blocks.sum_ns[s * NR_BLOCKS + block] += times[s];
	}
	hist_add(&family->lead_time, lead);
	hist_add(&family->outputs, 1 + (lead % 31 == 0));
	hist_add(&family->time_to_last_output, lead + lead % 31);
	family->blocks.items[block]++;
	family->blocks.lead_sum_ns[block] += lead;
	cr_assert_eq(lead_matrix_add(matrix, lead, &row), 0);
	for (size_t s = 0; s < family->nr_steps; s++)
		row[s] += times[s];
}

/* The classes by step, as if each item were the mean: the sums are right, quantiles are not. */
static void add_classes(struct family *family, uint64_t nr)
{
	uint64_t process = 0;
	uint64_t transport = 0;

	for (size_t s = 0; s < family->nr_steps; s++) {
		const struct step *step = &family->steps[s];

		if (step->kind == STEP_PROCESS || step->kind == STEP_STAGE)
			process += step->on_cpu.sum_ns;
		else if (step->kind == STEP_KERNEL || !strcmp(step->id, "txq>tx"))
			transport += step->time.sum_ns;
	}
	hist_add_n(&family->process_time, process / nr, nr);
	hist_add_n(&family->transport_time, transport / nr, nr);
	hist_add_n(&family->wait_time, (family->lead_time.sum_ns - process - transport) / nr, nr);
	family->activity_ratio =
		(double)family->process_time.sum_ns / (double)family->lead_time.sum_ns;
	family->pce_min_ratio = 0;
	family->pce_max_ratio = family->activity_ratio;
}

static void add_ratios(struct family *family, uint64_t nr)
{
	for (size_t s = 0; s < family->nr_steps; s++) {
		struct step *step = &family->steps[s];

		step->lead_time_share_ratio =
			(double)step->time.sum_ns / (double)family->lead_time.sum_ns;
		step->inventory_mean = (double)step->time.sum_ns / (double)WINDOW_NS;
		step->inventory_max = 1 + step->time.max_ns / 4000;
		step->threads = step->has_parts;
		step->cpus = 2 * step->has_parts;
		hist_add_n(&step->cycle_time, 7000, nr / 2);
		if (!step->on_cpu.sum_ns)
			continue;
		step->utilisation_ratio = (double)step->on_cpu.sum_ns / (double)WINDOW_NS;
		if (family->constraint < 0 ||
		    family->steps[family->constraint].utilisation_ratio < step->utilisation_ratio)
			family->constraint = (int)s;
	}
	family->items = nr;
	family->rate_hz = (double)nr * 1e9 / (double)WINDOW_NS;
	family->takt_mean_ns = WINDOW_NS / nr;
	family->takt_peak_1ms_ns = 13157;
	add_classes(family, nr);
	ladders_read(family);
}

static void add_slowest(struct family *family)
{
	struct slow_item *item = &family->slowest[family->nr_slowest++];

	item->id = 71234;
	item->lead_time_ns = family->lead_time.max_ns;
	item->nr_stamps = (uint32_t)family->nr_route;
	item->stamps = calloc(family->nr_route, sizeof(*item->stamps));
	for (size_t i = 0; i < family->nr_route; i++) {
		item->stamps[i].name = strdup(family->route[i]);
		item->stamps[i].at_ns = START_NS + 3561234567 + (i > 1 ? item->lead_time_ns : i);
		item->stamps[i].tid = i > 1 ? 4242 : 0;
		item->stamps[i].cpu = 3;
	}
}

static struct family *draw_family(struct vsm *vsm, const char *name, const char *outcome,
				  const struct plan *plan, size_t nr_steps, uint64_t nr)
{
	struct family *family = add_family(vsm, name, outcome, nr_steps);
	struct lead_matrix *matrix = calloc(1, sizeof(*matrix));
	struct draw draw = { nr };

	matrix->nr_steps = nr_steps;
	for (size_t s = 0; s < nr_steps; s++) {
		name_step(&family->steps[s], plan[s].name, plan[s].from, plan[s].to, plan[s].kind);
		family->steps[s].has_parts = plan[s].has_parts;
	}
	make_route(family);
	room_for_blocks(family);
	for (uint64_t i = 0; i < nr; i++)
		draw_item(family, &draw, plan, matrix, (size_t)(i * NR_BLOCKS / nr));
	cr_assert_eq(lead_matrix_finish(matrix, &family->by_lead), 0);
	lead_matrix_fini(matrix);
	free(matrix);
	add_ratios(family, nr);
	add_slowest(family);
	return family;
}

static void describe(struct vsm *vsm)
{
	struct capture *capture = &vsm->capture;

	vsm->made_by = strdup("gemba 0.1.0");
	vsm->map_id = strdup("7f3c9a5e21d04b68");
	vsm->window_start_ns = START_NS;
	vsm->window_end_ns = START_NS + WINDOW_NS;
	vsm->observer_path_ns_per_item = 612;
	vsm->observer_cpu_ratio = 0.0123456789;
	capture->name = strdup("redis-server");
	capture->host = strdup("gw-lon-07");
	capture->boot_id = strdup("5d0cfa3e-7c1b-4b0f-9a61-0a4a3a5fd1c2");
	capture->kernel = strdup("6.18.3-amd64");
	capture->arch = strdup("x86_64");
	capture->timezone = strdup("UTC +0000");
	capture->start_ns = START_NS - 100000000;
	capture->end_ns = START_NS + WINDOW_NS;
	capture->start_wall_ns = UINT64_C(1794648600023456789);
	capture->observer_cpu_ns = 74000000;
	capture->observer_rss_bytes = 8123456;
	capture->targets = calloc(1, sizeof(*capture->targets));
	capture->nr_targets = 1;
	capture->targets[0].pid = 4242;
	capture->targets[0].comm = strdup("redis-server");
	capture->targets[0].exe = strdup("/usr/bin/redis-server");
	capture->targets[0].cmdline = strdup("redis-server *:6379");
}

static void describe_more(struct capture *capture)
{
	pairs_add(&capture->tags, "env", "prod");
	pairs_add(&capture->tags, "change", "OPS-1234");
	pairs_add(&capture->clock, "clocksource", "tsc");
	pairs_add(&capture->clock, "synchronised", "yes");
	pairs_add(&capture->environment, "cpus_online", "16");
	pairs_add(&capture->environment, "governor", "performance");
	pairs_add(&capture->missing, "hwstamp", "the driver of lo has no hardware time stamps");
}

static struct vsm_endpoint *add_endpoint(struct vsm_endpoint *list, size_t *nr, const char *id,
					 const char *name, const char *local, const char *remote)
{
	struct vsm_endpoint *endpoint = &list[(*nr)++];

	endpoint->id = strdup(id);
	endpoint->name = strdup(name);
	endpoint->local = strdup(local);
	endpoint->remote = strdup(remote);
	hist_init(&endpoint->rtt);
	return endpoint;
}

static void load_endpoint(struct vsm_endpoint *endpoint, uint64_t flows, uint64_t items,
			  uint64_t rtt_ns)
{
	struct draw draw = { items };

	endpoint->flows = flows;
	endpoint->items = items;
	endpoint->bytes = items * 46;
	endpoint->rate_hz = (double)items * 1e9 / (double)WINDOW_NS;
	for (uint64_t i = 0; rtt_ns && i < items; i += 10)
		hist_add(&endpoint->rtt, around(&draw, rtt_ns, 50, 20));
}

static void add_ends(struct vsm *vsm)
{
	struct vsm_endpoint *list = vsm->suppliers;
	size_t *nr = &vsm->nr_suppliers;

	load_endpoint(add_endpoint(list, nr, "s1", "redis-benchmark", ":6379", "127.0.0.1"), 50,
		      117000, 21000);
	load_endpoint(add_endpoint(list, nr, "s2", "10.20.0.7", ":6379", "10.20.0.7"), 2, 4100,
		      184000);
	list = vsm->customers;
	nr = &vsm->nr_customers;
	load_endpoint(add_endpoint(list, nr, "c1", "redis-benchmark", ":6379", "127.0.0.1"), 50,
		      117000, 21000);
	load_endpoint(add_endpoint(list, nr, "c2", "10.20.0.7", ":6379", "10.20.0.7"), 2, 3000,
		      184000);
}

static void add_account(struct vsm *vsm)
{
	vsm->account = (struct account){
		.in_flight_start = 3,
		.in = 121107,
		.by_outcome = { [OUTCOME_OUT] = NR_ITEMS,
				[OUTCOME_ENDED] = 1100,
				[OUTCOME_UNOBSERVED] = 4,
				[OUTCOME_IN_FLIGHT] = 6 },
		.partial = 3,
		.warmup = 2011,
		.attributed = { [ATTRIBUTED_NONE] = 1110,
				[ATTRIBUTED_CONNECTION] = 119988,
				[ATTRIBUTED_GUESSED] = 12 },
		.events = 1094213,
		.events_by_kind = { [GEMBA_RX] = 121200,
				    [GEMBA_RECV] = 121107,
				    [GEMBA_SEND] = 120012,
				    [GEMBA_SWITCH] = 240311 },
		.lost_by_kind = { [GEMBA_SWITCH] = 17 },
		.lost = 17,
		.switches_unseen = 3,
		.doubtful_pairs = 2,
		.shared_outputs = 31,
		.merges = 4,
		.retransmits = 9,
		.sockets = 53,
		.listeners = 1,
		.packets_in = 121200,
		.packets_out = 120340,
		.threads_ran = 5,
		.first_ns = START_NS - 100000000,
		.last_ns = START_NS + WINDOW_NS - 17,
	};
	vsm->unmapped_ns = 41233;
	vsm_doubt(vsm, "events_lost", "recv>send,send>txq", 4,
		  "17 events were lost: switch 17; it touches on_cpu, run_queue and blocked.");
	vsm_doubt(vsm, "guessed", NULL, 12,
		  "12 of 120000 outputs (0.01 %%) are guessed to belong "
		  "to their item; a key would settle it.");
}

static void add_ran(struct step *step)
{
	static const struct ran_instead ran[] = {
		{ "ksoftirqd/3", 31, 18345112 },
		{ "node_exporter", 977, 4120034 },
		{ "kworker/3:1", 20117, 88011 },
		{ "sshd", 800, 4100 },
	};

	memcpy(step->ran, ran, sizeof(ran));
	step->nr_ran = sizeof(ran) / sizeof(ran[0]);
	step->preemptions = 212;
}

static void add_other(struct vsm *vsm)
{
	struct family *other = add_family(vsm, "other", "mixed", 0);

	free(other->id);
	other->id = strdup("other");
	other->is_other = true;
	other->items = 7;
	other->rate_hz = 7e9 / (double)WINDOW_NS;
	hist_add_n(&other->lead_time, 40123, 7);
}

struct vsm *sample_redis(void)
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));
	struct family *family;

	describe(vsm);
	describe_more(&vsm->capture);
	add_ends(vsm);
	add_account(vsm);
	family = draw_family(vsm, "tcp rx-tx", outcome_name(OUTCOME_OUT), redis_plan, NR_REDIS,
			     NR_ITEMS);
	add_ran(&family->steps[2]);
	family->steps[4].retransmits = 9;
	family->steps[4].complete_and_accurate_ratio = 1 - 9.0 / NR_ITEMS;
	family->rolled_complete_and_accurate_ratio = 1 - 9.0 / NR_ITEMS;
	draw_family(vsm, "tcp rx-recv ended", outcome_name(OUTCOME_ENDED), redis_plan, 2, 1100);
	add_other(vsm);
	return vsm;
}

struct vsm *sample_stages(size_t nr_stages)
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));
	struct plan *plan = calloc(nr_stages + 5, sizeof(*plan));
	char(*names)[32] = calloc(nr_stages + 1, sizeof(*names));
	size_t nr = 0;

	plan[nr++] = redis_plan[0];
	plan[nr++] = redis_plan[1];
	for (size_t i = 0; i < nr_stages; i++)
		snprintf(names[i], sizeof(names[i]), "stage_%zu", i);
	snprintf(names[nr_stages], sizeof(names[nr_stages]), "send");
	plan[nr++] = (struct plan){ "receive", "recv", names[0], STEP_PROCESS, 310, 50, 3, true };
	for (size_t i = 0; i < nr_stages; i++)
		plan[nr++] = (struct plan){ names[i],		names[i], names[i + 1], STEP_STAGE,
					    1000 * (i % 4 + 1), 50 + i,	  20,		true };
	plan[nr++] = redis_plan[3];
	plan[nr++] = redis_plan[4];
	describe(vsm);
	add_ends(vsm);
	add_account(vsm);
	draw_family(vsm, "udp rx-stages-tx", outcome_name(OUTCOME_OUT), plan, nr, 20000);
	vsm->families[0].is_udp = true;
	free(names);
	free(plan);
	return vsm;
}

struct vsm *sample_empty(void)
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));

	describe(vsm);
	return vsm;
}

struct vsm *sample_nulls(void)
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));
	struct family *family;
	struct step *step;

	vsm->observer_path_ns_per_item = UINT64_MAX;
	vsm->observer_cpu_ratio = NAN;
	family = add_family(vsm, "tcp rx-tx", NULL, 1);
	free(family->name);
	family->name = NULL;
	family->items = 3;
	family->rate_hz = NAN;
	step = &family->steps[0];
	name_step(step, "rx>tx", "rx", "tx", STEP_WIRE);
	step->inventory_mean = NAN;
	step->lead_time_share_ratio = NAN;
	hist_add_n(&step->time, 0, 3);
	add_endpoint(vsm->customers, &vsm->nr_customers, "c1", "x", "", "")->rate_hz = NAN;
	return vsm;
}

static void rename_one(char **text, const char *name)
{
	free(*text);
	*text = strdup(name);
}

void sample_rename(struct vsm *vsm, const char *name)
{
	struct capture *capture = &vsm->capture;

	rename_one(&capture->name, name);
	rename_one(&capture->host, name);
	rename_one(&capture->kernel, name);
	rename_one(&capture->owner, name);
	pairs_add(&capture->tags, name, name);
	pairs_add(&capture->missing, name, name);
	for (size_t i = 0; i < capture->nr_targets; i++)
		rename_one(&capture->targets[i].comm, name);
	vsm_doubt(vsm, "code", "a>b", 1, "%s and so on", name);
	for (size_t i = 0; i < vsm->nr_suppliers; i++) {
		rename_one(&vsm->suppliers[i].name, name);
		free(vsm->suppliers[i].local);
		cr_assert(asprintf(&vsm->suppliers[i].local, ":%s", name) > 0);
	}
	for (size_t i = 0; i < vsm->nr_customers; i++)
		rename_one(&vsm->customers[i].remote, name);
	for (size_t f = 0; f < vsm->nr_families; f++) {
		rename_one(&vsm->families[f].name, name);
		rename_one(&vsm->families[f].class, name);
		for (size_t s = 0; s < vsm->families[f].nr_steps; s++) {
			rename_one(&vsm->families[f].steps[s].name, name);
			strncpy(vsm->families[f].steps[s].ran[0].comm, name,
				sizeof(vsm->families[f].steps[s].ran[0].comm) - 1);
		}
		for (size_t i = 0; i < vsm->families[f].nr_route; i++)
			rename_one(&vsm->families[f].route[i], name);
	}
}
