/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.c - builds records, feeds them to correlate, keeps what comes out
 */
#include "tests/unit/events.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "src/correlate/order.h"

#define CUT_CPUS 8
#define NO_QUEUE_NS 300 /* from txq to tx without a queue */

struct stream stream_new(void)
{
	return (struct stream){ .now_ns = EVENTS_START_NS, .in_base = 7000, .out_base = 90000 };
}

void stream_free(struct stream *self)
{
	free(self->records);
	*self = (struct stream){ 0 };
}

union gemba_record *stream_add(struct stream *self, struct gemba_event ev)
{
	union gemba_record *record;

	if (self->nr == self->room) {
		self->room = self->room ? self->room * 2 : 64;
		self->records = realloc(self->records, self->room * sizeof(*self->records));
		cr_assert(self->records);
	}
	record = &self->records[self->nr++];
	memset(record, 0, sizeof(*record));
	record->ev = ev;
	record->ev.ts_ns = self->now_ns;
	record->ev.cpu = self->cpu;
	return record;
}

void at(struct stream *self, double us)
{
	self->now_ns = EVENTS_START_NS + (uint64_t)(us * 1000 + 0.5);
}

void on_cpu(struct stream *self, unsigned int cpu)
{
	self->cpu = cpu;
}

static void tell_conn(struct stream *self, uint32_t sk, enum gemba_how how, uint16_t lport,
		      uint16_t rport)
{
	union gemba_record *record =
		stream_add(self, (struct gemba_event){ .kind = GEMBA_CONN, .sk = sk });
	struct gemba_conn *conn = &record->conn;

	conn->how = how;
	conn->lport = lport;
	conn->rport = rport;
	memcpy(conn->laddr + 10, "\xff\xff\x0a\0\0\x01", 6);
	if (rport)
		memcpy(conn->raddr + 10, "\xff\xff\x0a\0\0\x02", 6);
	if (how == GEMBA_HOW_DATAGRAM) {
		conn->ev.flags = GEMBA_F_UDP;
		return;
	}
	conn->ev.seq = conn->rcv_nxt = self->in_base;
	conn->ev.len = self->out_base;
}

void listens(struct stream *self, uint16_t port)
{
	tell_conn(self, 60000, GEMBA_HOW_LISTEN, port, 0);
}

void tcp_accepted(struct stream *self, uint32_t sk, uint16_t lport, uint16_t rport)
{
	tell_conn(self, sk, GEMBA_HOW_ACCEPTED, lport, rport);
}

void tcp_opened(struct stream *self, uint32_t sk, uint16_t lport, uint16_t rport)
{
	tell_conn(self, sk, GEMBA_HOW_OPENED, lport, rport);
}

void udp_bound(struct stream *self, uint32_t sk, uint16_t lport, uint32_t queued)
{
	tell_conn(self, sk, GEMBA_HOW_DATAGRAM, lport, 0);
	self->records[self->nr - 1].ev.len = queued;
}

void closes(struct stream *self, uint32_t sk)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_CLOSE, .sk = sk });
}

void exits(struct stream *self, uint32_t tid)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_EXIT, .tid = tid, .seq = 1 });
}

void loses(struct stream *self, unsigned int kind, uint32_t nr, double for_us)
{
	stream_add(self,
		   (struct gemba_event){
			   .kind = GEMBA_LOST, .aux = kind, .len = nr, .seq = for_us * 1000 });
}

static void leaves_cpu(struct stream *self, uint32_t tid, uint32_t instead, unsigned int flags)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_SWITCH,
					       .flags = GEMBA_F_PREV | flags,
					       .tid = instead,
					       .seq = tid });
}

void sleeps(struct stream *self, uint32_t tid, uint32_t instead)
{
	leaves_cpu(self, tid, instead, 0);
}

void is_preempted(struct stream *self, uint32_t tid, uint32_t instead)
{
	leaves_cpu(self, tid, instead, GEMBA_F_RUNNABLE);
}

void wakes(struct stream *self, uint32_t tid, uint32_t instead, double woken_us_ago)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_SWITCH,
					       .flags = GEMBA_F_NEXT,
					       .tid = tid,
					       .seq = instead,
					       .len = woken_us_ago * 1000 + 0.5 });
}

void runs(struct stream *self, uint32_t tid, uint32_t instead)
{
	wakes(self, tid, instead, 0);
}

static void tcp(struct stream *self, unsigned int kind, uint32_t sk, uint32_t tid, uint32_t seq,
		uint32_t len)
{
	stream_add(self, (struct gemba_event){
				 .kind = kind, .sk = sk, .tid = tid, .seq = seq, .len = len });
}

void enters(struct stream *self, uint32_t tid, uint32_t stage)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_STAGE, .tid = tid, .seq = stage });
}

void enters_for(struct stream *self, uint32_t tid, uint32_t stage, uint64_t key)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_STAGE,
					       .flags = GEMBA_F_KEY,
					       .tid = tid,
					       .seq = stage,
					       .len = key,
					       .aux = key >> 32 });
}

void enters_unread(struct stream *self, uint32_t tid, uint32_t stage)
{
	stream_add(self, (struct gemba_event){ .kind = GEMBA_STAGE,
					       .flags = GEMBA_F_UNREAD,
					       .tid = tid,
					       .seq = stage });
}

void is_woken(struct stream *self, uint32_t tid, uint32_t by, double us_ago)
{
	wakes(self, tid, 0, us_ago);
	self->records[self->nr - 1].ev.aux = by;
}

void tcp_rx(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_RX, sk, 0, self->in_base + from, bytes);
	self->records[self->nr - 1].ev.aux = self->out_base;
}

void tcp_ready(struct stream *self, uint32_t sk, uint32_t upto)
{
	tcp(self, GEMBA_SOCK, sk, 0, self->in_base + upto, 0);
}

void tcp_arrives(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes)
{
	tcp_rx(self, sk, from, bytes);
	tcp_ready(self, sk, from + bytes);
}

void tcp_acks(struct stream *self, uint32_t sk, uint32_t upto)
{
	tcp(self, GEMBA_RX, sk, 0, self->in_base, 0);
	self->records[self->nr - 1].ev.aux = self->out_base + upto;
}

void tcp_reads(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_RECV, sk, tid, self->in_base + from + bytes, bytes);
}

void finds_empty(struct stream *self, uint32_t sk, uint32_t tid)
{
	tcp(self, GEMBA_EMPTY, sk, tid, 0, 0);
}

void tcp_sends(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_SEND, sk, tid, self->out_base + from, bytes);
}

void tcp_sent(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_SENT, sk, tid, self->out_base + from + bytes, bytes);
}

void tcp_txq(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_TXQ, sk, 0, self->out_base + from, bytes);
}

void tcp_tx(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_TX, sk, 0, self->out_base + from, bytes);
}

void tcp_leaves(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes)
{
	tcp_tx(self, sk, from, bytes);
	self->records[self->nr - 1].ev.flags = GEMBA_F_TXQ;
	self->records[self->nr - 1].ev.aux = NO_QUEUE_NS;
}

void tcp_answers(struct stream *self, uint32_t sk, uint32_t tid, uint32_t from, uint32_t bytes)
{
	tcp_sends(self, sk, tid, from, bytes);
	self->now_ns += 1000;
	tcp_leaves(self, sk, from, bytes);
}

void tcp_retransmits(struct stream *self, uint32_t sk, uint32_t from, uint32_t bytes)
{
	tcp(self, GEMBA_RETRANS, sk, 0, self->out_base + from, bytes);
	self->now_ns += 1000;
	tcp_leaves(self, sk, from, bytes);
}

static void udp(struct stream *self, unsigned int kind, uint32_t sk, uint32_t tid, uint32_t seq,
		uint32_t len, uint32_t aux)
{
	stream_add(self, (struct gemba_event){ .kind = kind,
					       .flags = GEMBA_F_UDP,
					       .sk = sk,
					       .tid = tid,
					       .seq = seq,
					       .len = len,
					       .aux = aux });
}

void udp_rx(struct stream *self, uint32_t sk, uint32_t raddr, uint16_t rport, uint32_t bytes,
	    uint32_t tag)
{
	udp(self, GEMBA_RX, sk, 0, raddr, bytes | (uint32_t)rport << 16, tag);
}

void udp_ready(struct stream *self, uint32_t sk, uint32_t bytes, uint32_t queued, uint32_t tag)
{
	udp(self, GEMBA_SOCK, sk, 0, bytes, queued, tag);
}

void udp_reads(struct stream *self, uint32_t sk, uint32_t tid, uint32_t bytes, uint32_t queued)
{
	udp(self, GEMBA_RECV, sk, tid, 0, bytes, queued);
}

void udp_drops(struct stream *self, uint32_t sk)
{
	udp(self, GEMBA_DROP, sk, 0, 0, 0, 0);
}

void udp_txq(struct stream *self, uint32_t sk, uint32_t tid, uint32_t raddr, uint16_t rport,
	     uint32_t bytes)
{
	udp(self, GEMBA_TXQ, sk, tid, raddr, bytes | (uint32_t)rport << 16, 0);
}

void udp_tx(struct stream *self, uint32_t sk, uint32_t raddr, uint16_t rport, uint32_t bytes)
{
	udp(self, GEMBA_TX, sk, 0, raddr, bytes | (uint32_t)rport << 16, 0);
}

void udp_leaves(struct stream *self, uint32_t sk, uint32_t tid, uint32_t raddr, uint16_t rport,
		uint32_t bytes)
{
	udp(self, GEMBA_TX, sk, tid, raddr, bytes | (uint32_t)rport << 16, NO_QUEUE_NS);
	self->records[self->nr - 1].ev.flags |= GEMBA_F_TXQ;
}

static void *grown(void *things, size_t nr, size_t bytes)
{
	if (nr & (nr - 1))
		return things;
	things = realloc(things, (nr ? nr * 2 : 1) * bytes);
	cr_assert(things);
	return things;
}

static void take_journey(void *ctx, const struct journey *journey)
{
	struct outcome_of_run *self = ctx;
	struct journey *mine;

	self->journeys = grown(self->journeys, self->nr, sizeof(*self->journeys));
	mine = &self->journeys[self->nr++];
	memset(mine, 0, sizeof(*mine));
	memcpy(mine, journey,
	       offsetof(struct journey, stamps) + journey->nr_stamps * sizeof(journey->stamps[0]));
}

static void take_round_trip(void *ctx, uint32_t endpoint, uint64_t rtt_ns)
{
	struct outcome_of_run *self = ctx;

	(void)endpoint;
	self->nr_round_trips++;
	self->last_round_trip_ns = rtt_ns;
}

static void take_depth(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t depth)
{
	struct outcome_of_run *self = ctx;

	self->depth_ns += (to_ns - from_ns) * depth;
}

static void take_thread(void *ctx, uint32_t tid, const char *comm, uint64_t on_cpu_ns)
{
	struct outcome_of_run *self = ctx;

	(void)comm;
	self->threads = grown(self->threads, self->nr_threads, sizeof(*self->threads));
	self->threads[self->nr_threads++] = (struct told_thread){ tid, on_cpu_ns };
}

static int by_arrival(const void *a, const void *b)
{
	const struct journey *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

struct correlate_opts default_opts(void)
{
	return (struct correlate_opts){ .has_sched = true };
}

static struct correlate *begin_run(struct outcome_of_run *self, const struct correlate_opts *opts)
{
	struct correlate *correlate;

	*self = (struct outcome_of_run){ 0 };
	cr_assert_eq(correlate_new(&correlate, opts,
				   (struct journey_sink){ self, take_journey, take_round_trip,
							  take_depth, take_thread }),
		     0);
	return correlate;
}

static void end_run(struct outcome_of_run *self, struct correlate *correlate)
{
	const struct endpoint *endpoints;

	cr_assert_eq(correlate_finish(correlate), 0);
	self->account = *correlate_account(correlate);
	endpoints = correlate_endpoints(correlate, &self->nr_endpoints);
	self->endpoints = calloc(self->nr_endpoints + 1, sizeof(*endpoints));
	cr_assert(self->endpoints);
	memcpy(self->endpoints, endpoints, self->nr_endpoints * sizeof(*endpoints));
	correlate_free(correlate);
	if (self->nr)
		qsort(self->journeys, self->nr, sizeof(*self->journeys), by_arrival);
	assert_sound(self);
}

struct outcome_of_run run_with(const struct stream *stream, const struct correlate_opts *opts)
{
	struct outcome_of_run self;
	struct correlate *correlate = begin_run(&self, opts);

	for (size_t i = 0; i < stream->nr; i++) {
		cr_assert(i == 0 || stream->records[i].ev.ts_ns >= stream->records[i - 1].ev.ts_ns,
			  "the story goes back in time at record %zu", i);
		correlate_event(correlate, &stream->records[i]);
	}
	end_run(&self, correlate);
	return self;
}

uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

static int by_time_then_place(const void *a, const void *b)
{
	const union gemba_record *const *x = a, *const *y = b;

	if ((*x)->ev.ts_ns != (*y)->ev.ts_ns)
		return (*x)->ev.ts_ns < (*y)->ev.ts_ns ? -1 : 1;
	return *x < *y ? -1 : 1;
}

void stream_sort(struct stream *self)
{
	union gemba_record **order = calloc(self->nr + 1, sizeof(*order));
	union gemba_record *sorted = calloc(self->nr + 1, sizeof(*sorted));

	cr_assert(order && sorted);
	for (size_t i = 0; i < self->nr; i++)
		order[i] = &self->records[i];
	qsort(order, self->nr, sizeof(*order), by_time_then_place);
	for (size_t i = 0; i < self->nr; i++)
		sorted[i] = *order[i];
	free(order);
	free(self->records);
	self->records = sorted;
	self->room = self->nr + 1;
}

struct batch_of_cpu {
	char *bytes;
	size_t nr;
	size_t room;
};

static void give_batch(struct order *order, unsigned int cpu, struct batch_of_cpu *batch)
{
	cr_assert_eq(order_add(order, cpu, batch->bytes, batch->nr), 0);
	batch->nr = 0;
}

static void keep_record(struct batch_of_cpu *batch, const union gemba_record *record)
{
	size_t bytes = gemba_record_bytes(record->ev.kind);

	if (batch->nr + bytes > batch->room) {
		batch->room = batch->room * 2 + sizeof(*record);
		batch->bytes = realloc(batch->bytes, batch->room);
		cr_assert(batch->bytes);
	}
	memcpy(batch->bytes + batch->nr, record, bytes);
	batch->nr += bytes;
}

/* The oldest of the records from here on: what a mark may promise. */
static uint64_t *oldest_to_come(const struct stream *stream)
{
	uint64_t *oldest = calloc(stream->nr + 1, sizeof(*oldest));

	cr_assert(oldest);
	oldest[stream->nr] = UINT64_MAX;
	for (size_t i = stream->nr; i > 0; i--) {
		uint64_t ts_ns = stream->records[i - 1].ev.ts_ns;

		oldest[i - 1] = ts_ns < oldest[i] ? ts_ns : oldest[i];
	}
	return oldest;
}

static void cut_and_feed(const struct stream *stream, struct order *order, unsigned int cut)
{
	struct batch_of_cpu batches[CUT_CPUS] = { 0 };
	uint64_t *oldest = oldest_to_come(stream), seed = cut;

	for (size_t i = 0; i < stream->nr; i++) {
		const union gemba_record *record = &stream->records[i];
		unsigned int cpu = record->ev.cpu % CUT_CPUS;

		keep_record(&batches[cpu], record);
		if (!cut || draw(&seed, 100) > cut % 100)
			continue;
		for (cpu = 0; cpu < CUT_CPUS; cpu++)
			give_batch(order, cpu, &batches[cpu]);
		if (draw(&seed, 3)) {
			struct gemba_event mark = { .ts_ns = oldest[i + 1], .kind = GEMBA_MARK };

			cr_assert_eq(order_add(order, cut % 7, &mark, sizeof(mark)), 0);
		}
	}
	for (unsigned int cpu = 0; cpu < CUT_CPUS; cpu++) {
		give_batch(order, cpu, &batches[cpu]);
		free(batches[cpu].bytes);
	}
	free(oldest);
	order_finish(order);
}

struct outcome_of_run run_cut(const struct stream *stream, const struct correlate_opts *opts,
			      unsigned int cut)
{
	struct outcome_of_run self;
	struct correlate *correlate = begin_run(&self, opts);
	struct order *order;

	cr_assert_eq(order_new(&order,
			       (struct order_sink){ correlate,
						    (void (*)(void *, const union gemba_record *))
							    correlate_event }),
		     0);
	cut_and_feed(stream, order, cut);
	order_free(order);
	end_run(&self, correlate);
	return self;
}

static void assert_same_journey(const struct journey *a, const struct journey *b)
{
	cr_assert_eq(memcmp(a, b, offsetof(struct journey, stamps)), 0, "journey %lu", a->id);
	for (uint32_t i = 0; i < a->nr_stamps; i++) {
		cr_assert_eq(a->stamps[i].station, b->stamps[i].station);
		cr_assert_eq(a->stamps[i].at_ns, b->stamps[i].at_ns);
		cr_assert_eq(a->stamps[i].tid, b->stamps[i].tid);
		cr_assert_eq(a->stamps[i].parts.is_known, b->stamps[i].parts.is_known);
		if (a->stamps[i].parts.is_known)
			cr_assert_eq(memcmp(&a->stamps[i].parts, &b->stamps[i].parts,
					    sizeof(struct parts)),
				     0);
	}
}

void assert_same(const struct outcome_of_run *a, const struct outcome_of_run *b)
{
	cr_assert_eq(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++)
		assert_same_journey(&a->journeys[i], &b->journeys[i]);
	cr_assert_eq(memcmp(&a->account, &b->account, sizeof(a->account)), 0);
	cr_assert_eq(a->nr_endpoints, b->nr_endpoints);
	cr_assert_eq(a->nr_round_trips, b->nr_round_trips);
	cr_assert_eq(a->depth_ns, b->depth_ns);
	cr_assert_eq(a->nr_threads, b->nr_threads);
	for (size_t i = 0; i < a->nr_threads; i++)
		cr_assert_eq(a->threads[i].on_cpu_ns, b->threads[i].on_cpu_ns);
}

struct outcome_of_run run(const struct stream *stream)
{
	const struct correlate_opts opts = default_opts();

	return run_with(stream, &opts);
}

void outcome_free(struct outcome_of_run *self)
{
	free(self->journeys);
	free(self->endpoints);
	free(self->threads);
	*self = (struct outcome_of_run){ 0 };
}

static const struct stamp *stamp_of(const struct journey *journey, unsigned int station)
{
	for (uint32_t i = 0; i < journey->nr_stamps; i++)
		if (journey->stamps[i].station == station)
			return &journey->stamps[i];
	return NULL;
}

double us_of(const struct journey *journey, unsigned int station)
{
	const struct stamp *stamp = stamp_of(journey, station);

	return stamp ? ((double)stamp->at_ns - EVENTS_START_NS) / 1000 : -1e9;
}

const struct parts *parts_of(const struct journey *journey, unsigned int station)
{
	const struct stamp *stamp = stamp_of(journey, station);

	cr_assert(stamp, "no such station");
	return &stamp->parts;
}

const char *route_of(const struct journey *journey)
{
	static const char *const names[] = { "rx", "sock", "recv", "send", "txq", "tx" };
	static char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < journey->nr_stamps; i++) {
		unsigned int station = journey->stamps[i].station;
		const char *blank = i ? " " : "";

		if (station < STATION_STAGE)
			at += sprintf(text + at, "%s%s", blank, names[station]);
		else if (station < STATION_HANDOFF)
			at += sprintf(text + at, "%ss%u", blank, station - STATION_STAGE);
		else
			at += sprintf(text + at, "%sh%u", blank, station - STATION_HANDOFF);
	}
	return text;
}

/* Built-in stations come once and in order; stages between recv and what leaves, in any. */
static void assert_order(const struct stamp *before, const struct stamp *stamp)
{
	if (stamp->station < STATION_STAGE && before->station < STATION_STAGE)
		cr_assert_gt(stamp->station, before->station);
	else if (stamp->station < STATION_STAGE)
		cr_assert_geq(stamp->station, STATION_SEND);
	else
		cr_assert(before->station >= STATION_STAGE || before->station == STATION_RECV);
}

uint64_t parts_sum_ns(const struct parts *parts)
{
	return parts->on_cpu_ns + parts->run_queue_ns + parts->blocked_ns + parts->busy_item_ns +
	       parts->busy_other_ns;
}

static void assert_journey_sound(const struct journey *journey, size_t nr_endpoints)
{
	uint64_t queued = 0;

	cr_assert_geq(journey->nr_stamps, 1);
	cr_assert_leq(journey->nr_stamps, JOURNEY_MAX_STATIONS);
	cr_assert_lt(journey->outcome, OUTCOME_NR);
	cr_assert(journey->supplier == ENDPOINT_NONE || journey->supplier < nr_endpoints);
	cr_assert(journey->customer == ENDPOINT_NONE || journey->customer < nr_endpoints);
	cr_assert(!journey->stamps[0].parts.is_known);
	for (uint32_t i = 1; i < journey->nr_stamps; i++) {
		const struct stamp *stamp = &journey->stamps[i];

		cr_assert_geq(stamp->at_ns, stamp[-1].at_ns);
		assert_order(stamp - 1, stamp);
		if (!stamp->parts.is_known)
			continue;
		cr_assert_eq(parts_sum_ns(&stamp->parts), stamp->at_ns - stamp[-1].at_ns);
		queued = stamp->parts.ran[0].ns + stamp->parts.ran[1].ns;
		cr_assert_leq(queued, stamp->parts.run_queue_ns);
	}
}

/* Items that a thread worked on cannot have had more of it than it ran. */
static void assert_conserved(const struct outcome_of_run *self)
{
	for (size_t t = 0; t < self->nr_threads; t++) {
		uint64_t sum = 0, ran = 0;

		for (size_t i = 0; i < self->nr_threads; i++)
			if (self->threads[i].tid == self->threads[t].tid)
				ran += self->threads[i].on_cpu_ns;
		for (size_t i = 0; i < self->nr; i++) {
			const struct journey *journey = &self->journeys[i];

			for (uint32_t s = 1; s < journey->nr_stamps; s++)
				if (journey->stamps[s].tid == self->threads[t].tid &&
				    journey->stamps[s].parts.is_known && !journey->is_warmup)
					sum += journey->stamps[s].parts.on_cpu_ns;
		}
		cr_assert_leq(sum, ran, "thread %u worked more than it ran", self->threads[t].tid);
	}
}

void assert_sound(const struct outcome_of_run *self)
{
	const struct account *a = &self->account;
	uint64_t went = 0, nr_warmup = 0;

	for (unsigned int i = 0; i < OUTCOME_NR; i++)
		went += a->by_outcome[i];
	cr_assert_eq(a->in_flight_start + a->in + a->originated, went, "the balance is open");
	for (size_t i = 0; i < self->nr; i++) {
		assert_journey_sound(&self->journeys[i], self->nr_endpoints);
		cr_assert(i == 0 || self->journeys[i].id > self->journeys[i - 1].id);
		nr_warmup += self->journeys[i].is_warmup;
	}
	cr_assert_eq(nr_warmup, a->warmup);
	cr_assert_eq(self->nr, went + a->warmup - a->in_flight_start);
	assert_conserved(self);
}
