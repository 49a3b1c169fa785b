// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_symbol_self.c - places in this very process
 */
#include "src/symbol/place.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BINARY "unit:"

/* An assembler can make every kind of symbol, with names that C has no words for. */
__asm__(".text\n"
	".globl asm_plain, asm_alias, asm_ifunc\n"
	".type asm_plain, @function\n"
	".type asm_alias, @function\n"
	"asm_plain: asm_alias: nop; nop; nop; ret\n"
	".size asm_plain, 4\n"
	".size asm_alias, 4\n"
	".type asm_ifunc, @gnu_indirect_function\n"
	".set asm_ifunc, asm_plain\n"
	".type asm_plain.cold, @function\n"
	"asm_plain.cold: ret\n"
	".size asm_plain.cold, 1\n"
	".type asm_plain.part.0, @function\n"
	"asm_plain.part.0: ret\n"
	".size asm_plain.part.0, 1\n"
	".type asm_only.constprop.0, @function\n"
	"asm_only.constprop.0: nop; ret\n"
	".size asm_only.constprop.0, 2\n"
	".type asm_only.constprop.0.cold, @function\n"
	"asm_only.constprop.0.cold: ret\n"
	".size asm_only.constprop.0.cold, 1\n"
	".type asm_many.isra.0, @function\n"
	"asm_many.isra.0: ret\n"
	".size asm_many.isra.0, 1\n"
	".type asm_many.isra.1, @function\n"
	"asm_many.isra.1: ret\n"
	".size asm_many.isra.1, 1\n"
	".globl asm_sizeless\n"
	"asm_sizeless: nop; nop; nop\n"
	"ret\n"
	".globl asm_after\n"
	".type asm_after, @function\n"
	"asm_after: nop\n"
	"asm_label: nop\n"
	"ret\n"
	".size asm_after, 3\n"
	".globl _ZN7fixture3addEi, _ZN7fixture3addEl, _ZN7fixture4onlyEi\n"
	".type _ZN7fixture3addEi, @function\n"
	".type _ZN7fixture3addEl, @function\n"
	".type _ZN7fixture4onlyEi, @function\n"
	".type _ZN7fixture3maxIiEET_S1_S1_, @function\n"
	"_ZN7fixture3addEi: ret\n"
	"_ZN7fixture3addEl: ret\n"
	"_ZN7fixture4onlyEi: ret\n"
	"_ZN7fixture3maxIiEET_S1_S1_: ret\n"
	".size _ZN7fixture3maxIiEET_S1_S1_, 1\n");

/* Sized like a table, in the text: still data. */
__asm__(".text\n.type asm_table, @object\nasm_table: .quad 1\n.size asm_table, 8\n");

extern char asm_plain[];
int asm_variable = 1;

static char why[PLACE_WHY_BYTES];
static struct binaries *binaries;
static struct place place;

static void open_self(void)
{
	why[0] = 0;
	memset(&place, 0, sizeof(place));
	cr_assert_eq(binaries_open(&binaries, getpid(), why), 0, "%s", why);
}

static void close_self(void)
{
	place_fini(&place);
	binaries_free(binaries);
}

TestSuite(symbol, .init = open_self, .fini = close_self);

static void assert_found(const char *probe, const char *symbol)
{
	place_fini(&place);
	cr_assert_eq(place_find(&place, binaries, probe, why), 0, "%s: %s", probe, why);
	cr_assert_str_eq(place.symbol, symbol);
}

static void assert_refused(const char *probe, int err, const char *word)
{
	struct place none;

	why[0] = 0;
	cr_assert_eq(place_find(&none, binaries, probe, why), err, "%s: %s", probe, why);
	cr_assert(strstr(why, word), "%s: %s", probe, why);
}

Test(symbol, a_function_is_found_where_its_bytes_are)
{
	uint8_t bytes[4];
	int fd;

	assert_found("asm_plain", "asm_plain");
	cr_assert_eq(place.size, 4);
	cr_assert_eq(place.text_bytes, 4);
	cr_assert_eq(memcmp(place.text, asm_plain, 4), 0);
	cr_assert_eq(memcmp(place.text, "\x90\x90\x90\xc3", 4), 0);
	cr_assert_str_eq(strrchr(place.binary, '/'), "/unit");
	cr_assert_not(place.is_go);
	cr_assert_null(place.demangled);
	cr_assert_null(place.imported_by);
	fd = open(place.open_path, O_RDONLY);
	cr_assert_eq(pread(fd, bytes, 4, place.file_offset), 4);
	cr_assert_eq(memcmp(place.text, bytes, 4), 0);
	close(fd);
}

Test(symbol, binary_may_be_a_name_or_the_end_of_a_path)
{
	assert_found(BINARY "asm_plain", "asm_plain");
	assert_found("tests/unit:asm_plain", "asm_plain");
	assert_refused("ests/unit:asm_plain", -ENOENT, "executes no file named 'ests/unit'");
	assert_found("libc:getpid", "getpid");
	assert_found("libc.so.6:getpid", "getpid");
	assert_refused("nosuch:main", -ENOENT, "unit");
}

Test(symbol, aliases_are_one_function)
{
	assert_found("asm_alias", "asm_alias");
	assert_found(BINARY "asm_plain", "asm_plain");
}

Test(symbol, an_offset_must_be_in_the_function)
{
	assert_found("asm_plain+3", "asm_plain");
	cr_assert_eq(place.offset, 3);
	assert_found(BINARY "asm_plain+0x2", "asm_plain");
	cr_assert_eq(place.offset, 2);
	assert_refused("asm_plain+4", -ERANGE, "4 bytes");
}

Test(symbol, data_is_refused)
{
	assert_refused("asm_variable", -ENOTSUP, "is data");
	assert_refused("asm_table", -ENOTSUP, "is data");
}

Test(symbol, what_is_chosen_at_start_is_refused)
{
	assert_refused("asm_ifunc", -ENOTSUP, "IFUNC");
}

static int chosen_one(void)
{
	return 1;
}

/* Runs before the sanitizers are ready. */
__attribute__((used, no_sanitize("address", "undefined"))) static int (*choose(void))(void)
{
	return chosen_one;
}

int asm_chosen(void) __attribute__((ifunc("choose")));

Test(symbol, what_was_chosen_is_named)
{
	cr_assert_eq(asm_chosen(), 1);
	assert_refused(BINARY "asm_chosen", -ENOTSUP, "the one in use, unit:chosen_one");
}

Test(symbol, clones_that_will_be_missed_are_listed)
{
	assert_found("asm_plain", "asm_plain");
	cr_assert_eq(place.nr_clones, 1, "a cold part is entered through its function");
	cr_assert_str_eq(place.clones[0], "asm_plain.part.0");
}

Test(symbol, a_clone_is_found_by_its_full_name)
{
	assert_found("asm_plain.part.0", "asm_plain.part.0");
	assert_found("asm_many.isra.1", "asm_many.isra.1");
	assert_refused("asm_plain.part.1", -ENOENT, "asm_plain.part.0");
}

Test(symbol, a_base_name_finds_its_only_clone)
{
	assert_found("asm_only", "asm_only.constprop.0");
	assert_refused("asm_many", -ENOTUNIQ, "unit:asm_many.isra.1 (0x");
}

Test(symbol, a_function_without_a_size_ends_at_the_next)
{
	assert_found("asm_sizeless", "asm_sizeless");
	cr_assert_eq(place.size, 4);
}

Test(symbol, a_label_in_a_function_is_none)
{
	assert_refused("asm_label", -ENOENT, "asm_label");
}

Test(symbol, overloads_are_told_apart_by_their_parameters)
{
	assert_refused("fixture::add", -ENOTUNIQ, "unit:fixture::add(long) (0x");
	assert_found("fixture::add(long)", "_ZN7fixture3addEl");
	cr_assert_str_eq(place.demangled, "fixture::add(long)");
	assert_found(BINARY "fixture::add( int )", "_ZN7fixture3addEi");
	assert_found("fixture::only", "_ZN7fixture4onlyEi");
	assert_found("_ZN7fixture4onlyEi", "_ZN7fixture4onlyEi");
	assert_refused("fixture::add(char)", -ENOENT, "fixture::add(int)");
}

Test(symbol, template_arguments_may_be_left_out)
{
	assert_found("fixture::max<int>", "_ZN7fixture3maxIiEET_S1_S1_");
	assert_found("fixture::max", "_ZN7fixture3maxIiEET_S1_S1_");
	assert_found("int fixture::max<int>(int, int)", "_ZN7fixture3maxIiEET_S1_S1_");
}

Test(symbol, what_is_not_there_names_the_nearest)
{
	assert_refused("asm_plian", -ENOENT, "near it: asm_plain");
	assert_refused("only", -ENOENT, "fixture::only");
	assert_refused("libc.so.6:asm_plain", -ENOENT, "it is in unit");
	assert_refused("no\033such", -ENOENT, "no?such");
}

Test(symbol, an_import_leads_to_who_defines_it)
{
	assert_found(BINARY "fnmatch", "fnmatch");
	cr_assert_str_eq(strrchr(place.binary, '/'), "/libc.so.6");
	cr_assert(strstr(place.imported_by, "/unit"));
}

Test(symbol, an_address_names_a_function_too)
{
	char probe[64];

	assert_found("asm_plain", "asm_plain");
	snprintf(probe, sizeof(probe), BINARY "0x%lx+1", place.vaddr);
	assert_found(probe, "asm_alias");
	cr_assert_eq(place.offset, 1);
	snprintf(probe, sizeof(probe), BINARY "0x%lx", place.vaddr + 1);
	assert_refused(probe, -ENOENT, "+0x1");
	assert_refused(BINARY "0x1", -ENOENT, "no function");
}

Test(symbol, an_address_of_the_process_leads_back)
{
	struct place at;

	cr_assert_eq(place_at(&at, binaries, (uintptr_t)asm_plain + 2), 0);
	cr_assert_str_eq(at.symbol, "asm_alias");
	cr_assert_eq(at.offset, 2);
	place_fini(&at);
	cr_assert_eq(place_at(&at, binaries, (uintptr_t)&place_at), 0);
	cr_assert_str_eq(at.symbol, "place_at");
	place_fini(&at);
	cr_assert_eq(place_at(&at, binaries, 16), -EFAULT);
	cr_assert_eq(place_at(&at, binaries, (uintptr_t)&at), -EFAULT);
}

struct seen {
	int nr;
	uint64_t last;
	char names[1024];
};

static int see(void *ctx, const struct place *listed)
{
	struct seen *seen = ctx;

	cr_assert_gt(listed->vaddr, seen->last);
	seen->last = listed->vaddr;
	seen->nr++;
	snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names),
		 "%s ", listed->symbol);
	return 0;
}

Test(symbol, a_listing_has_one_name_for_each_address)
{
	struct seen seen = { 0 };

	cr_assert_eq(place_list(binaries, BINARY "asm_[pa]*", see, &seen, why), 4, "%s",
		     seen.names);
	cr_assert_str_eq(seen.names, "asm_alias asm_plain.cold asm_plain.part.0 "
				     "asm_after ");
}

Test(symbol, a_listing_knows_demangled_names)
{
	struct seen seen = { 0 };

	cr_assert_eq(place_list(binaries, "fixture::*", see, &seen, why), 4);
	memset(&seen, 0, sizeof(seen));
	cr_assert_eq(place_list(binaries, "fixture::add(long)", see, &seen, why), 1);
	cr_assert_eq(place_list(binaries, "asm_nothing*", see, &seen, why), -ENOENT);
	cr_assert(strstr(why, "no function matches 'asm_nothing*'"), "%s", why);
	cr_assert_eq(place_list(binaries, "nosuch:*", see, &seen, why), -ENOENT);
}

static int stop(void *ctx, const struct place *listed)
{
	cr_assert_not_null(listed->symbol);
	return ++*(int *)ctx == 3 ? 42 : 0;
}

Test(symbol, a_listing_ends_when_it_is_told_to)
{
	int nr = 0;

	cr_assert_eq(place_list(binaries, NULL, stop, &nr, why), 42);
	cr_assert_eq(nr, 3);
}

static int many(void *ctx, const struct place *listed)
{
	*(size_t *)ctx += listed->text_bytes;
	return 0;
}

Test(symbol, every_function_of_this_process_can_be_listed)
{
	size_t bytes = 0;

	cr_assert_gt(place_list(binaries, "*", many, &bytes, why), 1000);
	cr_assert_gt(bytes, 100000);
}

static inline int inlined(int a)
{
	volatile int b = a * 3;

	return b + 1;
}

__attribute__((noinline, used)) int asm_caller(int a);
__attribute__((noinline, used)) int asm_caller(int a)
{
	return inlined(a) ^ inlined(a + 1);
}

/* Its address is taken, so there is one out of line as well. */
int (*volatile asm_pointer)(int) = inlined;

Test(symbol, inlined_copies_are_counted_where_there_is_dwarf)
{
	unsigned int nr;
	int err;

	assert_found(BINARY "inlined", "inlined");
	err = place_inlined_copies(&place, binaries, 60000, &nr);
	if (err == -ENODATA)
		cr_skip_test("built without -g");
	cr_assert_eq(err, 0);
	cr_assert(nr == 2 || nr == 0, "%u", nr); /* 0: built without optimization */
	assert_found("libc:getpid", "getpid");
	cr_assert_eq(place_inlined_copies(&place, binaries, 0, &nr) & ~-ETIME & ~-ENODATA, 0);
}

static inline __attribute__((always_inline)) int only_inlined(int a)
{
	return a * a + 3 * asm_variable;
}

__attribute__((noinline, used)) static int caller_of_inlined(int a)
{
	__asm__("");
	return only_inlined(a);
}

Test(symbol, a_function_without_code_of_its_own_is_told_with_a_caller)
{
	unsigned int nr;

	assert_found("caller_of_inlined", "caller_of_inlined");
	if (place_inlined_copies(&place, binaries, 60000, &nr) == -ENODATA)
		cr_skip_test("built without -g");
	assert_refused("only_inlined", -ENOENT,
		       "is inlined everywhere and has no code of its own; probe a caller, as "
		       "unit:caller_of_inlined");
	assert_refused(BINARY "only_inlined", -ENOENT, "unit:caller_of_inlined");
	assert_refused("libc:only_inlined", -ENOENT, "no function 'only_inlined' in libc");
}

Test(symbol, nothing_new_is_mapped)
{
	cr_assert_eq(binaries_refresh(binaries), 0);
	assert_found("asm_plain", "asm_plain");
}

Test(symbol_open, a_process_that_is_gone_is_told)
{
	struct binaries *none;

	cr_assert_eq(binaries_open(&none, 0x7ffffff0, why), -ESRCH);
	cr_assert(strstr(why, "gone"));
}
