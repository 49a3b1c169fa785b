// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_stage.c - a hit of a stage beside a hit of a BPF program that does nothing, on one site
 *
 * A child calls a function that begins with a push, in rounds: with no probe, with an empty program,
 * with gemba's stage, without a key and with one, one after the other so that all have the same
 * neighbours. What the probes add is compared as medians over the rounds. Nobody reads the ring meanwhile; it is large enough.
 *
 *	bench_stage [serve]    serve: answers each function's name read with the mean ns of a call
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/attach/probe.h"
#include "src/attach/procfs.h"
#include "src/key/key.h"

enum {
	NR_HITS = 10000,
	NR_ROUNDS = 9,
	NR_SERVED = 2000, /* at a time: 3 ms, so that the brake lets them be */
	RING_BYTES = 64 << 20
};

/* Five bytes and more, so that tracers which patch functions can. */
#define FUNCTION(name, first, last)                                                                \
	void name(const void *);                                                                   \
	__asm__(".text\n"                                                                          \
		".globl " #name "\n"                                                               \
		".type " #name ", @function\n" #name ":\n" first "	push %rbp\n"                    \
		"	mov %rsp, %rbp\n"                                                                \
		"	xor %eax, %eax\n"                                                                \
		"	pop %rbp\n" last "	ret\n"                                                  \
		".size " #name ", .-" #name "\n")

FUNCTION(bench_stage_target, "", "");
FUNCTION(bench_begins_endbr64, "	endbr64\n", "");
FUNCTION(bench_begins_sub, "	sub $8, %rsp\n", "	add $8, %rsp\n");
FUNCTION(bench_begins_mov, "	mov %rdi, %rax\n", "");
FUNCTION(bench_begins_lea, "	lea 8(%rdi), %rax\n", "");

/* What scripts may ask for by name. */
static const struct function {
	const char *name;
	void (*call)(const void *);
} functions[] = {
	{ "bench_stage_target", bench_stage_target },
	{ "bench_begins_endbr64", bench_begins_endbr64 },
	{ "bench_begins_sub", bench_begins_sub },
	{ "bench_begins_mov", bench_begins_mov },
	{ "bench_begins_lea", bench_begins_lea },
};

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double call_here(void (*function)(const void *), int nr)
{
	static const void *itself = &itself;
	double from_ns = now_ns();

	for (int i = 0; i < nr; i++)
		function(&itself);
	return (now_ns() - from_ns) / nr;
}

/* Answers each byte with the mean time of a call. */
static void child(int in, int out)
{
	char byte;

	while (read(in, &byte, 1) == 1) {
		double ns = call_here(bench_stage_target, NR_HITS);

		if (write(out, &ns, sizeof(ns)) != sizeof(ns))
			break;
	}
	_exit(0);
}

static int to_child, from_child;
static pid_t pid;

static double call(void)
{
	double ns;

	if (write(to_child, "", 1) != 1 || read(from_child, &ns, sizeof(ns)) != sizeof(ns)) {
		fprintf(stderr, "bench_stage: the child is gone\n");
		exit(1);
	}
	return ns;
}

static int start(void)
{
	int there[2], back[2];

	if (pipe(there) || pipe(back))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close(there[1]);
		close(back[0]);
		child(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	to_child = there[1];
	from_child = back[0];
	return 0;
}

static int load_nothing(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = 48 /* uprobe_multi */);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "on_nothing", "GPL", nothing,
			     sizeof(nothing) / sizeof(nothing[0]), &opts);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, NR_ROUNDS, sizeof(*values), by_value);
	return values[NR_ROUNDS / 2];
}

/* What is attached in a round, one after the other; the child's argument points to itself. */
enum variant { BARE, EMPTY, STAGE, KEY_REGISTER, KEY_ONE_READ, KEY_TWO_READS, NR_VARIANTS };

static const char *const keys[NR_VARIANTS] = {
	[KEY_REGISTER] = "arg0",
	[KEY_ONE_READ] = "u64(arg0)",
	[KEY_TWO_READS] = "u64(u64(arg0)+0)",
};

static void set_key(struct probe *probe, const char *text)
{
	struct gemba_key program = { 0 };
	char why[KEY_WHY_BYTES];
	struct key key;

	if (text && (key_parse(&key, text, why) || key_place(&key, false, &program, why)))
		abort();
	probe_stage_key(probe, 0, &program);
}

static int call_under(struct probe *probe, enum variant variant, int empty, uint64_t offset,
		      double *ns)
{
	const uint32_t target = (uint32_t)pid;
	struct uprobe uprobe;
	int err = 0;

	if (variant == EMPTY) {
		err = uprobe_attach_multi(&uprobe, empty, 0, target, "/proc/self/exe", offset);
	} else if (variant != BARE) {
		set_key(probe, keys[variant]);
		err = probe_stage_attach(probe, 0, target, "/proc/self/exe", offset, &uprobe);
	}
	if (err)
		return err;
	call();
	*ns = call();
	if (variant != BARE)
		uprobe_detach(&uprobe);
	return 0;
}

static int measure(struct probe *probe, int empty)
{
	double ns[NR_VARIANTS][NR_ROUNDS], of[NR_VARIANTS];
	uint64_t offset = 0;
	int err = proc_own_offset((const void *)(uintptr_t)bench_stage_target, &offset);

	for (int round = 0; round < NR_ROUNDS && !err; round++)
		for (int i = 0; i < NR_VARIANTS && !err; i++)
			err = call_under(probe, i, empty, offset, &ns[i][round]);
	if (err)
		return err;
	for (int i = 0; i < NR_VARIANTS; i++)
		of[i] = median(ns[i]) - (i ? of[BARE] : 0);
	printf("stage      %6.0f ns a hit, an empty BPF program on the same site %.0f ns: %.3f of it\n",
	       of[STAGE], of[EMPTY], of[STAGE] / of[EMPTY]);
	printf("key        %6.0f ns more of an argument, %.0f with one read, %.0f with two\n",
	       of[KEY_REGISTER] - of[STAGE], of[KEY_ONE_READ] - of[STAGE],
	       of[KEY_TWO_READS] - of[STAGE]);
	return probe_stage_hits(probe, 0) == 8ull * NR_ROUNDS * NR_HITS ? 0 : -EBADMSG;
}

static int serve(void)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
			if (!strcmp(functions[i].name, line))
				printf("%.1f\n", call_here(functions[i].call, NR_SERVED));
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct probe_opts opts = { .ring_bytes = RING_BYTES, .has_stages = true };
	struct pairs missing = { 0 };
	char why[PROBE_WHY_BYTES];
	struct probe *probe = NULL;
	int err, empty;

	if (argc > 1 && !strcmp(argv[1], "serve"))
		return serve();
	if (geteuid()) {
		printf("stage      skipped: not root\n");
		return 0;
	}
	err = start();
	err = err ? err : probe_new(&probe, &opts, &missing, why);
	if (err) {
		printf("stage      skipped: %s\n", why);
		return 0;
	}
	probe_watch(probe, (uint32_t)pid);
	if (!probe_has_multi(probe)) {
		printf("stage      skipped: no uprobe_multi here, the two would be attached unalike\n");
		kill(pid, SIGKILL);
		return 0;
	}
	empty = load_nothing();
	err = empty < 0 ? -errno : measure(probe, empty);
	if (err)
		printf("stage      failed: %s\n", strerror(-err));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	probe_free(probe);
	pairs_fini(&missing);
	return err != 0;
}
