// SPDX-License-Identifier: BSD-2-Clause
/*
 * propose.c - look, stamp, choose, try, tell
 *
 * Counting only says who may be a stage. When an item comes by where is seen by stamping the
 * candidates for a moment, and whether the choice holds what it promises by making the map of it:
 * what is proposed has been tried on the very process.
 */
#include "src/propose/propose.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/attach/procfs.h"
#include "src/map/steps.h"
#include "src/propose/choose.h"
#include "src/propose/look.h"
#include "src/propose/trial.h"
#include "src/util/log.h"

#define SAMPLE_NS 2000000000ull
#define COUNT_NS 1000000000ull
#define STAMP_NS 1500000000ull
#define MAP_NS 1500000000ull
#define GOOD_SHARE 0.8
#define MIN_SHARE 0.3
#define SURE_SHARE 0.84 /* one map differs from the next by that much less the above */
#define WORTH_SHARE 0.02
#define STAMP_SHARE 0.25 /* of a core, that all stamped candidates together may cost */
#define BRAKE_SHARE 0.1	 /* see stages.c */
#define MIN_PER_READ 0.05
#define MAX_PER_ITEM 1.3
#define FEW_ITEMS 50
#define MIN_COSTS 2 /* a stage lasts that many times what its probe costs, or else */
#define MIN_STAMPED 16
#define ENOUGH_WINDOWS 20

struct propose {
	const struct target *target;
	FILE *out;
	char *why;
	struct look look;
	uint32_t rows[TRIAL_MAX_STAGES]; /* of look.functions, the stages that are stamped */
	struct trial_stage stages[TRIAL_MAX_STAGES];
	struct path_stage found[TRIAL_MAX_STAGES];
	struct path_total total;
	size_t nr;
	struct choice choices[TRIAL_MAX_STAGES];
	size_t picked[CHOOSE_MAX];
	size_t nr_picked;
	struct trial_stage chosen[CHOOSE_MAX];
	struct trial_map map;
	bool is_finer; /* stages that last no longer than their probe, for want of longer ones */
};

__attribute__((format(printf, 2, 3))) static void note(struct propose *self, const char *format,
						       ...)
{
	va_list args;

	va_start(args, format);
	fputs("# ", self->out);
	vfprintf(self->out, format, args);
	fputc('\n', self->out);
	va_end(args);
}

__attribute__((format(printf, 3, 4))) static int fail(struct propose *self, int err,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(self->why, PROPOSE_WHY_BYTES, format, args);
	va_end(args);
	return err;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static const char *name_of(const struct function *row)
{
	return row->demangled ? row->demangled : row->symbol;
}

static void tell_look(struct propose *self)
{
	const struct look *look = &self->look;
	char group[FLOWS_TEXT_BYTES];

	note(self, "sampled %.1f s: %lu samples, %lu of them on the way of %lu items (%s)",
	     look->sampled_ns / 1e9, look->nr_samples, look->nr_on_way, look->nr_items,
	     flows_name(look->group, group));
	if (look->nr_lost)
		note(self, "%lu samples found no room and are missing", look->nr_lost);
	if (look->nr_broken * 5 > look->nr_samples)
		note(self, "the outer callers of %.0f %% of the samples are not known",
		     percent(look->nr_broken, look->nr_samples));
	if (look->nr_unnamed * 5 > look->nr_on_way)
		note(self,
		     "%.0f %% of the samples lie in no function with a name (stripped?): what "
		     "works there cannot be a stage",
		     percent(look->nr_unnamed, look->nr_on_way));
	if (look->is_handed_over)
		note(self, "most is sent by threads that do not receive these items: what those "
			   "threads do cannot be joined to an item without a key");
	if (look->is_widened)
		note(self, "it is mostly idle: the functions of the executable that were not "
			   "sampled were counted as well");
}

static void tell_counts(struct propose *self)
{
	const struct look *look = &self->look;

	note(self,
	     "counted %zu functions in %.2f s, in %u round%s (%s, attached in %.2f s, "
	     "detached in %.2f s)%s",
	     look->nr_counted, look->counted_ns / 1e9, look->nr_rounds,
	     look->nr_rounds == 1 ? "" : "s",
	     look->is_multi ? "uprobe_multi" : "one perf event each", look->attach_ns / 1e9,
	     look->detach_ns / 1e9,
	     look->is_braked ? ", ended early: it had taken its tenth of a core" : "");
	if (look->nr_no_site)
		note(self, "%zu of %zu sampled functions have no cheap safe place for a probe",
		     look->nr_no_site, look->nr_found);
}

static double per_item(const struct function *row)
{
	return row->items ? (double)row->count / (double)row->items : 0;
}

/* It may be a stage as far as counts go: header and body may be two receives of one item. */
static bool is_candidate(const struct function *row)
{
	if (!row->is_counted || !row->is_proved || !row->count || !row->items)
		return false;
	return (double)row->count >= MIN_PER_READ * (double)row->reads &&
	       per_item(row) <= MAX_PER_ITEM;
}

static const struct function *being_sorted;

/* Those on most stacks first; of those that were not sampled, by how often they are entered. */
static int by_weight(const void *a, const void *b)
{
	const struct function *x = &being_sorted[*(const uint32_t *)a];
	const struct function *y = &being_sorted[*(const uint32_t *)b];

	if (x->inclusive != y->inclusive)
		return x->inclusive > y->inclusive ? -1 : 1;
	return x->count > y->count ? -1 : x->count < y->count;
}

/* All together may not cost the target more than a quarter of a core. */
static size_t affordable(const struct propose *self)
{
	double rate_hz = (double)self->look.nr_items * 1e9 / (double)self->look.sampled_ns;
	double cost_ns = self->look.functions.rows[self->rows[0]].cost_ns;
	double nr = STAMP_SHARE * 1e9 / (rate_hz * cost_ns + 1);

	if (nr < MIN_STAMPED)
		return MIN_STAMPED;
	return nr < TRIAL_MAX_STAGES ? (size_t)nr : TRIAL_MAX_STAGES;
}

static int pick_candidates(struct propose *self)
{
	struct functions *functions = &self->look.functions;
	uint32_t *rows = calloc(functions->nr ?: 1, sizeof(*rows));
	size_t nr = 0, max;
	int err = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < functions->nr; i++)
		if (is_candidate(&functions->rows[i]))
			rows[nr++] = i;
	for (size_t i = 0; i < functions->nr; i++)
		if (functions->rows[i].inclusive && !functions->rows[i].is_library)
			log_debug("%s: on %lu stacks, of a receive %lu, twice %lu, %s, entered "
				  "%lu times in %lu items",
				  name_of(&functions->rows[i]), functions->rows[i].inclusive,
				  functions->rows[i].receiving, functions->rows[i].twice,
				  functions->rows[i].is_proved ? functions->rows[i].site.text :
								 "no site",
				  functions->rows[i].count, functions->rows[i].items);
	being_sorted = functions->rows;
	qsort(rows, nr, sizeof(*rows), by_weight);
	self->rows[0] = nr ? rows[0] : 0;
	max = nr ? affordable(self) : 0;
	for (size_t i = 0; i < nr && self->nr < max && !err; i++) {
		if (!functions->rows[rows[i]].probe)
			err = functions_place(functions, rows[i]);
		if (!err && functions->rows[rows[i]].is_placed)
			self->rows[self->nr++] = rows[i];
	}
	free(rows);
	note(self, "%zu functions are entered about once per item or less often; %zu were stamped",
	     nr, self->nr);
	return err;
}

/* The function's own name, what it belongs to before it, template arguments left out. */
static void derive(char *name, const char *function)
{
	size_t nr = 0, depth = 0, begin = 0, before = 0;

	if (*function == '<') /* <Type as Trait>::method */
		function++;
	for (const char *c = function; *c && *c != '(' && nr + 8 < TRIAL_NAME_BYTES; c++) {
		if (!strncmp(c, " as ", 4)) {
			c += strcspn(c, ">") - 1;
		} else if (*c == '<') {
			depth++;
		} else if (*c == '>') {
			depth -= depth > 0;
		} else if (!depth && c[0] == ':' && c[1] == ':') {
			before = begin;
			begin = nr + 1;
			name[nr++] = '.';
			c++;
		} else if (!depth) {
			name[nr++] = isalnum((unsigned char)*c) ? *c : '_';
		}
	}
	name[nr] = 0;
	memmove(name, name + before, nr - before + 1);
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		snprintf(name, TRIAL_NAME_BYTES, "stage");
	if (step_name_is_reserved(name))
		strcat(name, "_");
}

static void name_stages(struct propose *self)
{
	for (size_t i = 0; i < self->nr; i++) {
		struct trial_stage *stage = &self->stages[i];
		const struct function *row = &self->look.functions.rows[self->rows[i]];
		size_t length;

		stage->probe = row->probe;
		derive(stage->name, name_of(row));
		length = strlen(stage->name);
		for (unsigned int twin = 2, j = 0; j < i; j++)
			if (!strcmp(self->stages[j].name, stage->name)) {
				snprintf(stage->name + length, TRIAL_NAME_BYTES - length, ".%u",
					 twin++);
				j = -1;
			}
	}
}

static void weigh_stages(struct propose *self)
{

	for (size_t i = 0; i < self->nr; i++) {
		const struct path_stage *found = &self->found[i];
		uint64_t in = found->hits_in;
		struct choice *choice = &self->choices[i];

		*choice = (struct choice){
			.offset_ns = found->offset_ns,
			.order_ns = found->order_ns,
			.cost_ns = self->stages[i].real_ns,
			.weight = self->look.functions.rows[self->rows[i]].inclusive,
		};
		if (self->total.windows)
			choice->presence = (double)found->windows / (double)self->total.windows;
		if (found->windows)
			choice->per_item = (double)in / (double)found->windows;
		if (found->hits)
			choice->inside = (double)in / (double)found->hits;
		log_debug("%s: offset %lu ns, presence %.2f, per item %.2f, inside %.2f, "
			  "samples %lu, counted %.2f%s%s",
			  self->stages[i].name, choice->offset_ns, choice->presence,
			  choice->per_item, choice->inside, choice->weight,
			  per_item(&self->look.functions.rows[self->rows[i]]),
			  choice_refuse(choice) ? ": " : "", choice_refuse(choice) ?: "");
	}
}

static void choose_stages(struct propose *self, double min_costs)
{
	self->nr_picked =
		choose(self->choices, self->nr, self->total.length_ns, min_costs, self->picked);
	for (size_t i = 0; i < self->nr_picked; i++)
		self->chosen[i] = self->stages[self->picked[i]];
}

static double share_of(const struct propose *self)
{
	const struct trial_map *map = &self->map;

	return map->process_ns ? (double)map->stages_ns / (double)map->process_ns : 0;
}

static int try_stages(struct propose *self)
{
	return trial_run(self->target, self->chosen, self->nr_picked, MAP_NS, &self->map,
			 self->why);
}

/*
 * Where items are worked on for no longer than a few probes take, finer stages hold more of it:
 * less of it is left to one that begins late. Kept only when they do.
 */
static int try_finer(struct propose *self)
{
	static const double min_costs[] = { 0.3, 0.1 };

	for (size_t i = 0; i < 2 && share_of(self) < SURE_SHARE; i++) {
		const struct propose before = *self;
		int err;

		choose_stages(self, min_costs[i]);
		if (self->nr_picked <= before.nr_picked) {
			*self = before;
			continue;
		}
		self->is_finer = true;
		err = try_stages(self);
		if (err)
			return err;
		if (share_of(self) < share_of(&before) + WORTH_SHARE)
			*self = before;
	}
	return 0;
}

static uint64_t probes_ns(const struct propose *self)
{
	double sum_ns = 0;

	for (size_t i = 0; i < self->nr_picked; i++)
		sum_ns += (double)self->chosen[i].hits * self->chosen[i].real_ns;
	return (uint64_t)sum_ns;
}

/* The dearest of them at the rate that was seen. */
static void tell_load(struct propose *self)
{
	double rate_hz = (double)self->look.nr_items * 1e9 / (double)self->look.sampled_ns;
	uint32_t cost_ns = 0;

	for (size_t i = 0; i < self->nr_picked; i++)
		if (self->chosen[i].cost_ns > cost_ns)
			cost_ns = self->chosen[i].cost_ns;
	if (rate_hz * cost_ns > BRAKE_SHARE * 1e9)
		note(self,
		     "at %.0f items a second a stage may cost %.0f %% of a core: above %.0f %% "
		     "gemba takes it off",
		     rate_hz, rate_hz * cost_ns / 1e7, 100 * BRAKE_SHARE);
}

static void tell_stages(struct propose *self)
{
	double share = share_of(self);

	note(self, "tried: %lu items, their stages hold %.0f %% of process time%s", self->map.items,
	     100 * share, self->map.lost ? " (events were lost meanwhile)" : "");
	if (share < GOOD_SHARE)
		note(self, "that is less than %.0f %%: the rest passes before the first of them",
		     100 * GOOD_SHARE);
	if (self->is_finer)
		note(self, "the stages are short: up to %.0f %% of that time is the probes' own",
		     percent(probes_ns(self), self->map.process_ns));
	tell_load(self);
	if (self->map.items < FEW_ITEMS)
		note(self, "only %lu items came by: a guess", self->map.items);
	for (size_t i = 0; i < self->nr_picked; i++) {
		const struct trial_stage *stage = &self->chosen[i];
		const struct function *row =
			&self->look.functions.rows[self->rows[self->picked[i]]];

		fprintf(self->out,
			"# %s: %.0f %% of process time, %.2f calls per item, %.2gus a hit%s\n",
			name_of(row), 100 * stage->on_cpu_share, per_item(row),
			stage->cost_ns / 1e3, stage->is_braked ? "; BRAKED: it cost too much" : "");
		fprintf(self->out, "-s %s=%s\n", stage->name, stage->probe);
	}
	fprintf(self->out, "gemba map -p %u --for 10s", self->target->pids[0]);
	for (size_t i = 0; i < self->nr_picked; i++)
		fprintf(self->out, " -s %s=%s", self->chosen[i].name, self->chosen[i].probe);
	fputc('\n', self->out);
}

static bool is_go(uint32_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	return elf_is_go(path);
}

static int look(struct propose *self, const struct propose_opts *opts)
{
	int err =
		look_run(&self->look, self->target, opts->for_ns ?: SAMPLE_NS, COUNT_NS, self->why);

	if (err)
		return err;
	if (!self->look.nr_items)
		return fail(self, -ENODATA,
			    "process %u received nothing in %.1f s: let it work, or look longer "
			    "(--for)",
			    self->target->pids[0], self->look.sampled_ns / 1e9);
	tell_look(self);
	tell_counts(self);
	return 0;
}

static int stamp(struct propose *self)
{
	int err = pick_candidates(self);

	if (err)
		return err;
	if (!self->nr)
		return fail(self, -ENOENT,
			    "no function with a name is entered about once per item in process %u "
			    "(is it stripped?); see gemba stages -p %u",
			    self->target->pids[0], self->target->pids[0]);
	name_stages(self);
	err = trial_stamp(self->target, self->stages, self->nr, self->look.group, STAMP_NS,
			  self->found, &self->total, self->why);
	if (err)
		return err;
	weigh_stages(self);
	choose_stages(self, MIN_COSTS);
	if (self->total.windows < ENOUGH_WINDOWS)
		note(self, "only %lu items came by a stamped function", self->total.windows);
	if (!self->nr_picked)
		return fail(self, -ENOENT,
			    "none of %zu functions lies on the way of most items of process %u, "
			    "once each",
			    self->nr, self->target->pids[0]);
	return 0;
}

int propose_run(const struct propose_opts *opts, const struct target *target, FILE *out, char *why)
{
	struct propose *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	*self = (struct propose){ .target = target, .out = out, .why = why };
	why[0] = 0;
	if (target->nr_pids != 1 || target->child)
		err = fail(self, -EINVAL,
			   "--propose looks at one process that runs: give its pid with -p");
	else if (is_go(target->pids[0]))
		err = fail(self, -ENOTSUP,
			   "process %u runs Go, which moves work between threads: stages are not "
			   "joined by thread there; give functions with a key",
			   target->pids[0]);
	else
		err = look(self, opts);
	err = err ?: stamp(self);
	err = err ?: try_stages(self);
	err = err ?: try_finer(self);
	if (!err && share_of(self) < MIN_SHARE)
		err = fail(self, -ENOENT,
			   "the best stages hold only %.0f %% of the process time of process %u: "
			   "its work is not done between receiving and sending in one thread, or "
			   "not in functions with a name",
			   100 * share_of(self), target->pids[0]);
	if (!err)
		tell_stages(self);
	if (err && !why[0])
		fail(self, err, "cannot propose stages: %s", strerror(-err));
	look_fini(&self->look);
	free(self);
	return err;
}
