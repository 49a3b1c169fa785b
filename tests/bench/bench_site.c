// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_site.c - what a hit costs by the instruction under the probe, and what functions have
 *
 * First each encoding is tried on a forked child, those that gemba never probes included: there
 * the table tells what would happen. Then sites are chosen for the functions of some binaries.
 *
 *	bench_site [--trials | BINARY...]    with binaries: what each function would get
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/proof.h"
#include "src/site/encoding.h"
#include "src/site/site.h"
#include "tests/bench/functions.h"

static const struct instruction {
	const char *text;
	uint8_t bytes[SITE_MAX_BYTES];
	uint8_t nr_bytes;
} instructions[] = {
	{ "nop", { 0x90 }, 1 },
	{ "nop (66 90)", { 0x66, 0x90 }, 2 },
	{ "push rbp", { 0x55 }, 1 },
	{ "push rsp", { 0x54 }, 1 },
	{ "push r15", { 0x41, 0x57 }, 2 },
	{ "call rel32", { 0xe8, 0, 0, 0, 0 }, 5 },
	{ "jmp rel8", { 0xeb, 0 }, 2 },
	{ "jmp rel32", { 0xe9, 0, 0, 0, 0 }, 5 },
	{ "jne rel8", { 0x75, 0 }, 2 },
	{ "je rel32", { 0x0f, 0x84, 0, 0, 0, 0 }, 6 },
	{ "nop, 3 bytes", { 0x0f, 0x1f, 0x00 }, 3 },
	{ "nop, 4 bytes", { 0x0f, 0x1f, 0x40, 0x00 }, 4 },
	{ "nop, 5 bytes", { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 5 },
	{ "nop, 6 bytes", { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 6 },
	{ "nop, 7 bytes", { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 }, 7 },
	{ "nop, 8 bytes", { 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 }, 8 },
	{ "nop (48 0f 1f 00)", { 0x48, 0x0f, 0x1f, 0x00 }, 4 },
	{ "endbr64", { 0xf3, 0x0f, 0x1e, 0xfa }, 4 },
	{ "sub rsp, 8", { 0x48, 0x83, 0xec, 0x08 }, 4 },
	{ "mov rax, [rdi+16]", { 0x48, 0x8b, 0x47, 0x10 }, 4 },
	{ "mov [rdi+8*rcx], eax", { 0x89, 0x04, 0xcf }, 3 },
	{ "mov rax, [rip+..]", { 0x48, 0x8b, 0x05, 0, 0, 0, 0 }, 7 },
	{ "mov dword [rip+..], 7", { 0xc7, 0x05, 0, 0, 0, 0, 7, 0, 0, 0 }, 10 },
	{ "lea rdi, [rip+..]", { 0x48, 0x8d, 0x3d, 0, 0, 0, 0 }, 7 },
	{ "xor eax, eax", { 0x31, 0xc0 }, 2 },
	{ "pop rbp", { 0x5d }, 1 },
	{ "push 7", { 0x6a, 0x07 }, 2 },
	{ "push [rdi]", { 0xff, 0x37 }, 2 },
	{ "leave", { 0xc9 }, 1 },
	{ "ret", { 0xc3 }, 1 },
	{ "ret 8", { 0xc2, 8, 0 }, 3 },
	{ "jmp rax", { 0xff, 0xe0 }, 2 },
	{ "jmp [rip+..]", { 0xff, 0x25, 0, 0, 0, 0 }, 6 },
	{ "xchg rdx, rax", { 0x48, 0x92 }, 2 },
	{ "movaps xmm0, [rdi]", { 0x0f, 0x28, 0x07 }, 3 },
	{ "pxor xmm1, xmm0", { 0x66, 0x0f, 0xef, 0xc8 }, 4 },
	{ "cvtsi2sd xmm0, rax", { 0xf2, 0x48, 0x0f, 0x2a, 0xc0 }, 5 },
	{ "tzcnt eax, ecx", { 0xf3, 0x0f, 0xbc, 0xc1 }, 4 },
	/* And what is never probed. */
	{ "pause", { 0xf3, 0x90 }, 2 },
	{ "xchg r8d, eax", { 0x41, 0x90 }, 2 },
	{ "xchg r8, rax", { 0x49, 0x90 }, 2 },
	{ "nop, 9 bytes", { 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 }, 9 },
	{ "nop, 10 bytes", { 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 }, 10 },
	{ "vpor xmm0, xmm0, xmm1", { 0xc5, 0xf9, 0xeb, 0xc1 }, 4 },
	{ "vpcmpeqb xmm0, .., xmm1", { 0xc5, 0xf9, 0x74, 0xc1 }, 4 },
	{ "vpshufd xmm0, xmm1, 27", { 0xc5, 0xf9, 0x70, 0xc1, 0x1b }, 5 },
	{ "vmovq xmm0, xmm1", { 0xc5, 0xfa, 0x7e, 0xc1 }, 4 },
	{ "vpand xmm0, xmm0, xmm1", { 0xc5, 0xf9, 0xdb, 0xc1 }, 4 },
	{ "vmovd xmm0, esi", { 0xc5, 0xf9, 0x6e, 0xc6 }, 4 },
	{ "vpmovzxbw xmm0, xmm1", { 0xc4, 0xe2, 0x79, 0x30, 0xc1 }, 5 },
	{ "vpord xmm0, .. (EVEX)", { 0x62, 0xf1, 0x7d, 0x08, 0xeb, 0xc1 }, 6 },
	{ "shlx (VEX)", { 0xc4, 0xe2, 0x79, 0xf7, 0xc1 }, 5 },
	{ "lock inc [rdi]", { 0xf0, 0xff, 0x07 }, 3 },
	{ "mov rax, ds:[rdi]", { 0x3e, 0x48, 0x8b, 0x07 }, 4 },
	{ "mov rax, fs:[0]", { 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0 }, 9 },
	{ "pushf", { 0x9c }, 1 },
	{ "popf", { 0x9d }, 1 },
	{ "rep movsb, rcx large", { 0xf3, 0xa4 }, 2 },
	{ "stosb", { 0xaa }, 1 },
	{ "xbegin", { 0xc7, 0xf8, 0, 0, 0, 0 }, 6 },
	{ "call rax", { 0xff, 0xd0 }, 2 },
	{ "call [rip+..]", { 0xff, 0x15, 0, 0, 0, 0 }, 6 },
	{ "call rel32 (48 e8)", { 0x48, 0xe8, 0, 0, 0, 0 }, 6 },
	{ "loop", { 0xe2, 0 }, 2 },
	{ "jne rel8 (3e 75)", { 0x3e, 0x75, 0 }, 3 },
	{ "popcnt eax, ecx", { 0xf3, 0x0f, 0xb8, 0xc1 }, 4 },
	{ "pshufb xmm0, xmm1", { 0x66, 0x0f, 0x38, 0x00, 0xc1 }, 5 },
	{ "mov ss, eax", { 0x8e, 0xd0 }, 2 },
	{ "cpuid", { 0x0f, 0xa2 }, 2 },
	{ "fld1", { 0xd9, 0xe8 }, 2 },
	{ "int3", { 0xcc }, 1 },
};

static const char *const binaries[] = {
	"/usr/bin/redis-server",
	"/lib/x86_64-linux-gnu/libc.so.6",
	"/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
};

struct share {
	size_t entry;	/* cheap at offset 0 */
	size_t moved;	/* cheap further on */
	size_t stepped; /* single-stepped only */
	size_t refused;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

enum {
	NR_INSTRUCTIONS = sizeof(instructions) / sizeof(instructions[0]),
	MOST_FUNCTIONS = 1000,
	NR_LINKED = 24
};

static void print_proof(const struct instruction *in, const struct proof *proof)
{
	static const char *const verdicts[] = { "untried", "passed", "FAILED" };
	enum site_class class;
	bool is_never = encoding_judge(in->bytes, in->nr_bytes, &class);

	printf("%-24s %-15s %-8s", in->text, is_never ? "never" : site_class_name(class),
	       verdicts[proof->verdict]);
	if (proof->verdict == PROOF_PASSED)
		printf("%s %6u ns, %6u with a program%s",
		       proof->is_emulated ? "emulated" : "stepped ", proof->count_ns,
		       proof->prog_ns, proof->spoils_red_zone ? ", spoils the red zone" : "");
	printf("%s\n", proof->why);
}

/* As many at once as gemba would. */
static int try_some(size_t from, size_t nr, const struct proof_opts *opts)
{
	struct site sites[NR_INSTRUCTIONS] = { 0 };
	struct proof proofs[NR_INSTRUCTIONS];
	char why[PROOF_WHY_BYTES];
	double begin_s = now_s();

	for (size_t i = 0; i < nr; i++) {
		sites[i].nr_bytes = instructions[from + i].nr_bytes;
		memcpy(sites[i].bytes, instructions[from + i].bytes, sizeof(sites[i].bytes));
		encoding_judge(sites[i].bytes, sites[i].nr_bytes, &sites[i].class);
	}
	if (proof_run(proofs, sites, nr, opts, why)) {
		printf("site       skipped: %s\n", why);
		return -1;
	}
	for (size_t i = 0; i < nr; i++)
		print_proof(&instructions[from + i], &proofs[i]);
	printf("  these %zu took %.0f ms\n", nr, (now_s() - begin_s) * 1e3);
	return 0;
}

static void try_all(bool is_multi, size_t most)
{
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = is_multi ? 48 : 0);
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "on_hit", "GPL", nothing,
				 sizeof(nothing) / sizeof(nothing[0]), &load);
	const struct proof_opts opts = { .prog_fd = prog, .is_multi = is_multi };

	if (prog < 0)
		return;
	for (size_t i = 0; i < most; i += 6)
		if (try_some(i, most - i < 6 ? most - i : 6, &opts))
			break;
	close(prog);
}

static struct site_text text_of(const struct functions *all, const struct range *range)
{
	uint64_t offset = range->vaddr - all->text.vaddr;

	return (struct site_text){ all->text.bytes + offset, range->size, range->vaddr };
}

static void count(struct share *self, const struct functions *all, const struct range *range,
		  uint32_t keep, int verbose)
{
	struct site_ask ask = {
		.text = text_of(all, range),
		.size = range->size,
		.offset = SITE_ANY,
		.keep = keep,
		.around = all->text,
		.before = range > all->list && range[-1].vaddr < range->vaddr ? range[-1].vaddr : 0,
	};
	char why[SITE_WHY_BYTES];
	struct site site;

	if (site_choose(&site, &ask, why)) {
		self->refused++;
		if (verbose)
			printf("%lx refused: %s\n", range->vaddr, why);
		return;
	}
	if (!site_is_cheap(&site))
		self->stepped++;
	else if (site.offset)
		self->moved++;
	else
		self->entry++;
	if (verbose)
		printf("%lx +%lu %s: %s\n", range->vaddr, site.offset, site_class_name(site.class),
		       site.text);
}

static void print(const char *name, const struct share *share, size_t nr, double took_s)
{
	double pct = 100.0 / nr;

	printf("%-22s %6zu functions: %4.1f %% cheap at the entry, %4.1f %% in the entry block, "
	       "%4.1f %% single-stepped, %3.1f %% refused; %.0f us each\n",
	       name, nr, share->entry * pct, (share->entry + share->moved) * pct,
	       share->stepped * pct, share->refused * pct, took_s / nr * 1e6);
}

static void measure(const char *path, uint32_t keep, int verbose)
{
	struct share share = { 0 };
	struct functions all;
	double begin_s;
	size_t nr;

	if (functions_open(&all, path))
		return;
	nr = verbose || all.nr < MOST_FUNCTIONS ? all.nr : MOST_FUNCTIONS;
	begin_s = now_s();
	for (size_t i = 0; i < nr; i++)
		count(&share, &all, &all.list[i * all.nr / nr], keep, verbose);
	print(strrchr(path, '/') + 1, &share, nr, now_s() - begin_s);
	functions_close(&all);
}

int main(int argc, char **argv)
{
	bool is_trial = argc == 2 && !strcmp(argv[1], "--trials");

	for (int i = 1; i < argc && !is_trial; i++)
		measure(argv[i], 0, 1);
	if (argc < 2 || is_trial) {
		try_all(false, NR_INSTRUCTIONS);
		try_all(true, NR_LINKED);
	}
	for (size_t i = 0; argc < 2 && i < sizeof(binaries) / sizeof(binaries[0]); i++) {
		measure(binaries[i], 0, 0);
		measure(binaries[i], SITE_KEEP_ARGS | SITE_KEEP_MEMORY, 0);
	}
	return 0;
}
