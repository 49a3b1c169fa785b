// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_part.c - the plain fields of a map file, by name and place
 */
#include "src/render/json_part.h"

#define TEXT(member)                                                                               \
	{                                                                                          \
#member, offsetof(struct capture, member)                                          \
	}
#define COUNT(name, member)                                                                        \
	{                                                                                          \
		name, offsetof(struct account, member)                                             \
	}
#define OUTCOME(name, outcome)                                                                     \
	{                                                                                          \
		name, offsetof(struct account, by_outcome[outcome])                                \
	}
#define ATTRIBUTED(name, how)                                                                      \
	{                                                                                          \
		name, offsetof(struct account, attributed[how])                                    \
	}
#define SAME(member)                                                                               \
	{                                                                                          \
#member, offsetof(struct account, member)                                          \
	}

const struct field capture_texts[] = {
	TEXT(name),   TEXT(owner), TEXT(review_by), TEXT(host), TEXT(boot_id),
	TEXT(kernel), TEXT(arch),  TEXT(timezone),  { 0 },
};

#define OF_STAGE(field)                                                                            \
	{                                                                                          \
#field, offsetof(struct stage_info, field)                                         \
	}

const struct field stage_texts[] = {
	OF_STAGE(name),	      OF_STAGE(probe),
	OF_STAGE(binary),     OF_STAGE(symbol),
	OF_STAGE(site_class), OF_STAGE(site_text),
	OF_STAGE(key),	      OF_STAGE(value),
	OF_STAGE(note),	      { 0 },
};

const struct field account_items[] = {
	SAME(in_flight_start),
	COUNT("items_in", in),
	COUNT("items_originated", originated),
	OUTCOME("items_out", OUTCOME_OUT),
	OUTCOME("items_ended", OUTCOME_ENDED),
	OUTCOME("items_merged", OUTCOME_MERGED),
	OUTCOME("items_dropped", OUTCOME_DROPPED),
	OUTCOME("items_unobserved", OUTCOME_UNOBSERVED),
	OUTCOME("in_flight_end", OUTCOME_IN_FLIGHT),
	COUNT("items_partial", partial),
	COUNT("items_warmup", warmup),
	{ 0 },
};

const struct field account_attributed[] = {
	ATTRIBUTED("key", ATTRIBUTED_KEY),	 ATTRIBUTED("connection", ATTRIBUTED_CONNECTION),
	ATTRIBUTED("thread", ATTRIBUTED_THREAD), ATTRIBUTED("guessed", ATTRIBUTED_GUESSED),
	ATTRIBUTED("none", ATTRIBUTED_NONE),	 { 0 },
};

const struct field account_more[] = {
	SAME(late),
	SAME(switches_unseen),
	SAME(let_go),
	SAME(unpaired_tx),
	SAME(doubtful_pairs),
	SAME(bytes_read_unseen),
	SAME(shared_outputs),
	SAME(merges),
	SAME(retransmits),
	SAME(drops),
	SAME(sockets),
	SAME(listeners),
	SAME(packets_in),
	SAME(packets_out),
	SAME(forks),
	SAME(stage_hits),
	SAME(stage_hits_unowned),
	SAME(stage_hits_skipped),
	SAME(handoffs),
	SAME(keys_reused),
	SAME(threads_ran),
	SAME(first_ns),
	SAME(last_ns),
	{ 0 },
};

const char *const event_kind_names[GEMBA_NR_KINDS] = {
	[GEMBA_NONE] = "none",
	[GEMBA_RX] = "rx",
	[GEMBA_SOCK] = "sock",
	[GEMBA_RECV] = "recv",
	[GEMBA_EMPTY] = "empty",
	[GEMBA_SEND] = "send",
	[GEMBA_SENT] = "sent",
	[GEMBA_TXQ] = "txq",
	[GEMBA_TX] = "tx",
	[GEMBA_DROP] = "drop",
	[GEMBA_RETRANS] = "retrans",
	[GEMBA_SWITCH] = "switch",
	[GEMBA_FORK] = "fork",
	[GEMBA_EXIT] = "exit",
	[GEMBA_EXEC] = "exec",
	[GEMBA_CLOSE] = "close",
	[GEMBA_HWSTAMP] = "hwstamp",
	[GEMBA_CONN] = "conn",
	[GEMBA_PEER] = "peer",
	[GEMBA_MARK] = "mark",
	[GEMBA_LOST] = "lost",
	[GEMBA_COMM] = "comm",
	[GEMBA_PEERNAME] = "peername",
	[GEMBA_STAGE] = "stage",
};
_Static_assert(GEMBA_NR_KINDS == GEMBA_STAGE + 1, "a kind of event has no name");
