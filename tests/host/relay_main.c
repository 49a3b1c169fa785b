/*
 * relay: three processes that hand messages on by rings in shared memory, all of them spinning.
 *
 * The first receives numbered datagrams and decodes them, the second prices them, the third sends
 * each on. Lengths tell which is which from outside: a datagram of number n comes with
 * RELAY_IN + n % 30 bytes and leaves with RELAY_OUT + n % 40. --feed N sends such datagrams instead.
 * A relay prints the pids of its three processes, then ready; it ends with the first process.
 */
#include "tests/host/clock.h"
#include "tests/host/net.h"
#include "tests/host/options.h"
#include "tests/host/stages.h"
#include "tests/host/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PROGRAM "relay"
#define SLOTS 256
#define RELAY_IN 28
#define RELAY_OUT 16

struct relayed {
	uint32_t price;
	uint64_t seq;
};

struct shared_ring {
	_Atomic uint64_t head, tail;
	struct relayed slots[SLOTS];
};

static struct endpoint from, to;
static uint64_t nr_feed, rate_hz = 1000, for_ns = 30 * NS_PER_S;
static uint64_t end_ns;

static const struct option_row rows[] = {
	{ "--from", OPTION_ENDPOINT, &from, 1, 65535, "ADDR:PORT  where datagrams come" },
	{ "--to", OPTION_ENDPOINT, &to, 1, 65535, "ADDR:PORT  where they go" },
	{ "--feed", OPTION_NUMBER, &nr_feed, 1, 10000000, "N  send so many datagrams to --to" },
	{ "--rate", OPTION_NUMBER, &rate_hz, 1, 1000000, "N  so many a second (1000)" },
	{ "--for", OPTION_SECONDS, &for_ns, 1, 3600000, "SECONDS  end after (30)" },
	{ 0 },
};

static const struct options options = {
	.program = PROGRAM,
	.summary = "Hands datagrams through three processes, by shared memory.",
	.rows = rows,
};

void relay_decode(struct relayed *message, const uint8_t *bytes);
void relay_price(uint32_t base, struct relayed *message);
void relay_send(const struct relayed *message, int fd);

STAGE void relay_decode(struct relayed *message, const uint8_t *bytes)
{
	memcpy(&message->seq, bytes, sizeof(message->seq));
	spin_ns(3000);
}

STAGE void relay_price(uint32_t base, struct relayed *message)
{
	message->price = base + (uint32_t)message->seq;
	spin_ns(6000);
}

STAGE void relay_send(const struct relayed *message, int fd)
{
	uint8_t bytes[RELAY_OUT + 40] = { 0 };

	memcpy(bytes, &message->seq, sizeof(message->seq));
	spin_ns(1000);
	if (sendto(fd, bytes, RELAY_OUT + message->seq % 40, 0,
		   (const struct sockaddr *)&to.address, to.length) < 0)
		_exit(fail(PROGRAM, errno, "send"));
}

static void push(struct shared_ring *ring, const struct relayed *message)
{
	uint64_t head = atomic_load(&ring->head);

	while (head - atomic_load(&ring->tail) == SLOTS)
		sched_yield();
	ring->slots[head % SLOTS] = *message;
	atomic_store(&ring->head, head + 1);
}

static bool pop(struct shared_ring *ring, struct relayed *message)
{
	uint64_t tail = atomic_load(&ring->tail);

	if (atomic_load(&ring->head) == tail)
		return false;
	*message = ring->slots[tail % SLOTS];
	atomic_store(&ring->tail, tail + 1);
	return true;
}

static void receive(struct shared_ring *out)
{
	uint8_t bytes[2048] = { 0 };
	struct relayed message;
	int fd = net_udp_bind(&from, 1 << 20);

	if (fd < 0)
		exit(fail(PROGRAM, fd, "cannot bind %s", from.text));
	printf("ready\n");
	fflush(stdout);
	while (!is_stop_requested() && now_ns() < end_ns) {
		if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= (ssize_t)sizeof(message.seq)) {
			relay_decode(&message, bytes);
			push(out, &message);
		} else {
			sched_yield();
		}
	}
}

static void price(struct shared_ring *in, struct shared_ring *out)
{
	struct relayed message;

	while (now_ns() < end_ns) {
		if (pop(in, &message)) {
			relay_price(7, &message);
			push(out, &message);
		} else {
			sched_yield();
		}
	}
}

static void send_on(struct shared_ring *in)
{
	struct relayed message;
	int fd = socket(to.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* not connected: that nobody listens there is no error */
	if (fd < 0)
		exit(fail(PROGRAM, errno, "no socket"));
	while (now_ns() < end_ns)
		if (pop(in, &message))
			relay_send(&message, fd);
		else
			sched_yield();
}

/* 0 in the child, which ends with its parent. */
static pid_t start(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static int feed(void)
{
	uint8_t bytes[RELAY_IN + 30] = { 0 };
	uint64_t at_ns = now_ns();
	int fd = net_udp_connect(&to);

	if (fd < 0)
		return fail(PROGRAM, fd, "cannot connect to %s", to.text);
	for (uint64_t seq = 1; seq <= nr_feed && !is_stop_requested(); seq++) {
		memcpy(bytes, &seq, sizeof(seq));
		if (send(fd, bytes, RELAY_IN + seq % 30, 0) < 0)
			return fail(PROGRAM, errno, "send");
		wait_until_ns(at_ns += NS_PER_S / rate_hz);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct shared_ring *rings;
	pid_t pricer, sender;

	options_parse(&options, argc, argv);
	stop_init();
	if (!to.text || (!nr_feed && !from.text))
		return fail(PROGRAM, 0, "give --to, and --from or --feed") + 1;
	if (nr_feed)
		return feed();
	end_ns = now_ns() + for_ns;
	rings = mmap(NULL, 2 * sizeof(*rings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (rings == MAP_FAILED)
		return fail(PROGRAM, errno, "no shared memory");
	pricer = start();
	if (!pricer)
		price(&rings[0], &rings[1]);
	sender = pricer ? start() : -1;
	if (!sender)
		send_on(&rings[1]);
	if (!pricer || !sender)
		_exit(0);
	printf("pids %d,%d,%d\n", (int)getpid(), (int)pricer, (int)sender);
	receive(&rings[0]);
	return 0;
}
