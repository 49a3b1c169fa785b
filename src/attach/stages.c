// SPDX-License-Identifier: BSD-2-Clause
/*
 * stages.c - from -s to probes on live functions, and off again when they cost too much
 *
 * A stage is looked for in each process; where it is found the cheapest safe instruction of its
 * entry block is chosen (src/site). The encodings that come out are tried on children of gemba's
 * own before any target is touched, what fails is refused, and the choice is made again, until
 * everything that is chosen has passed. The brake goes by hits that the kernel side counts, so
 * that it works when rings overflow.
 */
#include "src/attach/stages.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/attach/calibrate.h"
#include "src/attach/procfs.h"
#include "src/attach/stage_key.h"
#include "src/attach/trials.h"

#define MAX_CODES 16
#define MAX_CHOICES 16	      /* times that a proof may change what is chosen */
#define UNKNOWN_COST_NS 15000 /* single-stepped, and not to be tried elsewhere */
#define LEAST_SPREAD 16	      /* of a cost: no moment of calibration is quieter than the target */
#define LATE_BYTES 96
#define BRAKE_NS 100000000
#define BRAKE_SHARE 0.1 /* of one core */

/* One stage in one process. */
struct spot {
	struct place place;
	struct site site;
	struct uprobe uprobe;
	dev_t dev; /* of what is attached */
	ino_t inode;
	uint64_t attached_at; /* bytes into that file */
	bool is_found;
	bool is_attached;
};

struct stage {
	uint64_t hits_before;
	double rate_hz; /* of the last 100 ms */
	bool is_braked;
	char late[LATE_BYTES]; /* what was missed before it was attached, or "" */
	uint32_t keep;	       /* enum site_keep, for its key */
};

struct stages {
	struct probe *probe;
	const struct target *target;
	struct capture *capture;
	struct binaries *binaries[TARGET_MAX_PIDS];
	struct spot *spots; /* stage by stage, process by process */
	struct stage stages[GEMBA_MAX_STAGES];
	struct trials trials;
	struct place_code codes[MAX_CODES]; /* of the binaries that stages are in */
	size_t nr_codes;
	struct calibration calibration; /* zero: could not be made */
	uint64_t measured_ns;
};

static struct spot *spot_of(struct stages *self, size_t stage, size_t process)
{
	return &self->spots[stage * self->target->nr_pids + process];
}

/* The stage's name before what is wrong with it. */
static int complain(struct stages *self, size_t stage, int err, char *why, const char *text)
{
	snprintf(why, PROBE_WHY_BYTES, "stage %s: %s", self->capture->stages[stage].name, text);
	return err;
}

/* Jumps may come from anywhere in its binary; unread, only the function itself is looked at. */
static struct site_text around(struct stages *self, const struct place *place)
{
	struct place_code *code = NULL;

	for (size_t i = 0; i < self->nr_codes; i++)
		if (self->codes[i].dev == place->dev && self->codes[i].inode == place->inode)
			code = &self->codes[i];
	if (!code && self->nr_codes < MAX_CODES) {
		code = &self->codes[self->nr_codes++];
		place_code_read(code, place);
	}
	return code && code->bytes ?
		       (struct site_text){ code->bytes, code->nr_bytes, code->vaddr } :
		       (struct site_text){ 0 };
}

static int choose(struct stages *self, size_t stage, struct spot *spot, char *why)
{
	const struct place *place = &spot->place;

	return trials_choose(&self->trials, place, around(self, place), self->stages[stage].keep,
			     &spot->site, why);
}

static int set_key(struct stages *self, size_t stage, size_t process, char *why)
{
	const char *expr = self->capture->stages[stage].key;
	struct gemba_key program;
	int err = expr ? stage_key_make(expr, self->binaries[process],
					&spot_of(self, stage, process)->place, &program,
					&self->stages[stage].keep, why) :
			 0;

	if (expr && !err)
		probe_stage_key(self->probe, stage, &program);
	return err;
}

/* The stage in one process. 1: it is there, 0: it is not, or -errno for what can never be. */
static int locate(struct stages *self, size_t stage, size_t process, char *why)
{
	struct spot *spot = spot_of(self, stage, process);
	char text[PLACE_WHY_BYTES];
	int err;

	if (spot->is_found)
		place_fini(&spot->place);
	spot->is_found = false;
	err = place_find(&spot->place, self->binaries[process], self->capture->stages[stage].probe,
			 text);
	if (err) {
		complain(self, stage, err, why, text);
		return err == -ENOENT ? 0 : err;
	}
	self->trials.rules.has_shadow_stack |= proc_has_shadow_stack(self->target->pids[process]);
	err = set_key(self, stage, process, text);
	err = err ?: choose(self, stage, spot, text);
	if (err) {
		place_fini(&spot->place);
		return complain(self, stage, err, why, text);
	}
	spot->is_found = true;
	return 1;
}

static void want_all(struct stages *self)
{
	for (size_t i = 0; i < self->capture->nr_stages * self->target->nr_pids; i++)
		if (self->spots[i].is_found)
			trials_want(&self->trials, &self->spots[i].site);
}

static int choose_all(struct stages *self, char *why)
{
	char text[SITE_WHY_BYTES];

	for (size_t s = 0; s < self->capture->nr_stages; s++) {
		for (size_t p = 0; p < self->target->nr_pids; p++) {
			struct spot *spot = spot_of(self, s, p);
			int err = spot->is_found ? choose(self, s, spot, text) : 0;

			if (err)
				return complain(self, s, err, why, text);
		}
	}
	return 0;
}

static bool all_are_tried(const struct stages *self)
{
	for (size_t i = 0; i < self->capture->nr_stages * self->target->nr_pids; i++)
		if (self->spots[i].is_found && !trials_of(&self->trials, &self->spots[i].site))
			return false;
	return true;
}

/* Tries what was chosen, until nothing that is chosen is untried. */
static int prove(struct stages *self, char *why)
{
	const struct proof_opts opts = { .prog_fd = probe_stage_fd(self->probe),
					 .is_multi = probe_has_multi(self->probe) };
	char text[PROOF_WHY_BYTES] = "";

	for (unsigned int turn = 0; turn < MAX_CHOICES; turn++) {
		int nr;

		want_all(self);
		nr = trials_run(&self->trials, &opts, text);
		if (nr < 0)
			snprintf(why, PROBE_WHY_BYTES, "stages cannot be proved harmless: %s",
				 text[0] ? text : strerror(-nr));
		nr = nr > 0 ? choose_all(self, why) ?: nr : nr;
		if (nr < 0)
			return nr;
		if (!nr)
			break;
	}
	if (all_are_tried(self))
		return 0;
	snprintf(why, PROBE_WHY_BYTES,
		 "stages begin with too many different instructions to try "
		 "them all; name fewer");
	return -ENOTSUP;
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = text && *text ? strdup(text) : NULL;
}

/* One more sentence of what the user has to know of it. */
static void add_note(struct stage_info *info, const char *format, ...)
{
	char *text, *joined = NULL;
	va_list args;
	int nr;

	va_start(args, format);
	nr = vasprintf(&text, format, args);
	va_end(args);
	if (nr < 0)
		return;
	if (info->note && asprintf(&joined, "%s; %s", info->note, text) < 0)
		joined = NULL;
	free(joined ? text : NULL);
	free(info->note);
	info->note = joined ? joined : text;
}

/* The way to the stamp is the same for every class; what comes behind it is the rest. */
static void set_costs(const struct stages *self, struct stage_info *info)
{
	const struct calibration *known = &self->calibration;

	info->before_ns = info->cost_ns / 2;
	info->spread_ns = info->cost_ns / 4;
	if (!known->before_ns)
		return;
	info->before_ns = known->before_ns + TRIALS_EMIT_NS / 2;
	if (info->before_ns > info->cost_ns)
		info->before_ns = info->cost_ns;
	info->spread_ns = info->cost_ns / LEAST_SPREAD;
	info->cold_before_ns = known->cold_before_ns;
	info->cold_after_ns = known->cold_after_ns;
	if (known->spread_ns > info->spread_ns)
		info->spread_ns = known->spread_ns;
}

/* What the capture says of a stage: of the first process that has it. */
static void describe(struct stages *self, size_t stage, const struct spot *spot)
{
	struct stage_info *info = &self->capture->stages[stage];

	if (self->stages[stage].is_braked)
		return; /* it stays what it was then, and the note says so */
	set_text(&info->binary, spot->place.binary);
	set_text(&info->symbol, spot->place.demangled ? spot->place.demangled : spot->place.symbol);
	set_text(&info->site_class, site_class_name(spot->site.class));
	set_text(&info->site_text, spot->site.text);
	set_text(&info->note, NULL);
	info->site_offset = spot->site.offset;
	info->cost_ns = trials_cost_ns(&self->trials, &spot->site) ?: UNKNOWN_COST_NS;
	set_costs(self, info);
	if (spot->place.nr_clones)
		add_note(info, "calls of %zu copies that the compiler made are missed, as %s",
			 spot->place.nr_clones, spot->place.clones[0]);
	else if (spot->place.also_in)
		add_note(info, "the process calls this one, not that of %s", spot->place.also_in);
	if (self->stages[stage].late[0])
		add_note(info, "%s", self->stages[stage].late);
}

static void describe_all(struct stages *self)
{
	for (size_t s = 0; s < self->capture->nr_stages; s++) {
		for (size_t p = self->target->nr_pids; p-- > 0;)
			if (spot_of(self, s, p)->is_found)
				describe(self, s, spot_of(self, s, p));
	}
}

static bool is_anywhere(struct stages *self, size_t stage)
{
	for (size_t p = 0; p < self->target->nr_pids; p++)
		if (spot_of(self, stage, p)->is_found)
			return true;
	return false;
}

static int locate_all(struct stages *self, char *why)
{
	for (size_t s = 0; s < self->capture->nr_stages; s++) {
		for (size_t p = 0; p < self->target->nr_pids; p++) {
			int found = locate(self, s, p, why);

			if (found < 0)
				return found;
		}
		if (!is_anywhere(self, s))
			return -ENOENT;
	}
	return 0;
}

static int open_binaries(struct stages *self, char *why)
{
	char text[PLACE_WHY_BYTES];

	for (size_t p = 0; p < self->target->nr_pids; p++) {
		int err = self->binaries[p] ? 0 :
					      binaries_open(&self->binaries[p],
							    (pid_t)self->target->pids[p], text);

		if (err) {
			snprintf(why, PROBE_WHY_BYTES, "%s", text);
			return err;
		}
	}
	return 0;
}

static int find_and_prove(struct stages *self, char *why)
{
	int err = open_binaries(self, why);

	err = err ?: locate_all(self, why);
	return err ?: prove(self, why);
}

/* Calibrates; a kernel whose uprobe_multi links see the first thread alone (6.6) is found by it. */
static int try_multi(struct stages *self)
{
	int err = calibrate(&self->calibration, self->probe);

	if (!err || !probe_has_multi(self->probe))
		return 0; /* without calibration the figures are coarser, that is all */
	err = probe_give_up_multi(self->probe);
	if (!err)
		calibrate(&self->calibration, self->probe);
	return err;
}

int stages_new(struct stages **out, struct probe *probe, const struct target *target,
	       struct capture *capture, char *why)
{
	struct stages *self = calloc(1, sizeof(*self));
	int err = 0;

	if (self)
		self->spots = calloc(capture->nr_stages * target->nr_pids, sizeof(*self->spots));
	if (!self || !self->spots) {
		free(self);
		return -ENOMEM;
	}
	self->probe = probe;
	self->target = target;
	self->capture = capture;
	trials_init(&self->trials);
	err = try_multi(self);
	if (!err && !target->child)
		err = find_and_prove(self, why);
	if (err) {
		stages_free(self);
		return err;
	}
	describe_all(self);
	*out = self;
	return 0;
}

static void detach(struct spot *spot)
{
	if (spot->is_attached)
		uprobe_detach(&spot->uprobe);
	spot->is_attached = false;
}

static void detach_all(struct stages *self)
{
	size_t nr = self->capture->nr_stages * self->target->nr_pids, nr_attached = 0;
	struct uprobe *attached[GEMBA_MAX_STAGES * TARGET_MAX_PIDS];

	for (size_t i = 0; i < nr; i++) {
		if (self->spots[i].is_attached)
			attached[nr_attached++] = &self->spots[i].uprobe;
		self->spots[i].is_attached = false;
	}
	uprobes_detach(attached, nr_attached);
}

static int attach(struct stages *self, size_t stage, size_t process)
{
	struct spot *spot = spot_of(self, stage, process);
	const struct place *place = &spot->place;
	uint64_t at = place->file_offset + spot->site.offset;
	int err;

	if (!spot->is_found || self->stages[stage].is_braked)
		return 0;
	if (spot->is_attached && spot->dev == place->dev && spot->inode == place->inode &&
	    spot->attached_at == at)
		return 0;
	detach(spot);
	err = probe_stage_attach(self->probe, stage, self->target->pids[process], place->open_path,
				 place->file_offset + spot->site.offset, &spot->uprobe);
	spot->is_attached = !err;
	spot->dev = place->dev;
	spot->inode = place->inode;
	spot->attached_at = at;
	return err;
}

/*
 * The last one first: of probes of one place, two names of one function, the kernel calls the
 * newest first (5.10 to 6.18), and the entry stage must be told before what comes behind it.
 */
int stages_attach(struct stages *self, char *why)
{
	for (size_t s = self->capture->nr_stages; s-- > 0;) {
		for (size_t p = 0; p < self->target->nr_pids; p++) {
			int err = attach(self, s, p);

			if (!err)
				continue;
			stages_finish(self);
			return complain(self, s, err, why, strerror(-err));
		}
	}
	return 0;
}

bool stages_are_complete(const struct stages *self)
{
	for (size_t s = 0; s < self->capture->nr_stages; s++)
		if (!self->capture->stages[s].binary)
			return false;
	return true;
}

/* Why it is not there so far, without the stage's name in front. */
static void note_absence(struct stage_info *info, const char *why)
{
	const char *text = strstr(why, ": ");

	if (!info->binary)
		set_text(&info->note, text ? text + 2 : why);
}

/* What was called between `since` and now is not seen. */
static void note_late(struct stages *self, size_t stage, const struct stages_since *since)
{
	struct timespec now;
	double ms;

	self->stages[stage].late[0] = 0;
	if (!since->at_ns)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6 - (double)since->at_ns / 1e6;
	snprintf(self->stages[stage].late, LATE_BYTES,
		 "attached %.0f ms after %s, and not stamped before", ms, since->what);
}

/* True: it is attached, and was not in this file before. */
static bool attach_late(struct stages *self, size_t stage, size_t process,
			const struct stages_since *since)
{
	struct spot *spot = spot_of(self, stage, process);
	bool was_attached = spot->is_attached;
	uint64_t at = spot->attached_at;

	if (attach(self, stage, process) || !spot->is_attached)
		return false;
	if (was_attached && spot->attached_at == at)
		return false;
	note_late(self, stage, since);
	return true;
}

uint64_t stages_look_again(struct stages *self, const struct stages_since *since)
{
	char why[PROBE_WHY_BYTES];
	uint64_t found = 0;

	for (size_t p = 0; p < self->target->nr_pids; p++)
		if (self->binaries[p])
			binaries_refresh(self->binaries[p]);
	if (open_binaries(self, why))
		return 0;
	for (size_t s = 0; s < self->capture->nr_stages; s++)
		for (size_t p = 0; p < self->target->nr_pids; p++)
			if (locate(self, s, p, why) <= 0)
				note_absence(&self->capture->stages[s], why);
	if (prove(self, why))
		return 0;
	for (size_t s = self->capture->nr_stages; s-- > 0;)
		for (size_t p = 0; p < self->target->nr_pids; p++)
			if (attach_late(self, s, p, since))
				found |= 1ull << s;
	describe_all(self);
	return found;
}

static void brake(struct stages *self, size_t stage)
{
	struct stage_info *info = &self->capture->stages[stage];
	double rate_hz = self->stages[stage].rate_hz;

	for (size_t p = 0; p < self->target->nr_pids; p++)
		detach(spot_of(self, stage, p));
	self->stages[stage].is_braked = true;
	set_text(&info->note, NULL); /* whatever it missed before is little beside this */
	add_note(
		info,
		"braked: entered %.3g times a second at %u ns a hit, which took %.0f %% of a core; "
		"detached, and not stamped since",
		rate_hz, info->cost_ns, rate_hz * info->cost_ns / 1e7);
}

/* All at one instant: to detach a stage takes a while, in which the others go on. */
static void measure(struct stages *self, uint64_t now_ns)
{
	for (size_t s = 0; s < self->capture->nr_stages; s++) {
		struct stage *stage = &self->stages[s];
		uint64_t hits = probe_stage_hits(self->probe, s);

		stage->rate_hz = 0;
		if (self->measured_ns)
			stage->rate_hz = (double)(hits - stage->hits_before) * 1e9 /
					 (double)(now_ns - self->measured_ns);
		stage->hits_before = hits;
	}
	self->measured_ns = now_ns;
}

int stages_brake(struct stages *self, uint64_t now_ns)
{
	if (now_ns - self->measured_ns >= BRAKE_NS)
		measure(self, now_ns);
	for (size_t s = 0; s < self->capture->nr_stages; s++) {
		double share = self->stages[s].rate_hz * self->capture->stages[s].cost_ns / 1e9;

		if (self->stages[s].is_braked || share <= BRAKE_SHARE)
			continue;
		brake(self, s);
		return (int)s;
	}
	return -1;
}

void stages_finish(struct stages *self)
{
	detach_all(self);
	for (size_t s = 0; s < self->capture->nr_stages; s++) {
		struct stage_info *info = &self->capture->stages[s];

		info->hits = probe_stage_hits(self->probe, s);
		if (!info->binary && !info->note)
			set_text(&info->note, "the target never mapped a file that has it");
	}
}

void stages_free(struct stages *self)
{
	if (!self)
		return;
	detach_all(self);
	for (size_t i = 0; i < self->capture->nr_stages * self->target->nr_pids; i++) {
		if (self->spots[i].is_found)
			place_fini(&self->spots[i].place);
	}
	for (size_t p = 0; p < self->target->nr_pids; p++)
		if (self->binaries[p])
			binaries_free(self->binaries[p]);
	for (size_t i = 0; i < self->nr_codes; i++)
		place_code_free(&self->codes[i]);
	free(self->spots);
	free(self);
}
