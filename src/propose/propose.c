// SPDX-License-Identifier: BSD-2-Clause
/*
 * propose.c - look, cut, try, tell
 *
 * Counting only says who may be a stage. When an item comes by where is seen by stamping the
 * candidates for a moment, and whether the choice holds what it promises by making the map of it:
 * what is proposed has been tried on the very process. What is received may hold several units of
 * work; in a map they are items when the entry stage is entered for each, so a cut of the unit's
 * way is tried before one of the packet's where it says more.
 */
#include "src/propose/propose.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/attach/procfs.h"
#include "src/propose/cut.h"
#include "src/propose/units.h"
#include "src/util/log.h"

#define SAMPLE_NS 2000000000ull
#define COUNT_NS 1000000000ull
#define GOOD_SHARE 0.8
#define MIN_SHARE 0.3
#define BRAKE_SHARE 0.1 /* see stages.c */
#define MIN_PER_READ 0.05
#define MAX_PER_ITEM 1.3
#define FEW_ITEMS 50
#define ENOUGH_WINDOWS 20
#define MAX_CUTS 3     /* of what was received, and of units of it */
#define MAX_UNITS 2    /* that are stamped */
#define UNIT_SHARE 0.5 /* of samples, that its functions are on the stack of */
#define FEW_SAMPLES 20
#define MAX_GROUPS 16
#define MUCH_PROBING 0.5 /* of the time that the work itself takes */

struct propose {
	const struct target *target;
	FILE *out;
	char *why;
	struct look look;
	struct cut cuts[MAX_CUTS];
	size_t nr_cuts;
	struct cut *best;
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

static double rate_hz(const struct propose *self)
{
	return (double)self->look.nr_items * 1e9 / (double)self->look.sampled_ns;
}

static bool is_known(const struct function *row)
{
	return row->is_counted && row->is_proved && row->count && row->items;
}

/* It may be a stage as far as counts go: header and body may be two receives of one item. */
static bool is_candidate(const struct function *row)
{
	return is_known(row) && (double)row->count >= MIN_PER_READ * (double)row->reads &&
	       cut_per_item(row) <= MAX_PER_ITEM;
}

/* A stage that costs more is taken off when a map is made. */
static bool is_bearable(const struct propose *self, const struct function *row)
{
	return rate_hz(self) * cut_per_item(row) * row->cost_ns <= BRAKE_SHARE * 1e9;
}

static void log_functions(const struct functions *functions)
{
	for (size_t i = 0; i < functions->nr; i++) {
		const struct function *row = &functions->rows[i];

		if (!row->is_library && (row->count || row->inclusive))
			log_debug("%s: on %lu stacks, of a receive %lu, twice %lu, %s, entered "
				  "%lu times in %lu items, %u ns a hit",
				  cut_name_of(row), row->inclusive, row->receiving, row->twice,
				  row->is_proved ? row->site.text : "no site", row->count,
				  row->items, row->cost_ns);
	}
}

static int cut_received(struct propose *self)
{
	struct functions *functions = &self->look.functions;
	uint32_t *rows = calloc(functions->nr ?: 1, sizeof(*rows));
	struct cut *cut = &self->cuts[0];
	size_t nr = 0;
	int err;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < functions->nr; i++)
		if (is_candidate(&functions->rows[i]))
			rows[nr++] = i;
	nr = cut_unwrap(functions, rows, nr);
	cut->per_item = CUT_RECEIVED;
	err = cut_make(cut, &self->look, self->target, rows, nr, self->why);
	free(rows);
	note(self, "%zu functions are entered about once per item or less often; %zu were stamped",
	     nr, cut->nr);
	if (!err && cut->nr && cut->total.windows < ENOUGH_WINDOWS)
		note(self, "only %lu items came by a stamped function", cut->total.windows);
	self->nr_cuts = 1;
	return err;
}

static double most_worth(const struct propose *self)
{
	double most = 0;

	for (size_t i = 0; i < self->nr_cuts; i++)
		if (self->cuts[i].worth > most)
			most = self->cuts[i].worth;
	return most;
}

/* Only where it can say more than what there is: each costs a moment of stamping. */
static bool is_promising(const struct propose *self, const uint32_t *rows, size_t nr)
{
	uint64_t inclusive = 0;

	for (size_t i = 0; i < nr; i++)
		inclusive += self->look.functions.rows[rows[i]].inclusive;
	return (double)nr > most_worth(self) &&
	       (self->look.nr_on_way < FEW_SAMPLES ||
		(double)inclusive >= UNIT_SHARE * (double)self->look.nr_on_way);
}

/* 1: it was stamped. */
static int cut_unit(struct propose *self, const struct unit *unit, const struct unit_row *of)
{
	struct cut *cut = &self->cuts[self->nr_cuts];
	uint32_t *rows = calloc(unit->nr, sizeof(*rows));
	size_t nr;
	int err = 0;

	if (!rows)
		return -ENOMEM;
	*cut = (struct cut){ .per_item = unit->per_item };
	for (size_t i = 0; i < unit->nr; i++)
		rows[i] = of[i].row;
	nr = cut_unwrap(&self->look.functions, rows, unit->nr);
	if (is_promising(self, rows, nr))
		err = cut_make(cut, &self->look, self->target, rows, nr, self->why);
	if (cut->nr)
		note(self, "%zu are entered about %.1f times per item; %zu were stamped", nr,
		     unit->per_item, cut->nr);
	self->nr_cuts += cut->worth > most_worth(self);
	free(rows);
	return err ?: cut->nr > 0;
}

static int cut_units(struct propose *self)
{
	const struct functions *functions = &self->look.functions;
	struct unit_row *rows = calloc(functions->nr ?: 1, sizeof(*rows));
	struct unit units[MAX_GROUPS];
	size_t nr = 0, nr_units, nr_stamped = 0;
	int n = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < functions->nr; i++)
		if (is_known(&functions->rows[i]) && is_bearable(self, &functions->rows[i]))
			rows[nr++] = (struct unit_row){ i, cut_per_item(&functions->rows[i]) };
	nr_units = units_group(rows, nr, units, MAX_GROUPS);
	for (size_t i = 0; i < nr_units && nr_stamped < MAX_UNITS && n >= 0; i++) {
		n = cut_unit(self, &units[i], rows + units[i].from);
		nr_stamped += n == 1;
	}
	free(rows);
	return n < 0 ? n : 0;
}

/* Those that say more are later: each is there because it is worth more than all before it. */
static int try_cuts(struct propose *self)
{
	int err = 0;

	for (size_t i = self->nr_cuts; i > 0 && !err; i--) {
		struct cut *cut = &self->cuts[i - 1];

		if (!cut->nr_picked)
			continue;
		err = cut_try(cut, &self->look, self->target, self->why);
		log_debug("%zu stages of %.1f units hold %.2f", cut->nr_picked, cut->per_item,
			  cut_share(cut));
		if (!self->best || cut_share(cut) > cut_share(self->best))
			self->best = cut;
		if (cut_share(cut) >= GOOD_SHARE)
			break;
	}
	err = err ?: cut_try_finer(self->best, &self->look, self->target, self->why);
	return err ?: cut_drop_idle(self->best, &self->look, self->target, self->why);
}

static const struct function *entry_of(const struct propose *self)
{
	const struct cut *cut = self->best;

	return &self->look.functions.rows[cut->rows[cut->picked[0]]];
}

/* The dearest of them at the rate that was seen. */
static void tell_load(struct propose *self)
{
	double items_hz = rate_hz(self) * self->best->per_item;
	uint32_t cost_ns = 0;

	for (size_t i = 0; i < self->best->nr_picked; i++)
		if (self->best->chosen[i].cost_ns > cost_ns)
			cost_ns = self->best->chosen[i].cost_ns;
	if (items_hz * cost_ns > BRAKE_SHARE * 1e9)
		note(self,
		     "at %.0f items a second a stage may cost %.0f %% of a core: above %.0f %% "
		     "gemba takes it off",
		     items_hz, items_hz * cost_ns / 1e7, 100 * BRAKE_SHARE);
}

static double probing(const struct cut *cut)
{
	double sum_ns = 0;

	for (size_t i = 0; i < cut->nr_picked; i++)
		sum_ns += (double)cut->chosen[i].hits * cut->chosen[i].real_ns;
	return cut->map.process_ns ? sum_ns / (double)cut->map.process_ns : 0;
}

static void tell_unit(struct propose *self)
{
	char group[FLOWS_TEXT_BYTES];

	if (cut_is_unit(self->best))
		note(self, "an item is one entry of %s, %.1f to a %s", cut_name_of(entry_of(self)),
		     cut_per_item(entry_of(self)),
		     strncmp(flows_name(self->look.group, group), "udp", 3) ? "received item" :
									      "datagram");
}

static void tell_map(struct propose *self)
{
	const struct trial_map *map = &self->best->map;
	double share = cut_share(self->best), probes = probing(self->best);

	note(self, "tried: %lu items, their stages hold %.0f %% of process time%s", map->items,
	     100 * share, map->lost ? " (events were lost meanwhile)" : "");
	if (share < GOOD_SHARE)
		note(self, "that is less than %.0f %%: the rest passes before the first of them",
		     100 * GOOD_SHARE);
	if (probes >= MUCH_PROBING)
		note(self,
		     "the stages are short: their probes take %.1f times as long as the work "
		     "itself, so that figures this fine are corrected, not exact",
		     probes);
	tell_load(self);
	if (map->items < FEW_ITEMS)
		note(self, "only %lu items came by: a guess", map->items);
}

static void tell_stage(struct propose *self, size_t i)
{
	const struct cut *cut = self->best;
	const struct trial_stage *stage = &cut->chosen[i];
	const struct function *row = &self->look.functions.rows[cut->rows[cut->picked[i]]];
	double units = cut_is_unit(cut) ? cut_per_item(entry_of(self)) : 1;

	if (cut->has_end_mark && i + 1 == cut->nr_picked)
		note(self, "%s: only ends the stage before it, as nothing is sent that would",
		     cut_name_of(row));
	else
		note(self, "%s: %.0f %% of process time, %.2f calls per item, %.2gus a hit%s",
		     cut_name_of(row), 100 * stage->on_cpu_share, cut_per_item(row) / units,
		     stage->cost_ns / 1e3, stage->is_braked ? "; BRAKED: it cost too much" : "");
	fprintf(self->out, "-s %s=%s\n", stage->name, stage->probe);
}

static void tell_stages(struct propose *self)
{
	const struct cut *cut = self->best;

	tell_unit(self);
	tell_map(self);
	for (size_t i = 0; i < cut->nr_picked; i++)
		tell_stage(self, i);
	fprintf(self->out, "gemba map -p %u --for 10s", self->target->pids[0]);
	for (size_t i = 0; i < cut->nr_picked; i++)
		fprintf(self->out, " -s %s=%s", cut->chosen[i].name, cut->chosen[i].probe);
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

static int cut(struct propose *self)
{
	uint32_t pid = self->target->pids[0];
	bool is_any = false, is_picked = false;
	int err;

	log_functions(&self->look.functions);
	err = cut_received(self);
	err = err ?: cut_units(self);
	if (err)
		return err;
	for (size_t i = 0; i < self->nr_cuts; i++) {
		is_any |= self->cuts[i].nr > 0;
		is_picked |= self->cuts[i].nr_picked > 0;
	}
	if (!is_any)
		return fail(self, -ENOENT,
			    "no function with a name is entered about once per item in process %u "
			    "(is it stripped?); see gemba stages -p %u",
			    pid, pid);
	if (!is_picked)
		return fail(self, -ENOENT,
			    "none of %zu functions lies on the way of most items of process %u, "
			    "once each",
			    self->cuts[0].nr, pid);
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
	err = err ?: cut(self);
	err = err ?: try_cuts(self);
	if (!err && cut_share(self->best) < MIN_SHARE)
		err = fail(self, -ENOENT,
			   "the best stages hold only %.0f %% of the process time of process %u: "
			   "its work is not done between receiving and sending in one thread, or "
			   "not in functions with a name",
			   100 * cut_share(self->best), target->pids[0]);
	if (!err)
		tell_stages(self);
	if (err && !why[0])
		fail(self, err, "cannot propose stages: %s", strerror(-err));
	look_fini(&self->look);
	free(self);
	return err;
}
