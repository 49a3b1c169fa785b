// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_empty.c - a map without items says what was seen, why probably nothing flowed, and what
 * to try next
 *
 * The causes are a table, tried in order of how far the events came on their way from the wire
 * to the item; the first whose condition holds is told. The last always holds.
 */
#include <stddef.h>
#include <string.h>

#include "src/render/figure.h"
#include "src/render/text.h"

static uint64_t reads(const struct account *account)
{
	return account->events_by_kind[GEMBA_RECV];
}

static uint64_t sends(const struct account *account)
{
	return account->events_by_kind[GEMBA_SEND] + account->events_by_kind[GEMBA_SENT];
}

static bool has_exited(const struct vsm *vsm)
{
	for (size_t i = 0; i < vsm->capture.nr_targets; i++)
		if (!vsm->capture.targets[i].has_exited)
			return false;
	return vsm->capture.nr_targets;
}

/* Nothing is known of the target then: no cause that lies with it may be named. */
static bool nothing_readable(const struct vsm *vsm)
{
	for (size_t i = 0; i < vsm->nr_doubts; i++)
		if (!strcmp(vsm->doubts[i].code, "trace_cut") ||
		    !strcmp(vsm->doubts[i].code, "trace_damaged"))
			return !vsm->account.events;
	return false;
}

static bool nothing_before_exit(const struct vsm *vsm)
{
	const struct account *account = &vsm->account;

	return has_exited(vsm) && !account->warmup && !account->in && !account->partial;
}

static bool all_in_warmup(const struct vsm *vsm)
{
	return vsm->account.warmup && !vsm->account.in;
}

static bool all_partial(const struct vsm *vsm)
{
	return vsm->account.partial && vsm->account.partial >= vsm->account.in;
}

static bool all_without_rx(const struct vsm *vsm)
{
	return all_partial(vsm) && pairs_get(&vsm->capture.missing, "rx");
}

static bool all_lost(const struct vsm *vsm)
{
	return vsm->account.lost && vsm->account.lost >= vsm->account.events / 10;
}

static bool no_socket(const struct vsm *vsm)
{
	return !vsm->account.sockets && !vsm->account.listeners;
}

static bool only_listening(const struct vsm *vsm)
{
	const struct account *account = &vsm->account;

	return account->listeners && !account->sockets && !account->packets_in;
}

static bool no_packet(const struct vsm *vsm)
{
	return !vsm->account.packets_in && !vsm->account.packets_out;
}

static bool no_packet_in(const struct vsm *vsm)
{
	return !vsm->account.packets_in;
}

static bool unseen_read(const struct vsm *vsm)
{
	return !reads(&vsm->account) && vsm->account.bytes_read_unseen;
}

static bool stood_still(const struct vsm *vsm)
{
	return !reads(&vsm->account) && !vsm->account.threads_ran;
}

static bool never_read(const struct vsm *vsm)
{
	return !reads(&vsm->account);
}

static bool unfinished(const struct vsm *vsm)
{
	return vsm->account.by_outcome[OUTCOME_IN_FLIGHT];
}

static bool always(const struct vsm *vsm)
{
	(void)vsm;
	return true;
}

enum next { NEXT_LONGER, NEXT_CHECK, NEXT_ALL, NEXT_SOCKETS, NEXT_STATE };

struct cause {
	bool (*holds)(const struct vsm *vsm);
	size_t all; /* offset of a count in struct account: "all N items" go before; 0: none */
	const char *sentence;
	enum next next;
};

static const struct cause causes[] = {
	{ nothing_readable, 0,
	  "the trace is cut or damaged before its first whole second: nothing of it can be read; "
	  "record again.",
	  NEXT_LONGER },
	{ nothing_before_exit, 0, "the target exited before anything had flowed through it.",
	  NEXT_ALL },
	{ all_lost, 0, "most events were lost, so that no item could be put together.",
	  NEXT_CHECK },
	{ all_in_warmup, offsetof(struct account, warmup),
	  "came in the first 100 ms, the warm-up; attach earlier or record longer.", NEXT_LONGER },
	{ all_without_rx, offsetof(struct account, partial),
	  "are partial: when packets arrive cannot be seen here (missing rx, the reason stands "
	  "below), and without its arrival an item has no lead time.",
	  NEXT_CHECK },
	{ all_partial, offsetof(struct account, partial),
	  "are partial: the arrival of what it read was not seen; the packets came before "
	  "gemba, or by a way gemba does not see.",
	  NEXT_LONGER },
	{ no_socket, 0,
	  "the target has no TCP or UDP socket. Its messages may come through another "
	  "process, a Unix socket, shared memory or a kernel bypass (Onload, VMA, DPDK).",
	  NEXT_ALL },
	{ only_listening, 0, "the target listens, and nobody connected or sent.", NEXT_LONGER },
	{ no_packet, 0,
	  "no packet came to its sockets or left them: nobody sent in this time, or "
	  "the traffic passes the kernel by (Onload, VMA, DPDK).",
	  NEXT_SOCKETS },
	{ no_packet_in, 0,
	  "packets left and none came in: it sends of its own accord, and nothing "
	  "was sent to it.",
	  NEXT_LONGER },
	{ unseen_read, 0,
	  "bytes were taken off its sockets by no call that gemba sees (splice, "
	  "zero copy, io_uring).",
	  NEXT_CHECK },
	{ stood_still, 0,
	  "packets came, and none of its threads ran: it is stopped, or hangs, or "
	  "another process reads these sockets.",
	  NEXT_STATE },
	{ never_read, 0,
	  "packets came, and the target read none of them: another process has the "
	  "same sockets (a worker, a child), or it is busy with something else.",
	  NEXT_ALL },
	{ unfinished, 0, "items came in, and none was finished in this time.", NEXT_LONGER },
	{ always, 0, "events came, and they make no item.", NEXT_CHECK },
};

static void put_seen(struct flow *flow, const struct vsm *vsm)
{
	const struct account *account = &vsm->account;

	flow_begin(flow, "seen");
	flow_add(flow, STYLE_PLAIN, "%s sockets", figure_count(account->sockets).s);
	flow_add(flow, STYLE_PLAIN, "%s that listen", figure_count(account->listeners).s);
	flow_add(flow, STYLE_PLAIN, "%s packets in", figure_count(account->packets_in).s);
	flow_add(flow, STYLE_PLAIN, "%s out", figure_count(account->packets_out).s);
	flow_add(flow, STYLE_PLAIN, "%s reads", figure_count(reads(account)).s);
	flow_add(flow, STYLE_PLAIN, "%s sends", figure_count(sends(account)).s);
	flow_add(flow, STYLE_PLAIN, "%s threads ran", figure_count(account->threads_ran).s);
	flow_end(flow);
}

/* What the command line calls the target. */
static uint32_t pid_of(const struct vsm *vsm)
{
	return vsm->capture.nr_targets ? vsm->capture.targets[0].pid : 0;
}

static void put_next(struct flow *flow, const struct vsm *vsm, enum next next)
{
	const char *comm = vsm->capture.nr_targets ? vsm->capture.targets[0].comm : NULL;
	unsigned int pid = pid_of(vsm);

	if (has_exited(vsm))
		next = NEXT_ALL;
	flow_begin(flow, "next");
	if (next == NEXT_ALL)
		flow_add(flow, STYLE_KEY, "gemba map -n %s --all --for 30s", comm ? comm : "NAME");
	else if (next == NEXT_CHECK)
		flow_add(flow, STYLE_KEY, "gemba check -p %u", pid);
	else if (next == NEXT_SOCKETS)
		flow_add(flow, STYLE_KEY, "ss -tuanp | grep pid=%u,", pid);
	else if (next == NEXT_STATE)
		flow_add(flow, STYLE_KEY, "grep State /proc/%u/status", pid);
	else
		flow_add(flow, STYLE_KEY, "gemba map -p %u --for 30s", pid);
	if (next == NEXT_LONGER)
		flow_add(flow, STYLE_PLAIN, "while messages flow");
	flow_end(flow);
}

static void add_all(struct flow *flow, const struct vsm *vsm, size_t offset)
{
	uint64_t items = *(const uint64_t *)((const char *)&vsm->account + offset);

	if (offset)
		flow_add(flow, STYLE_PLAIN, "all %s items", figure_count(items).s);
}

void text_empty(const struct text *self)
{
	const struct cause *cause = causes;
	struct flow flow = text_flow(self);

	while (!cause->holds(self->vsm))
		cause++;
	flow_begin(&flow, NULL);
	flow_add(&flow, STYLE_STRONG, "No item flowed through it in this time.");
	flow_end(&flow);
	putc('\n', self->out);
	put_seen(&flow, self->vsm);
	flow_begin(&flow, "likely");
	add_all(&flow, self->vsm, cause->all);
	flow_words(&flow, STYLE_PLAIN, cause->sentence);
	flow_end(&flow);
	put_next(&flow, self->vsm, cause->next);
	putc('\n', self->out);
}
