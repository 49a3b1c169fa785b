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
	account.listeners = 1;
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
	assert_empty_says(&account, "all 12 items came in the first 100 ms, the warm-up",
			  "gemba map -p 4242 --for 30s");
	account.in = account.partial = 99737;
	assert_empty_says(&account, "all 99 737 items are partial: the arrival", "gemba map -p");
	account.events = account.lost = 1000;
	assert_empty_says(&account, "most events were lost", "gemba check -p 4242");
}

/* Takes the map. */
static void assert_says(struct vsm *vsm, unsigned int columns, const char *const *words)
{
	char *text = sample_text(vsm, columns, true, false);

	for (; *words; words++)
		cr_assert(strstr(text, *words), "no '%s' in:\n%s", *words, text);
	free(text);
	vsm_free(vsm);
}

#define SAYS(vsm, columns, ...)                                                                    \
	assert_says(vsm, columns, (const char *const[]){ __VA_ARGS__, NULL })

Test(render, an_empty_map_without_rx_says_that_all_items_are_partial)
{
	struct vsm *vsm = sample_empty();

	vsm->account.in = vsm->account.partial = 99737;
	vsm->account.warmup = 12;
	pairs_add(&vsm->capture.missing, "rx", "this kernel refused its program");
	SAYS(vsm, 200, "all 99 737 items are partial:", "missing rx", "gemba check -p 4242");
}

Test(render, an_empty_map_of_a_target_that_ended_says_what_came)
{
	struct vsm *vsm = sample_empty();

	vsm->capture.targets[0].has_exited = true;
	SAYS(vsm, 200, "the target exited before anything", "gemba map -n redis-server --all");
	vsm = sample_empty();
	vsm->capture.targets[0].has_exited = true;
	vsm->account.warmup = 501;
	SAYS(vsm, 200, "all 501 items came in the first 100 ms", "gemba map -n redis-server --all");
}

Test(render, heads_of_the_other_families_stand_apart)
{
	for (unsigned int columns = 64; columns < 160; columns++)
		SAYS(sample_redis(), columns, " items       rate   lead p50     p99");
}

Test(render, other_families_tell_their_protocol)
{
	struct vsm *vsm = sample_redis();

	vsm->families[1].is_udp = true;
	SAYS(vsm, 80, "f2        udp rx>sock>recv  ended ", "other     mixed routes ");
	SAYS(sample_redis(), 80, "f2        tcp rx>sock>recv  ended ");
	SAYS(sample_redis(), 64, "f2        tcp …  ended ");
	SAYS(sample_redis(), 40, "f2        tcp rx>… ");
}

Test(render, a_thread_without_a_name_is_a_number)
{
	struct vsm *vsm = sample_redis();

	memset(vsm->families[0].steps[2].ran[1].comm, 0, 16);
	SAYS(vsm, 120, "ksoftirqd/3 (31) 152ns  tid 977 34ns");
}

Test(render, time_that_is_unmapped_is_named)
{
	struct vsm *vsm = sample_redis();
	struct family *family = &vsm->families[0];

	hist_fini(&family->process_time);
	hist_init(&family->process_time);
	hist_fini(&family->steps[2].on_cpu);
	hist_init(&family->steps[2].on_cpu);
	family->steps[2].has_parts = false;
	SAYS(vsm, 80, "of it     process -  transport 3.93us  wait 9.18us",
	     "unmapped 6.21us (32.1 %)", " 6.30us? ");
}

Test(render, time_that_is_hardly_unmapped_is_not)
{
	struct vsm *vsm = sample_redis();
	char *text = sample_text(vsm, 80, true, false);

	cr_assert_not(strstr(text, "unmapped"));
	cr_assert_not(strstr(text, "us?"));
	free(text);
	vsm_free(vsm);
}

Test(render, a_go_target_is_said_to_join_without_threads)
{
	struct vsm *vsm = sample_redis();
	char *text;

	vsm->capture.targets[0].is_go = true;
	vsm->account.attributed[ATTRIBUTED_THREAD] = 1;
	text = sample_text(vsm, 80, true, false);
	cr_assert_not(strstr(text, "\ninfo"), "--own thread was given");
	free(text);
	vsm->account.attributed[ATTRIBUTED_THREAD] = 0;
	SAYS(vsm, 160, "\ninfo      redis-server is a Go program");
	SAYS(sample_redis(), 160, "3 switches unseen");
}

static struct vsm *sample_peers(void)
{
	struct vsm *vsm = sample_redis();
	const struct {
		const char *name, *local, *remote;
	} peers[] = {
		{ "127.0.0.1", ":17001", "127.0.0.1" },
		{ "192.168.100.200:65535", "", "192.168.100.200:65535" },
	};

	for (size_t i = 0; i < 2; i++) {
		struct vsm_endpoint *peer = &vsm->suppliers[i];

		free(peer->name);
		free(peer->local);
		free(peer->remote);
		peer->name = strdup(peers[i].name);
		peer->local = strdup(peers[i].local);
		peer->remote = strdup(peers[i].remote);
	}
	vsm->suppliers[0].is_udp = true;
	return vsm;
}

static void drop_supplier(struct vsm *vsm, size_t i)
{
	struct vsm_endpoint dropped = vsm->suppliers[i];

	vsm->suppliers[i] = vsm->suppliers[--vsm->nr_suppliers];
	memset(&vsm->suppliers[vsm->nr_suppliers], 0, sizeof(dropped));
	hist_fini(&dropped.rtt);
	free(dropped.id);
	free(dropped.name);
	free(dropped.local);
	free(dropped.remote);
}

Test(render, what_tells_peers_apart_is_not_cut)
{
	SAYS(sample_peers(), 40, ":17001 ", ":65535 ");
	SAYS(sample_peers(), 64, ":17001 ", ":65535 ");
	SAYS(sample_peers(), 80, "127.0.0.1 :17001 ", "192.168.100.200:65535 ");
	SAYS(sample_peers(), 120, "127.0.0.1 udp:17001 ", "192.168.100.200 tcp:65535 ");
}

Test(render, a_multicast_group_is_shown_and_is_not_the_target_s_port)
{
	struct vsm *vsm = sample_peers();

	free(vsm->suppliers[0].local);
	vsm->suppliers[0].local = strdup("239.1.2.3:17001");
	drop_supplier(vsm, 1);
	SAYS(vsm, 80, " 239.1.2.3:17001 ");
	vsm = sample_peers();
	free(vsm->suppliers[0].local);
	vsm->suppliers[0].local = strdup("239.1.2.3:17001");
	SAYS(vsm, 120, "127.0.0.1 udp 239.1.2.3:17001 ");
}

Test(render, the_port_of_a_peer_is_not_the_target_s)
{
	struct vsm *vsm = sample_peers();

	drop_supplier(vsm, 0);
	SAYS(vsm, 80, "192.168.100.200:65535 ");
}

Test(render, the_peer_s_share_of_a_round_trip_is_shown_where_it_fits)
{
	SAYS(sample_redis(), 80, "rtt min ── p50 ┐");
	SAYS(sample_redis(), 100, "rtt min ── p50 ─ peer ┐", "15.8us 21.0us 5.22us │");
}

Test(render, round_trips_that_nobody_has_take_no_room)
{
	struct vsm *vsm = sample_redis();

	for (size_t i = 0; i < 2; i++) {
		hist_fini(&vsm->customers[i].rtt);
		hist_init(&vsm->customers[i].rtt);
	}
	SAYS(vsm, 80, "┌ customers ───── flows ── rate ┐");
}

static size_t nr_of(const char *text, const char *words)
{
	size_t nr = 0;

	while ((text = strstr(text, words)) != NULL) {
		nr++;
		text++;
	}
	return nr;
}

Test(render, a_row_of_boxes_has_no_line_of_nothing)
{
	struct vsm *vsm = sample_redis();
	char *text;

	vsm->families[0].steps[3].has_parts = false;
	vsm->families[0].steps[3].threads = 0;
	text = sample_text(vsm, 60, true, false);
	cr_assert_eq(nr_of(text, "\np50  "), 2, "%s", text);
	cr_assert_eq(nr_of(text, "\non cpu  "), 1, "%s", text);
	cr_assert_eq(nr_of(text, "\nC&A  "), 1, "%s", text);
	free(text);
	vsm_free(vsm);
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
