/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec.c - records of a block <-> columns of what could not be foretold
 *
 * Both sides keep the same memory of what was seen: the last record of each kind on each socket,
 * and what the stations of one socket tell about each other (a segment's sequence number foretells
 * the reader's position, and so on). From it every field has a likely and another likely value. A
 * record becomes its kind, the time since the one before, and a mask of the fields that were not
 * as likely; those follow in a column per field. In a steady stream the masks are zero and the
 * time is nearly all that is left, which is why time has its low bytes in a column of their own:
 * they are noise, and noise among ordered bytes costs the compressor both speed and size.
 *
 * The memory is small tables without keys: two sockets that share an entry only foretell badly.
 */
#include "src/collect/codec.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"

enum { SLOT_BITS = 11, NR_SLOTS = 1 << SLOT_BITS, FLOW_BITS = 9, NR_FLOWS = 1 << FLOW_BITS };

enum column {
	COL_TIME_LOW,  /* ns since the record before, bits 0-7 */
	COL_TIME_HIGH, /* bits 8-15 */
	COL_KIND,
	COL_MASK,
	COL_TIME, /* the fields from here on, if their bit is set in the mask */
	COL_FLAGS,
	COL_CPU,
	COL_SK,
	COL_TID,
	COL_SEQ,
	COL_LEN,
	COL_AUX,
	COL_TAIL, /* what longer records have after struct gemba_event */
	NR_COLUMNS,
};

#define MISS(column) (1u << ((column)-COL_TIME))

/* The most one record can put into each column; the tail is bounded by the records' bytes. */
static const unsigned char column_max[NR_COLUMNS] = {
	[COL_TIME_LOW] = 1, [COL_TIME_HIGH] = 1, [COL_KIND] = 1, [COL_MASK] = 1,
	[COL_TIME] = 10,    [COL_FLAGS] = 1,	 [COL_CPU] = 3,	 [COL_SK] = 5,
	[COL_TID] = 5,	    [COL_SEQ] = 5,	 [COL_LEN] = 5,	 [COL_AUX] = 5,
};

/* What the stations of one socket know of each other. */
enum known { KNOWN_NOTHING, RX_NEXT, RX_LEN, RX_TAG, TX_SEQ, TX_NEXT, TX_LEN, RUNS, NR_KNOWN };

struct flow {
	uint32_t known[NR_KNOWN];
};

/* The last record of a kind on a socket. */
struct slot {
	uint32_t tid;
	uint32_t seq_next;
	uint32_t len;
	uint32_t aux;
	uint8_t flags;
	uint8_t turned; /* by field: what others know came true last time, not the last value */
};

/* Where a kind finds the other likely value of a field, and what it leaves for the rest. */
struct rule {
	uint8_t seq, len, aux;					     /* found in */
	uint8_t to_seq, to_next, to_len, to_payload, to_aux, to_tid; /* left in */
	bool is_stream;						     /* seq goes on by len */
	bool is_ack;						     /* aux is a position as well */
};

/* By GEMBA_F_UDP and kind. Of datagrams seq is the peer, the same in question and answer. */
static const struct rule rules[2][256] = {
	{
		[GEMBA_RX] = { .seq = RX_NEXT,
			       .len = RX_LEN,
			       .aux = TX_NEXT,
			       .to_next = RX_NEXT,
			       .to_len = RX_LEN,
			       .is_stream = true,
			       .is_ack = true },
		[GEMBA_SOCK] = { .seq = RX_NEXT },
		[GEMBA_RECV] = { .seq = RX_NEXT, .len = RX_LEN, .is_stream = true },
		[GEMBA_SEND] = { .seq = TX_NEXT,
				 .len = TX_LEN,
				 .to_seq = TX_SEQ,
				 .to_next = TX_NEXT,
				 .to_len = TX_LEN,
				 .is_stream = true },
		[GEMBA_SENT] = { .seq = TX_NEXT, .len = TX_LEN, .is_stream = true },
		[GEMBA_TXQ] = { .seq = TX_SEQ,
				.len = TX_LEN,
				.to_seq = TX_SEQ,
				.to_len = TX_LEN,
				.is_stream = true },
		[GEMBA_TX] = { .seq = TX_SEQ,
			       .len = TX_LEN,
			       .to_next = TX_NEXT,
			       .to_len = TX_LEN,
			       .is_stream = true },
		[GEMBA_RETRANS] = { .seq = TX_SEQ, .len = TX_LEN },
		[GEMBA_SWITCH] = { .seq = RUNS, .to_tid = RUNS },
	},
	{
		[GEMBA_RX] = { .to_seq = TX_SEQ, .to_payload = RX_LEN, .to_aux = RX_TAG },
		[GEMBA_SOCK] = { .seq = RX_LEN, .aux = RX_TAG },
		[GEMBA_RECV] = { .len = RX_LEN },
		[GEMBA_SEND] = { .len = TX_LEN },
		[GEMBA_SENT] = { .len = TX_LEN },
		[GEMBA_TXQ] = { .seq = TX_SEQ, .to_seq = TX_SEQ, .to_len = TX_LEN },
		[GEMBA_TX] = { .seq = TX_SEQ, .len = TX_LEN, .to_len = TX_LEN },
	},
};

struct memory {
	uint64_t ts_ns;
	uint32_t sk;	   /* the last that was not 0 */
	uint32_t tid;	   /* the last that was not 0 */
	uint32_t left_tid; /* that gave way in the last switch */
	uint16_t cpu;
	uint8_t turned[256]; /* by kind: has no socket */
	struct slot slots[NR_SLOTS];
	struct flow flows[NR_FLOWS];
};

struct codec {
	struct memory memory;
	size_t max_bytes;
	size_t starts[NR_COLUMNS]; /* of the columns in scratch */
	uint8_t *scratch;
};

/* A column while it is written ... */
struct pen {
	uint8_t *at;
};

/* ... and while it is read. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool is_short;
};

/* The two values of a field that would be no surprise, and the byte that says which is likelier. */
struct likely {
	uint32_t value;
	uint32_t other;
	uint8_t *turned;
};

static __always_inline struct likely likely(enum column column, uint8_t *turned, uint32_t last,
					    uint32_t known)
{
	/* never a branch, nobody could predict it: both are computed, and one is taken */
	bool is_turned = *turned & MISS(column);

	return (struct likely){ is_turned ? known : last, is_turned ? last : known, turned };
}

/* Consecutive keys, as ids of sockets and threads are, fall far from each other. */
static __always_inline uint32_t hash(uint32_t key)
{
	return key * 0x9e3779b1u;
}

static __always_inline struct slot *slot_of(struct memory *self, uint32_t key, unsigned int kind)
{
	return &self->slots[((hash(key) >> (32 - SLOT_BITS)) + kind * 181) % NR_SLOTS];
}

static __always_inline struct flow *flow_of(struct memory *self, uint32_t sk)
{
	return &self->flows[hash(sk) >> (32 - FLOW_BITS)];
}

static __always_inline const struct rule *rule_of(const struct gemba_event *ev)
{
	return &rules[ev->flags & GEMBA_F_UDP][ev->kind];
}

static __always_inline struct likely likely_sk(struct memory *self, unsigned int kind)
{
	return likely(COL_SK, &self->turned[kind], self->sk, 0);
}

static __always_inline struct likely likely_tid(struct memory *self, const struct gemba_event *ev)
{
	struct slot *slot = slot_of(self, ev->sk, ev->kind);

	return likely(COL_TID, &slot->turned, ev->sk ? slot->tid : self->left_tid, self->tid);
}

/* Socket events are like those of their socket, the others like those of their thread. */
static __always_inline struct slot *slot_of_event(struct memory *self, const struct gemba_event *ev)
{
	return slot_of(self, ev->sk ? ev->sk : ev->tid, ev->kind);
}

static __always_inline struct likely likely_seq(struct slot *slot, const struct flow *flow,
						const struct rule *rule)
{
	return likely(COL_SEQ, &slot->turned, slot->seq_next, flow->known[rule->seq]);
}

static __always_inline struct likely likely_len(struct slot *slot, const struct flow *flow,
						const struct rule *rule)
{
	return likely(COL_LEN, &slot->turned, slot->len, flow->known[rule->len]);
}

static __always_inline struct likely likely_aux(struct slot *slot, const struct flow *flow,
						const struct rule *rule)
{
	return likely(COL_AUX, &slot->turned, slot->aux, flow->known[rule->aux]);
}

static __always_inline void learn(struct memory *self, struct slot *slot, struct flow *flow,
				  const struct rule *rule, const struct gemba_event *ev)
{
	uint32_t next = ev->seq + (rule->is_stream ? ev->len : 0);

	slot->tid = ev->tid;
	slot->seq_next = next;
	slot->len = ev->len;
	slot->aux = ev->aux;
	slot->flags = ev->flags;
	flow->known[rule->to_seq] = ev->seq;
	flow->known[rule->to_next] = next;
	flow->known[rule->to_len] = ev->len;
	flow->known[rule->to_payload] = ev->len & 0xffff;
	flow->known[rule->to_aux] = ev->aux;
	flow->known[rule->to_tid] = ev->tid;
	self->ts_ns = ev->ts_ns;
	self->cpu = ev->cpu;
	self->sk = ev->sk ? ev->sk : self->sk;
	self->tid = ev->tid ? ev->tid : self->tid;
	self->left_tid = ev->kind == GEMBA_SWITCH ? ev->seq : self->left_tid;
}

/* Positions differ by little sums, all else by its low bits. */
static uint32_t difference(uint32_t value, uint32_t from, bool is_position)
{
	int32_t diff = value - from;

	return is_position ? (uint32_t)diff << 1 ^ (uint32_t)(diff >> 31) : value ^ from;
}

static uint32_t differing(uint32_t from, uint32_t diff, bool is_position)
{
	return is_position ? from + (diff >> 1 ^ -(diff & 1)) : from ^ diff;
}

static void put_byte(struct pen *to, uint8_t value)
{
	*to->at++ = value;
}

static void put_number(struct pen *to, uint64_t value)
{
	for (; value > 127; value >>= 7)
		put_byte(to, value | 128);
	put_byte(to, value);
}

/* What nobody expected, or 0 for the other value: no difference from the likely one is 0. */
static __always_inline unsigned int put_field(struct pen columns[], enum column column,
					      struct likely was, uint32_t value, bool is_position)
{
	if (value == was.value)
		return 0;
	if (value == was.other) {
		*was.turned ^= MISS(column);
		put_byte(&columns[column], 0);
	} else {
		put_number(&columns[column], difference(value, was.value, is_position));
	}
	return MISS(column);
}

static unsigned int put_time(struct pen columns[], uint64_t since_ns)
{
	if (since_ns >> 16) {
		put_number(&columns[COL_TIME], since_ns << 1 ^ (uint64_t)((int64_t)since_ns >> 63));
		return MISS(COL_TIME);
	}
	put_byte(&columns[COL_TIME_LOW], since_ns);
	put_byte(&columns[COL_TIME_HIGH], since_ns >> 8);
	return 0;
}

static void encode_event(struct memory *memory, struct pen columns[], const struct gemba_event *ev)
{
	const struct rule *rule = rule_of(ev);
	struct slot *slot = slot_of_event(memory, ev);
	struct flow *flow = flow_of(memory, ev->sk);
	unsigned int misses;

	misses = put_time(columns, ev->ts_ns - memory->ts_ns);
	misses |= put_field(columns, COL_SK, likely_sk(memory, ev->kind), ev->sk, false);
	misses |= put_field(columns, COL_TID, likely_tid(memory, ev), ev->tid, false);
	misses |=
		put_field(columns, COL_SEQ, likely_seq(slot, flow, rule), ev->seq, rule->is_stream);
	misses |= put_field(columns, COL_LEN, likely_len(slot, flow, rule), ev->len, false);
	misses |= put_field(columns, COL_AUX, likely_aux(slot, flow, rule), ev->aux, rule->is_ack);
	if (ev->flags != slot->flags) {
		misses |= MISS(COL_FLAGS);
		put_byte(&columns[COL_FLAGS], ev->flags);
	}
	if (ev->cpu != memory->cpu) {
		misses |= MISS(COL_CPU);
		put_number(&columns[COL_CPU], ev->cpu);
	}
	put_byte(&columns[COL_KIND], ev->kind);
	put_byte(&columns[COL_MASK], misses);
	learn(memory, slot, flow, rule, ev);
}

static void put_tail(struct pen *to, const void *tail, size_t bytes)
{
	memcpy(to->at, tail, bytes);
	to->at += bytes;
}

/* The columns side by side, behind their lengths. */
static size_t gather(const struct codec *self, const struct pen columns[], uint8_t *to)
{
	uint32_t bytes[NR_COLUMNS];
	size_t at = sizeof(bytes);

	for (int i = 0; i < NR_COLUMNS; i++) {
		bytes[i] = columns[i].at - self->scratch - self->starts[i];
		memcpy(to + at, self->scratch + self->starts[i], bytes[i]);
		at += bytes[i];
	}
	memcpy(to, bytes, sizeof(bytes));
	return at;
}

static size_t record_bytes_at(const uint8_t *record, size_t left)
{
	size_t bytes;

	if (left < sizeof(struct gemba_event))
		return 0;
	bytes = gemba_record_bytes(record[offsetof(struct gemba_event, kind)]);
	return bytes <= left ? bytes : 0;
}

int codec_encode(struct codec *self, const void *records, size_t bytes, void *to, size_t *to_bytes)
{
	struct pen columns[NR_COLUMNS];
	const struct gemba_event *ev;
	const uint8_t *record = records;
	size_t size;

	if (bytes > self->max_bytes)
		return -E2BIG;
	memset(&self->memory, 0, sizeof(self->memory));
	for (int i = 0; i < NR_COLUMNS; i++)
		columns[i].at = self->scratch + self->starts[i];
	for (; bytes; record += size, bytes -= size) {
		size = record_bytes_at(record, bytes);
		if (!size)
			return -EINVAL;
		ev = (const struct gemba_event *)record;
		encode_event(&self->memory, columns, ev);
		if (size > sizeof(*ev))
			put_tail(&columns[COL_TAIL], record + sizeof(*ev), size - sizeof(*ev));
	}
	*to_bytes = gather(self, columns, to);
	return 0;
}

/* Past the end all is 0, and the column remembers it. */
static uint8_t get_byte(struct cursor *from)
{
	if (from->at < from->end)
		return *from->at++;
	from->is_short = true;
	return 0;
}

static uint64_t get_number(struct cursor *from)
{
	uint64_t value = 0;
	uint8_t byte;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		byte = get_byte(from);
		value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			break;
	}
	return value;
}

static __always_inline uint32_t get_field(struct cursor columns[], enum column column,
					  unsigned int misses, struct likely was, bool is_position)
{
	uint32_t diff;

	if (!(misses & MISS(column)))
		return was.value;
	diff = get_number(&columns[column]);
	if (diff)
		return differing(was.value, diff, is_position);
	*was.turned ^= MISS(column);
	return was.other;
}

static uint64_t get_time(struct cursor columns[], unsigned int misses)
{
	uint64_t zigzag;
	uint8_t low;

	if (misses & MISS(COL_TIME)) {
		zigzag = get_number(&columns[COL_TIME]);
		return zigzag >> 1 ^ -(zigzag & 1);
	}
	low = get_byte(&columns[COL_TIME_LOW]);
	return low | (unsigned int)get_byte(&columns[COL_TIME_HIGH]) << 8;
}

static void decode_event(struct memory *memory, struct cursor columns[], struct gemba_event *ev)
{
	unsigned int misses = *columns[COL_MASK].at++;
	const struct rule *rule;
	struct slot *slot;
	struct flow *flow;

	*ev = (struct gemba_event){ .kind = *columns[COL_KIND].at++ };
	ev->ts_ns = memory->ts_ns + get_time(columns, misses);
	ev->sk = get_field(columns, COL_SK, misses, likely_sk(memory, ev->kind), false);
	ev->tid = get_field(columns, COL_TID, misses, likely_tid(memory, ev), false);
	slot = slot_of_event(memory, ev);
	flow = flow_of(memory, ev->sk);
	ev->flags = misses & MISS(COL_FLAGS) ? get_byte(&columns[COL_FLAGS]) : slot->flags;
	ev->cpu = misses & MISS(COL_CPU) ? get_number(&columns[COL_CPU]) : memory->cpu;
	rule = rule_of(ev);
	ev->seq =
		get_field(columns, COL_SEQ, misses, likely_seq(slot, flow, rule), rule->is_stream);
	ev->len = get_field(columns, COL_LEN, misses, likely_len(slot, flow, rule), false);
	ev->aux = get_field(columns, COL_AUX, misses, likely_aux(slot, flow, rule), rule->is_ack);
	learn(memory, slot, flow, rule, ev);
}

static void get_tail(struct cursor *from, void *tail, size_t bytes)
{
	if (bytes > (size_t)(from->end - from->at)) {
		from->is_short = true;
		return;
	}
	memcpy(tail, from->at, bytes);
	from->at += bytes;
}

/* Finds the columns; they fill the bytes exactly or this is not ours. */
static bool scatter(const uint8_t *from, size_t bytes, struct cursor columns[])
{
	uint32_t column_bytes[NR_COLUMNS];

	if (bytes < sizeof(column_bytes))
		return false;
	memcpy(column_bytes, from, sizeof(column_bytes));
	from += sizeof(column_bytes);
	bytes -= sizeof(column_bytes);
	for (int i = 0; i < NR_COLUMNS; i++) {
		if (column_bytes[i] > bytes)
			return false;
		columns[i] = (struct cursor){ .at = from, .end = from + column_bytes[i] };
		from += column_bytes[i];
		bytes -= column_bytes[i];
	}
	return !bytes && column_bytes[COL_KIND] == column_bytes[COL_MASK];
}

static bool is_used_up(const struct cursor columns[])
{
	for (int i = 0; i < NR_COLUMNS; i++)
		if (columns[i].at != columns[i].end || columns[i].is_short)
			return false;
	return true;
}

int codec_decode(struct codec *self, const void *from, size_t from_bytes, void *records,
		 size_t bytes)
{
	struct cursor columns[NR_COLUMNS];
	struct gemba_event *ev;
	uint8_t *record = records;
	size_t size;

	if (!scatter(from, from_bytes, columns))
		return -EBADMSG;
	memset(&self->memory, 0, sizeof(self->memory));
	for (; columns[COL_KIND].at < columns[COL_KIND].end; record += size, bytes -= size) {
		size = gemba_record_bytes(*columns[COL_KIND].at);
		if (size > bytes)
			return -EBADMSG;
		ev = (struct gemba_event *)record;
		decode_event(&self->memory, columns, ev);
		if (size > sizeof(*ev))
			get_tail(&columns[COL_TAIL], record + sizeof(*ev), size - sizeof(*ev));
	}
	return bytes || !is_used_up(columns) ? -EBADMSG : 0;
}

size_t codec_bound(size_t bytes)
{
	return NR_COLUMNS * sizeof(uint32_t) + bytes + bytes / 2;
}

int codec_new(struct codec **out, size_t max_bytes)
{
	struct codec *self = calloc(1, sizeof(*self));
	size_t nr = max_bytes / sizeof(struct gemba_event);
	size_t at = 0;

	if (!self)
		return -ENOMEM;
	for (int i = 0; i < NR_COLUMNS; i++) {
		self->starts[i] = at;
		at += nr * column_max[i];
	}
	self->max_bytes = max_bytes;
	self->scratch = malloc(at + max_bytes);
	if (!self->scratch) {
		free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

void codec_free(struct codec *self)
{
	if (!self)
		return;
	free(self->scratch);
	free(self);
}
