#ifndef TESTS_HOST_HAZARD_H
#define TESTS_HOST_HAZARD_H

/* Arguments of every call, and what hz_call_scalar puts into the other registers. */
#define HZ_A 0x0102030405060708
#define HZ_B 0x00ff030005ff0708
#define HZ_RAX 39 /* getpid, for the function that begins with a system call */
#define HZ_RCX 0x0c0c0c0c
#define HZ_RDX 0x0d0d0d0d
#define HZ_RBX 0x0b0b0b0b
#define HZ_RBP 0x05050505
#define HZ_R8 0x08080808
#define HZ_R9 0x09090909
#define HZ_R11 0x11111111
#define HZ_R12 0x12121212
#define HZ_R13 0x13131313
#define HZ_R14 0x14141414
#define HZ_R15 0x15151515
#define HZ_ARITHMETIC 0x8d5 /* CF PF AF ZF SF OF */

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum hazard_need { NEEDS_NOTHING, NEEDS_AVX2, NEEDS_AVX512 };

/* One function that a probe may harm, and what it must compute all the same. */
struct hazard {
	const char *name;  /* its symbol */
	const char *first; /* what it begins with */
	enum hazard_need need;
	unsigned nr_calls;			    /* of the function itself, each round */
	uint64_t (*run)(const struct hazard *self); /* NULL: another row's run calls it */
	void (*function)(void);
	unsigned nr_bytes; /* of a vector result, the rest must be 0 */
	uint64_t expected;
};

/* Ends with a row without a name. */
extern const struct hazard hazards[];

/* Those of hazard_c.c that need more than a call: each returns what expected must be. */
uint64_t hazard_run_recursive(const struct hazard *self);
uint64_t hazard_run_in_signal(const struct hazard *self);
uint64_t hazard_run_longjmp(const struct hazard *self);
uint64_t hazard_run_split(const struct hazard *self);
uint64_t hazard_run_ifunc(const struct hazard *self);
uint64_t hazard_run_alias(const struct hazard *self);

/* A signal each period_us that calls hz_in_alarm wherever the program is; 0 or -errno. */
int hazard_alarm_start(uint64_t period_us);
void hazard_alarm_stop(void);
uint64_t hazard_nr_alarms(void);
uint64_t hazard_nr_wrong_alarms(void);

/* From here on a system call that this program does not need kills it. 0 or -errno. */
int hazard_sandbox(void);

/*
 * fn(a, b) with every other register and the arithmetic flags set. Its result, or -1 when a
 * register came back changed that a function must preserve.
 */
uint64_t hz_call_scalar(void (*fn)(void), uint64_t a, uint64_t b, uint64_t flags);

/* The same with a in each lane of ymm0 and b in those of ymm1; out becomes ymm0. */
void hz_call_vector(void (*fn)(void), const uint64_t in[2], uint64_t out[4], uint64_t flags);

/* hazard_asm.S: those with arguments of their own. */
uint64_t hz_lock(uint64_t *cell, uint64_t by);
uint64_t hz_rep_movs(void *to, const void *from, uint64_t zero, uint64_t nr_bytes);
uint64_t hz_kmovw(const uint16_t *from);

#endif
#endif
