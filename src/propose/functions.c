// SPDX-License-Identifier: BSD-2-Clause
/*
 * functions.c - from sampled addresses to functions with a proved site and a text that finds them
 *
 * Only sites that the kernel emulates: a single-stepped one costs ten times as much, which is not
 * to be proposed. What fails its proof is refused, and the next site of the function is chosen.
 */
#include "src/propose/functions.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/attach/procfs.h"
#include "src/attach/proof.h"

#define KNOWN_NONE (FUNCTIONS_NONE - 1)
#define MAX_SITES 128
#define MAX_TURNS 8
#define MAX_CALLEES 256
#define WRAPPER_MAX_BYTES 64
#define EXTRA_NS 100 /* what a stamp costs beyond the counting, see stages.c */

/* By the beginning of the file's name: what every program has and no stage is of interest in. */
static const char *const libraries[] = {
	"libc.so", "libc-", "ld-linux",	 "ld-",	     "libpthread", "librt",	  "libm.so",
	"libm-",   "libdl", "libstdc++", "libgcc_s", "libresolv",  "libjemalloc", "libtcmalloc",
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The same of what is linked in. */
static const char *const foreign[] = { "std::",	  "core::",   "alloc::",   "<std::",
				       "<core::", "<alloc::", "__rustc::", "__gnu_cxx::" };

static bool is_library(const char *path, const char *demangled)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]) && demangled; i++)
		if (!strncmp(demangled, foreign[i], strlen(foreign[i])))
			return true;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (!strncmp(base_of(path), libraries[i], strlen(libraries[i])))
			return true;
	return false;
}

/* What the user started, which may be a link to the file that runs. */
static void call(struct functions *self)
{
	char *line = proc_cmdline((uint32_t)self->pid);

	if (line) {
		line[strcspn(line, " :")] = 0;
		snprintf(self->called, sizeof(self->called), "%s", base_of(line));
	}
	free(line);
}

int functions_init(struct functions *self, pid_t pid, char *why)
{
	memset(self, 0, sizeof(*self));
	self->rules = site_rules_hopeful;
	self->pid = pid;
	call(self);
	return binaries_open(&self->binaries, pid, why);
}

void functions_fini(struct functions *self)
{
	for (size_t i = 0; i < self->nr; i++) {
		free(self->rows[i].symbol);
		free(self->rows[i].demangled);
		free(self->rows[i].probe);
	}
	free(self->rows);
	free(self->heads);
	free(self->addresses);
	if (self->binaries)
		binaries_free(self->binaries);
	memset(self, 0, sizeof(*self));
}

static size_t home_of(const struct functions *self, uint64_t address)
{
	return (address * 0x9e3779b97f4a7c15ull >> 32) & (self->nr_heads - 1);
}

static void know(struct functions *self, uint64_t address, uint32_t row)
{
	size_t at = home_of(self, address);

	while (self->heads[at] != FUNCTIONS_NONE)
		at = (at + 1) & (self->nr_heads - 1);
	self->heads[at] = row;
	self->addresses[at] = address;
	self->nr_known++;
}

static bool grow_known(struct functions *self)
{
	size_t old_nr = self->nr_heads;
	uint32_t *old_heads = self->heads;
	uint64_t *old_addresses = self->addresses;

	if (2 * self->nr_known < old_nr)
		return true;
	self->nr_heads = old_nr ? 2 * old_nr : 4096;
	self->heads = malloc(self->nr_heads * sizeof(*self->heads));
	self->addresses = calloc(self->nr_heads, sizeof(*self->addresses));
	if (!self->heads || !self->addresses) {
		free(self->heads);
		free(self->addresses);
		self->heads = old_heads;
		self->addresses = old_addresses;
		self->nr_heads = old_nr;
		return false;
	}
	memset(self->heads, 0xff, self->nr_heads * sizeof(*self->heads));
	self->nr_known = 0;
	for (size_t i = 0; i < old_nr; i++)
		if (old_heads[i] != FUNCTIONS_NONE)
			know(self, old_addresses[i], old_heads[i]);
	free(old_heads);
	free(old_addresses);
	return true;
}

/* The row of a place, added if it is new; what the row keeps is taken out of the place. */
static uint32_t take(struct functions *self, struct place *place)
{
	struct function *row;

	for (size_t i = 0; i < self->nr; i++)
		if (self->rows[i].vaddr == place->vaddr && self->rows[i].binary == place->binary)
			return i;
	if (self->nr == self->room) {
		size_t room = self->room ? 2 * self->room : 256;
		struct function *rows = reallocarray(self->rows, room, sizeof(*rows));

		if (!rows)
			return FUNCTIONS_NONE;
		self->rows = rows;
		self->room = room;
	}
	row = &self->rows[self->nr];
	*row = (struct function){
		.binary = place->binary,
		.open_path = place->open_path,
		.symbol = place->symbol,
		.demangled = place->demangled,
		.vaddr = place->vaddr,
		.is_library = is_library(place->binary, place->demangled),
		.inner = FUNCTIONS_NONE,
	};
	place->symbol = place->demangled = NULL;
	return self->nr++;
}

uint32_t functions_at(struct functions *self, uint64_t address)
{
	uint32_t row = FUNCTIONS_NONE;
	struct place place;

	if (!grow_known(self))
		return FUNCTIONS_NONE;
	for (size_t at = home_of(self, address); self->heads[at] != FUNCTIONS_NONE;
	     at = (at + 1) & (self->nr_heads - 1))
		if (self->addresses[at] == address)
			return self->heads[at] == KNOWN_NONE ? FUNCTIONS_NONE : self->heads[at];
	if (!place_at(&place, self->binaries, address)) {
		row = take(self, &place);
		place_fini(&place);
	}
	know(self, address, row == FUNCTIONS_NONE ? KNOWN_NONE : row);
	return row;
}

/* What a shell takes as it stands: other names are given by their symbol. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.:/+@-", *text))
			return false;
	return true;
}

static bool leads_to(struct functions *self, const struct function *row, const char *probe)
{
	char why[PLACE_WHY_BYTES];
	struct place place;
	bool is_same;

	if (place_find(&place, self->binaries, probe, why))
		return false;
	is_same = place.vaddr == row->vaddr && place.binary == row->binary && !place.offset;
	place_fini(&place);
	return is_same;
}

/* The first text that finds the function again, shortest names first. */
static char *text_of(struct functions *self, const struct function *row)
{
	const char *binaries[] = { self->called, base_of(row->binary), row->binary };
	char *plain = row->demangled ? strndup(row->demangled, strcspn(row->demangled, "(")) : NULL;
	char *text = NULL;

	for (size_t i = 0; i < 3 && !text; i++) {
		const char *names[] = { plain, row->symbol };

		for (size_t n = 0; n < 2 && !text; n++) {
			if (!names[n] || !is_plain(names[n]) || !is_plain(binaries[i]) ||
			    !binaries[i][0])
				continue;
			if (asprintf(&text, "%s:%s", binaries[i], names[n]) < 0)
				text = NULL;
			if (text && !leads_to(self, row, text)) {
				free(text);
				text = NULL;
			}
		}
		if (text || i == 0 || asprintf(&text, "%s:0x%lx", binaries[i], row->vaddr) < 0)
			continue;
		if (!is_plain(text) || !leads_to(self, row, text)) {
			free(text);
			text = NULL;
		}
	}
	free(plain);
	return text;
}

static bool choose_site(struct functions *self, struct function *row, const struct place *place)
{
	const struct site_ask ask = {
		.text = { place->text, place->text_bytes, place->vaddr },
		.size = place->size,
		.before = place->before,
		.offset = SITE_ANY,
		.rules = &self->rules,
	};
	char why[SITE_WHY_BYTES];

	if (!place->text || site_choose(&row->site, &ask, why) || !site_is_cheap(&row->site))
		return false;
	row->site_at = place->file_offset + row->site.offset;
	return true;
}

int functions_place(struct functions *self, uint32_t nr)
{
	struct function *row = &self->rows[nr];
	char why[PLACE_WHY_BYTES], *probe;
	struct place place;

	row->is_placed = false;
	if (asprintf(&probe, "%s:0x%lx", row->binary, row->vaddr) < 0)
		return -ENOMEM;
	if (!place_find(&place, self->binaries, probe, why)) {
		row->is_placed = choose_site(self, row, &place);
		place_fini(&place);
	}
	free(probe);
	if (row->is_placed && !row->probe)
		row->probe = text_of(self, row);
	row->is_placed &= row->probe != NULL;
	return 0;
}

struct adding {
	struct functions *functions;
	size_t max;
};

static int add_one(void *ctx, const struct place *place)
{
	struct adding *adding = ctx;
	struct functions *self = adding->functions;
	struct place copy = *place;
	struct function *row;
	size_t nr;

	if (self->nr >= adding->max)
		return 1;
	copy.symbol = strdup(place->symbol);
	copy.demangled = place->demangled ? strdup(place->demangled) : NULL;
	nr = take(self, &copy);
	if (nr == FUNCTIONS_NONE) {
		free(copy.symbol);
		free(copy.demangled);
		return -ENOMEM;
	}
	free(copy.symbol);
	free(copy.demangled);
	row = &self->rows[nr];
	if (!row->is_placed)
		row->is_placed = choose_site(self, row, place);
	return 0;
}

int functions_add_all(struct functions *self, size_t max, char *why)
{
	struct adding adding = { self, max };
	char exe[4096], *glob;
	int err = proc_readlink(self->pid, "exe", exe, sizeof(exe));

	if (err)
		return err;
	if (asprintf(&glob, "%s:*", exe) < 0)
		return -ENOMEM;
	err = place_list(self->binaries, glob, add_one, &adding, why);
	free(glob);
	return err < 0 ? err : 0;
}

static uint32_t row_at(struct functions *self, const char *binary, uint64_t vaddr)
{
	char why[PLACE_WHY_BYTES], *probe;
	struct place place;
	uint32_t row = FUNCTIONS_NONE;

	for (size_t i = 0; i < self->nr; i++)
		if (self->rows[i].vaddr == vaddr && self->rows[i].binary == binary)
			return i;
	if (asprintf(&probe, "%s:0x%lx", binary, vaddr) < 0)
		return FUNCTIONS_NONE;
	if (!place_find(&place, self->binaries, probe, why)) {
		row = take(self, &place);
		place_fini(&place);
	}
	free(probe);
	return row;
}

/*
 * Bytes that look like a call but are not lead to the beginning of a function by the rarest chance,
 * so instructions need not be told apart. A function that ends with a jump to another is on no
 * stack while that one works: this is how it is found at all.
 */
static size_t find_callees(struct functions *self, const struct place *place,
			   uint32_t callees[MAX_CALLEES])
{
	size_t nr = 0;

	for (size_t i = 0; i + 5 <= place->text_bytes && nr < MAX_CALLEES; i++) {
		uint64_t vaddr;
		int32_t away;
		uint32_t row;

		if ((place->text[i] & 0xfe) != 0xe8)
			continue;
		memcpy(&away, place->text + i + 1, sizeof(away));
		vaddr = place->vaddr + i + 5 + (uint64_t)(int64_t)away;
		if (vaddr - place->vaddr < place->size)
			continue;
		row = row_at(self, place->binary, vaddr);
		for (size_t j = 0; j < nr && row != FUNCTIONS_NONE; j++)
			if (callees[j] == row)
				row = FUNCTIONS_NONE;
		if (row != FUNCTIONS_NONE)
			callees[nr++] = row;
	}
	return nr;
}

static int callees_of(struct functions *self, uint32_t nr, uint64_t max_bytes,
		      uint32_t callees[MAX_CALLEES], size_t *nr_callees)
{
	const struct function *row = &self->rows[nr];
	char why[PLACE_WHY_BYTES], *probe;
	struct place place;

	*nr_callees = 0;
	if (asprintf(&probe, "%s:0x%lx", row->binary, row->vaddr) < 0)
		return -ENOMEM;
	if (!place_find(&place, self->binaries, probe, why)) {
		if (place.text && place.size <= max_bytes)
			*nr_callees = find_callees(self, &place, callees);
		place_fini(&place);
	}
	free(probe);
	return 0;
}

int functions_add_callees(struct functions *self, uint32_t row)
{
	uint32_t callees[MAX_CALLEES];
	size_t nr;
	int err = callees_of(self, row, PLACE_TEXT_MAX_BYTES, callees, &nr);

	for (size_t i = 0; i < nr && !err; i++) {
		const struct function *callee = &self->rows[callees[i]];

		if (!callee->is_library && !callee->is_placed && !callee->receiving)
			err = functions_place(self, callees[i]);
	}
	return err;
}

uint32_t functions_wrapped_by(struct functions *self, uint32_t row)
{
	uint32_t callees[MAX_CALLEES];
	size_t nr;

	if (callees_of(self, row, WRAPPER_MAX_BYTES, callees, &nr) || nr != 1)
		return FUNCTIONS_NONE;
	return callees[0];
}

struct encodings {
	struct site sites[MAX_SITES];
	struct proof proofs[MAX_SITES];
	size_t nr;
};

static size_t find_encoding(const struct encodings *self, const struct site *site)
{
	struct site_encoding wanted = site_encoding_of(site), other;
	size_t i = 0;

	for (; i < self->nr; i++) {
		other = site_encoding_of(&self->sites[i]);
		if (site_encoding_equal(&wanted, &other))
			break;
	}
	return i;
}

static size_t add_untried(const struct functions *self, struct encodings *known)
{
	size_t before = known->nr;

	for (size_t i = 0; i < self->nr && known->nr < MAX_SITES; i++)
		if (self->rows[i].is_placed &&
		    find_encoding(known, &self->rows[i].site) == known->nr)
			known->sites[known->nr++] = self->rows[i].site;
	return known->nr - before;
}

/* After a refusal: whatever sat on it needs another site. */
static int place_again(struct functions *self, const struct encodings *known)
{
	int err = 0;

	for (size_t i = 0; i < self->nr && !err; i++) {
		size_t at = self->rows[i].is_placed ? find_encoding(known, &self->rows[i].site) :
						      known->nr;

		if (at < known->nr && known->proofs[at].verdict != PROOF_PASSED)
			err = functions_place(self, i);
	}
	return err;
}

static void accept_proved(struct functions *self, const struct encodings *known)
{
	for (size_t i = 0; i < self->nr; i++) {
		struct function *row = &self->rows[i];
		size_t at = row->is_placed ? find_encoding(known, &row->site) : known->nr;
		const struct proof *proof = &known->proofs[at];

		if (at == known->nr || proof->verdict != PROOF_PASSED || !proof->is_emulated)
			continue;
		row->is_proved = true;
		row->cost_ns = (proof->prog_ns ? proof->prog_ns : proof->count_ns) + EXTRA_NS;
	}
}

int functions_prove(struct functions *self, const struct counter *counter, char *why)
{
	const struct proof_opts opts = { .prog_fd = counter_prog_fd(counter),
					 .is_multi = counter_is_multi(counter) };
	struct encodings *known = calloc(1, sizeof(*known));
	int err = known ? 0 : -ENOMEM;

	for (unsigned int turn = 0; turn < MAX_TURNS && !err; turn++) {
		size_t from = known->nr, nr = add_untried(self, known);

		if (!nr)
			break;
		err = proof_run(&known->proofs[from], &known->sites[from], nr, &opts, why);
		for (size_t i = from; i < known->nr && !err; i++)
			err = proof_apply(&self->rules, &known->proofs[i], known->sites[i].class);
		err = err ?: place_again(self, known);
	}
	if (!err)
		accept_proved(self, known);
	free(known);
	return err;
}
