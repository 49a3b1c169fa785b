// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_symbol_spec.c - PROBE as it is written, and lines of /proc/PID/maps
 */
#include "src/symbol/spec.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "src/symbol/maps.h"
#include "src/symbol/place.h"

static void assert_spec(const char *text, const char *binary, const char *symbol, uint64_t offset)
{
	char why[PLACE_WHY_BYTES] = "";
	struct spec spec;

	cr_assert_eq(spec_parse(&spec, text, why), 0, "%s: %s", text, why);
	cr_assert_eq(!spec.binary, !binary, "%s", text);
	if (binary)
		cr_assert_str_eq(spec.binary, binary);
	cr_assert_str_eq(spec.symbol, symbol);
	cr_assert_eq(spec.offset, offset, "%s: %lu", text, spec.offset);
	spec_fini(&spec);
}

static void assert_no_spec(const char *text, int want, const char *word)
{
	char why[PLACE_WHY_BYTES] = "";
	struct spec spec;

	cr_assert_eq(spec_parse(&spec, text, why), want, "%s", text);
	cr_assert(strstr(why, word), "%s: %s", text, why);
}

Test(symbol_spec, a_symbol_alone)
{
	assert_spec("main", NULL, "main", 0);
	assert_spec("ns::f", NULL, "ns::f", 0);
	assert_spec("::f", NULL, "f", 0);
	assert_spec("md::f(int, std::pair<a::b, c>)", NULL, "md::f(int, std::pair<a::b, c>)", 0);
}

Test(symbol_spec, a_binary_before_a_single_colon)
{
	assert_spec("libc.so.6:puts", "libc.so.6", "puts", 0);
	assert_spec("/usr/bin/a:b::c", "/usr/bin/a", "b::c", 0);
	assert_spec("a:::b::c", "a", "b::c", 0);
}

Test(symbol_spec, an_offset_is_decimal_or_hexadecimal)
{
	assert_spec("f+12", NULL, "f", 12);
	assert_spec("a:f+0x1F", "a", "f", 0x1f);
	assert_spec("f+010", NULL, "f", 10);
}

Test(symbol_spec, the_sign_of_an_operator_is_no_offset)
{
	assert_spec("A::operator+", NULL, "A::operator+", 0);
	assert_spec("A::operator++(int)", NULL, "A::operator++(int)", 0);
	assert_spec("A::operator++12", NULL, "A::operator+", 12);
}

Test(symbol_spec, an_address_stands_behind_a_binary)
{
	char why[PLACE_WHY_BYTES];
	struct spec spec;

	cr_assert_eq(spec_parse(&spec, "a:0x1f+2", why), 0);
	cr_assert(spec.is_address);
	cr_assert_eq(spec.address, 0x1f);
	cr_assert_eq(spec.offset, 2);
	spec_fini(&spec);
	cr_assert_eq(spec_parse(&spec, "0x1f", why), 0);
	cr_assert_not(spec.is_address);
	spec_fini(&spec);
}

Test(symbol_spec, what_is_wrong_is_told)
{
	assert_no_spec("", -EINVAL, "no SYMBOL");
	assert_no_spec("a:", -EINVAL, "no SYMBOL");
	assert_no_spec(":f", -EINVAL, "no BINARY");
	assert_no_spec("f+1z", -EINVAL, "offset");
	assert_no_spec("f+0x", -EINVAL, "offset");
	assert_no_spec("f+99999999999999999999", -ERANGE, "too large");
	assert_no_spec("usdt:a:b:c", -ENOTSUP, "not in this version");
}

#define LINES                                                                                      \
	"5000-6000 r--p 00000000 08:01 11 /bin/a\n"                                                \
	"6000-8000 r-xp 00001000 08:01 11 /bin/a\n"                                                \
	"8000-9000 rwxp 00000000 00:00 0 \n"                                                       \
	"9000-a000 r-xp 00000000 00:01 12 /memfd:jit (deleted)\n"                                  \
	"a000-b000 r-xp 00000000 08:01 13 /lib/with blank\\012line.so\n"                           \
	"b000-c000 r-xp 00000000 00:0e 14 anon_inode:[x]\n"                                        \
	"c000-d000 r-xp 00000000 00:00 0 [vdso]\n"                                                 \
	"nonsense\n"                                                                               \
	"f000-e000 r-xp 00000000 08:01 15 /bin/backwards\n"

Test(symbol_maps, keeps_executable_files_and_nothing_else)
{
	char text[] = LINES;
	FILE *from = fmemopen(text, strlen(text), "r");
	struct maps maps;

	cr_assert_eq(maps_parse(&maps, from), 0);
	fclose(from);
	cr_assert_eq(maps.nr, 3);
	cr_assert_str_eq(maps.ranges[0].path, "/bin/a");
	cr_assert_eq(maps.ranges[0].start, 0x6000);
	cr_assert_eq(maps.ranges[0].end, 0x8000);
	cr_assert_eq(maps.ranges[0].offset, 0x1000);
	cr_assert_eq(maps.ranges[0].dev, makedev(8, 1));
	cr_assert_eq(maps.ranges[0].inode, 11);
	cr_assert_not(maps.ranges[0].is_deleted);
	cr_assert_str_eq(maps.ranges[1].path, "/memfd:jit");
	cr_assert(maps.ranges[1].is_deleted);
	cr_assert_str_eq(maps.ranges[2].path, "/lib/with blank\nline.so");
	maps_fini(&maps);
}

Test(symbol_maps, a_process_that_is_not_there_is_told)
{
	struct maps maps;

	cr_assert_eq(maps_read(&maps, 0x7ffffff0), -ESRCH);
}
