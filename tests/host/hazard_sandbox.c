/*
 * A list of system calls in, a filter out that kills the process at any other.
 *
 * As a sandboxed service has it: a tracer that makes the target enter the kernel by a call of its
 * own (a return probe of newer kernels does) ends it here. The list is what the hazard program,
 * its threads and the C library's output need and no more.
 */
#include "tests/host/hazard.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const unsigned allowed[] = {
	SYS_write,	     SYS_newfstatat,
	SYS_fstat,	     SYS_exit,
	SYS_exit_group,	     SYS_futex,
	SYS_rt_sigreturn,    SYS_rt_sigprocmask,
	SYS_rt_sigaction,    SYS_getpid,
	SYS_gettid,	     SYS_tgkill,
	SYS_setitimer,	     SYS_clock_nanosleep,
	SYS_clock_gettime,   SYS_restart_syscall,
	SYS_clone3,	     SYS_rseq,
	SYS_set_robust_list, SYS_mmap,
	SYS_mprotect,	     SYS_munmap,
	SYS_madvise,	     SYS_brk,
};

#define NR_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

/* Four before the list, two for each of it, one after. */
static unsigned write_filter(struct sock_filter *filter)
{
	const unsigned arch_at = offsetof(struct seccomp_data, arch);
	const unsigned nr_at = offsetof(struct seccomp_data, nr);
	unsigned n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arch_at);
	filter[n++] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, nr_at);
	for (size_t i = 0; i < NR_ALLOWED; i++) {
		filter[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	return n;
}

int hazard_sandbox(void)
{
	struct sock_filter filter[4 + 2 * NR_ALLOWED + 1];
	struct sock_fprog program = { .len = (unsigned short)write_filter(filter),
				      .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}
