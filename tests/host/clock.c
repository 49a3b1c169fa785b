/*
 * Time of the bundled platform: CLOCK_MONOTONIC in, waiting out.
 *
 * A timer alone wakes tens of microseconds late, spinning alone takes a whole core of a two-core
 * machine. So wait_until_ns() sleeps on an absolute timer when the instant is far and spins only
 * the last SPIN_NS. Stage delays are spun, because work that takes time is what they stand for.
 */
#include "tests/host/clock.h"

#include <time.h>

#define SPIN_NS 50000

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void spin_ns(uint64_t ns)
{
	if (!ns)
		return;
	for (uint64_t end = now_ns() + ns; now_ns() < end;)
		;
}

void wait_until_ns(uint64_t at_ns)
{
	uint64_t now = now_ns();

	if (now + SPIN_NS < at_ns) {
		uint64_t wake = at_ns - SPIN_NS;
		struct timespec ts = { .tv_sec = (time_t)(wake / NS_PER_S),
				       .tv_nsec = (long)(wake % NS_PER_S) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	}
	while (now_ns() < at_ns)
		;
}

int poll_ms_until(uint64_t at_ns)
{
	uint64_t now = now_ns();

	if (at_ns <= now)
		return 0;
	if (at_ns - now > 60 * NS_PER_S)
		return 60000;
	return (int)((at_ns - now + NS_PER_MS - 1) / NS_PER_MS);
}
