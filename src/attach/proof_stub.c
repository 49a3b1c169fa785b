// SPDX-License-Identifier: BSD-2-Clause
/*
 * proof_stub.c - in and out of one instruction, all registers set and read
 *
 * Written in assembly: the instruction may do what it likes with every register, the stack
 * pointer and the flags, so nothing of the compiler's may be alive around it. Only mov touches
 * what is measured, for it leaves the flags alone; rsp is set last but one and saved first.
 */
#include "src/attach/proof_stub.h"

#include <stddef.h>

#define SAY(x) #x
#define STRING(x) SAY(x)
#define FLAGS 128
#define PATH 136
#define XMM 144

_Static_assert(offsetof(struct cpu, flags) == FLAGS && offsetof(struct cpu, path) == PATH &&
		       offsetof(struct cpu, xmm) == XMM,
	       "the assembly knows another layout");

struct cpu stub_out __attribute__((visibility("hidden")));

#define EACH_XMM(op)                                                                               \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13)    \
		op(14) op(15)
#define LOAD_XMM(n) "movups " STRING(XMM) "+16*" #n "(%rdi), %xmm" #n "\n"
#define STORE_XMM(n) "movups %xmm" #n ", stub_out+" STRING(XMM) "+16*" #n "(%rip)\n"

/* All but rsp (4) and rdi (7), and rax (0) on the way out. */
#define EACH_GPR(op)                                                                               \
	op(1, rcx) op(2, rdx) op(3, rbx) op(5, rbp) op(6, rsi) op(8, r8) op(9, r9) op(10, r10)     \
		op(11, r11) op(12, r12) op(13, r13) op(14, r14) op(15, r15)
#define LOAD_GPR(n, reg) "mov 8*" #n "(%rdi), %" #reg "\n"
#define STORE_GPR(n, reg) "mov %" #reg ", stub_out+8*" #n "(%rip)\n"

__asm__(".pushsection .bss\n"
	".local stub_sp, stub_site\n"
	".comm stub_sp, 8, 8\n"
	".comm stub_site, 8, 8\n"
	".popsection\n"
	".pushsection .text\n"
	".globl stub_enter, stub_fell_through, stub_branched\n"
	".hidden stub_enter, stub_fell_through, stub_branched\n"
	".type stub_enter, @function\n"
	"stub_enter:\n"
	"push %rbx\n"
	"push %rbp\n"
	"push %r12\n"
	"push %r13\n"
	"push %r14\n"
	"push %r15\n"
	"mov %rsp, stub_sp(%rip)\n"
	"mov %rsi, stub_site(%rip)\n" EACH_XMM(LOAD_XMM) "push " STRING(
		FLAGS) "(%rdi)\n"
		       "popfq\n" EACH_GPR(
			       LOAD_GPR) "mov (%rdi), %rax\n"
					 "mov 32(%rdi), %rsp\n"
					 "mov 56(%rdi), %rdi\n"
					 "jmp *stub_site(%rip)\n"
					 "stub_branched:\n"
					 "mov %rax, stub_out(%rip)\n"
					 "mov $1, %eax\n"
					 "jmp 1f\n"
					 "stub_fell_through:\n"
					 "mov %rax, stub_out(%rip)\n"
					 "mov $0, %eax\n"
					 "1:\n"
					 "mov %rax, stub_out+" STRING(
						 PATH) "(%rip)\n"
						       "mov %rsp, stub_out+32(%rip)\n"
						       "mov %rdi, stub_out+56(%rip)\n" EACH_GPR(
							       STORE_GPR) "mov stub_sp(%rip), %rsp\n"
									  "pushfq\n"
									  "pop %rax\n"
									  "mov %rax, stub_out+" STRING(FLAGS) "(%rip)\n" EACH_XMM(
										  STORE_XMM) "cld\n"
											     "pop %r15\n"
											     "pop %r14\n"
											     "pop %r13\n"
											     "pop %r12\n"
											     "pop %rbp\n"
											     "pop %rbx\n"
											     "ret\n"
											     ".size stub_enter, . - stub_enter\n"
											     ".popsection\n");
