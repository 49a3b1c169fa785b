// SPDX-License-Identifier: BSD-2-Clause
/*
 * key.c - a parser by descent, and the registers of two calling conventions
 */
#include "src/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH GEMBA_KEY_MAX_READS
#define MAX_ARGS 64

struct parser {
	struct key *key;
	const char *text;
	const char *at;
	char *why;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct parser *self, int err,
						      const char *format, ...)
{
	size_t used;
	va_list args;

	snprintf(self->why, KEY_WHY_BYTES, "'%.60s', at %zu: ", self->text,
		 (size_t)(self->at - self->text) + 1);
	used = strlen(self->why);
	va_start(args, format);
	vsnprintf(self->why + used, KEY_WHY_BYTES - used, format, args);
	va_end(args);
	return err;
}

static bool take(struct parser *self, const char *word)
{
	size_t bytes = strlen(word);

	if (strncmp(self->at, word, bytes) != 0)
		return false;
	self->at += bytes;
	return true;
}

static int parse_arg(struct parser *self)
{
	char *end;
	unsigned long number;

	number = strtoul(self->at, &end, 10);
	if (number >= MAX_ARGS)
		return fail(self, -ERANGE, "no function has that many arguments");
	self->key->arg = number;
	self->at = end;
	return 0;
}

static int parse_offset(struct parser *self, struct gemba_key_read *read)
{
	bool is_back = *self->at == '-';
	unsigned long long number;
	char *end;

	if (*self->at != '+' && *self->at != '-')
		return 0;
	self->at++;
	if (!isdigit((unsigned char)*self->at))
		return fail(self, -EINVAL, "an offset in bytes is a number, 16 or 0x10");
	errno = 0;
	number = strtoull(self->at, &end, 0);
	if (errno || number > INT32_MAX)
		return fail(self, -ERANGE, "the offset is too large");
	read->offset = is_back ? -(uint32_t)number : (uint32_t)number;
	self->at = end;
	return 0;
}

static int parse_expr(struct parser *self, unsigned int depth);

static int parse_read(struct parser *self, unsigned int bytes, unsigned int depth)
{
	struct gemba_key_read read = { .bytes = bytes, .is_big_endian = take(self, "be") };
	int err;

	if (depth == MAX_DEPTH)
		return fail(self, -ERANGE, "more than %d reads within each other", MAX_DEPTH);
	if (!take(self, "("))
		return fail(self, -EINVAL, "u%u is followed by what it reads, u%u(arg0+8)",
			    bytes * 8, bytes * 8);
	err = parse_expr(self, depth + 1);
	err = err ?: parse_offset(self, &read);
	if (err)
		return err;
	if (!take(self, ")"))
		return fail(self, -EINVAL, "here a ) or an offset is missing, u64(arg0+8)");
	self->key->reads[self->key->nr_reads++] = read;
	return 0;
}

static size_t name_bytes(const char *at)
{
	size_t nr = 0;

	while (isalnum((unsigned char)at[nr]) || at[nr] == '_')
		nr++;
	return isdigit((unsigned char)*at) ? 0 : nr;
}

/* seq, order->hdr.seq */
static int parse_path(struct parser *self)
{
	const char *begin = self->at;

	for (;;) {
		size_t nr = name_bytes(self->at);

		if (!nr)
			return fail(self, -EINVAL, "a member's name is missing");
		self->at += nr;
		if (!take(self, "->") && !take(self, "."))
			break;
	}
	if ((size_t)(self->at - begin) >= KEY_PATH_BYTES)
		return fail(self, -ERANGE, "the path is longer than %d letters",
			    KEY_PATH_BYTES - 1);
	memcpy(self->key->path, begin, self->at - begin);
	self->key->path[self->at - begin] = '\0';
	return 0;
}

/* u8 to u64 before what is read: its bytes, or 0. */
static unsigned int take_read(struct parser *self)
{
	for (unsigned int bytes = 8; bytes; bytes /= 2) {
		char word[8];
		size_t nr = snprintf(word, sizeof(word), "u%u", bytes * 8);
		const char *next = self->at + nr;

		if (strncmp(self->at, word, nr) != 0)
			continue;
		if (*next != '(' && strncmp(next, "be(", 3) != 0 && isalnum((unsigned char)*next))
			continue;
		self->at = next;
		return bytes;
	}
	return 0;
}

/* argN, but for arg0->seq, which DWARF has to be asked of. */
static bool is_argument(const char *at)
{
	size_t nr = 3;

	if (strncmp(at, "arg", 3) != 0 || !isdigit((unsigned char)at[3]))
		return false;
	while (isdigit((unsigned char)at[nr]))
		nr++;
	return at[nr] != '.' && strncmp(at + nr, "->", 2) != 0 && !isalpha((unsigned char)at[nr]) &&
	       at[nr] != '_';
}

static int parse_expr(struct parser *self, unsigned int depth)
{
	static const char *const later[] = { "payload", "fix(" };
	unsigned int bytes;

	if (is_argument(self->at)) {
		self->at += 3;
		return parse_arg(self);
	}
	bytes = take_read(self);
	if (bytes)
		return parse_read(self, bytes, depth);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (!strncmp(self->at, later[i], strlen(later[i])))
			return fail(self, -ENOTSUP, "keys of the payload are not in this version");
	if (name_bytes(self->at))
		return parse_path(self);
	return fail(self, -EINVAL, "a key is argN, order->seq, or a read of memory as u64(arg0+8)");
}

int key_parse(struct key *self, const char *text, char *why)
{
	struct parser parser = { .key = self, .text = text, .at = text, .why = why };
	int err;

	memset(self, 0, sizeof(*self));
	self->arg_bytes = 8;
	err = parse_expr(&parser, 0);
	if (!err && *parser.at)
		err = fail(&parser, -EINVAL, "the key is over here, and something follows");
	return err;
}

int key_follow(struct key *self, unsigned int arg, unsigned int arg_bytes,
	       const struct gemba_key_read *reads, size_t nr_reads, char *why)
{
	if (self->nr_reads + nr_reads > GEMBA_KEY_MAX_READS) {
		snprintf(why, KEY_WHY_BYTES, "'%.80s': more than %d reads within each other",
			 self->path, GEMBA_KEY_MAX_READS);
		return -ERANGE;
	}
	memmove(self->reads + nr_reads, self->reads, self->nr_reads * sizeof(*reads));
	for (size_t i = 0; i < nr_reads; i++)
		self->reads[i] = reads[i];
	self->nr_reads += nr_reads;
	self->arg = arg;
	self->arg_bytes = arg_bytes;
	return 0;
}

int key_place(const struct key *self, bool is_go, struct gemba_key *out, char *why)
{
	static const uint8_t sysv[] = { GEMBA_RDI, GEMBA_RSI, GEMBA_RDX,
					GEMBA_RCX, GEMBA_R8,  GEMBA_R9 };
	static const uint8_t go[] = { GEMBA_RAX, GEMBA_RBX, GEMBA_RCX, GEMBA_RDI, GEMBA_RSI,
				      GEMBA_R8,	 GEMBA_R9,  GEMBA_R10, GEMBA_R11 };
	size_t nr = is_go ? sizeof(go) : sizeof(sysv);

	if (self->arg >= nr) {
		snprintf(why, KEY_WHY_BYTES, "arg%u is in no register: arg0 to arg%zu are",
			 self->arg, nr - 1);
		return -ERANGE;
	}
	*out = (struct gemba_key){
		.is_given = 1,
		.reg = is_go ? go[self->arg] : sysv[self->arg],
		.reg_bytes = self->nr_reads ? 8 : self->arg_bytes,
		.nr_reads = self->nr_reads,
	};
	memcpy(out->reads, self->reads, sizeof(out->reads));
	return 0;
}
