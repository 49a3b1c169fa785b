// SPDX-License-Identifier: BSD-2-Clause
/*
 * encoding.c - the whitelist: raw bytes of one instruction in, its class or a reason out
 *
 * Raw bytes, because the kernel decides by them: its emulator looks at the opcode byte alone,
 * past any prefix, so that an instruction which merely resembles a nop, a jump or a push there is
 * skipped in the target. Everything is refused that is not listed. The list for single-stepping
 * leaves out what may not run at another address or under the trap flag: see `rows` and `odd`.
 */
#include "src/site/encoding.h"

#include <string.h>

enum { P66 = 1, PF2 = 2, PF3 = 4, SSE = P66 | PF2 | PF3 };

/* An instruction taken apart as far as the judgement needs it. */
struct parts {
	uint8_t mandatory; /* P66, PF2, PF3 */
	bool is_odd;	   /* lock, segment or address prefixes, or one of the others twice */
	uint8_t rex;
	uint8_t map; /* 1, or 2 after 0f */
	uint8_t opcode;
	uint8_t group; /* the reg field of a ModRM byte, if there is one */
};

/* Can be single-stepped: its outcome depends on neither its address nor the trap flag, all
 * kernels accept it, and it traps once. groups: bit n, the reg field may be n. */
static const struct row {
	uint8_t map;
	uint8_t first;
	uint8_t last;
	uint8_t groups;
	uint8_t prefixes;
} rows[] = {
	{ 1, 0x00, 0x05, 0xff, P66 }, /* add */
	{ 1, 0x08, 0x0d, 0xff, P66 }, /* or */
	{ 1, 0x10, 0x15, 0xff, P66 }, /* adc */
	{ 1, 0x18, 0x1d, 0xff, P66 }, /* sbb */
	{ 1, 0x20, 0x25, 0xff, P66 }, /* and */
	{ 1, 0x28, 0x2d, 0xff, P66 }, /* sub */
	{ 1, 0x30, 0x35, 0xff, P66 }, /* xor */
	{ 1, 0x38, 0x3d, 0xff, P66 }, /* cmp */
	{ 1, 0x50, 0x5f, 0xff, 0 },   /* push with an idle REX, pop */
	{ 1, 0x63, 0x63, 0xff, 0 },   /* movsxd */
	{ 1, 0x68, 0x6b, 0xff, 0 },   /* push imm, imul */
	{ 1, 0x80, 0x81, 0xff, P66 }, /* add ... cmp, imm */
	{ 1, 0x83, 0x8b, 0xff, P66 }, /* the same, test, xchg, mov */
	{ 1, 0x8d, 0x8d, 0xff, P66 }, /* lea */
	{ 1, 0x91, 0x97, 0xff, 0 },   /* xchg with rax; 90 is the kernel's nop whatever its REX */
	{ 1, 0x98, 0x99, 0xff, P66 }, /* cdqe, cqo */
	{ 1, 0xa8, 0xa9, 0xff, P66 }, /* test */
	{ 1, 0xb0, 0xbf, 0xff, P66 }, /* mov imm */
	{ 1, 0xc0, 0xc1, 0xff, P66 }, /* shifts */
	{ 1, 0xc2, 0xc3, 0xff, 0 },   /* ret */
	{ 1, 0xc6, 0xc7, 0x01, P66 }, /* mov imm; /7 is xabort, xbegin */
	{ 1, 0xc9, 0xc9, 0xff, 0 },   /* leave */
	{ 1, 0xd0, 0xd3, 0xff, P66 }, /* shifts */
	{ 1, 0xf6, 0xf7, 0xfd, P66 }, /* test, not, neg, mul, div */
	{ 1, 0xfe, 0xff, 0x03, P66 }, /* inc, dec */
	{ 1, 0xff, 0xff, 0x50, 0 },   /* jmp r/m, push r/m */
	{ 2, 0x10, 0x17, 0xff, SSE }, /* movups ... */
	{ 2, 0x1f, 0x1f, 0x01, P66 }, /* nop */
	{ 2, 0x28, 0x2f, 0xff, SSE }, /* movaps, cvt..., comis */
	{ 2, 0x40, 0x4f, 0xff, P66 }, /* cmov */
	{ 2, 0x51, 0x5f, 0xff, SSE }, /* sqrt ... max */
	{ 2, 0x60, 0x6f, 0xff, SSE }, /* punpck ... movdqa */
	{ 2, 0x70, 0x70, 0xff, SSE }, /* pshufd */
	{ 2, 0x71, 0x73, 0xff, P66 }, /* shifts */
	{ 2, 0x74, 0x76, 0xff, P66 }, /* pcmpeq */
	{ 2, 0x7e, 0x7f, 0xff, SSE }, /* movd, movdqa */
	{ 2, 0x90, 0x9f, 0xff, 0 },   /* setcc */
	{ 2, 0xa3, 0xa5, 0xff, P66 }, /* bt, shld */
	{ 2, 0xab, 0xad, 0xff, P66 }, /* bts, shrd */
	{ 2, 0xaf, 0xaf, 0xff, P66 }, /* imul */
	{ 2, 0xb3, 0xb3, 0xff, P66 }, /* btr */
	{ 2, 0xb6, 0xb7, 0xff, P66 }, /* movzx */
	{ 2, 0xba, 0xba, 0xf0, P66 }, /* bt, bts, btr, btc imm */
	{ 2, 0xbb, 0xbb, 0xff, P66 }, /* btc */
	{ 2, 0xbc, 0xbd, 0xff, P66 | PF3 }, /* bsf, bsr, tzcnt, lzcnt */
	{ 2, 0xbe, 0xbf, 0xff, P66 },	    /* movsx */
	{ 2, 0xc2, 0xc2, 0xff, SSE },	    /* cmpps */
	{ 2, 0xc4, 0xc6, 0xff, SSE },	    /* pinsrw, pextrw, shufps */
	{ 2, 0xc8, 0xcf, 0xff, 0 },	    /* bswap */
	{ 2, 0xd1, 0xef, 0xff, SSE },	    /* psrl ... pxor */
	{ 2, 0xf1, 0xfe, 0xff, SSE },	    /* psll ... padd */
};

static const struct odd {
	uint8_t map;
	uint8_t first;
	uint8_t last;
	const char *why;
} odd[] = {
	{ 1, 0x62, 0x62,
	  "has an EVEX prefix: the kernel misreads what follows, and a probe there "
	  "would corrupt the target" },
	{ 1, 0xc4, 0xc5,
	  "has a VEX prefix: the kernel misreads what follows, and a probe there "
	  "would corrupt the target" },
	{ 1, 0x8f, 0x8f, "begins like an XOP prefix, which the kernel misreads" },
	{ 1, 0x90, 0x90, "is no plain nop, but some kernels take it for one" },
	{ 1, 0x70, 0x7f,
	  "is a branch with a prefix, which CPUs and kernels read in different ways" },
	{ 1, 0xe8, 0xe9,
	  "is a branch with a prefix, which CPUs and kernels read in different ways" },
	{ 1, 0xeb, 0xeb,
	  "is a branch with a prefix, which CPUs and kernels read in different ways" },
	{ 2, 0x80, 0x8f,
	  "is a branch with a prefix, which CPUs and kernels read in different ways" },
	{ 1, 0x9c, 0x9d, "would store or load the trap flag of the kernel's single step" },
	{ 1, 0x8e, 0x8e, "loads a segment register, which puts off the single step's trap" },
	{ 1, 0xa4, 0xa7, "is a string instruction: repeated, it would count once a turn" },
	{ 1, 0xaa, 0xaf, "is a string instruction: repeated, it would count once a turn" },
	{ 1, 0xd8, 0xdf, "would record a wrong address in the x87 unit" },
	{ 1, 0xe0, 0xe3, "is a branch that kernels do not emulate" },
	{ 1, 0x6c, 0x6f, "is privileged" },
	{ 1, 0xe4, 0xe7, "is privileged" },
	{ 1, 0xec, 0xef, "is privileged" },
	{ 1, 0xf4, 0xf4, "is privileged" },
	{ 1, 0xfa, 0xfb, "is privileged" },
	{ 1, 0xcc, 0xcf, "is a trap of its own" },
	{ 1, 0xf1, 0xf1, "is a trap of its own" },
	{ 2, 0x0b, 0x0b, "is a trap of its own" },
	{ 2, 0x05, 0x05, "would leave the single step's address in rcx and its trap flag in r11" },
	{ 2, 0x34, 0x35, "would return to the single step's address" },
	{ 1, 0xc6, 0xc7, "begins or ends a transaction, with an address of its own" },
	{ 1, 0xff, 0xff,
	  "pushes the single step's own address for a while, on a shadow stack for good" },
	{ 2, 0x38, 0x38, "has a three-byte opcode, which some kernels refuse" },
	{ 2, 0x3a, 0x3a, "has a three-byte opcode, which some kernels refuse" },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t long_nops[][8] = {
	{ 0x0f, 0x1f, 0x00 },
	{ 0x0f, 0x1f, 0x40, 0x00 },
	{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

static bool is_push(const uint8_t *bytes, size_t nr)
{
	return (nr == 1 && (bytes[0] & 0xf8) == 0x50) ||
	       (nr == 2 && bytes[0] == 0x41 && (bytes[1] & 0xf8) == 0x50);
}

static bool is_jump(const uint8_t *bytes, size_t nr)
{
	return (nr == 2 && (bytes[0] == 0xeb || (bytes[0] & 0xf0) == 0x70)) ||
	       (nr == 5 && bytes[0] == 0xe9) ||
	       (nr == 6 && bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80);
}

static bool is_long_nop(const uint8_t *bytes, size_t nr)
{
	return nr >= 3 && nr <= 8 && !memcmp(bytes, long_nops[nr - 3], nr);
}

static bool find_cheap(const uint8_t *bytes, size_t nr, enum site_class *class)
{
	if ((nr == 1 && bytes[0] == 0x90) || (nr == 2 && bytes[0] == 0x66 && bytes[1] == 0x90))
		*class = SITE_NOP;
	else if (is_push(bytes, nr))
		*class = SITE_PUSH;
	else if (nr == 5 && bytes[0] == 0xe8)
		*class = SITE_CALL;
	else if (is_jump(bytes, nr))
		*class = SITE_JUMP;
	else if (is_long_nop(bytes, nr))
		*class = SITE_NOP_LONG;
	else
		return false;
	return true;
}

static uint8_t mandatory_of(uint8_t byte)
{
	return byte == 0x66 ? P66 : byte == 0xf2 ? PF2 : byte == 0xf3 ? PF3 : 0;
}

static bool is_odd_prefix(uint8_t byte)
{
	return byte && strchr("\x26\x2e\x36\x3e\x64\x65\x67\xf0", byte);
}

static struct parts take_apart(const uint8_t *bytes, size_t nr)
{
	struct parts parts = { .map = 1 };
	size_t at = 0;

	for (; at < nr && (mandatory_of(bytes[at]) || is_odd_prefix(bytes[at])); at++) {
		parts.is_odd |= is_odd_prefix(bytes[at]) || parts.mandatory;
		parts.mandatory |= mandatory_of(bytes[at]);
	}
	if (at < nr && (bytes[at] & 0xf0) == 0x40)
		parts.rex = bytes[at++];
	if (at < nr && bytes[at] == 0x0f) {
		parts.map = 2;
		at++;
	}
	parts.opcode = at < nr ? bytes[at] : 0xcc;
	parts.group = at + 1 < nr ? bytes[at + 1] >> 3 & 7 : 0;
	return parts;
}

static bool can_step(const struct parts *parts)
{
	for (size_t i = 0; i < NR(rows); i++)
		if (rows[i].map == parts->map && parts->opcode >= rows[i].first &&
		    parts->opcode <= rows[i].last && (rows[i].groups >> parts->group & 1) &&
		    !(parts->mandatory & ~rows[i].prefixes))
			return true;
	return false;
}

/* Opcodes without a ModRM byte have no group: rows that name groups all have one. */
static const char *find_odd(const struct parts *parts)
{
	for (size_t i = 0; i < NR(odd); i++)
		if (odd[i].map == parts->map && parts->opcode >= odd[i].first &&
		    parts->opcode <= odd[i].last)
			return odd[i].why;
	return "is not among the instructions known to be safe under a single step";
}

const char *encoding_judge(const uint8_t *bytes, size_t nr, enum site_class *class)
{
	struct parts parts;

	if (find_cheap(bytes, nr, class))
		return NULL;
	*class = SITE_STEPPED;
	if (nr == sizeof(endbr64) && !memcmp(bytes, endbr64, nr))
		return NULL;
	parts = take_apart(bytes, nr);
	if (parts.map == 2 && parts.opcode == 0x1f && nr > 8)
		return "is a nop of more than 8 bytes, which some kernels do not restore";
	if (parts.is_odd && !(parts.map == 1 && (parts.opcode & 0xfe) == 0xc4))
		return "has a lock, segment, address or doubled prefix, which kernels refuse";
	return can_step(&parts) ? NULL : find_odd(&parts);
}

bool encoding_is_ambiguous(const uint8_t *bytes, size_t nr)
{
	struct parts parts = take_apart(bytes, nr);
	uint8_t opcode = parts.opcode;
	bool is_near = parts.map == 2 ? (opcode & 0xf0) == 0x80 : opcode == 0xe8 || opcode == 0xe9;

	return is_near && (parts.mandatory & P66) && !(parts.rex & 8);
}

static bool branch_to(const uint8_t *bytes, size_t opcode, size_t width, size_t nr, int64_t *to)
{
	int32_t displacement;

	if (opcode + width > nr)
		return false;
	if (width == 1)
		displacement = bytes[opcode] - (bytes[opcode] & 0x80) * 2;
	else
		memcpy(&displacement, bytes + opcode, sizeof(displacement));
	*to = (int64_t)(opcode + width) + displacement;
	return true;
}

bool encoding_branch(const uint8_t *bytes, size_t nr, int64_t *to)
{
	if (!nr)
		return false;
	if (bytes[0] == 0xeb || (bytes[0] & 0xf0) == 0x70 || (bytes[0] & 0xfc) == 0xe0)
		return branch_to(bytes, 1, 1, nr, to);
	if (bytes[0] == 0xe8 || bytes[0] == 0xe9)
		return branch_to(bytes, 1, 4, nr, to);
	if (nr > 1 && bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80)
		return branch_to(bytes, 2, 4, nr, to);
	if (nr > 1 && bytes[0] == 0xc7 && bytes[1] == 0xf8)
		return branch_to(bytes, 2, 4, nr, to);
	return false;
}

int encoding_saved_register(const uint8_t *bytes, size_t nr)
{
	int number;

	if (!is_push(bytes, nr))
		return -1;
	number = (bytes[nr - 1] & 7) + (nr == 2 ? 8 : 0);
	return number == 3 || number == 5 || number >= 12 ? number : -1;
}
