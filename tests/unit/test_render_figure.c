/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_render_figure.c - numbers and foreign text as renderers print them
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "src/render/escape.h"
#include "src/render/figure.h"

#define assert_figure(figure, text) cr_assert_str_eq((figure).s, text, "%s", (figure).s)

Test(render_figure, times_have_three_digits)
{
	assert_figure(figure_time(0), "0");
	assert_figure(figure_time(1), "1ns");
	assert_figure(figure_time(950), "950ns");
	assert_figure(figure_time(1000), "1.00us");
	assert_figure(figure_time(12345), "12.3us");
	assert_figure(figure_time(1240000), "1.24ms");
	assert_figure(figure_time(3500000000), "3.50s");
	assert_figure(figure_time(3599 * UINT64_C(1000000000)), "3599s");
	assert_figure(figure_time(7560 * UINT64_C(1000000000)), "2.10h");
	assert_figure(figure_time(UINT64_MAX), "213504d");
}

Test(render_figure, rounding_up_moves_to_the_next_unit)
{
	assert_figure(figure_time(9994), "9.99us");
	assert_figure(figure_time(9995), "10.0us");
	assert_figure(figure_time(99950), "100us");
	assert_figure(figure_time(999499), "999us");
	assert_figure(figure_time(999500), "1.00ms");
}

Test(render_figure, no_time_is_wider_than_seven_columns)
{
	for (uint64_t ns = 1; ns < UINT64_MAX / 10; ns = ns * 9 / 8 + 1)
		cr_assert_leq(strlen(figure_time(ns).s), 7, "%s", figure_time(ns).s);
}

Test(render_figure, counts_are_grouped_or_short)
{
	assert_figure(figure_count(0), "0");
	assert_figure(figure_count(999), "999");
	assert_figure(figure_count(1234567), "1 234 567");
	assert_figure(figure_count(UINT64_MAX), "18 446 744 073 709 551 615");
	assert_figure(figure_short(999), "999");
	assert_figure(figure_short(1234567), "1.23M");
	assert_figure(figure_bytes(8100000), "8.10MB");
}

Test(render_figure, rates_and_levels_are_adaptive)
{
	assert_figure(figure_rate(NAN), "-");
	assert_figure(figure_rate(0), "0/s");
	assert_figure(figure_rate(0.519), "0.52/s");
	assert_figure(figure_rate(20006.4), "20 006/s");
	assert_figure(figure_rate(1234567), "1.23M/s");
	assert_figure(figure_short_rate(20006.4), "20.0k/s");
	assert_figure(figure_level(0.004), "<0.01");
	assert_figure(figure_level(12.41), "12.4");
	assert_figure(figure_level(INFINITY), "-");
	assert_figure(figure_level(-1), "-");
	assert_figure(figure_level(1e300), "1000T");
}

Test(render_figure, what_is_not_all_is_not_100_percent)
{
	assert_figure(figure_ratio(NAN), "-");
	assert_figure(figure_ratio(0), "0 %");
	assert_figure(figure_ratio(0.00001), "<0.01 %");
	assert_figure(figure_ratio(0.0321), "3.21 %");
	assert_figure(figure_ratio(0.99994), ">99.9 %");
	assert_figure(figure_ratio(1), "100 %");
	assert_figure(figure_ratio(1.5), "150 %");
}

Test(render_figure, reals_have_six_digits_and_no_more)
{
	assert_figure(figure_real(0), "0");
	assert_figure(figure_real(-0.0), "0");
	assert_figure(figure_real(0.25), "0.25");
	assert_figure(figure_real(1.0 / 3), "0.333333");
	assert_figure(figure_real(-2.0 / 3), "-0.666667");
	assert_figure(figure_real(8333.333333), "8333.33");
	assert_figure(figure_real(1234567), "1234570");
	assert_figure(figure_real(0.000012345678), "0.0000123457");
	assert_figure(figure_real(1.5e-7), "1.5e-7");
	assert_figure(figure_real(2e300), "2e300");
	assert_figure(figure_real(999999.5), "1000000");
	assert_figure(figure_real(INFINITY), "null");
}

Test(render_figure, a_real_read_back_is_the_same_real)
{
	for (double value = 1e-300; value < 1e300; value *= 1.37) {
		double back = strtod(figure_real(value).s, NULL);

		cr_assert_eq(back, figure_round(value), "%a", value);
		cr_assert_eq(figure_round(back), back, "%a", value);
		cr_assert_str_eq(figure_real(back).s, figure_real(value).s);
	}
}

Test(render_figure, instants_are_utc_with_nanoseconds_and_read_back)
{
	uint64_t ns = 0;

	assert_figure(figure_instant(UINT64_C(1794648600023456789)),
		      "2026-11-14T09:30:00.023456789Z");
	cr_assert(figure_parse_instant("2026-11-14T09:30:00.023456789Z", &ns));
	cr_assert_eq(ns, UINT64_C(1794648600023456789));
	cr_assert(figure_parse_instant(figure_instant(0).s, &ns));
	cr_assert_eq(ns, 0);
	cr_assert_not(figure_parse_instant("2026-11-14T09:30:00Z", &ns));
	cr_assert_not(figure_parse_instant("2026-13-14T09:30:00.000000000Z", &ns));
	cr_assert_not(figure_parse_instant("2026-11-14T09:30:00.000000000+01:00", &ns));
	cr_assert_not(figure_parse_instant("", &ns));
}

static const char *escaped(const char *text, unsigned int columns, bool is_utf8)
{
	static char out[1024];
	unsigned int width = escape_text(out, text, columns, is_utf8);

	cr_assert_leq(width, columns);
	return out;
}

Test(render_escape, printable_text_is_left_as_it_is)
{
	cr_assert_str_eq(escaped("redis-server", 80, true), "redis-server");
	cr_assert_str_eq(escaped("größe Ω 受信 \\x", 80, true), "größe Ω 受信 \\x");
	cr_assert_str_eq(escaped(NULL, 80, true), "-");
	cr_assert_str_eq(escaped("", 80, true), "");
}

Test(render_escape, nothing_that_acts_on_a_terminal_passes)
{
	cr_assert_str_eq(escaped("a\033[31mb", 80, true), "a\\x1b[31mb");
	cr_assert_str_eq(escaped("a\nb\tc\x7f", 80, true), "a\\x0ab\\x09c\\x7f");
	cr_assert_str_eq(escaped("\xc2\x9b"
				 "31m",
				 80, true),
			 "\\u{9b}31m");
	cr_assert_str_eq(escaped("a\u202e"
				 "b",
				 80, true),
			 "a\\u{202e}b");
	cr_assert_str_eq(escaped("\xff\xc0\x80\xed\xa0\x80", 80, true),
			 "\\xff\\xc0\\x80\\xed\\xa0\\x80");
	cr_assert_str_eq(escaped("\xe5\x8f", 80, true), "\\xe5\\x8f");
}

Test(render_escape, ascii_means_ascii)
{
	cr_assert_str_eq(escaped("größe 受", 80, false), "gr??e ?");
}

Test(render_escape, what_does_not_fit_ends_in_an_ellipsis)
{
	cr_assert_str_eq(escaped("abcdef", 6, true), "abcdef");
	cr_assert_str_eq(escaped("abcdef", 5, true), "abcd…");
	cr_assert_str_eq(escaped("abcdef", 5, false), "abcd~");
	cr_assert_str_eq(escaped("受信受信", 6, true), "受信…");
	cr_assert_str_eq(escaped("abcdef", 1, true), "…");
	cr_assert_str_eq(escaped("abcdef", 0, true), "");
}

Test(render_escape, widths_are_those_of_the_c_library)
{
	setlocale(LC_ALL, "C.UTF-8");
	for (uint32_t code = 1; code < 0x110000; code++) {
		unsigned int columns = utf8_columns(code);

		if (columns)
			cr_assert_eq(wcwidth((wchar_t)code), (int)columns, "U+%x", code);
	}
}
