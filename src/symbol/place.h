/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.h - from a process and a PROBE to an exact place in a binary, and back from an address
 *
 * Life cycle: binaries_open, place_find / place_list / place_at, each place with place_fini,
 * binaries_refresh when the process mapped something new, binaries_free. Nothing here touches
 * the process; everything but PLACE's own strings and text is valid until binaries_free.
 */
#ifndef GEMBA_SYMBOL_PLACE_H
#define GEMBA_SYMBOL_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PLACE_WHY_BYTES 1024
#define PLACE_TEXT_MAX_BYTES ((uint64_t)1 << 20)

struct binaries;

struct place {
	const char *binary;    /* path as the process sees it */
	const char *open_path; /* leads this process to the same file, also when it is deleted */
	const char *build_id;  /* hexadecimal, "" when it has none */
	dev_t dev;	       /* as /proc/PID/maps has them */
	ino_t inode;
	bool is_deleted;
	bool is_go; /* no return probes */
	char *symbol;
	char *demangled;      /* with its parameters; NULL when the name is not mangled */
	uint64_t vaddr;	      /* of the first byte, in the binary's own address space */
	uint64_t file_offset; /* of the same byte, for a uprobe */
	uint64_t size;	      /* bytes of the function */
	uint64_t before;      /* where the function before it begins, 0: there is none */
	uint64_t offset;      /* of the place in the function, less than size */
	uint8_t *text;	      /* the function as the file has it; NULL from place_at */
	size_t text_bytes;    /* size, at most PLACE_TEXT_MAX_BYTES */
	char **clones;	      /* copies that the compiler made of it: calls of these are missed */
	size_t nr_clones;
	const char *imported_by; /* the binary that was named but only imports it, or NULL */
	char *also_in; /* "a, b": binaries that export it too and are asked later; or NULL */
};

/*
 * Opens the executable files that a process has mapped; each is read when it is first needed.
 * 0; or -ESRCH, -EACCES, -ENOMEM ..., and one sentence in why[PLACE_WHY_BYTES].
 */
int binaries_open(struct binaries **out, pid_t pid, char *why);
void binaries_free(struct binaries *self);
/*
 * Reads the mappings again. 1: other files than before are mapped, 0: the same; -ESRCH: the
 * process is gone (what was read of it stays); other -errno.
 */
int binaries_refresh(struct binaries *self);

/*
 * SYMBOL, BINARY:SYMBOL or BINARY:0xADDRESS, each perhaps with +OFFSET. Of a symbol that several
 * binaries export it is the one that the dynamic linker binds to. Failing, it leaves a
 * message in why[PLACE_WHY_BYTES] that names the nearest names or the candidates, and *out
 * needs no place_fini. -EINVAL: no PROBE; -ENOENT: no such binary or symbol; -ENOTUNIQ;
 * -ENOTSUP: usdt, data, or chosen at start (IFUNC); -ERANGE: the offset is not in the function;
 * -ENOEXEC, -EBADMSG, -EACCES ...: the binary cannot be read.
 */
int place_find(struct place *out, struct binaries *binaries, const char *probe, char *why);
void place_fini(struct place *self);

/*
 * Calls `each` for every function whose plain or demangled name matches GLOB (fnmatch), of all
 * binaries or, as BINARY:GLOB, of one; "" is every function, NULL every function of the executable
 * that the process was started with. By binary and address, one name for an address; the place is
 * the caller's only during the call. A value other than 0 from `each` ends it and is returned;
 * otherwise the number listed, or an error with why: -ENOENT no such binary, or nothing matches;
 * -ENOMEM; of a single binary, -errno of reading it.
 */
int place_list(struct binaries *binaries, const char *glob,
	       int (*each)(void *ctx, const struct place *place), void *ctx, char *why);
/* Whether the place's file is mapped there, too. */
bool binaries_have(const struct binaries *self, const struct place *place);
/* How many binaries were needed and could not be read; where not 0, which and why. */
size_t place_unread(const struct binaries *binaries, char *why);
/*
 * A PROBE that leads back to this function and no other, malloc'd; NULL: no memory. By its
 * address where the name would not do.
 */
char *place_probe(const struct place *self, const struct binaries *binaries, bool *is_by_name);

/*
 * The function at an address of the process, and in ->offset where in it; without text and
 * clones. -EFAULT: no executable file is mapped there, -ENOENT: no function is known there.
 */
int place_at(struct place *out, struct binaries *binaries, uint64_t address);

/*
 * How many copies of the function are inlined elsewhere, by DWARF, which a probe of it misses;
 * functions of equal name count together. The first call for a binary reads its DWARF, all others
 * are quick and say the same. -ENODATA: no DWARF; -ETIME: not done after limit_ms, *nr is what was
 * found till then; -ENOMEM.
 */
int place_inlined_copies(const struct place *self, struct binaries *binaries, unsigned int limit_ms,
			 unsigned int *nr);

/* The executable segment that a place lies in, as the file has it. */
struct place_code {
	dev_t dev;
	ino_t inode;
	uint8_t *bytes;
	size_t nr_bytes;
	uint64_t vaddr; /* of the first byte */
};

/* 0, -ENOENT, -ENOMEM, or -errno of reading; place_code_free in any case. */
int place_code_read(struct place_code *out, const struct place *place);
void place_code_free(struct place_code *self);

#endif
