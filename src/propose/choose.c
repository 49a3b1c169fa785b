// SPDX-License-Identifier: BSD-2-Clause
/*
 * choose.c - the cut with the least sum of squared lengths
 *
 * A stage lasts from its entry to the entry of the next, so every set of functions that are
 * entered once per item is a cut; of all cuts into at most CHOOSE_MAX stages the one whose
 * stages are most alike says most. Found exactly: best[k][i] is the best cut of the way from the
 * entry up to row i into k stages.
 */
#include "src/propose/choose.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS 64
#define MIN_PRESENCE 0.8
#define MIN_PER_ITEM 0.8
#define MAX_PER_ITEM 1.2
#define IMPOSSIBLE (DBL_MAX / 4)
#define MIN_INSIDE 0.8
#define TOGETHER_SHARE 0.8
#define TOGETHER_COSTS 0.75
#define ELSEWHERE_SHARE 0.2
#define ENOUGH_STACKS 5

const char *choice_refuse(const struct choice *self)
{
	if (self->inside < MIN_INSIDE)
		return "is entered outside of an item's way as well";
	if (self->presence < MIN_PRESENCE)
		return "is not entered by every item";
	if (self->per_item > MAX_PER_ITEM || self->per_item < MIN_PER_ITEM)
		return "is not entered once per item";
	return NULL;
}

struct cut {
	double squares;
	uint64_t weight;
	size_t before; /* the row where the stage before begins */
};

static bool is_better(const struct cut *a, const struct cut *b)
{
	double slack = 1e-3 * b->squares;

	if (a->squares < b->squares - slack)
		return true;
	return a->squares <= b->squares + slack && a->weight > b->weight;
}

static const struct choice *being_sorted;

static int by_order(const void *a, const void *b)
{
	const struct choice *x = &being_sorted[*(const size_t *)a];
	const struct choice *y = &being_sorted[*(const size_t *)b];

	if (x->order_ns != y->order_ns)
		return x->order_ns < y->order_ns ? -1 : 1;
	return x->weight > y->weight ? -1 : x->weight < y->weight;
}

/* What the rows that can be stages come to, in order; begins never go down. */
struct way {
	size_t nr;
	size_t row[MAX_ROWS];
	uint64_t begin_ns[MAX_ROWS + 1]; /* the last is the end of the way */
	uint64_t min_ns[MAX_ROWS];
	uint64_t weight[MAX_ROWS];
	struct cut best[CHOOSE_MAX + 1][MAX_ROWS + 1];
};

static void lay_way(struct way *self, const struct choice *rows, size_t nr, uint64_t whole_ns,
		    double min_costs)
{
	for (size_t i = 0; i < nr && self->nr < MAX_ROWS; i++)
		if (!choice_refuse(&rows[i]))
			self->row[self->nr++] = i;
	being_sorted = rows;
	qsort(self->row, self->nr, sizeof(*self->row), by_order);
	for (size_t i = 0; i < self->nr; i++) {
		const struct choice *row = &rows[self->row[i]];
		uint64_t before_ns = i ? self->begin_ns[i - 1] : 0;

		self->begin_ns[i] = row->offset_ns > before_ns ? row->offset_ns : before_ns;
		self->min_ns[i] = (uint64_t)(min_costs * row->cost_ns);
		self->weight[i] = row->weight;
	}
	self->begin_ns[self->nr] = whole_ns;
	if (self->nr && self->begin_ns[self->nr - 1] > whole_ns)
		self->begin_ns[self->nr] = self->begin_ns[self->nr - 1];
}

/* Stage k from row j up to row i; one stage alone may be short. */
static void try_stage(struct way *self, size_t k, size_t j, size_t i)
{
	uint64_t length_ns = self->begin_ns[i] - self->begin_ns[j];
	const struct cut *before = &self->best[k - 1][j];
	const struct cut cut = { before->squares + (double)length_ns * (double)length_ns,
				 before->weight + self->weight[j], j };

	if (before->squares >= IMPOSSIBLE)
		return;
	if (length_ns < self->min_ns[j] && (k > 1 || i < self->nr))
		return;
	if (is_better(&cut, &self->best[k][i]))
		self->best[k][i] = cut;
}

static void find_best(struct way *self)
{
	for (size_t k = 0; k <= CHOOSE_MAX; k++)
		for (size_t i = 0; i <= self->nr; i++)
			self->best[k][i].squares = IMPOSSIBLE;
	self->best[0][0] = (struct cut){ 0 };
	for (size_t k = 1; k <= CHOOSE_MAX; k++)
		for (size_t i = 1; i <= self->nr; i++)
			for (size_t j = 0; j < i; j++)
				try_stage(self, k, j, i);
}

size_t choose(const struct choice *rows, size_t nr, uint64_t whole_ns, double min_costs,
	      size_t picked[CHOOSE_MAX])
{
	struct way *way = calloc(1, sizeof(*way));
	size_t nr_picked = 0, at;

	if (!way)
		return 0;
	lay_way(way, rows, nr, whole_ns, min_costs);
	if (way->nr)
		find_best(way);
	for (size_t k = 1; k <= CHOOSE_MAX && way->nr; k++)
		if (way->best[k][way->nr].squares < IMPOSSIBLE &&
		    (!nr_picked ||
		     way->best[k][way->nr].squares < way->best[nr_picked][way->nr].squares))
			nr_picked = k;
	at = way->nr;
	for (size_t k = nr_picked; k > 0; k--) {
		at = way->best[k][at].before;
		picked[k - 1] = way->row[at];
	}
	free(way);
	return nr_picked;
}

double choose_worth(const struct choice *rows, const size_t *picked, size_t nr_picked,
		    uint64_t whole_ns)
{
	double sum = 0, squares = 0;

	for (size_t k = 0; k < nr_picked; k++) {
		uint64_t begin_ns = rows[picked[k]].offset_ns;
		uint64_t end_ns = k + 1 < nr_picked ? rows[picked[k + 1]].offset_ns : whole_ns;
		double length_ns = end_ns > begin_ns ? (double)(end_ns - begin_ns) : 0;

		sum += length_ns;
		squares += length_ns * length_ns;
	}
	return squares > 0 ? sum * sum / squares : nr_picked > 0;
}

/* The stacks while one row was the stage, and all others; of each, those with a row. */
struct span {
	uint64_t from_ns, to_ns;
	uint64_t nr, nr_elsewhere;
	uint64_t *with, *elsewhere;
};

static void count_stack(const struct choice *rows, const uint32_t *stack, size_t nr,
			struct span *span)
{
	uint64_t last_ns = 0, *with;
	bool is_in;

	for (size_t i = 0; i < nr; i++)
		if (!choice_refuse(&rows[stack[i]]) && rows[stack[i]].order_ns > last_ns)
			last_ns = rows[stack[i]].order_ns;
	if (!last_ns)
		return;
	is_in = last_ns >= span->from_ns && last_ns < span->to_ns;
	span->nr += is_in;
	span->nr_elsewhere += !is_in;
	with = is_in ? span->with : span->elsewhere;
	for (size_t i = 0; i < nr; i++)
		with[stack[i]]++;
}

static bool is_elsewhere(const struct span *span, size_t row)
{
	return (double)span->elsewhere[row] > ELSEWHERE_SHARE * (double)span->nr_elsewhere;
}

static size_t inner_of(const struct choice *rows, size_t nr, size_t outer, const struct span *span)
{
	uint64_t until_ns =
		rows[outer].offset_ns + (uint64_t)(TOGETHER_COSTS * rows[outer].cost_ns);
	size_t inner = outer;

	if (span->nr < ENOUGH_STACKS || !is_elsewhere(span, outer))
		return outer;
	for (size_t i = 0; i < nr; i++)
		if (!choice_refuse(&rows[i]) && !is_elsewhere(span, i) &&
		    rows[i].order_ns > rows[outer].order_ns && rows[i].order_ns < span->to_ns &&
		    rows[i].offset_ns <= until_ns &&
		    (inner == outer || rows[i].order_ns < rows[inner].order_ns) &&
		    (double)span->with[i] >= TOGETHER_SHARE * (double)span->nr)
			inner = i;
	return inner;
}

void choose_inner(const struct choice *rows, size_t nr, const struct choose_stacks *stacks,
		  size_t *picked, size_t nr_picked)
{
	uint64_t *counts = calloc(nr ?: 1, 2 * sizeof(*counts));

	for (size_t k = 0; k < nr_picked && counts; k++) {
		struct span span = {
			.from_ns = rows[picked[k]].order_ns,
			.to_ns = k + 1 < nr_picked ? rows[picked[k + 1]].order_ns : UINT64_MAX,
			.with = counts,
			.elsewhere = counts + nr,
		};

		memset(counts, 0, 2 * nr * sizeof(*counts));
		for (size_t i = 0, from = 0; i < stacks->nr; i++)
			if (stacks->rows[i] == CHOOSE_END) {
				count_stack(rows, stacks->rows + from, i - from, &span);
				from = i + 1;
			}
		picked[k] = inner_of(rows, nr, picked[k], &span);
	}
	free(counts);
}
