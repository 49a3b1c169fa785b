/*
 * Functions whose first instructions a careless probe gets wrong, in assembly so that they are
 * exactly these bytes. Each computes something simple afterwards; hazard_table.c knows what.
 *
 * A uprobe replaces an instruction by int3 (or, on 6.18, a 5-byte nop by a call) and the kernel
 * emulates the displaced one or runs a copy elsewhere. Hence the kinds: opcode bytes that mean
 * another instruction behind a VEX or EVEX prefix, nops of all lengths, prefixes, what looks at
 * its own address, stack pointer, flags or red zone, jumps that land on the site, page borders.
 */
#include "tests/host/hazard.h"

.macro FN name
	.globl \name
	.type \name, @function
\name:
.endm

.macro ALIGNED_FN name
	.text
	.p2align 4, 0xcc
	FN \name
.endm

.macro END name
	.size \name, . - \name
.endm

/* NAME, K, INSTRUCTIONS in quotes: they first; returns A + B + K. */
.macro SUM name, k, insn
	ALIGNED_FN \name
	\insn
	lea \k(%rdi,%rsi), %rax
	ret
	END \name
.endm

/* NAME, INSTRUCTIONS: on ymm0 and ymm1, to ymm0. */
.macro VECTOR name, insn
	ALIGNED_FN \name
	\insn
	ret
	END \name
.endm

/* NAME, CONDITION, PREFIX: A + B when the jump goes where the flags say. */
.macro JCC name, cc, prefix
	ALIGNED_FN \name
	\prefix j\cc 1f
	j\cc 3f
2:	lea (%rdi,%rsi), %rax
	ret
1:	j\cc 2b
3:	xor %eax, %eax
	ret
	END \name
.endm

/* rax of all registers but rsp and r10: MIX of hazard_table.c. */
.macro MIX regs:vararg
	.irp reg, \regs
	lea (%rax,%rax,2), %rax
	add %\reg, %rax
	.endr
.endm

.macro MIX_ALL
	MIX rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r11, r12, r13, r14, r15
.endm

/* NAME, INSTRUCTIONS: returns A + B when the flags are as hz_call_scalar set them. */
.macro FLAGS name, insn
	ALIGNED_FN \name
	\insn
	pushfq
	pop %rax
	xor %r10, %rax
	test $HZ_ARITHMETIC, %eax
	jnz 1f
	lea (%rdi,%rsi), %rax
	ret
1:	xor %eax, %eax
	ret
	END \name
.endm

/* Nops of every length, and what looks like one. */
SUM hz_nop1, 1, ".byte 0x90"
SUM hz_nop2, 2, ".byte 0x66, 0x90"
SUM hz_nop3, 3, ".byte 0x0f, 0x1f, 0x00"
SUM hz_nop4, 4, ".byte 0x0f, 0x1f, 0x40, 0x00"
SUM hz_nop5, 5, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00"
SUM hz_nop6, 6, ".byte 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00"
SUM hz_nop7, 7, ".byte 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00"
SUM hz_nop8, 8, ".byte 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00"
SUM hz_nop9, 9, ".byte 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00"
SUM hz_nop10, 10, ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00"
SUM hz_pause, 0, "pause"
SUM hz_endbr, 0, "endbr64"

/* Jumps and calls. */
SUM hz_jmp8, 0, "jmp 1f; ret; 1:"
SUM hz_jmp32, 0, "{disp32} jmp 1f; ret; 1:"
SUM hz_jrcxz, 0, "jrcxz 1f; jmp 2f; 1: ret; 2:"
JCC hz_jz8, z
JCC hz_jz32, z, {disp32}
JCC hz_jg8, g
JCC hz_jp8, p
JCC hz_jbe32, be, {disp32}

ALIGNED_FN hz_call
	call 1f
	add %rdi, %rax
	ret
1:	mov %rsi, %rax
	ret
END hz_call

/* Where am I: must be the address that it has without a probe. */
ALIGNED_FN hz_call_pop
	call 1f
1:	pop %rax
	lea 1b(%rip), %rcx
	sub %rcx, %rax
	add %rdi, %rax
	add %rsi, %rax
	ret
END hz_call_pop

ALIGNED_FN hz_ret
	ret
END hz_ret

ALIGNED_FN hz_tail_target
	push %rbx
	lea (%rdi,%rsi), %rax
	pop %rbx
	ret
END hz_tail_target

ALIGNED_FN hz_tail_caller
	inc %rdi
	jmp hz_tail_target
END hz_tail_caller

ALIGNED_FN hz_thunk
	jmp hz_tail_target
END hz_thunk

/* The back edge lands on the second instruction, which would be a cheap site. */
ALIGNED_FN hz_back_edge
	mov $5, %ecx
1:	.byte 0x66, 0x90
	add %rdi, %rsi
	dec %ecx
	jnz 1b
	mov %rsi, %rax
	ret
END hz_back_edge

/* The entry itself is the head of the loop: four hits a call. */
ALIGNED_FN hz_loop_entry
	nop
	add %rdi, %rsi
	mov %rsi, %rax
	lea -1(%rdx), %edx
	cmp $HZ_RDX - 4, %edx
	jne hz_loop_entry
	ret
END hz_loop_entry

/* The stack, its pointer, and the 128 bytes below that belong to a leaf function. */
SUM hz_push_imm, 0, "push $1; add $8, %rsp"
SUM hz_push_mem, 0, "push (%rsp); add $8, %rsp"
SUM hz_push_rbp, 0, "push %rbp; pop %rbp"
SUM hz_push_r12, 0, "push %r12; pop %r12"
SUM hz_pop, 0, "pop %rax; push %rax"
SUM hz_sub_rsp, 0, "sub $24, %rsp; add $24, %rsp"

ALIGNED_FN hz_push_rsp
	push %rsp
	pop %rax
	sub %rsp, %rax
	add %rdi, %rax
	add %rsi, %rax
	ret
END hz_push_rsp

/* The trap flag, which is set while a copy is stepped through, must not be seen. */
ALIGNED_FN hz_pushf
	pushfq
	pop %rax
	and $0x100, %eax
	add %rdi, %rax
	add %rsi, %rax
	ret
END hz_pushf

.macro RED_ZONE name, insn
	ALIGNED_FN \name
	mov %rdi, -8(%rsp)
	mov %rsi, -16(%rsp)
	\insn
	mov -8(%rsp), %rax
	add -16(%rsp), %rax
	ret
	END \name
.endm

RED_ZONE hz_red_zone_nop1, ".byte 0x90"
RED_ZONE hz_red_zone_nop5, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00"

/* Registers and flags at the entry. */
.macro REGS name, insn
	ALIGNED_FN \name
	\insn
	MIX_ALL
	ret
	END \name
.endm

REGS hz_regs_nop1, ".byte 0x90"
REGS hz_regs_nop5, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00"
REGS hz_regs_push, "push %r12; pop %r12"
REGS hz_regs_mov, "mov %rdi, %rdi"
FLAGS hz_flags_nop1, ".byte 0x90"
FLAGS hz_flags_nop5, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00"
FLAGS hz_flags_push, "push %r12; pop %r12"
FLAGS hz_flags_mov, "mov %rdi, %rdi"

/* Memory, prefixes, the kernel. */
ALIGNED_FN hz_riprel
	mov hz_word(%rip), %rax
	add %rdi, %rax
	ret
END hz_riprel

ALIGNED_FN hz_fs
	mov %fs:0, %rax
	sub (%rax), %rax
	add %rdi, %rax
	add %rsi, %rax
	ret
END hz_fs

ALIGNED_FN hz_lock
	lock xadd %rsi, (%rdi)
	mov %rsi, %rax
	ret
END hz_lock

ALIGNED_FN hz_rep_movs
	rep movsb
	mov %rdi, %rax
	ret
END hz_rep_movs

ALIGNED_FN hz_syscall
	syscall
	mov %rdi, %rax
	ret
END hz_syscall

/* First instructions that cross a page: two bytes before, the rest after the border. */
	.balign 4096, 0xcc
	.skip 4094, 0xcc
FN hz_cross_nop5
	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00
	lea (%rdi,%rsi), %rax
	ret
END hz_cross_nop5

	.balign 4096, 0xcc
	.skip 4094, 0xcc
FN hz_cross_call
	call 1f
	add %rdi, %rax
	ret
1:	mov %rsi, %rax
	ret
END hz_cross_call

/*
 * VEX and EVEX: behind the prefix 50-57 is no push, 70-7f no jcc, e8 e9 eb no call or jmp, 90 no nop.
 */
VECTOR hz_vpor, "vpor %ymm1, %ymm0, %ymm0"
VECTOR hz_vpor_xmm, "vpor %xmm1, %xmm0, %xmm0"
VECTOR hz_vpcmpeqb, "vpcmpeqb %ymm1, %ymm0, %ymm0"
VECTOR hz_vpcmpeqw, "vpcmpeqw %ymm1, %ymm0, %ymm0"
VECTOR hz_vpshufd, "vpshufd $0xb1, %ymm0, %ymm0"
VECTOR hz_vpsrlq, "vpsrlq $8, %ymm0, %ymm0"
VECTOR hz_vpsubsb, "vpsubsb %ymm1, %ymm0, %ymm0"
VECTOR hz_vpsubsw, "vpsubsw %ymm1, %ymm0, %ymm0"
VECTOR hz_vxorps, "vxorps %ymm1, %ymm0, %ymm0"
VECTOR hz_vandps, "vandps %ymm1, %ymm0, %ymm0"
VECTOR hz_vmovmskps, "vmovmskps %ymm0, %eax; vmovd %eax, %xmm0"
VECTOR hz_vzeroupper, "vzeroupper"
VECTOR hz_vmovq, "vmovq %xmm0, %xmm0"
VECTOR hz_vmovq_rax, "vmovq %xmm0, %rax; vmovq %rax, %xmm0"
VECTOR hz_vpbroadcastb, "vpbroadcastb %xmm0, %ymm0"
VECTOR hz_vpbroadcastw, "vpbroadcastw %xmm0, %ymm0"
VECTOR hz_vpor_riprel, "vpor hz_word(%rip), %ymm0, %ymm0"
VECTOR hz_endbr_vpor, "endbr64; vpor %ymm1, %ymm0, %ymm0"
VECTOR hz_vmovdqu, "vmovdqu %ymm0, -32(%rsp); vmovdqu -32(%rsp), %ymm0"
VECTOR hz_evex_vpord, "vpord %ymm1, %ymm0, %ymm0"
VECTOR hz_evex_vpshufd, "{evex} vpshufd $0xb1, %ymm0, %ymm0"

ALIGNED_FN hz_kmovw
	kmovw (%rdi), %k1
	kmovw %k1, %eax
	ret
END hz_kmovw

/* How they are called. */
ALIGNED_FN hz_call_scalar
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %r10
	mov $HZ_RAX, %eax
	mov $HZ_RCX, %ecx
	mov $HZ_RDX, %edx
	mov $HZ_RBX, %ebx
	mov $HZ_RBP, %ebp
	mov $HZ_R8, %r8d
	mov $HZ_R9, %r9d
	mov $HZ_R11, %r11d
	mov $HZ_R12, %r12d
	mov $HZ_R13, %r13d
	mov $HZ_R14, %r14d
	mov $HZ_R15, %r15d
	push %r10
	popfq
	call *(%rsp)
	cmp $HZ_RBX, %rbx
	jne 1f
	cmp $HZ_RBP, %rbp
	jne 1f
	cmp $HZ_R12, %r12
	jne 1f
	cmp $HZ_R13, %r13
	jne 1f
	cmp $HZ_R14, %r14
	jne 1f
	cmp $HZ_R15, %r15
	je 2f
1:	mov $-1, %rax
2:	add $8, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
END hz_call_scalar

ALIGNED_FN hz_call_vector
	push %rbx
	push %r12
	push %r13
	mov %rdx, %rbx
	mov %rdi, %r12
	vpbroadcastq (%rsi), %ymm0
	vpbroadcastq 8(%rsi), %ymm1
	push %rcx
	popfq
	call *%r12
	vmovdqu %ymm0, (%rbx)
	vzeroupper
	pop %r13
	pop %r12
	pop %rbx
	ret
END hz_call_vector

	.section .rodata
	.balign 32
hz_word:
	.quad HZ_B, HZ_B, HZ_B, HZ_B

	.section .note.GNU-stack, "", @progbits
