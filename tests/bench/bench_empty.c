// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_empty.c - what the kernel says of a BPF program that does nothing
 *
 * The kernel's figures of a program's run time contain the taking of the time. This much is to
 * be taken off them to know what the program costs where nobody measures it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NR_RUNS = 1000000, NR_ROUNDS = 5 };

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int run(int prog)
{
	uint8_t packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = NR_RUNS);

	return bpf_prog_test_run_opts(prog, &opts);
}

/* Mean run time in the round that was disturbed least; below 0: errno of what failed. */
static double measure(int prog)
{
	struct bpf_prog_info before, after = { 0 };
	uint32_t bytes = sizeof(after);
	double best_ns = 1e9, ns;

	for (int round = 0; round < NR_ROUNDS; round++) {
		before = after;
		memset(&after, 0, sizeof(after));
		if (run(prog) || bpf_obj_get_info_by_fd(prog, &after, &bytes))
			return -errno;
		if (after.run_cnt == before.run_cnt)
			return -ENODATA;
		ns = (double)(after.run_time_ns - before.run_time_ns) /
		     (after.run_cnt - before.run_cnt);
		best_ns = ns < best_ns ? ns : best_ns;
	}
	return best_ns;
}

int main(void)
{
	int stats, prog;
	double ns;

	if (geteuid()) {
		printf("empty      skipped: not root\n");
		return 0;
	}
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	prog = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "on_nothing", "GPL", nothing,
			     sizeof(nothing) / sizeof(nothing[0]), NULL);
	ns = stats < 0 || prog < 0 ? -errno : measure(prog);
	if (ns < 0)
		printf("empty      skipped: %s\n", strerror(-ns));
	else
		printf("empty      %6.1f ns/run of a BPF program that does nothing\n", ns);
	close(prog);
	close(stats);
	return 0;
}
