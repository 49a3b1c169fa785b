// SPDX-License-Identifier: BSD-2-Clause
/*
 * survey.c - every function gets a site, every encoding that occurs a trial, every row its cost
 *
 * Sites are chosen first, as -s chooses them. Of the encodings that come out there are thousands
 * (an instruction with an address is one of its own): the most frequent are tried, each class has
 * one at least, and the rest costs what its class costs on the average. Where a trial changed the
 * rules, what it is about is chosen again.
 */
#include "src/attach/survey.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/attach/feature.h"
#include "src/attach/probe.h"
#include "src/attach/procfs.h"
#include "src/util/unit.h"

#define MAX_TYPED 2000 /* rows, more are told by their mangled names */
#define DWARF_NS (500 * NS_PER_MS)
#define TRIAL_RUNS 100 /* enough for a price; -s proves its own more thoroughly */
#define TRIAL_MS 5000  /* a busy host is slow, which is no harm */
#define MAX_TRIALS 24  /* each takes 20 ms of a CPU */
#define MAX_EXACT 500
#define MAX_TURNS 8
#define RING_BYTES 65536

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

const char *survey_name(const struct survey_row *row)
{
	return row->demangled ? row->demangled : row->symbol;
}

static struct site_text around(struct survey *self, const struct place *place)
{
	if (!self->has_code)
		return (struct site_text){ 0 };
	if (self->code.dev != place->dev || self->code.inode != place->inode) {
		place_code_free(&self->code);
		if (place_code_read(&self->code, place))
			return (struct site_text){ 0 };
	}
	return (struct site_text){ self->code.bytes, self->code.nr_bytes, self->code.vaddr };
}

static void choose(struct survey *self, struct survey_row *row, const struct place *place)
{
	char why[SITE_WHY_BYTES] = "";
	int err = trials_choose(&self->trials, place, around(self, place), 0, &row->site, why);

	free(row->refused);
	row->refused = err ? strdup(why[0] ? why : strerror(-err)) : NULL;
	self->is_failed |= err && !row->refused;
}

/* The first of a binary reads its DWARF: that takes of the time for all. */
static void count_copies(struct survey *self, struct survey_row *row, const struct place *place)
{
	uint64_t begin_ns = now_ns(), took_ns;
	unsigned int nr;
	int err = place_inlined_copies(place, self->binaries[self->process],
				       self->dwarf_ns / NS_PER_MS, &nr);

	took_ns = now_ns() - begin_ns;
	self->dwarf_ns -= took_ns < self->dwarf_ns ? took_ns : self->dwarf_ns;
	row->has_more_copies = err == -ETIME;
	row->inlined_copies = err && err != -ETIME ? -1 : (int)nr;
	self->is_cut |= row->has_more_copies;
}

static bool is_told(const struct survey *self, const struct place *place)
{
	for (size_t p = 0; p < self->process; p++)
		if (binaries_have(self->binaries[p], place))
			return true;
	return false;
}

static int add(void *ctx, const struct place *place)
{
	struct survey *self = ctx;
	const char *slash = strrchr(place->binary, '/');
	struct survey_row *row;

	if (self->nr == self->room) {
		size_t room = self->room ? 2 * self->room : 256;
		struct survey_row *rows = realloc(self->rows, room * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		self->rows = rows;
		self->room = room;
	}
	if (is_told(self, place))
		return 0;
	row = &self->rows[self->nr++];
	*row = (struct survey_row){ .binary = place->binary,
				    .base = slash ? slash + 1 : place->binary,
				    .build_id = place->build_id,
				    .vaddr = place->vaddr };
	row->symbol = strdup(place->symbol);
	row->demangled = place->demangled ? strdup(place->demangled) : NULL;
	row->probe = place_probe(place, self->binaries[self->process], &row->is_by_name);
	if (!row->symbol || !row->probe || (place->demangled && !row->demangled))
		return -ENOMEM;
	choose(self, row, place);
	count_copies(self, row, place);
	return self->is_failed ? -ENOMEM : 0;
}

static int compare_rows(const void *left, const void *right)
{
	const struct survey_row *a = left, *b = right;
	int order = b->is_of_executable - a->is_of_executable;

	order = order ? order : strcmp(a->base, b->base);
	order = order ? order : strcmp(a->binary, b->binary);
	order = order ? order : strcmp(survey_name(a), survey_name(b));
	return order ? order : (a->vaddr > b->vaddr) - (a->vaddr < b->vaddr);
}

/* An encoding, as one of the rows that have it, and how many have. */
struct tally {
	const struct site *site;
	size_t nr;
};

static int compare_encodings(const void *left, const void *right)
{
	const struct tally *a = left, *b = right;
	struct site_encoding x = site_encoding_of(a->site), y = site_encoding_of(b->site);
	int order = (int)x.nr_bytes - y.nr_bytes;

	return order ? order : memcmp(x.bytes, y.bytes, x.nr_bytes);
}

static int compare_counts(const void *left, const void *right)
{
	const struct tally *a = left, *b = right;

	return a->nr != b->nr ? (a->nr < b->nr) - (a->nr > b->nr) : compare_encodings(a, b);
}

/* Of all rows with a site; the most frequent encoding first. */
static size_t tally(const struct survey *self, struct tally *out)
{
	size_t nr = 0, nr_distinct = 0;

	for (size_t i = 0; i < self->nr; i++)
		if (!self->rows[i].refused)
			out[nr++] = (struct tally){ &self->rows[i].site, 1 };
	qsort(out, nr, sizeof(*out), compare_encodings);
	for (size_t i = 0; i < nr; i++) {
		if (nr_distinct && !compare_encodings(&out[nr_distinct - 1], &out[i]))
			out[nr_distinct - 1].nr++;
		else
			out[nr_distinct++] = out[i];
	}
	qsort(out, nr_distinct, sizeof(*out), compare_counts);
	return nr_distinct;
}

static int want(struct survey *self)
{
	struct tally *all = calloc(self->nr + 1, sizeof(*all));
	bool has[NR_SITE_CLASSES] = { false };
	size_t nr;

	if (!all)
		return -ENOMEM;
	nr = tally(self, all);
	for (size_t i = 0; i < nr; i++)
		if (!has[all[i].site->class]) {
			has[all[i].site->class] = true;
			trials_want(&self->trials, all[i].site);
		}
	for (size_t i = 0; i < nr && self->trials.nr + self->trials.nr_wanted < MAX_TRIALS; i++)
		trials_want(&self->trials, all[i].site);
	free(all);
	return 0;
}

/* What this row stands on turned out to be otherwise than it was hoped. */
static bool is_outdated(const struct survey *self, const struct survey_row *row)
{
	const struct proof *proof = row->refused ? NULL : trials_of(&self->trials, &row->site);

	return proof && (proof->verdict == PROOF_FAILED || row->site.class == SITE_NOP_LONG);
}

static void choose_again(struct survey *self, struct survey_row *row)
{
	char why[PLACE_WHY_BYTES], *probe;
	struct place place;

	if (asprintf(&probe, "%s:0x%lx", row->binary, row->vaddr) < 0) {
		self->is_failed = true;
		return;
	}
	for (size_t p = 0; p < self->target->nr_pids; p++) {
		if (place_find(&place, self->binaries[p], probe, why))
			continue;
		choose(self, row, &place);
		place_fini(&place);
		break;
	}
	free(probe);
}

/* Of a few functions it is looked whether others jump into them, as -s does; of many it would
 * take a millisecond each. */
static void look_around(struct survey *self)
{
	self->has_code = self->nr <= MAX_EXACT;
	for (size_t i = 0; self->has_code && i < self->nr; i++)
		if (self->rows[i].refused || self->rows[i].site.offset)
			choose_again(self, &self->rows[i]);
}

static int try_all(struct survey *self, const struct proof_opts *opts, char *why)
{
	for (unsigned int turn = 0; turn < MAX_TURNS; turn++) {
		int err = want(self);
		int nr = err ? err : trials_run(&self->trials, opts, why);

		if (nr <= 0)
			return nr;
		for (size_t i = 0; i < self->nr; i++)
			if (is_outdated(self, &self->rows[i]))
				choose_again(self, &self->rows[i]);
	}
	return 0;
}

static void no_costs(struct survey *self, const char *why)
{
	snprintf(self->no_costs, sizeof(self->no_costs), "costs are not known: %s", why);
}

static void note_failures(struct survey *self)
{
	const char *why = NULL;
	size_t nr = 0;

	for (size_t i = self->trials.nr; i-- > 0;)
		if (self->trials.proofs[i].verdict == PROOF_FAILED) {
			why = self->trials.proofs[i].why;
			nr++;
		}
	if (nr)
		snprintf(
			self->failures, sizeof(self->failures),
			"%zu of %zu instructions failed the trial on a process of gemba's own, and "
			"are refused: %s",
			nr, self->trials.nr, why);
}

/* Costs as of the very program that stamps. */
static void measure(struct survey *self)
{
	const struct probe_opts probe_opts = {
		.ring_bytes = RING_BYTES,
		.has_stages = true,
		.has_only_stages = true,
	};
	struct proof_opts opts = { .nr_runs = TRIAL_RUNS, .timeout_ms = TRIAL_MS };
	char why[PROBE_WHY_BYTES] = "";
	struct pairs missing = { 0 };
	struct probe *probe = NULL;
	int err = probe_new(&probe, &probe_opts, &missing, why);

	opts.prog_fd = err ? -1 : probe_stage_fd(probe);
	opts.is_multi = !err && probe_has_multi(probe);
	if (opts.prog_fd >= 0)
		err = try_all(self, &opts, why);
	if (err || opts.prog_fd < 0)
		no_costs(self, why[0] ? why : err ? strerror(-err) : "the kernel refuses stages");
	note_failures(self);
	probe_free(probe);
	pairs_fini(&missing);
}

/* Each row its own cost, or the mean of its class. */
static void price(struct survey *self)
{
	uint64_t sum_ns[NR_SITE_CLASSES] = { 0 }, nr[NR_SITE_CLASSES] = { 0 };

	for (size_t i = 0; i < self->nr; i++) {
		struct survey_row *row = &self->rows[i];

		if (row->refused)
			continue;
		row->cost_ns = trials_cost_ns(&self->trials, &row->site);
		row->is_cost_of_class = !row->cost_ns;
		sum_ns[row->site.class] += row->cost_ns;
		nr[row->site.class] += row->cost_ns > 0;
	}
	for (size_t i = 0; i < self->nr; i++) {
		struct survey_row *row = &self->rows[i];

		if (!row->refused && !row->cost_ns && nr[row->site.class])
			row->cost_ns = sum_ns[row->site.class] / nr[row->site.class];
		row->is_cost_of_class &= row->cost_ns > 0;
	}
}

/* By its demangled name, where that leads to this function and no other. */
static char *demangled_probe(struct survey *self, const struct survey_row *row)
{
	size_t binary_bytes = strlen(row->probe) - strlen(row->symbol);
	char why[PLACE_WHY_BYTES], *text;
	bool is_it = false;

	if (asprintf(&text, "%.*s%s", (int)binary_bytes, row->probe, row->demangled) < 0)
		return NULL;
	for (size_t p = 0; p < self->target->nr_pids && !is_it; p++) {
		struct place place;

		if (place_find(&place, self->binaries[p], text, why))
			continue;
		is_it = place.vaddr == row->vaddr && !strcmp(place.binary, row->binary);
		place_fini(&place);
	}
	if (is_it)
		return text;
	free(text);
	return strdup(row->probe);
}

static void name_rows(struct survey *self)
{
	char exe[PATH_MAX] = "";

	proc_readlink(self->target->pids[0], "exe", exe, sizeof(exe));
	for (size_t i = 0; i < self->nr; i++) {
		struct survey_row *row = &self->rows[i];
		bool is_better = row->demangled && row->is_by_name && self->nr <= MAX_TYPED;

		row->typed = is_better ? demangled_probe(self, row) : strdup(row->probe);
		row->is_of_executable = !strcmp(row->binary, exe);
		self->is_failed |= !row->typed;
	}
}

static void count_rows(struct survey *self)
{
	for (size_t i = 0; i < self->nr; i++) {
		const struct survey_row *row = &self->rows[i];

		if (row->refused)
			self->nr_refused++;
		else if (site_is_cheap(&row->site))
			self->nr_cheap++;
		else
			self->nr_stepped++;
	}
}

static int list_process(struct survey *self, const char *glob, char *why)
{
	struct binaries **binaries = &self->binaries[self->process];
	int err = binaries_open(binaries, (pid_t)self->target->pids[self->process], why);

	self->trials.rules.has_shadow_stack |=
		proc_has_shadow_stack(self->target->pids[self->process]);
	err = err ? err : place_list(*binaries, glob, add, self, why);
	if (*binaries)
		place_unread(*binaries, self->unread);
	return err < 0 ? err : 0;
}

/* That one process has no match is no failure as long as another has one. */
static int list_all(struct survey *self, const char *glob, char *why)
{
	int err = 0;

	for (self->process = 0; self->process < self->target->nr_pids; self->process++) {
		err = list_process(self, glob, why);
		if (err && err != -ENOENT)
			return err;
	}
	return self->nr ? 0 : err;
}

static int survey(struct survey *self, const char *glob, char *why)
{
	int err = list_all(self, glob, why);

	if (err)
		return err;
	look_around(self);
	if (feature_has_privileges())
		measure(self);
	else
		no_costs(self, "to try a probe needs root, or CAP_BPF with CAP_PERFMON");
	if (self->is_failed)
		return -ENOMEM;
	price(self);
	count_rows(self);
	name_rows(self);
	if (self->is_failed)
		return -ENOMEM;
	qsort(self->rows, self->nr, sizeof(*self->rows), compare_rows);
	return 0;
}

int survey_new(struct survey **out, const struct target *target, const char *glob, char *why)
{
	struct survey *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	self->target = target;
	self->dwarf_ns = DWARF_NS;
	trials_init(&self->trials);
	if (!feature_has_privileges()) /* what cannot be tried is not hoped for */
		self->trials.rules = (struct site_rules){ 0 };
	err = survey(self, glob, why);
	if (err) {
		survey_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void survey_free(struct survey *self)
{
	if (!self)
		return;
	for (size_t i = 0; i < self->nr; i++) {
		free(self->rows[i].symbol);
		free(self->rows[i].demangled);
		free(self->rows[i].probe);
		free(self->rows[i].typed);
		free(self->rows[i].refused);
	}
	for (size_t p = 0; p < self->target->nr_pids; p++)
		binaries_free(self->binaries[p]);
	place_code_free(&self->code);
	free(self->rows);
	free(self);
}
