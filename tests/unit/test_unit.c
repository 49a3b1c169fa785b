// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_unit.c - times, sizes and counts, from words to numbers and back
 */
#include "src/util/unit.h"

#include <criterion/criterion.h>
#include <errno.h>

static void assert_time(const char *text, uint64_t want_ns)
{
	uint64_t ns = 0;

	cr_assert_eq(unit_parse_time(text, &ns), 0, "%s", text);
	cr_assert_eq(ns, want_ns, "%s is %lu", text, ns);
}

static void assert_no_time(const char *text, int want_err)
{
	uint64_t ns = 42;

	cr_assert_eq(unit_parse_time(text, &ns), want_err, "%s", text);
	cr_assert_eq(ns, 42, "untouched on failure");
}

static void assert_size(const char *text, uint64_t want_bytes)
{
	uint64_t bytes = 0;

	cr_assert_eq(unit_parse_size(text, &bytes), 0, "%s", text);
	cr_assert_eq(bytes, want_bytes, "%s is %lu", text, bytes);
}

static void assert_written(uint64_t ns, const char *want)
{
	char text[UNIT_TEXT_BYTES];

	cr_assert_str_eq(unit_format_time(ns, text), want);
}

Test(unit, every_unit_of_time_is_read)
{
	assert_time("7ns", 7);
	assert_time("80us", 80000);
	assert_time("500ms", 500 * NS_PER_MS);
	assert_time("10s", 10 * NS_PER_S);
	assert_time("5m", 300 * NS_PER_S);
	assert_time("1h", 3600 * NS_PER_S);
	assert_time("10 s", 10 * NS_PER_S);
	assert_time("0s", 0);
}

Test(unit, fractions_are_exact)
{
	assert_time("0.1s", 100 * NS_PER_MS);
	assert_time("1.5us", 1500);
	assert_time("0.3us", 300);
	assert_time("1.9ns", 1);
	assert_time("0.000000000000000000000001h", 0);
	assert_time("18446744073.709551615s", UINT64_MAX);
}

Test(unit, what_is_no_time_is_refused)
{
	static const char *const bad[] = { "",	   "s",	   "ms",   "-1s",  "+1s",  "1e30", "1e3s",
					   "1.s",  ".5s",  "1,5s", "1 s ", "1  s", "1S",   "1min",
					   "1sec", "0x1s", "inf",  "nan",  " 1s",  "1s1ms" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_no_time(bad[i], -EINVAL);
}

Test(unit, a_time_without_unit_is_told_apart)
{
	assert_no_time("10", -EDOM);
	assert_no_time("1.5", -EDOM);
}

Test(unit, an_overflow_is_refused_and_not_wrapped)
{
	assert_no_time("18446744073.709551616s", -ERANGE);
	assert_no_time("99999999999999999999ns", -ERANGE);
	assert_no_time("18446744073709551615h", -ERANGE);
}

Test(unit, sizes_are_powers_of_1024)
{
	assert_size("4096", 4096);
	assert_size("1B", 1);
	assert_size("64K", 65536);
	assert_size("64KiB", 65536);
	assert_size("16M", 16 << 20);
	assert_size("1.5GiB", UINT64_C(3) << 29);
	assert_size("2T", UINT64_C(2) << 40);
}

Test(unit, what_is_no_size_is_refused)
{
	uint64_t bytes;

	cr_assert_eq(unit_parse_size("64KB", &bytes), -EINVAL, "1000 or 1024?");
	cr_assert_eq(unit_parse_size("64k", &bytes), -EINVAL);
	cr_assert_eq(unit_parse_size("", &bytes), -EINVAL);
	cr_assert_eq(unit_parse_size("-1M", &bytes), -EINVAL);
	cr_assert_eq(unit_parse_size("16777216T", &bytes), -ERANGE);
}

Test(unit, a_count_is_digits_alone)
{
	uint64_t count = 0;

	cr_assert_eq(unit_parse_count("20", &count), 0);
	cr_assert_eq(count, 20);
	cr_assert_eq(unit_parse_count("20.0", &count), -EINVAL);
	cr_assert_eq(unit_parse_count("20x", &count), -EINVAL);
	cr_assert_eq(unit_parse_count("18446744073709551616", &count), -ERANGE);
}

Test(unit, times_are_written_short_and_with_four_figures)
{
	assert_written(0, "0s");
	assert_written(999, "999ns");
	assert_written(80000, "80us");
	assert_written(87543, "87.54us");
	assert_written(1234567, "1.235ms");
	assert_written(500 * NS_PER_MS, "500ms");
	assert_written(10 * NS_PER_S, "10s");
	assert_written(90 * NS_PER_S, "1.5m");
	assert_written(8784 * NS_PER_H, "8784h");
}

Test(unit, sizes_are_written_with_the_units_they_are_read_with)
{
	char text[UNIT_TEXT_BYTES];

	cr_assert_str_eq(unit_format_size(0, text), "0B");
	cr_assert_str_eq(unit_format_size(16 << 20, text), "16M");
	cr_assert_str_eq(unit_format_size(1536, text), "1.5K");
	cr_assert_str_eq(unit_format_size(UINT64_MAX, text), "16777216T");
}
