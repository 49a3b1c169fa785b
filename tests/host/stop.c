/*
 * SIGINT and SIGTERM in, an ordered end out: every loop sees the request, finishes what it holds
 * and the truth log is written as after a normal run.
 *
 * A flag alone would be missed by a thread on its way into poll(2), so the handler also makes an
 * eventfd readable; nobody reads it, hence it wakes all pollers. SIGPIPE is ignored: a closed
 * standard output must not cost the log.
 */
#include "tests/host/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int event_fd = -1;
static atomic_bool is_requested; /* lock-free, hence fit for a handler and for other threads */

static void handle_signal(int signal_nr)
{
	int saved = errno;
	uint64_t one = 1;
	ssize_t written;

	(void)signal_nr;
	atomic_store(&is_requested, true);
	written = write(event_fd, &one, sizeof(one));
	(void)written;
	errno = saved;
}

int stop_init(void)
{
	struct sigaction action = { .sa_handler = handle_signal, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event_fd < 0)
		return -errno;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGINT, &action, NULL) || sigaction(SIGTERM, &action, NULL) ||
	    sigaction(SIGPIPE, &ignore, NULL))
		return -errno;
	return 0;
}

bool is_stop_requested(void)
{
	return atomic_load(&is_requested);
}

int stop_fd(void)
{
	return event_fd;
}
