/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_procfs.c - what is read out of /proc/PID/status
 */
#include "src/attach/procfs.h"

#include <criterion/criterion.h>
#include <unistd.h>

Test(procfs, a_shadow_stack_is_one_of_the_threads_features)
{
	cr_assert(
		status_has_shadow_stack("Name:\tx\nx86_Thread_features:\tshstk wrss \nCpus:\t1\n"));
	cr_assert(!status_has_shadow_stack("Name:\tx\nx86_Thread_features:\t\nCpus:\t1\n"));
	cr_assert(!status_has_shadow_stack(
		"Name:\tx\nx86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n"));
	cr_assert(!status_has_shadow_stack("Name:\tshstk\n"));
	cr_assert(!proc_has_shadow_stack(0xfffffff));
}

Test(procfs, a_number_is_found_by_its_whole_name)
{
	cr_assert_eq(proc_status_number((uint32_t)getpid(), "Tgid"), getpid());
	cr_assert_eq(proc_status_number((uint32_t)getpid(), "Tgi"), -1);
	cr_assert_eq(proc_status_number(0xfffffff, "Tgid"), -1);
}
