/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site.h - where exactly to put a uprobe in a function, judged from its bytes alone
 *
 * A probe on the wrong byte corrupts or kills the target without a word, so a site must pass a
 * whitelist of exact encodings, on an instruction boundary found by decoding from the function's
 * start. What is not known to be safe is refused with the reason. Pure: no I/O, no clock; the
 * kernel is asked by src/attach/proof.h, and what it answered comes back in as struct site_rules.
 * For 64-bit code only: the caller keeps 32-bit binaries away.
 */
#ifndef GEMBA_SITE_SITE_H
#define GEMBA_SITE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITE_MAX_BYTES 15
#define SITE_WHY_BYTES 256
#define SITE_ANY UINT64_MAX

enum site_class {
	SITE_NOP,      /* 90, 66 90 */
	SITE_PUSH,     /* 50-57, 41 50-57 */
	SITE_CALL,     /* e8 rel32 */
	SITE_JUMP,     /* eb, e9, 70-7f, 0f 80-8f */
	SITE_NOP_LONG, /* canonical, 3-8 bytes, where the kernel was seen to emulate them */
	SITE_STEPPED,  /* safe, but single-stepped out of line: dear */
	NR_SITE_CLASSES,
};

struct site {
	uint64_t offset; /* from the function's start */
	enum site_class class;
	uint8_t bytes[SITE_MAX_BYTES]; /* the one instruction the probe sits on */
	uint8_t nr_bytes;
	char text[64]; /* "push rbp" */
};

/* What must still be at the site as it was at the entry. Bit n, n < 6: the register of argn. */
enum site_keep {
	SITE_KEEP_ARGS = 0x3f,
	SITE_KEEP_STACK = 1 << 6,  /* rsp: arguments from the seventh on lie above it */
	SITE_KEEP_MEMORY = 1 << 7, /* no store but a push: the key is read through a pointer */
};

struct site_text {
	const uint8_t *bytes;
	size_t nr_bytes;
	uint64_t vaddr; /* of the first byte; any numbering that text and around share */
};

/* The bytes by which the kernel tells how to treat an instruction, displacements left out. */
struct site_encoding {
	uint8_t bytes[SITE_MAX_BYTES];
	uint8_t nr_bytes;
};

#define SITE_MAX_REFUSED 64

/* What this kernel does. All zero: the careful choice. */
struct site_rules {
	uint16_t long_nops;	  /* bit n: n-byte nops are emulated, n in 3..8 */
	uint16_t long_nops_clean; /* bit n: and leave the red zone alone; else only at the entry */
	/* The target runs with a shadow stack (x86_Thread_features in its status): calls that the
	 * kernel emulates are missing there before 6.18, and the return would kill. */
	bool has_shadow_stack;
	struct site_encoding refused[SITE_MAX_REFUSED];
	size_t nr_refused;
};

struct site_ask {
	struct site_text text;	 /* from the function's first byte on */
	uint64_t size;		 /* of the function; 0: unknown */
	uint64_t offset;	 /* the user's, or SITE_ANY */
	uint32_t keep;		 /* enum site_keep */
	struct site_text around; /* the section, for jumps from cold parts; nr_bytes 0: none */
	uint64_t before;	 /* where the function before it begins; 0: unknown */
	const struct site_rules *rules; /* NULL: as all zero */
};

/*
 * 0 and the site, or -errno with a sentence in why (SITE_WHY_BYTES): -ENOTSUP no safe site,
 * -EINVAL the offset is no instruction of this function, -ENOMEM.
 *
 * With SITE_ANY the site is in the entry block: the straight line from the entry up to and with
 * the first control transfer, so one hit is one call; the first cheap instruction there, else the
 * first that can be single-stepped. A given offset must be an instruction's start and safe; how
 * often it is hit in a call is the user's affair.
 */
int site_choose(struct site *out, const struct site_ask *ask, char *why);

/* Trusts the kernel with all long nops: only for choosing what is tried before it is used. */
extern const struct site_rules site_rules_hopeful;

/* "nop", "push", ... for people and JSON. */
const char *site_class_name(enum site_class class);
/* True for the classes that the kernel emulates. */
bool site_is_cheap(const struct site *site);
struct site_encoding site_encoding_of(const struct site *site);
bool site_encoding_equal(const struct site_encoding *a, const struct site_encoding *b);
/* No site on this encoding from now on. 0, or -ENOSPC: give the stage up instead. */
int site_refuse(struct site_rules *rules, const struct site_encoding *encoding);

#endif
