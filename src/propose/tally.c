// SPDX-License-Identifier: BSD-2-Clause
/*
 * tally.c - rounds of counting
 */
#include "src/propose/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define BUDGET_SHARE 0.1   /* of one core, over for_ns */
#define ROUND_SHARE 0.25   /* of what is left of the budget */
#define ROUND_NS 200000000 /* of one that goes too fast */
#define MAX_ROUNDS 8
#define MIN_ITEMS 20
#define OFTEN 2 /* entries per item: left out */
#define SLACK 5

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int attach(struct tally *self)
{
	uint64_t from_ns = clock_ns();
	int err = 0;

	self->nr_attached = 0;
	for (size_t i = 0; i < self->functions->nr && !err; i++) {
		const struct function *row = &self->functions->rows[i];

		if (!self->is_in[i])
			continue;
		err = counter_add(self->counter, i, row->open_path, row->site_at);
		self->nr_attached += !err;
		if (err == -ENOSPC) {
			self->is_in[i] = false;
			err = 0;
		}
	}
	err = err ?: counter_attach(self->counter, self->pid);
	if (!self->nr_rounds) {
		self->attach_ns = clock_ns() - from_ns;
		self->nr_first = self->nr_attached;
	}
	for (size_t i = 0; i < self->functions->nr; i++)
		self->before[i] = self->is_in[i] ? counter_read(self->counter, i) : 0;
	self->round_ns = clock_ns();
	self->close_ns = 0;
	self->nr_rounds++;
	return err;
}

static void detach(struct tally *self)
{
	uint64_t from_ns = clock_ns();

	counter_detach(self->counter);
	self->detach_ns = clock_ns() - from_ns;
}

int tally_begin(struct tally *self)
{
	size_t nr = self->functions->nr;

	self->before = calloc(nr ?: 1, sizeof(*self->before));
	self->after = calloc(nr ?: 1, sizeof(*self->after));
	self->is_in = calloc(nr ?: 1, sizeof(*self->is_in));
	if (!self->before || !self->after || !self->is_in)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		self->is_in[i] = self->functions->rows[i].is_proved &&
				 !self->functions->rows[i].is_library;
	self->begin_ns = clock_ns();
	return attach(self);
}

void tally_fini(struct tally *self)
{
	free(self->before);
	free(self->after);
	free(self->is_in);
	self->before = self->after = NULL;
	self->is_in = NULL;
}

static uint64_t read_round(struct tally *self)
{
	uint64_t spent_ns = 0;

	for (size_t i = 0; i < self->functions->nr; i++) {
		if (!self->is_in[i])
			continue;
		self->after[i] = counter_read(self->counter, i);
		spent_ns += (self->after[i] - self->before[i]) * self->functions->rows[i].cost_ns;
	}
	return spent_ns;
}

/* What the round has told, and who is not in the next. */
static void judge_round(struct tally *self)
{
	uint64_t reads, items, most = 0;

	flows_assign(self->flows, self->path);
	path_count(self->path, self->group, self->round_ns, self->close_ns, &reads, &items);
	for (size_t i = 0; i < self->functions->nr; i++)
		if (self->is_in[i] && self->after[i] - self->before[i] > most)
			most = self->after[i] - self->before[i];
	for (size_t i = 0; i < self->functions->nr; i++) {
		struct function *row = &self->functions->rows[i];
		uint64_t nr = self->after[i] - self->before[i];

		if (!self->is_in[i])
			continue;
		row->count += nr;
		row->reads += reads;
		row->items += items;
		row->is_counted = true;
		if (nr > OFTEN * reads + SLACK && (reads >= MIN_ITEMS || nr > most / 2))
			self->is_in[i] = false;
	}
}

/*
 * A round ends with the time, with the budget, or when what is entered often has shown itself: a
 * part of the budget is gone, though less than the time would have it last.
 */
static bool is_round_over(struct tally *self, uint64_t now_ns)
{
	double budget_ns = BUDGET_SHARE * (double)self->for_ns;
	double spent_ns = (double)read_round(self), left_ns = budget_ns - (double)self->spent_ns;
	bool is_late = now_ns - self->begin_ns >= self->for_ns, is_spent = spent_ns >= left_ns;
	bool is_fast = spent_ns > BUDGET_SHARE * (double)(now_ns - self->round_ns);

	self->is_last = is_late || is_spent || self->nr_rounds == MAX_ROUNDS ||
			!counter_is_multi(self->counter);
	self->is_braked = is_spent && !is_late;
	if (is_late || is_spent)
		return true;
	return is_fast && self->nr_rounds < MAX_ROUNDS &&
	       (spent_ns > ROUND_SHARE * left_ns || now_ns - self->round_ns > ROUND_NS);
}

int tally_tick(struct tally *self, uint64_t seen_ns)
{
	uint64_t now_ns = clock_ns();
	int err;

	if (!self->close_ns) {
		if (!is_round_over(self, now_ns))
			return 1;
		self->spent_ns += read_round(self);
		self->close_ns = clock_ns();
		detach(self);
	}
	if (seen_ns < self->close_ns)
		return 1;
	judge_round(self);
	self->end_ns = self->close_ns;
	if (self->is_last)
		return 0;
	err = attach(self);
	return err ?: 1;
}
