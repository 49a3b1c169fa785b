/*
 * Every function of the hazard program in, what it must return out, as a constant expression.
 *
 * The functions of hazard_asm.S are called with four sets of flags each, so that a jump which is
 * emulated wrongly, or an instruction taken for a jump, shows whatever the flags are.
 */
#include "tests/host/hazard.h"

#include <string.h>
#include <unistd.h>

#define A ((uint64_t)HZ_A)
#define B ((uint64_t)HZ_B)

/* The macro of the same name in hazard_asm.S. */
#define MIX(x, r) ((x)*3 + (r))
#define MIX3(x, r, s, t) MIX(MIX(MIX(x, r), s), t)
#define MIX_LOW MIX(MIX3(MIX3((uint64_t)HZ_RAX, HZ_RCX, HZ_RDX, HZ_RBX), HZ_RBP, B, A), HZ_R8)
#define MIX_ALL MIX3(MIX3(MIX_LOW, HZ_R9, HZ_R11, HZ_R12), HZ_R13, HZ_R14, HZ_R15)

/* symbol, what it begins with, result of (A, B) */
#define SCALARS(X)                                                                                 \
	X(hz_nop1, "nop of 1 byte", A + B + 1)                                                     \
	X(hz_nop2, "nop of 2 bytes", A + B + 2)                                                    \
	X(hz_nop3, "nop of 3 bytes", A + B + 3)                                                    \
	X(hz_nop4, "nop of 4 bytes", A + B + 4)                                                    \
	X(hz_nop5, "nop of 5 bytes", A + B + 5)                                                    \
	X(hz_nop6, "nop of 6 bytes", A + B + 6)                                                    \
	X(hz_nop7, "nop of 7 bytes", A + B + 7)                                                    \
	X(hz_nop8, "nop of 8 bytes", A + B + 8)                                                    \
	X(hz_nop9, "nop of 9 bytes", A + B + 9)                                                    \
	X(hz_nop10, "nop of 10 bytes", A + B + 10)                                                 \
	X(hz_pause, "pause", A + B)                                                                \
	X(hz_endbr, "endbr64", A + B)                                                              \
	X(hz_jmp8, "jmp rel8", A + B)                                                              \
	X(hz_jmp32, "jmp rel32", A + B)                                                            \
	X(hz_jrcxz, "jrcxz", A + B)                                                                \
	X(hz_jz8, "jz rel8", A + B)                                                                \
	X(hz_jz32, "jz rel32", A + B)                                                              \
	X(hz_jg8, "jg rel8", A + B)                                                                \
	X(hz_jp8, "jp rel8", A + B)                                                                \
	X(hz_jbe32, "jbe rel32", A + B)                                                            \
	X(hz_call, "call rel32", A + B)                                                            \
	X(hz_call_pop, "call of the next instruction", A + B)                                      \
	X(hz_ret, "ret, all there is", HZ_RAX)                                                     \
	X(hz_tail_caller, "inc; then a tail call", A + B + 1)                                      \
	X(hz_thunk, "jmp out of the function", A + B)                                              \
	X(hz_back_edge, "mov; a loop back to the 2nd instruction", 5 * A + B)                      \
	X(hz_loop_entry, "nop; a loop back to it, 4 hits a call", 4 * A + B)                       \
	X(hz_push_imm, "push imm8", A + B)                                                         \
	X(hz_push_mem, "push (%rsp)", A + B)                                                       \
	X(hz_push_rbp, "push %rbp", A + B)                                                         \
	X(hz_push_r12, "push %r12", A + B)                                                         \
	X(hz_push_rsp, "push %rsp", A + B)                                                         \
	X(hz_pop, "pop of the return address", A + B)                                              \
	X(hz_sub_rsp, "sub of %rsp", A + B)                                                        \
	X(hz_pushf, "pushf; reads the trap flag", A + B)                                           \
	X(hz_red_zone_nop1, "2 mov below %rsp, nop of 1 byte", A + B)                              \
	X(hz_red_zone_nop5, "2 mov below %rsp, nop of 5 bytes", A + B)                             \
	X(hz_regs_nop1, "nop of 1 byte; reads all registers", MIX_ALL)                             \
	X(hz_regs_nop5, "nop of 5 bytes; reads all registers", MIX_ALL)                            \
	X(hz_regs_push, "push %r12; reads all registers", MIX_ALL)                                 \
	X(hz_regs_mov, "mov; reads all registers", MIX_ALL)                                        \
	X(hz_flags_nop1, "nop of 1 byte; reads the flags", A + B)                                  \
	X(hz_flags_nop5, "nop of 5 bytes; reads the flags", A + B)                                 \
	X(hz_flags_push, "push %r12; reads the flags", A + B)                                      \
	X(hz_flags_mov, "mov; reads the flags", A + B)                                             \
	X(hz_riprel, "mov relative to %rip", A + B)                                                \
	X(hz_fs, "segment prefix", A + B)                                                          \
	X(hz_syscall, "syscall", A)                                                                \
	X(hz_cross_nop5, "nop of 5 bytes across a page border", A + B)                             \
	X(hz_cross_call, "call rel32 across a page border", A + B)

/* symbol, what it begins with, need, bytes of the result, each lane of it for lanes of A and B */
#define VECTORS(X)                                                                                 \
	X(hz_vpor, "vpor ymm (eb: jmp)", NEEDS_AVX2, 32, A | B)                                    \
	X(hz_vpor_xmm, "vpor xmm (eb: jmp)", NEEDS_AVX2, 16, A | B)                                \
	X(hz_vpcmpeqb, "vpcmpeqb (74: jz)", NEEDS_AVX2, 32, 0x0000ff00ff00ffff)                    \
	X(hz_vpcmpeqw, "vpcmpeqw (75: jnz)", NEEDS_AVX2, 32, 0xffff)                               \
	X(hz_vpshufd, "vpshufd (70: jo)", NEEDS_AVX2, 32, A << 32 | A >> 32)                       \
	X(hz_vpsrlq, "vpsrlq (73: jae)", NEEDS_AVX2, 32, A >> 8)                                   \
	X(hz_vpsubsb, "vpsubsb (e8: call)", NEEDS_AVX2, 32, 0x0103000400070000)                    \
	X(hz_vpsubsw, "vpsubsw (e9: jmp)", NEEDS_AVX2, 32, 0x00030004ff070000)                     \
	X(hz_vxorps, "vxorps (57: push)", NEEDS_AVX2, 32, A ^ B)                                   \
	X(hz_vandps, "vandps (54: push)", NEEDS_AVX2, 32, (A & B))                                 \
	X(hz_vmovmskps, "vmovmskps (50: push)", NEEDS_AVX2, 8, 0)                                  \
	X(hz_vzeroupper, "vzeroupper (77: ja)", NEEDS_AVX2, 16, A)                                 \
	X(hz_vmovq, "vmovq of xmm (7e: jle)", NEEDS_AVX2, 8, A)                                    \
	X(hz_vmovq_rax, "vmovq to %rax (7e: jle)", NEEDS_AVX2, 8, A)                               \
	X(hz_vpbroadcastb, "vpbroadcastb (78: js)", NEEDS_AVX2, 32, 0x0808080808080808)            \
	X(hz_vpbroadcastw, "vpbroadcastw (79: jns)", NEEDS_AVX2, 32, 0x0708070807080708)           \
	X(hz_vpor_riprel, "vpor relative to %rip", NEEDS_AVX2, 32, A | B)                          \
	X(hz_endbr_vpor, "endbr64, then vpor", NEEDS_AVX2, 32, A | B)                              \
	X(hz_vmovdqu, "vmovdqu below %rsp (7f: jg)", NEEDS_AVX2, 32, A)                            \
	X(hz_evex_vpord, "EVEX vpord (eb: jmp)", NEEDS_AVX512, 32, A | B)                          \
	X(hz_evex_vpshufd, "EVEX vpshufd (70: jo)", NEEDS_AVX512, 32, A << 32 | A >> 32)

#define DECLARE(symbol, ...) void symbol(void);
SCALARS(DECLARE)
VECTORS(DECLARE)

/* none, all, CF ZF, SF; bit 1 is always set */
static const uint64_t flag_sets[] = { 0x002, HZ_ARITHMETIC | 2, 0x043, 0x082 };

#define NR_FLAG_SETS (sizeof(flag_sets) / sizeof(flag_sets[0]))

static uint64_t run_scalar(const struct hazard *self)
{
	uint64_t got = self->expected;

	for (size_t i = 0; i < NR_FLAG_SETS && got == self->expected; i++)
		got = hz_call_scalar(self->function, A, B, flag_sets[i]);
	return got;
}

/* The first lane that is not as it must be, 0 in place of one that must be 0. */
static uint64_t check_lanes(const struct hazard *self, const uint64_t *lanes)
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t expected = i * 8 < self->nr_bytes ? self->expected : 0;

		if (lanes[i] != expected)
			return expected ? lanes[i] : ~self->expected;
	}
	return self->expected;
}

static uint64_t run_vector(const struct hazard *self)
{
	const uint64_t in[2] = { A, B };
	uint64_t lanes[4], got = self->expected;

	for (size_t i = 0; i < NR_FLAG_SETS && got == self->expected; i++) {
		hz_call_vector(self->function, in, lanes, flag_sets[i]);
		got = check_lanes(self, lanes);
	}
	return got;
}

static uint64_t run_lock(const struct hazard *self)
{
	uint64_t cell = 5, before = hz_lock(&cell, 7);

	(void)self;
	return cell * 100 + before;
}

static uint64_t run_rep_movs(const struct hazard *self)
{
	char to[16] = "";
	uint64_t end = hz_rep_movs(to, "gemba looks", 0, 12);

	(void)self;
	return memcmp(to, "gemba looks", 12) == 0 && end == (uint64_t)to + 12;
}

static uint64_t run_kmovw(const struct hazard *self)
{
	uint16_t word = 0x4711;

	(void)self;
	return hz_kmovw(&word);
}

#define SCALAR_ROW(symbol, first, result)                                                          \
	{ #symbol, first, NEEDS_NOTHING, NR_FLAG_SETS, run_scalar, symbol, 0, result },
#define VECTOR_ROW(symbol, first, need, bytes, lane)                                               \
	{ #symbol, first, need, NR_FLAG_SETS, run_vector, symbol, bytes, lane },

const struct hazard hazards[] = {
	SCALARS(SCALAR_ROW) VECTORS(VECTOR_ROW)
	/* symbol, what it begins with, need, calls, run, -, -, what run returns */
	{ "hz_lock", "lock prefix", NEEDS_NOTHING, 1, run_lock, NULL, 0, 1205 },
	{ "hz_rep_movs", "rep movsb, 12 bytes", NEEDS_NOTHING, 1, run_rep_movs, NULL, 0, 1 },
	{ "hz_kmovw", "kmovw (90: nop)", NEEDS_AVX512, 1, run_kmovw, NULL, 0, 0x4711 },
	{ "hz_tail_target", "push %rbx; by tail calls only", NEEDS_NOTHING, 8, NULL, NULL, 0, 0 },
	{ "hz_recursive", "C; calls itself 12 deep", NEEDS_NOTHING, 13, hazard_run_recursive, NULL,
	  0, 78 },
	{ "hz_in_signal", "C; from a signal handler", NEEDS_NOTHING, 1, hazard_run_in_signal, NULL,
	  0, A * 5 },
	{ "hz_longjmp", "C; leaves by longjmp", NEEDS_NOTHING, 1, hazard_run_longjmp, NULL, 0, 42 },
	{ "hz_split", "C; with a part hz_split.cold", NEEDS_NOTHING, 16, hazard_run_split, NULL, 0,
	  1072 },
	{ "hz_ifunc", "IFUNC; the symbol is its resolver", NEEDS_NOTHING, 0, hazard_run_ifunc, NULL,
	  0, A / 3 },
	{ "hz_ifunc_avx2", "C; what hz_ifunc becomes", NEEDS_AVX2, 1, NULL, NULL, 0, 0 },
	{ "hz_alias", "C; an alias of hz_aliased", NEEDS_NOTHING, 2, hazard_run_alias, NULL, 0,
	  A * 9 + B * 9 },
	{ 0 },
};
