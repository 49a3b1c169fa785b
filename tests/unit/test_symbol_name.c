// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_symbol_name.c - versions, clones, demangled names
 */
#include "src/symbol/name.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_base(const char *name, size_t bytes, size_t base)
{
	cr_assert_eq(name_bytes(name), bytes, "%s", name);
	cr_assert_eq(name_base_bytes(name, bytes), base, "%s: %zu", name,
		     name_base_bytes(name, bytes));
}

Test(symbol_name, a_version_is_no_part_of_a_name)
{
	assert_base("memcpy@@GLIBC_2.14", 6, 6);
	assert_base("memcpy@GLIBC_2.2.5", 6, 6);
	assert_base("memcpy", 6, 6);
	assert_base("@", 1, 1);
	assert_base("", 0, 0);
}

Test(symbol_name, what_the_compiler_adds_to_a_clone_is_no_part_of_its_base)
{
	assert_base("f.cold", 6, 1);
	assert_base("f.part.0", 8, 1);
	assert_base("f.part.0.cold", 13, 1);
	assert_base("f.constprop.0.isra.12", 21, 1);
	assert_base("f.isra.0@@V", 8, 1);
	assert_base("f.lto_priv.3", 12, 1);
}

Test(symbol_name, other_dots_belong_to_the_name)
{
	assert_base("main.main", 9, 9);
	assert_base("counter.0", 9, 9);
	assert_base("sum.avx2.0", 10, 10);
	assert_base(".cold", 5, 5);
	assert_base("f.colder", 8, 8);
	assert_base("f.", 2, 2);
}

Test(symbol_name, a_part_out_of_line_is_cold)
{
	cr_assert(name_is_cold("f.cold", 6));
	cr_assert(name_is_cold("f.part.0.cold", 13));
	cr_assert(name_is_cold("f.cold.2", 8));
	cr_assert_not(name_is_cold("f.part.0", 8));
	cr_assert_not(name_is_cold("cold", 4));
}

static void assert_demangled(const char *name, enum name_form form, const char *want)
{
	char text[NAME_ROOM];

	cr_assert(name_demangle(name, strlen(name), form, text), "%s", name);
	cr_assert_str_eq(text, want);
}

Test(symbol_name, cplusplus_has_three_forms)
{
	assert_demangled("_ZN2md7Decoder6decodeEPKc", NAME_ALONE, "md::Decoder::decode");
	assert_demangled("_ZN2md7Decoder6decodeEPKc", NAME_PARAMS,
			 "md::Decoder::decode(char const*)");
	assert_demangled("_ZN2md7biggestIiEET_S1_S1_", NAME_ALONE, "md::biggest<int>");
	assert_demangled("_ZN2md7biggestIiEET_S1_S1_", NAME_PARAMS, "md::biggest<int>(int, int)");
	assert_demangled("_ZN2md7biggestIiEET_S1_S1_", NAME_SIGNATURE,
			 "int md::biggest<int>(int, int)");
}

Test(symbol_name, rust_has_no_hashes)
{
	assert_demangled("_ZN1r4book13Book$LT$T$GT$3add17h813806846855fa26E", NAME_PARAMS,
			 "r::book::Book<T>::add");
	assert_demangled("_RNvXs_NtCs6GmmlP4bgsG_1r4bookyNtB4_3Run3run", NAME_PARAMS,
			 "<u64 as r::book::Run>::run");
}

Test(symbol_name, what_is_not_mangled_stays)
{
	static const char *const names[] = { "main", "_start", "_Z", "_ZN", "_R", "", "_ZZZZZ" };
	char text[NAME_ROOM];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_assert_not(name_demangle(names[i], strlen(names[i]), NAME_PARAMS, text));
		cr_assert_str_eq(text, "");
	}
}

Test(symbol_name, a_name_that_unfolds_beyond_all_bounds_stays_mangled)
{
	char name[512] = "_Z1fI", text[NAME_ROOM];

	/* each pair doubles the one before: 2^40 letters */
	strcat(name, "1AIiiE");
	for (int i = 0; i < 20; i++)
		sprintf(name + strlen(name), "1BIS%c_S%c_E", "0123456789ABCDEFGHIJK"[i],
			"0123456789ABCDEFGHIJK"[i]);
	strcat(name, "Evv");
	name_demangle(name, strlen(name), NAME_PARAMS, text);
	cr_assert_lt(strlen(text), NAME_ROOM);
}

static void assert_stripped(const char *name, const char *want)
{
	char text[NAME_ROOM];

	strcpy(text, name);
	name_strip_templates(text);
	cr_assert_str_eq(text, want, "%s: %s", name, text);
}

Test(symbol_name, template_arguments_and_tags_can_be_left_out)
{
	assert_stripped("md::Book<int>::add", "md::Book::add");
	assert_stripped("a<b<c>, d>::e<f>", "a::e");
	assert_stripped("abi[abi:cxx11]", "abi");
	assert_stripped("A::operator<", "A::operator<");
	assert_stripped("A<int>::operator<< <char>", "A::operator<< ");
	assert_stripped("A<int>::operator->", "A::operator->");
	assert_stripped("A::operator()", "A::operator()");
	assert_stripped("my_operator<int>", "my_operator");
	assert_stripped("a<b", "a");
}

static void assert_without_params(const char *name, const char *want)
{
	char text[NAME_ROOM];

	strcpy(text, name);
	cr_assert_eq(name_strip_params(text), want != NULL, "%s", name);
	cr_assert_str_eq(text, want ? want : name);
}

Test(symbol_name, a_list_of_parameters_is_told_from_other_parentheses)
{
	assert_without_params("f(int)", "f");
	assert_without_params("f(int (*)(int), char) const", "f");
	assert_without_params("(anonymous namespace)::f(int)", "(anonymous namespace)::f");
	assert_without_params("A::operator()(int)", "A::operator()");
	assert_without_params("A::operator()", NULL);
	assert_without_params("server.(*client).read", NULL);
	assert_without_params("f", NULL);
	assert_without_params("(f)", NULL);
	assert_without_params("f(", NULL);
}

Test(symbol_name, blanks_do_not_count)
{
	cr_assert(name_equals("f(int, char const*)", "f(int,char const *)"));
	cr_assert(name_equals("", " "));
	cr_assert_not(name_equals("f(int)", "f(int"));
}

static void assert_literal(const char *name, const char *want)
{
	const char *literal = NULL;
	size_t bytes;
	bool has = name_literal(name, &literal, &bytes);

	cr_assert_eq(has, want != NULL, "%s", name);
	if (want)
		cr_assert(strlen(want) == bytes && !memcmp(want, literal, bytes), "%s: %.*s", name,
			  (int)bytes, literal);
}

Test(symbol_name, a_literal_is_in_the_mangled_form_too)
{
	assert_literal("md::Decoder::decode", "Decoder");
	assert_literal("f(very_long_type)", "f");
	assert_literal("Book<very_long_type>::add", "Book");
	assert_literal("(anonymous namespace)::hidden", "hidden");
	assert_literal("A::operator very_long_type", "A");
	assert_literal("std::string::string", NULL);
	assert_literal("gr\xc3\xb6\xc3\x9f"
		       "e",
		       NULL);
	assert_literal("", NULL);
}

Test(symbol_name, the_last_part_stands_behind_the_last_qualifier)
{
	cr_assert_str_eq(name_last_part("a::b::c"), "c");
	cr_assert_str_eq(name_last_part("a::b<c::d>"), "b<c::d>");
	cr_assert_str_eq(name_last_part("server.(*client).read"), "read");
	cr_assert_str_eq(name_last_part("plain"), "plain");
	cr_assert_str_eq(name_last_part("a."), "a.");
	cr_assert_str_eq(name_last_part(""), "");
}
