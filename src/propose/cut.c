// SPDX-License-Identifier: BSD-2-Clause
/*
 * cut.c - candidates in, stages out that have been tried
 */
#include "src/propose/cut.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/steps.h"
#include "src/util/log.h"

#define STAMP_NS 1500000000ull
#define MAP_MIN_NS 700000000ull
#define MAP_MAX_NS 1000000000ull
#define MAP_ITEMS 2000
#define SURE_SHARE 0.84 /* one map differs from the next by that much less what is good */
#define WORTH_SHARE 0.02
#define FEW_STAGES 3
#define LOST_SHARE 0.3
#define IDLE_SHARE 0.01
#define THIN_SHARE 0.03
#define STAMP_SHARE 0.25 /* of a core, that all stamped candidates together may cost */
#define MIN_STAMPED 16	 /* of received items */
#define MIN_COSTS 2	 /* a stage lasts that many times what its probe costs, or else */
#define UNIT_MIN_COSTS 0.5
#define SAME_RATE 1.1

bool cut_is_unit(const struct cut *self)
{
	return self->per_item > CUT_RECEIVED;
}

const char *cut_name_of(const struct function *row)
{
	return row->demangled ? row->demangled : row->symbol;
}

double cut_per_item(const struct function *row)
{
	return row->items ? (double)row->count / (double)row->items : 0;
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

static bool has_rate_of(const struct function *a, const struct function *b)
{
	double x = cut_per_item(a), y = cut_per_item(b);

	return x <= SAME_RATE * y && y <= SAME_RATE * x;
}

size_t cut_unwrap(struct functions *functions, uint32_t *rows, size_t nr)
{
	size_t nr_left = 0;

	for (size_t i = 0; i < nr; i++) {
		uint32_t inner = functions_wrapped_by(functions, rows[i]);
		bool is_among = false;

		for (size_t j = 0; j < nr && inner != FUNCTIONS_NONE && !is_among; j++)
			is_among = rows[j] == inner && j != i &&
				   functions->rows[inner].inner == FUNCTIONS_NONE;
		if (is_among && has_rate_of(&functions->rows[rows[i]], &functions->rows[inner]))
			functions->rows[rows[i]].inner = inner;
	}
	for (size_t i = 0; i < nr; i++) {
		const struct function *row = &functions->rows[rows[i]];

		if (row->inner != FUNCTIONS_NONE &&
		    functions->rows[row->inner].inclusive < row->inclusive)
			functions->rows[row->inner].inclusive = row->inclusive;
	}
	for (size_t i = 0; i < nr; i++)
		if (functions->rows[rows[i]].inner == FUNCTIONS_NONE)
			rows[nr_left++] = rows[i];
	being_sorted = functions->rows;
	qsort(rows, nr_left, sizeof(*rows), by_weight);
	return nr_left;
}

static double rate_hz(const struct look *look)
{
	return look->sampled_ns ? (double)look->nr_items * 1e9 / (double)look->sampled_ns : 0;
}

/* All together may not cost the target more than a quarter of a core. */
static size_t affordable(const struct cut *self, const struct look *look, uint32_t row)
{
	double cost_ns = look->functions.rows[row].cost_ns;
	double nr = STAMP_SHARE * 1e9 / (rate_hz(look) * self->per_item * cost_ns + 1);

	if (nr < MIN_STAMPED && !cut_is_unit(self))
		return MIN_STAMPED;
	return nr < TRIAL_MAX_STAGES ? (size_t)nr : TRIAL_MAX_STAGES;
}

static int take_rows(struct cut *self, struct look *look, const uint32_t *rows, size_t nr)
{
	size_t max = nr ? affordable(self, look, rows[0]) : 0;
	int err = 0;

	for (size_t i = 0; i < nr && self->nr < max && !err; i++) {
		if (!look->functions.rows[rows[i]].probe)
			err = functions_place(&look->functions, rows[i]);
		if (!err && look->functions.rows[rows[i]].is_placed)
			self->rows[self->nr++] = rows[i];
	}
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

static void name_stages(struct cut *self, const struct look *look)
{
	for (size_t i = 0; i < self->nr; i++) {
		struct trial_stage *stage = &self->stages[i];
		const struct function *row = &look->functions.rows[self->rows[i]];
		size_t length;

		stage->probe = row->probe;
		derive(stage->name, cut_name_of(row));
		length = strlen(stage->name);
		for (unsigned int twin = 2, j = 0; j < i; j++)
			if (!strcmp(self->stages[j].name, stage->name)) {
				snprintf(stage->name + length, TRIAL_NAME_BYTES - length, ".%u",
					 twin++);
				j = -1;
			}
	}
}

static void weigh_stages(struct cut *self, const struct look *look)
{
	for (size_t i = 0; i < self->nr; i++) {
		const struct path_stage *found = &self->found[i];
		const struct function *row = &look->functions.rows[self->rows[i]];
		uint64_t in = found->hits_in;
		struct choice *choice = &self->choices[i];

		*choice = (struct choice){
			.offset_ns = found->offset_ns,
			.order_ns = found->order_ns,
			.cost_ns = self->stages[i].real_ns,
			.weight = row->inclusive,
		};
		if (self->total.windows)
			choice->presence = (double)found->windows / (double)self->total.windows;
		if (found->windows)
			choice->per_item = (double)in / (double)found->windows;
		if (found->hits)
			choice->inside = (double)in / (double)found->hits;
		log_debug("%s: offset %lu ns, presence %.2f, per item %.2f, inside %.2f, "
			  "samples %lu, counted %.2f, hit %u ns%s%s",
			  self->stages[i].name, choice->offset_ns, choice->presence,
			  choice->per_item, choice->inside, choice->weight, cut_per_item(row),
			  choice->cost_ns, choice_refuse(choice) ? ": " : "",
			  choice_refuse(choice) ?: "");
	}
}

/* The stamped row that a sampled function is, itself or as what it wraps; or CHOOSE_END. */
static uint32_t stamped_row(const struct cut *self, const struct look *look, uint32_t row)
{
	uint32_t inner = look->functions.rows[row].inner;

	for (size_t i = 0; i < self->nr; i++)
		if (self->rows[i] == row || self->rows[i] == inner)
			return i;
	return CHOOSE_END;
}

/* A stack of what only some of the cut's items come by says nothing about a stage of them all. */
static bool is_of_some(const struct cut *self, const struct look *look, const uint32_t *stack)
{
	for (; *stack != CHOOSE_END && stamped_row(self, look, *stack) == CHOOSE_END; stack++) {
		const struct function *row = &look->functions.rows[*stack];

		if (row->is_counted && SAME_RATE * cut_per_item(row) < self->per_item)
			return true;
	}
	return false;
}

static void prefer_inner(struct cut *self, const struct look *look)
{
	struct choose_stacks stacks = { calloc(look->stacks.nr ?: 1, sizeof(*stacks.rows)), 0 };
	bool is_begin = true, is_left_out = false;

	for (size_t i = 0; i < look->stacks.nr && stacks.rows; i++) {
		uint32_t row = look->stacks.rows[i];

		if (is_begin)
			is_left_out = is_of_some(self, look, &look->stacks.rows[i]);
		is_begin = row == CHOOSE_END;
		if (!is_begin)
			row = stamped_row(self, look, row);
		if (!is_left_out && (is_begin || row != CHOOSE_END))
			stacks.rows[stacks.nr++] = row;
	}
	choose_inner(self->choices, self->nr, &stacks, self->picked, self->nr_picked);
	free(stacks.rows);
}

static void choose_stages(struct cut *self, const struct look *look, double min_costs)
{
	self->nr_picked =
		choose(self->choices, self->nr, self->total.length_ns, min_costs, self->picked);
	self->worth =
		choose_worth(self->choices, self->picked, self->nr_picked, self->total.length_ns);
	prefer_inner(self, look);
	for (size_t i = 0; i < self->nr_picked; i++)
		self->chosen[i] = self->stages[self->picked[i]];
}

int cut_make(struct cut *self, struct look *look, const struct target *target, const uint32_t *rows,
	     size_t nr, char *why)
{
	int err = take_rows(self, look, rows, nr);

	if (cut_is_unit(self) && self->nr < 2)
		self->nr = 0;
	if (err || !self->nr)
		return err;
	name_stages(self, look);
	err = trial_stamp(target, self->stages, self->nr, look->group, cut_is_unit(self), STAMP_NS,
			  self->found, &self->total, why);
	if (err)
		return err;
	weigh_stages(self, look);
	choose_stages(self, look, cut_is_unit(self) ? UNIT_MIN_COSTS : MIN_COSTS);
	log_debug("%zu stages of %.1f units, of %lu ns, are worth %.2f", self->nr_picked,
		  self->per_item, self->total.length_ns, self->worth);
	return 0;
}

int cut_try(struct cut *self, const struct look *look, const struct target *target, char *why)
{
	double ns = MAP_ITEMS * 1e9 / (rate_hz(look) + 1);
	uint64_t for_ns = ns < MAP_MIN_NS ? MAP_MIN_NS :
			  ns > MAP_MAX_NS ? MAP_MAX_NS :
					    (uint64_t)ns;

	return trial_run(target, self->chosen, self->nr_picked, for_ns, &self->map, why);
}

double cut_share(const struct cut *self)
{
	const struct trial_map *map = &self->map;

	return map->process_ns ? (double)map->stages_ns / (double)map->process_ns : 0;
}

static bool is_few(const struct cut *self)
{
	return self->nr_picked < FEW_STAGES;
}

/*
 * Where items are worked on for no longer than a few probes take, finer stages hold more of it:
 * less of it is left to one that begins late. Kept only when they do; one or two stages say so
 * little that it is enough if finer ones hold no less. Where they hold next to nothing it is the
 * end of the last that is missing, and no finer stage than will do is wanted.
 */
int cut_try_finer(struct cut *self, const struct look *look, const struct target *target, char *why)
{
	const double min_costs[] = { cut_share(self) < LOST_SHARE ? 0.5 : 0.3, 0.1 };

	for (size_t i = 0; i < 2 && (cut_share(self) < SURE_SHARE || is_few(self)); i++) {
		const struct cut before = *self;
		int err;

		choose_stages(self, look, min_costs[i]);
		if (self->nr_picked <= before.nr_picked) {
			*self = before;
			continue;
		}
		err = cut_try(self, look, target, why);
		if (err)
			return err;
		if (cut_share(self) <
		    cut_share(&before) + (is_few(&before) ? -WORTH_SHARE : WORTH_SHARE))
			*self = before;
	}
	return 0;
}

static bool is_idle(const struct cut *self, size_t i)
{
	return i && self->chosen[i].on_cpu_share < IDLE_SHARE;
}

/* Of an entry stage that is over at once and what follows it one stage is made: the entry's. */
static bool is_of_entry(const struct cut *self, size_t i)
{
	return i == 1 && self->chosen[0].on_cpu_share < THIN_SHARE;
}

static void leave_out_idle(struct cut *self)
{
	size_t nr = 0;

	for (size_t i = 0; i < self->nr_picked; i++) {
		if ((is_idle(self, i) || is_of_entry(self, i)) && i + 1 < self->nr_picked) {
			self->chosen[nr - 1].on_cpu_share += self->chosen[i].on_cpu_share;
			continue;
		}
		self->picked[nr] = self->picked[i];
		self->chosen[nr++] = self->chosen[i];
	}
	self->nr_picked = nr;
}

int cut_drop_idle(struct cut *self, const struct look *look, const struct target *target, char *why)
{
	int err = 0;

	leave_out_idle(self);
	while (!err && self->nr_picked && is_idle(self, self->nr_picked - 1)) {
		const struct cut before = *self;

		self->nr_picked--;
		err = cut_try(self, look, target, why);
		if (err || cut_share(self) >= cut_share(&before) - WORTH_SHARE)
			continue;
		*self = before;
		self->has_end_mark = true;
		break;
	}
	return err;
}
