/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_render.c - the text map: golden files, and what holds for every map and every width
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "src/render/render.h"
#include "tests/unit/test_render_sample.h"

#define NAME_OF_120                                                                                \
	"a_rather_long_name_that_goes_on_and_on_until_it_has_as_many_as_a_hundred_and_twenty_"     \
	"characters_which_is_far_too_many_ab"
#define HOSTILE "\033[2J\xff\xc3(\n\xe2\x80\xae受信\x01%s%n"

static void assert_golden_text(const char *name, unsigned int columns, bool is_utf8)
{
	struct vsm *vsm = sample_redis();
	char *text = sample_text(vsm, columns, is_utf8, false);

	assert_golden(name, text);
	free(text);
	vsm_free(vsm);
}

Test(render, text_at_80_columns_is_the_golden_one)
{
	assert_golden_text("render-80.txt", 80, true);
}

Test(render, text_at_80_columns_in_ascii_is_the_golden_one)
{
	assert_golden_text("render-80-ascii.txt", 80, false);
}

Test(render, text_at_132_columns_is_the_golden_one)
{
	assert_golden_text("render-132.txt", 132, true);
}

Test(render, a_long_route_is_the_golden_one)
{
	struct vsm *vsm = sample_stages(9);
	char *text = sample_text(vsm, 80, true, false);

	assert_golden("render-stages-80.txt", text);
	free(text);
	vsm_free(vsm);
}

static void assert_line_fits(const char *line, size_t bytes, unsigned int columns)
{
	wchar_t wide[1024];
	char copy[1024];
	size_t nr;

	cr_assert_lt(bytes, sizeof(copy));
	memcpy(copy, line, bytes);
	copy[bytes] = '\0';
	nr = mbstowcs(wide, copy, 1024);
	cr_assert_neq(nr, (size_t)-1, "not UTF-8: %s", copy);
	cr_assert_leq(wcswidth(wide, nr), (int)columns, "wider than %u: %s", columns, copy);
	cr_assert_geq(wcswidth(wide, nr), 0, "not printable: %s", copy);
	cr_assert(!bytes || copy[bytes - 1] != ' ', "ends in a blank: '%s'", copy);
}

static void assert_fits(const struct vsm *vsm, unsigned int columns, bool is_utf8)
{
	char *text = sample_text(vsm, columns, is_utf8, false);
	const char *line = text;

	while (*line) {
		size_t bytes = strcspn(line, "\n");

		assert_line_fits(line, bytes, columns);
		line += bytes + 1;
	}
	for (const char *at = text; !is_utf8 && *at; at++)
		cr_assert(*at == '\n' || (*at >= ' ' && *at < 0x7f), "not ASCII: %s", at);
	free(text);
}

/* Takes the map. */
static void assert_fits_everywhere(struct vsm *vsm, unsigned int step)
{
	setlocale(LC_ALL, "C.UTF-8");
	for (unsigned int columns = 40; columns <= 200; columns += step) {
		assert_fits(vsm, columns, true);
		assert_fits(vsm, columns, false);
	}
	vsm_free(vsm);
}

Test(render, no_line_is_wider_than_asked_for)
{
	assert_fits_everywhere(sample_redis(), 1);
	assert_fits_everywhere(sample_empty(), 1);
	assert_fits_everywhere(sample_nulls(), 1);
}

Test(render, routes_of_all_lengths_fit)
{
	for (size_t nr_stages = 1; nr_stages <= 25; nr_stages += 4)
		assert_fits_everywhere(sample_stages(nr_stages), 7);
}

static void assert_fits_with(const char *name)
{
	struct vsm *vsm = sample_redis();

	sample_rename(vsm, name);
	assert_fits_everywhere(vsm, 1);
}

Test(render, names_of_120_characters_fit)
{
	cr_assert_eq(strlen(NAME_OF_120), 119);
	assert_fits_with(NAME_OF_120 "c");
}

Test(render, hostile_names_fit_and_do_nothing)
{
	assert_fits_with(HOSTILE);
	assert_fits_with(HOSTILE HOSTILE HOSTILE HOSTILE HOSTILE HOSTILE);
	assert_fits_with("");
}

Test(render, zero_columns_are_80_and_few_are_40)
{
	struct vsm *vsm = sample_redis();
	char *standard = sample_text(vsm, 80, true, false);
	char *zero = sample_text(vsm, 0, true, false);
	char *least = sample_text(vsm, 40, true, false);
	char *few = sample_text(vsm, 3, true, false);

	cr_assert_str_eq(zero, standard);
	cr_assert_str_eq(few, least);
	free(standard);
	free(zero);
	free(least);
	free(few);
	vsm_free(vsm);
}

static void strip_colours(char *text)
{
	char *to = text;

	for (const char *at = text; *at;) {
		if (*at == '\033')
			at = strchr(at, 'm') + 1;
		else
			*to++ = *at++;
	}
	*to = '\0';
}

Test(render, colours_are_all_that_colour_adds)
{
	struct vsm *vsm = sample_redis();
	char *plain = sample_text(vsm, 80, true, false);
	char *coloured = sample_text(vsm, 80, true, true);

	cr_assert(strchr(coloured, '\033'));
	strip_colours(coloured);
	cr_assert_str_eq(coloured, plain);
	free(plain);
	free(coloured);
	vsm_free(vsm);
}

static void assert_empty_says(const struct account *account, const char *sentence, const char *next)
{
	struct vsm *vsm = sample_empty();
	char *text;

	vsm->account = *account;
	text = sample_text(vsm, 200, true, false);
	cr_assert(strstr(text, sentence), "no '%s' in:\n%s", sentence, text);
	cr_assert(strstr(text, next), "no '%s' in:\n%s", next, text);
	free(text);
	vsm_free(vsm);
}

Test(render, an_empty_map_explains_itself)
{
	struct account account = { 0 };

	assert_empty_says(&account, "no TCP or UDP socket", "gemba map -n redis-server --all");
	account.sockets = account.listeners = 1;
	assert_empty_says(&account, "nobody connected", "gemba map -p 4242 --for 30s");
	account.sockets = 3;
	assert_empty_says(&account, "no packet came", "ss -tuanp | grep pid=4242,");
	account.packets_out = 5;
	assert_empty_says(&account, "packets left and none came in", "gemba map -p 4242");
	account.packets_in = 7;
	assert_empty_says(&account, "none of its threads ran", "/proc/4242/status");
	account.threads_ran = 2;
	assert_empty_says(&account, "another process has the same sockets", "--all");
	account.bytes_read_unseen = 99;
	assert_empty_says(&account, "by no call that gemba sees", "gemba check -p 4242");
	account.events_by_kind[GEMBA_RECV] = 4;
	assert_empty_says(&account, "they make no item", "gemba check -p 4242");
	account.by_outcome[OUTCOME_IN_FLIGHT] = 2;
	assert_empty_says(&account, "none was finished", "while messages flow");
	account.partial = 2;
	assert_empty_says(&account, "the arrival of what it read was not seen", "gemba map -p");
	account.warmup = 12;
	assert_empty_says(&account, "fell into the warm-up", "gemba map -p 4242 --for 30s");
	account.events = account.lost = 1000;
	assert_empty_says(&account, "most events were lost", "gemba check -p 4242");
}

Test(render, families_with_outputs_and_a_median_are_drawn)
{
	struct vsm *vsm = sample_redis();
	char *text;

	vsm->families[1].outcome = vsm->families[0].outcome;
	text = sample_text(vsm, 80, true, false);
	cr_assert(strstr(text, "── f2  tcp rx-recv ended ─"));
	cr_assert(strstr(text, "\nother     mixed routes"));
	free(text);
	vsm_free(vsm);
}

Test(render, formats_are_found_by_name_and_by_suffix)
{
	cr_assert_eq(renderer_by_name("text")->render, render_text);
	cr_assert_eq(renderer_by_name("json")->render, render_json);
	cr_assert_null(renderer_by_name("svgz"));
	cr_assert_eq(renderer_by_suffix("a/b.json")->render, render_json);
	cr_assert_eq(renderer_by_suffix("map.txt")->render, render_text);
	cr_assert_null(renderer_by_suffix("json"));
	cr_assert_null(renderer_by_suffix(".json"));
}

Test(render, a_full_disk_is_an_error)
{
	struct vsm *vsm = sample_empty();
	struct render_opts opts = { .columns = 80 };
	FILE *out = fopen("/dev/full", "w");

	cr_assert_not_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	cr_assert_eq(render_text(vsm, &opts, out), -EIO);
	cr_assert_eq(render_json(vsm, &opts, out), -EIO);
	fclose(out);
	vsm_free(vsm);
}
