// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_steps.c - names and kinds of steps, as the contract has them
 */
#include "src/map/steps.h"
#include "tests/unit/map_fixture.h"

static void assert_step(const char *from, const char *to, const char *name, enum step_kind kind)
{
	struct stage_names names = { 0 };
	struct family family = { .nr_steps = 1, .steps = calloc(1, sizeof(struct step)) };
	struct step *step = family.steps;

	names.names[0] = (char *)"decode";
	names.values[0] = VALUE_ADDED;
	cr_assert_eq(step_describe(step, &names, station_of(from), station_of(to)), 0);
	cr_assert_str_eq(step->name, name, "%s>%s is %s", from, to, step->name);
	cr_assert_eq(step->kind, kind, "%s>%s is a %s", from, to, step_kind_name(step->kind));
	cr_assert_eq(step->value, *from == 's' && from[1] == '0' ? VALUE_ADDED : VALUE_UNKNOWN);
	vsm_family_fini(&family);
}

Test(steps, built_in_ones_have_their_names)
{
	assert_step("rx", "sock", "kernel_rx", STEP_KERNEL);
	assert_step("sock", "recv", "socket_queue", STEP_QUEUE);
	assert_step("recv", "send", "process", STEP_PROCESS);
	assert_step("recv", "txq", "process", STEP_PROCESS);
	assert_step("recv", "tx", "process", STEP_PROCESS);
	assert_step("send", "txq", "send", STEP_KERNEL);
	assert_step("txq", "tx", "qdisc", STEP_QUEUE);
}

Test(steps, stages_name_the_time_from_them_to_whatever_comes)
{
	assert_step("recv", "s0", "receive", STEP_PROCESS);
	assert_step("s0", "s1", "decode", STEP_STAGE);
	assert_step("s0", "send", "decode", STEP_STAGE);
	assert_step("s0", "tx", "decode", STEP_STAGE);
	assert_step("s1", "txq", "stage1", STEP_STAGE);
}

Test(steps, others_have_their_id_for_a_name)
{
	assert_step("rx", "recv", "rx>recv", STEP_QUEUE);
	assert_step("rx", "s0", "rx>decode", STEP_QUEUE);
	assert_step("send", "tx", "send>tx", STEP_KERNEL);
	assert_step("send", "s1", "send>stage1", STEP_KERNEL);
}

Test(steps, the_wait_in_a_socket_ends_at_recv)
{
	struct step step = { .from = (char *)"sock", .to = (char *)"recv" };

	cr_assert(step_is_socket_wait(&step));
	step.from = (char *)"rx";
	cr_assert(step_is_socket_wait(&step));
	step.to = (char *)"sock";
	cr_assert_not(step_is_socket_wait(&step));
}

Test(steps, names_of_stations_and_steps_are_reserved)
{
	static const char *const reserved[] = { "rx",	     "sock",	     "recv",	"send",
						"txq",	     "tx",	     "sent",	"ack",
						"kernel_rx", "socket_queue", "receive", "process",
						"qdisc",     "wire",	     "other",	"f1",
						"f12",	     "lead_time" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		cr_assert(step_name_is_reserved(reserved[i]), "%s", reserved[i]);
	cr_assert_not(step_name_is_reserved("decode"));
	cr_assert_not(step_name_is_reserved("rx_"));
	cr_assert_not(step_name_is_reserved("f"));
	cr_assert_not(step_name_is_reserved("f1a"));
}
