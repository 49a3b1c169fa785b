// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_symbol_file.c - places in files made here, which this process maps
 *
 * Each test has a directory of its own; what lies in it is mapped executable and so becomes a
 * binary of the process.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "src/symbol/place.h"
#include "tests/unit/elf_fixture.h"

static char dir[64], program[96], debug[96], why[PLACE_WHY_BYTES];
static struct fixture fixture;
static struct binaries *binaries;
static struct place place;
static void *mapped;

static void begin(void)
{
	strcpy(dir, "/tmp/gemba-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(debug, sizeof(debug), "%s/program.debug", dir);
	memset(&place, 0, sizeof(place));
	fixture_init(&fixture);
}

static void end(void)
{
	place_fini(&place);
	binaries_free(binaries);
	unlink(program);
	unlink(debug);
	rmdir(dir);
}

TestSuite(symbol_file, .init = begin, .fini = end);

static void map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	mapped = mmap(NULL, 2 * FIXTURE_TEXT_OFFSET, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	cr_assert_neq(mapped, MAP_FAILED);
	close(fd);
}

/* The fixture becomes a mapped file. */
static void run(void)
{
	fixture_finish(&fixture);
	fixture_write(&fixture, program);
	map(program);
	cr_assert_eq(binaries_open(&binaries, getpid(), why), 0, "%s", why);
}

static void assert_found(const char *probe, uint64_t at)
{
	place_fini(&place);
	cr_assert_eq(place_find(&place, binaries, probe, why), 0, "%s: %s", probe, why);
	cr_assert_eq(place.vaddr, FIXTURE_TEXT_VADDR + at, "%s: 0x%lx", probe, place.vaddr);
	cr_assert_eq(place.file_offset, FIXTURE_TEXT_OFFSET + at);
}

static void assert_refused(const char *probe, int err, const char *word)
{
	struct place none;

	cr_assert_eq(place_find(&none, binaries, probe, why), err, "%s: %s", probe, why);
	cr_assert(strstr(why, word), "%s", why);
}

static const struct fixture_symbol some[] = {
	{ .name = "first", .at = 0x10, .size = 0x10, .type = STT_FUNC },
	{ .name = "second", .at = 0x40, .size = 8, .type = STT_FUNC },
	{ .name = NULL },
};

static const struct fixture_symbol hidden[] = {
	{ .name = "hidden", .at = 0x80, .size = 4, .type = STT_FUNC },
	{ .name = NULL },
};

Test(symbol_file, an_address_becomes_an_offset_by_the_segment)
{
	fixture_add_symbols(&fixture, SHT_SYMTAB, some);
	fixture_add_build_id(&fixture, "0123456789abcdef");
	run();
	assert_found("program:first+0xf", 0x10);
	cr_assert_str_eq(place.binary, program);
	cr_assert_str_eq(place.build_id, "30313233343536373839616263646566");
	cr_assert_eq(place.text[0], 0x90);
	place_fini(&place);
	cr_assert_eq(place_at(&place, binaries, (uintptr_t)mapped + FIXTURE_TEXT_OFFSET + 0x47), 0);
	cr_assert_str_eq(place.symbol, "second");
	cr_assert_eq(place.offset, 7);
	place_fini(&place);
	cr_assert_eq(place_at(&place, binaries, (uintptr_t)mapped + FIXTURE_TEXT_OFFSET + 0x48),
		     -ENOENT);
	cr_assert_eq(place_at(&place, binaries, (uintptr_t)mapped + 8), -ENOENT);
}

Test(symbol_file, a_size_ends_with_the_bytes_of_the_file)
{
	static const struct fixture_symbol absurd[] = {
		{ .name = "vast", .at = 0xf0, .size = UINT64_MAX, .type = STT_FUNC },
		{ .name = "last", .at = 0xf8, .size = 0, .type = STT_FUNC },
		{ .name = "outside", .at = 0x100, .size = 8, .type = STT_FUNC },
		{ .name = NULL },
	};

	fixture_add_symbols(&fixture, SHT_SYMTAB, absurd);
	run();
	assert_found("program:vast", 0xf0);
	cr_assert_eq(place.size, 0x10);
	assert_found("program:last", 0xf8);
	cr_assert_eq(place.size, 8);
	assert_refused("program:outside", -ENOENT, "no function 'outside'");
}

Test(symbol_file, an_old_version_gives_way_to_the_present_one)
{
	static const struct fixture_symbol versions[] = {
		{ .name = "wait", .at = 0x10, .size = 4, .type = STT_FUNC, .version = 0x8002 },
		{ .name = "wait", .at = 0x20, .size = 4, .type = STT_FUNC, .version = 3 },
		{ .name = "gone", .at = 0x30, .size = 4, .type = STT_FUNC, .version = 0x8002 },
		{ .name = NULL },
	};

	fixture_add_symbols(&fixture, SHT_DYNSYM, versions);
	run();
	assert_found("program:wait", 0x20);
	assert_found("program:gone", 0x30);
}

Test(symbol_file, versions_are_in_names_too)
{
	static const struct fixture_symbol versions[] = {
		{ .name = "wait@OLD", .at = 0x10, .size = 4, .type = STT_FUNC },
		{ .name = "wait@@NEW", .at = 0x20, .size = 4, .type = STT_FUNC },
		{ .name = NULL },
	};

	fixture_add_symbols(&fixture, SHT_SYMTAB, versions);
	run();
	assert_found("program:wait", 0x20);
	cr_assert_str_eq(place.symbol, "wait");
	assert_found("program:wait@OLD", 0x10);
	assert_found("program:wait@@NEW", 0x20);
	assert_refused("program:wait@NONE", -ENOENT, "near it: wait");
}

Test(symbol_file, two_functions_of_one_name_are_told_by_address)
{
	static const struct fixture_symbol twins[] = {
		{ .name = "twin", .at = 0x10, .size = 4, .type = STT_FUNC },
		{ .name = "twin", .at = 0x20, .size = 4, .type = STT_FUNC },
		{ .name = NULL },
	};

	fixture_add_symbols(&fixture, SHT_SYMTAB, twins);
	run();
	assert_refused("twin", -ENOTUNIQ, "program:0x403010 (twin), program:0x403020 (twin)");
	assert_found("program:0x403020", 0x20);
}

/* A stripped program and its symbols in program.debug. */
static void run_stripped(const char *program_id, const char *debug_id, uint32_t crc_change)
{
	struct fixture separate;
	char link[20] = "program.debug";
	uint32_t crc;

	fixture_init(&separate);
	separate.sections[1].sh_type = SHT_NOBITS;
	if (debug_id)
		fixture_add_build_id(&separate, debug_id);
	fixture_add_symbols(&separate, SHT_SYMTAB, hidden);
	fixture_finish(&separate);
	fixture_write(&separate, debug);
	crc = crc32(0, separate.bytes, separate.nr) + crc_change;
	memcpy(link + 16, &crc, sizeof(crc));
	if (program_id)
		fixture_add_build_id(&fixture, program_id);
	fixture_add_symbols(&fixture, SHT_DYNSYM, some);
	fixture_add(&fixture, ".gnu_debuglink", SHT_PROGBITS, link, sizeof(link));
	run();
}

Test(symbol_file, a_linked_debug_file_is_believed_by_its_checksum)
{
	run_stripped(NULL, NULL, 0);
	assert_found("program:hidden", 0x80);
	assert_found("program:first", 0x10);
}

Test(symbol_file, a_linked_debug_file_is_believed_by_its_build_id)
{
	run_stripped("0123456789abcdef", "0123456789abcdef", 1);
	assert_found("program:hidden", 0x80);
}

Test(symbol_file, a_debug_file_of_another_program_is_not_believed)
{
	run_stripped("0123456789abcdef", "fedcba9876543210", 0);
	assert_refused("program:hidden", -ENOENT, "stripped, exported names only: program");
	assert_found("program:first", 0x10);
}

Test(symbol_file, a_debug_file_of_another_checksum_is_not_believed)
{
	run_stripped(NULL, NULL, 1);
	assert_refused("program:hidden", -ENOENT, "stripped");
}

static void add_packed(size_t cut)
{
	uint8_t packed[FIXTURE_BYTES];
	struct fixture inner;
	size_t nr = 0;

	fixture_init(&inner);
	inner.sections[1].sh_type = SHT_NOBITS;
	fixture_add_symbols(&inner, SHT_SYMTAB, hidden);
	fixture_finish(&inner);
	cr_assert_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, inner.bytes, inner.nr,
					     packed, &nr, sizeof(packed)),
		     LZMA_OK);
	fixture_add(&fixture, ".gnu_debugdata", SHT_PROGBITS, packed, nr - cut);
	fixture_add_symbols(&fixture, SHT_DYNSYM, some);
}

Test(symbol_file, symbols_packed_into_the_program_are_found)
{
	add_packed(0);
	run();
	assert_found("program:hidden", 0x80);
	assert_found("program:second", 0x40);
}

Test(symbol_file, damaged_packed_symbols_leave_the_exported_ones)
{
	add_packed(9);
	run();
	assert_refused("program:hidden", -ENOENT, "stripped");
	assert_found("program:second", 0x40);
}

Test(symbol_file, a_deleted_file_is_still_found)
{
	fixture_add_symbols(&fixture, SHT_SYMTAB, some);
	fixture_finish(&fixture);
	fixture_write(&fixture, program);
	map(program);
	unlink(program);
	cr_assert_eq(binaries_open(&binaries, getpid(), why), 0);
	if (place_find(&place, binaries, "program:first", why) == -EPERM)
		cr_skip_test("needs root");
	assert_found("program:first", 0x10);
	cr_assert(place.is_deleted);
	cr_assert_str_eq(place.binary, program);
}

Test(symbol_file, what_is_mapped_later_needs_a_refresh)
{
	fixture_add_symbols(&fixture, SHT_SYMTAB, some);
	cr_assert_eq(binaries_open(&binaries, getpid(), why), 0);
	assert_refused("program:first", -ENOENT, "no file named");
	fixture_finish(&fixture);
	fixture_write(&fixture, program);
	map(program);
	cr_assert_eq(binaries_refresh(binaries), 1);
	assert_found("program:first", 0x10);
	cr_assert_eq(binaries_refresh(binaries), 0);
	munmap(mapped, 2 * FIXTURE_TEXT_OFFSET);
	cr_assert_eq(binaries_refresh(binaries), 1);
	cr_assert_str_eq(place.binary, program);
	assert_refused("program:first", -ENOENT, "no file named");
}

Test(symbol_file, what_is_no_program_is_told)
{
	memcpy(fixture.bytes, "#!/bin/sh", 9);
	run();
	assert_refused("program:first", -ENOEXEC, "not an ELF file");
	cr_assert(strstr(why, program));
}

Test(symbol_file, a_program_of_32_bits_is_told)
{
	fixture.bytes[EI_CLASS] = ELFCLASS32;
	run();
	assert_refused("program:first", -ENOTSUP, "64-bit");
}

Test(symbol_file, a_file_that_is_cut_is_told)
{
	fixture_add_symbols(&fixture, SHT_SYMTAB, some);
	run();
	cr_assert_eq(truncate(program, 50), 0);
	assert_refused("program:first", -EBADMSG, "cut or damaged");
}

Test(symbol_file, a_link_beside_a_file_is_a_name_of_it)
{
	char path[128];

	fixture_add_symbols(&fixture, SHT_SYMTAB, some);
	run();
	snprintf(path, sizeof(path), "%s/nickname", dir);
	cr_assert_eq(symlink("program", path), 0);
	assert_found("nickname:first", 0x10);
	unlink(path);
}

/* The head of a Go 1.20 table, two functions and the end of the text. */
Test(symbol_file, go_keeps_its_functions_when_it_is_stripped)
{
	struct {
		uint32_t magic;
		uint8_t zero[2], quantum, pointer;
		uint64_t nr, files, text, names, units, filetab, pcs, functions;
		char strings[24];
		uint32_t index[5], pad;
		struct {
			uint32_t code, name;
		} records[2];
	} table = { .magic = 0xfffffff1,
		    .quantum = 1,
		    .pointer = 8,
		    .nr = 2,
		    .text = FIXTURE_TEXT_VADDR,
		    .names = 72,
		    .functions = 96,
		    .strings = "main.main\0main.(*T).run",
		    .index = { 0x10, 24, 0x40, 32, 0x60 },
		    .records = { { 0x10, 0 }, { 0x40, 10 } } };

	fixture_add(&fixture, ".gopclntab", SHT_PROGBITS, &table, sizeof(table));
	run();
	assert_found("program:main.main", 0x10);
	cr_assert_eq(place.size, 0x30);
	cr_assert(place.is_go);
	assert_found("main.(*T).run", 0x40);
	assert_refused("program:main.mian", -ENOENT, "near it: main.main");
}

static int count(void *ctx, const struct place *listed)
{
	*(size_t *)ctx += listed->text_bytes + strlen(listed->symbol);
	return 0;
}

/* Whatever is in the file: an answer, and nothing outside of it is touched. */
static void look_everywhere(bool is_by_name)
{
	size_t sum = 0;
	unsigned int nr;

	cr_assert_eq(binaries_open(&binaries, getpid(), why), 0);
	place_list(binaries, "program:*", count, &sum, why);
	for (uint64_t at = 0; at < 2 * FIXTURE_TEXT_OFFSET; at += 251)
		if (!place_at(&place, binaries, (uintptr_t)mapped + at))
			place_fini(&place);
	if (is_by_name && !place_find(&place, binaries, "program:hidden", why)) {
		place_inlined_copies(&place, binaries, 10, &nr);
		place_fini(&place);
	}
	binaries_free(binaries);
	binaries = NULL;
}

static void write_damaged(const struct fixture *self, size_t nr)
{
	int fd = open(program, O_WRONLY | O_TRUNC);

	cr_assert_eq(write(fd, self->bytes, nr), (ssize_t)nr);
	close(fd);
}

/* Offsets that are worth more damage than bytes of the text are: headers and tables. */
static size_t pick(size_t nr)
{
	size_t tail = nr - FIXTURE_TEXT_OFFSET - FIXTURE_TEXT_BYTES;

	if (random() % 4 == 0)
		return random() % 120;
	return nr - 1 - random() % tail;
}

static void damage(struct fixture *self, size_t *nr)
{
	static const uint64_t absurd[] = { 0, 1, 0xffff, UINT32_MAX, INT64_MAX, UINT64_MAX };

	for (long i = random() % 4; i >= 0; i--)
		self->bytes[pick(self->nr)] ^= 1 << random() % 8;
	if (random() % 3 == 0)
		memcpy(&self->bytes[pick(self->nr - 8)], &absurd[random() % 6], 8);
	if (random() % 5 == 0)
		*nr = random() % self->nr;
}

Test(symbol_file, no_damage_does_harm, .timeout = 120)
{
	struct fixture copy;

	fixture_add_build_id(&fixture, "0123456789abcdef");
	add_packed(0);
	fixture_finish(&fixture);
	fixture_write(&fixture, program);
	map(program);
	srandom(7);
	for (int i = 0; i < 2000; i++) {
		size_t nr = fixture.nr;

		copy = fixture;
		damage(&copy, &nr);
		write_damaged(&copy, nr);
		look_everywhere(i % 32 == 0);
	}
}
