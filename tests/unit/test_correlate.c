/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_correlate.c - whole servers, simulated with their truth, item by item
 *
 * The simulation knows nothing of correlate: a message has its stamps because the simulated
 * thread did the thing then, and the parts of a step are integrated over a log of what the
 * thread did. Streams go through order, in random cuts.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/events.h"

enum { NR_THREADS = 3, NR_CONNS = 5, NR_ROUNDS = 60, MAX_TRUTHS = 4000, MAX_LOG = 8192 };

enum doing { RUNS, QUEUED, SLEEPS };

struct truth {
	uint32_t sk;
	uint32_t in_byte;
	uint32_t out_byte;
	uint32_t raddr;
	uint16_t rport;
	uint64_t at_ns[STATION_STAGE];
	struct parts recv; /* of the steps that end there */
	struct parts send;
	uint32_t merges;
	uint32_t outputs;
	bool is_deferred;
	bool is_queued;
};

struct log {
	uint64_t from_ns;
	enum doing doing;
	const struct truth *item; /* while it runs */
};

struct simulated_conn {
	uint32_t sk;
	uint32_t in;
	uint32_t out;
	uint64_t free_ns; /* its last answer has left: the client may ask again */
	struct truth *asked;
};

struct simulated_thread {
	uint32_t tid;
	uint64_t now_ns;
	const struct truth *item;
	struct log log[MAX_LOG];
	size_t nr_log;
	struct simulated_conn conns[NR_CONNS];
};

struct simulation {
	struct stream stream;
	uint64_t seed;
	struct truth truths[MAX_TRUTHS];
	size_t nr;
	struct simulated_thread threads[NR_THREADS];
};

/* A builder's clock, to the nanosecond; no two threads share one. */
static struct stream *when(struct simulation *self, const struct simulated_thread *thread,
			   uint64_t at_ns, unsigned int cpu)
{
	self->stream.now_ns = at_ns / NR_THREADS * NR_THREADS + thread->tid % NR_THREADS;
	on_cpu(&self->stream, cpu);
	return &self->stream;
}

static uint64_t clock_ns(const struct simulation *self)
{
	return self->stream.now_ns;
}

static struct stream *now(struct simulation *self, const struct simulated_thread *thread)
{
	return when(self, thread, thread->now_ns, thread->tid % 8);
}

static void passes(struct simulation *self, struct simulated_thread *thread, uint64_t at_most_ns)
{
	thread->now_ns += 30 + draw(&self->seed, at_most_ns);
}

static void does(struct simulation *self, struct simulated_thread *thread, uint64_t at_ns,
		 enum doing doing)
{
	cr_assert_lt(thread->nr_log, MAX_LOG);
	when(self, thread, at_ns, 0);
	thread->log[thread->nr_log++] =
		(struct log){ clock_ns(self), doing, doing == RUNS ? thread->item : NULL };
}

static void takes(struct simulation *self, struct simulated_thread *thread,
		  const struct truth *item)
{
	thread->item = item;
	does(self, thread, thread->now_ns, RUNS);
}

static void add_part(struct parts *parts, const struct log *log, const struct truth *item,
		     uint64_t ns)
{
	if (log->doing == SLEEPS)
		parts->blocked_ns += ns;
	else if (log->doing == QUEUED)
		parts->run_queue_ns += ns;
	else if (!log->item)
		parts->busy_other_ns += ns;
	else if (log->item == item)
		parts->on_cpu_ns += ns;
	else
		parts->busy_item_ns += ns;
}

/* What the thread did in an interval, by walking all it ever did. */
static struct parts integrate(const struct simulated_thread *thread, const struct truth *item,
			      uint64_t from_ns, uint64_t to_ns)
{
	struct parts parts = { 0 };

	for (size_t i = 0; i < thread->nr_log; i++) {
		const struct log *log = &thread->log[i];
		uint64_t begin = log->from_ns > from_ns ? log->from_ns : from_ns;
		uint64_t end = i + 1 < thread->nr_log && log[1].from_ns < to_ns ? log[1].from_ns :
										  to_ns;

		if (begin < end)
			add_part(&parts, log, item, end - begin);
	}
	return parts;
}

static void may_be_preempted(struct simulation *self, struct simulated_thread *thread)
{
	if (draw(&self->seed, 6))
		return;
	passes(self, thread, 2000);
	is_preempted(now(self, thread), thread->tid, 900);
	does(self, thread, thread->now_ns, QUEUED);
	passes(self, thread, 30000);
	runs(now(self, thread), thread->tid, 900);
	does(self, thread, thread->now_ns, RUNS);
}

static struct truth *new_truth(struct simulation *self, uint32_t sk)
{
	struct truth *truth = &self->truths[self->nr++];

	cr_assert_leq(self->nr, MAX_TRUTHS);
	*truth = (struct truth){ .sk = sk };
	return truth;
}

/* A request in one to three segments; one may be overtaken by the next, or come twice. */
static uint64_t request_arrives(struct simulation *self, struct simulated_thread *thread,
				struct simulated_conn *conn, uint64_t at_ns)
{
	struct truth *truth = new_truth(self, conn->sk);
	uint32_t nr = 1 + draw(&self->seed, 3), bytes = 40 + draw(&self->seed, 100);
	bool is_overtaken = nr > 1 && !draw(&self->seed, 4);
	unsigned int cpu = draw(&self->seed, 8);

	truth->in_byte = conn->in;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t which = is_overtaken && i < 2 ? 1 - i : i;

		tcp_rx(when(self, thread, at_ns, cpu), conn->sk, conn->in + which * bytes, bytes);
		if (which == 0)
			truth->at_ns[STATION_RX] = clock_ns(self);
		at_ns += 300 + draw(&self->seed, 500);
		if (is_overtaken && i == 0)
			continue;
		tcp_ready(when(self, thread, at_ns, cpu), conn->sk,
			  conn->in + (is_overtaken && i == 1 ? 2 : which + 1) * bytes);
		if (!truth->at_ns[STATION_SOCK])
			truth->at_ns[STATION_SOCK] = clock_ns(self);
		at_ns += 300 + draw(&self->seed, 500);
		if (!draw(&self->seed, 5))
			tcp_rx(when(self, thread, at_ns, cpu), conn->sk, conn->in, bytes);
		at_ns += 300;
	}
	conn->in += nr * bytes;
	conn->asked = truth;
	return at_ns;
}

static void reads_request(struct simulation *self, struct simulated_thread *thread,
			  struct simulated_conn *conn)
{
	struct truth *truth = conn->asked;
	uint32_t bytes = conn->in - truth->in_byte, header = 8;

	passes(self, thread, 3000);
	if (draw(&self->seed, 3) == 0) {
		tcp_reads(now(self, thread), conn->sk, thread->tid, truth->in_byte, header);
		takes(self, thread, truth);
		truth->merges = 1;
		bytes -= header;
		may_be_preempted(self, thread);
		passes(self, thread, 3000);
	}
	tcp_reads(now(self, thread), conn->sk, thread->tid, conn->in - bytes, bytes);
	truth->at_ns[STATION_RECV] = clock_ns(self);
	takes(self, thread, truth);
	truth->recv =
		integrate(thread, truth, truth->at_ns[STATION_SOCK], truth->at_ns[STATION_RECV]);
	may_be_preempted(self, thread);
	if (!draw(&self->seed, 5)) {
		passes(self, thread, 500);
		finds_empty(now(self, thread), conn->sk, thread->tid);
	}
}

/* The first byte leaves within the call, from a queue, or later by another CPU. */
static void first_packet_leaves(struct simulation *self, struct simulated_thread *thread,
				struct simulated_conn *conn, uint32_t bytes)
{
	struct truth *truth = conn->asked;
	uint64_t at_ns = thread->now_ns + 400;
	unsigned int how = draw(&self->seed, 3), cpu = thread->tid % 8;

	truth->is_deferred = how == 2;
	truth->is_queued = how == 1;
	if (how == 2) {
		at_ns += draw(&self->seed, 20000);
		cpu = (cpu + 1) % 8;
	} else {
		thread->now_ns = at_ns + 50;
	}
	if (how == 1) {
		tcp_txq(when(self, thread, at_ns, cpu), conn->sk, conn->out, bytes);
		truth->at_ns[STATION_TXQ] = clock_ns(self);
		tcp_tx(when(self, thread, at_ns + 900 + draw(&self->seed, 50000), cpu), conn->sk,
		       conn->out, bytes);
	} else {
		tcp_leaves(when(self, thread, at_ns, cpu), conn->sk, conn->out, bytes);
		truth->at_ns[STATION_TXQ] = clock_ns(self) - 300;
	}
	truth->at_ns[STATION_TX] = clock_ns(self);
	conn->free_ns = clock_ns(self) + 100;
}

static void answers_request(struct simulation *self, struct simulated_thread *thread,
			    struct simulated_conn *conn)
{
	struct truth *truth = conn->asked;
	uint32_t nr = 1 + draw(&self->seed, 2);

	truth->out_byte = conn->out;
	truth->outputs = nr;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t bytes = 10 + draw(&self->seed, 2000);

		passes(self, thread, 4000);
		tcp_sends(now(self, thread), conn->sk, thread->tid, conn->out, bytes);
		if (i == 0) {
			truth->at_ns[STATION_SEND] = clock_ns(self);
			truth->send = integrate(thread, truth, truth->at_ns[STATION_RECV],
						truth->at_ns[STATION_SEND]);
			first_packet_leaves(self, thread, conn, bytes);
		} else {
			uint64_t at_ns = conn->free_ns > thread->now_ns ? conn->free_ns :
									  thread->now_ns;

			tcp_leaves(when(self, thread, at_ns + 100, 3), conn->sk, conn->out, bytes);
			conn->free_ns = at_ns + 200;
		}
		conn->out += bytes;
		passes(self, thread, 1000);
	}
	conn->asked = NULL;
	may_be_preempted(self, thread);
}

static void shuffle(struct simulation *self, struct simulated_conn **conns, size_t nr)
{
	for (size_t i = nr; i > 1; i--) {
		size_t k = draw(&self->seed, i);
		struct simulated_conn *swap = conns[i - 1];

		conns[i - 1] = conns[k];
		conns[k] = swap;
	}
}

/* The thread sleeps, requests arrive, it reads all of them, then answers all in another order. */
static void round_of_requests(struct simulation *self, struct simulated_thread *thread)
{
	struct simulated_conn *ready[NR_CONNS];
	uint64_t begin_ns = thread->now_ns, woken_ns = UINT64_MAX, last_ns = 0;
	size_t nr = 0;

	for (size_t i = 0; i < NR_CONNS; i++)
		if (thread->conns[i].free_ns > begin_ns)
			begin_ns = thread->conns[i].free_ns;
	for (size_t i = 0; i < NR_CONNS; i++) {
		struct simulated_conn *conn = &thread->conns[i];

		if (draw(&self->seed, 2))
			continue;
		ready[nr++] = conn;
		last_ns = request_arrives(self, thread, conn, begin_ns + draw(&self->seed, 40000));
		if (conn->asked->at_ns[STATION_SOCK] < woken_ns)
			woken_ns = conn->asked->at_ns[STATION_SOCK];
		if (last_ns > thread->now_ns)
			thread->now_ns = last_ns;
	}
	if (!nr)
		return;
	passes(self, thread, 20000);
	does(self, thread, woken_ns, QUEUED);
	now(self, thread);
	wakes(&self->stream, thread->tid, 901, (clock_ns(self) - woken_ns) / 1000.0);
	does(self, thread, thread->now_ns, RUNS);
	shuffle(self, ready, nr);
	for (size_t i = 0; i < nr; i++)
		reads_request(self, thread, ready[i]);
	shuffle(self, ready, nr);
	for (size_t i = 0; i < nr; i++)
		answers_request(self, thread, ready[i]);
	passes(self, thread, 2000);
	sleeps(now(self, thread), thread->tid, 901);
	thread->item = NULL;
	does(self, thread, thread->now_ns, SLEEPS);
}

static void begin_threads(struct simulation *self)
{
	for (uint32_t t = 0; t < NR_THREADS; t++) {
		struct simulated_thread *thread = &self->threads[t];

		thread->tid = 300 + t;
		thread->now_ns = EVENTS_START_NS + 1000;
		runs(now(self, thread), thread->tid, 901);
		does(self, thread, thread->now_ns, RUNS);
		thread->now_ns += 1000;
		sleeps(now(self, thread), thread->tid, 901);
		does(self, thread, thread->now_ns, SLEEPS);
		for (uint32_t c = 0; c < NR_CONNS; c++) {
			thread->conns[c] = (struct simulated_conn){ .sk = 1 + t * NR_CONNS + c };
			tcp_accepted(now(self, thread), thread->conns[c].sk, 80, 2000);
		}
		thread->now_ns += 1000;
	}
}

static struct simulation *simulate(uint64_t seed)
{
	struct simulation *self = calloc(1, sizeof(*self));

	cr_assert(self);
	self->seed = seed;
	self->stream = stream_new();
	self->stream.in_base = draw(&self->seed, UINT32_MAX);
	self->stream.out_base = UINT32_MAX - draw(&self->seed, 100000);
	begin_threads(self);
	for (int i = 0; i < NR_ROUNDS; i++)
		for (int t = 0; t < NR_THREADS; t++)
			round_of_requests(self, &self->threads[t]);
	stream_sort(&self->stream);
	return self;
}

static void simulation_free(struct simulation *self)
{
	stream_free(&self->stream);
	free(self);
}

static const struct truth *truth_of(const struct simulation *self, const struct journey *journey)
{
	for (size_t i = 0; i < self->nr; i++)
		if (self->truths[i].sk == journey->in_sk &&
		    self->truths[i].in_byte == journey->in_seq - self->stream.in_base)
			return &self->truths[i];
	cr_assert_fail("journey %lu is nobody's", journey->id);
	return NULL;
}

static void assert_parts_are(const struct parts *parts, const struct parts *truth)
{
	cr_assert(parts->is_known);
	cr_assert_eq(parts->on_cpu_ns, truth->on_cpu_ns);
	cr_assert_eq(parts->run_queue_ns, truth->run_queue_ns);
	cr_assert_eq(parts->blocked_ns, truth->blocked_ns);
	cr_assert_eq(parts->busy_item_ns, truth->busy_item_ns);
	cr_assert_eq(parts->busy_other_ns, truth->busy_other_ns);
}

static void assert_true(const struct simulation *sim, const struct journey *journey)
{
	const struct truth *truth = truth_of(sim, journey);

	cr_assert_eq(journey->outcome, OUTCOME_OUT);
	cr_assert_eq(journey->attribution, ATTRIBUTED_CONNECTION);
	cr_assert_eq(journey->in_sk, journey->out_sk);
	cr_assert_eq(journey->out_seq - sim->stream.out_base, truth->out_byte);
	cr_assert_eq(journey->merges, truth->merges);
	cr_assert_eq(journey->outputs, truth->outputs);
	cr_assert_eq(journey->is_queued, truth->is_queued);
	cr_assert_eq(journey->is_deferred_send, truth->is_deferred);
	cr_assert_str_eq(route_of(journey), "rx sock recv send txq tx");
	for (unsigned int i = 0; i < STATION_STAGE; i++)
		cr_assert_eq(journey->stamps[i].at_ns, truth->at_ns[i],
			     "%lu: station %u: %lu is %lu", journey->id, i, truth->at_ns[i],
			     journey->stamps[i].at_ns);
	assert_parts_are(parts_of(journey, STATION_RECV), &truth->recv);
	assert_parts_are(parts_of(journey, STATION_SEND), &truth->send);
}

Test(correlate, every_item_of_a_server_is_what_the_server_did)
{
	const struct correlate_opts opts = default_opts();

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct simulation *sim = simulate(seed);
		struct outcome_of_run o = run_cut(&sim->stream, &opts, seed % 3 * 20);

		cr_assert_eq(o.nr, sim->nr);
		cr_assert_eq(o.account.by_outcome[OUTCOME_OUT], sim->nr);
		cr_assert_eq(o.account.attributed[ATTRIBUTED_CONNECTION], sim->nr);
		for (size_t i = 0; i < o.nr; i++)
			assert_true(sim, &o.journeys[i]);
		outcome_free(&o);
		simulation_free(sim);
	}
}

/* Of a truth without its lost events nothing wrong may be said: unknown is no lie. */
static void assert_not_untrue(const struct simulation *sim, const struct journey *journey)
{
	const struct truth *truth;

	if (journey->is_originated || journey->outcome == OUTCOME_UNOBSERVED ||
	    journey->outcome == OUTCOME_IN_FLIGHT)
		return;
	truth = truth_of(sim, journey);
	for (uint32_t i = 0; i < journey->nr_stamps; i++)
		cr_assert_eq(journey->stamps[i].at_ns, truth->at_ns[journey->stamps[i].station]);
}

Test(correlate, packets_that_are_lost_leave_gaps_and_no_wrong_times)
{
	const struct correlate_opts opts = default_opts();
	size_t nr = 0, nr_partial = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct simulation *sim = simulate(seed);
		struct stream kept = stream_new();
		struct outcome_of_run o;

		for (size_t i = 0; i < sim->stream.nr; i++) {
			const union gemba_record *record = &sim->stream.records[i];

			/* duplicates must not stand in for what they repeat */
			if (record->ev.kind == GEMBA_TX && draw(&sim->seed, 20) == 0)
				continue;
			kept.now_ns = record->ev.ts_ns;
			*stream_add(&kept, record->ev) = *record;
		}
		o = run_cut(&kept, &opts, seed);
		cr_assert_eq(o.nr, sim->nr);
		for (size_t i = 0; i < o.nr; i++) {
			assert_not_untrue(sim, &o.journeys[i]);
			nr_partial += o.journeys[i].nr_stamps < STATION_STAGE;
		}
		nr += o.nr;
		outcome_free(&o);
		stream_free(&kept);
		simulation_free(sim);
	}
	cr_assert_gt(nr_partial, nr / 50);
	cr_assert_lt(nr_partial, nr / 10);
}

/*
 * Datagrams: clients with addresses of their own ask a blocking server of one thread; two CPUs
 * receive, one after the other; some datagrams are dropped, some ignored.
 */
static void datagram_round(struct simulation *self, struct simulated_thread *thread)
{
	struct truth *asked[8];
	uint32_t nr = 1 + draw(&self->seed, 8), queued = 0;
	uint64_t woken_ns;

	passes(self, thread, 50000);
	for (uint32_t i = 0; i < nr; i++) {
		struct truth *truth = new_truth(self, 1);
		unsigned int cpu = 4 + draw(&self->seed, 2);
		uint32_t bytes = 20 + draw(&self->seed, 3);

		truth->raddr = 50 + draw(&self->seed, 3);
		truth->rport = 1000 + draw(&self->seed, 2);
		udp_rx(when(self, thread, thread->now_ns, cpu), 1, truth->raddr, truth->rport,
		       bytes, self->nr);
		truth->at_ns[STATION_RX] = clock_ns(self);
		thread->now_ns += 900;
		if (!draw(&self->seed, 10)) {
			udp_drops(when(self, thread, thread->now_ns, cpu), 1);
			continue;
		}
		udp_ready(when(self, thread, thread->now_ns, cpu), 1, bytes, queued + 1,
			  draw(&self->seed, 9) ? self->nr : 60000 + self->nr);
		truth->at_ns[STATION_SOCK] = clock_ns(self);
		thread->now_ns += 6000;
		asked[queued++] = truth;
	}
	if (!queued)
		return;
	woken_ns = asked[0]->at_ns[STATION_SOCK];
	now(self, thread);
	wakes(&self->stream, thread->tid, 901, (clock_ns(self) - woken_ns) / 1000.0);
	for (uint32_t i = 0; i < queued; i++) {
		passes(self, thread, 2000);
		udp_reads(now(self, thread), 1, thread->tid, 20, queued - 1 - i);
		asked[i]->at_ns[STATION_RECV] = clock_ns(self);
	}
	for (uint32_t i = 0; i < queued; i++) {
		passes(self, thread, 2000);
		udp_leaves(now(self, thread), 1, thread->tid, asked[i]->raddr, asked[i]->rport, 9);
		asked[i]->outputs = 1;
		asked[i]->at_ns[STATION_TX] = clock_ns(self);
	}
	passes(self, thread, 2000);
	sleeps(now(self, thread), thread->tid, 901);
}

static const struct truth *datagram_of(const struct simulation *self, const struct journey *journey)
{
	for (size_t i = 0; i < self->nr; i++)
		if (self->truths[i].at_ns[STATION_RX] == journey->stamps[0].at_ns)
			return &self->truths[i];
	cr_assert_fail("journey %lu is nobody's", journey->id);
	return NULL;
}

Test(correlate, every_datagram_of_a_server_has_its_own_packet_and_answer)
{
	const struct correlate_opts opts = default_opts();

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct simulation *sim = calloc(1, sizeof(*sim));
		struct simulated_thread *thread = &sim->threads[0];
		struct outcome_of_run o;

		cr_assert(sim);
		sim->seed = seed;
		sim->stream = stream_new();
		*thread = (struct simulated_thread){ .tid = 300, .now_ns = EVENTS_START_NS + 1000 };
		udp_bound(now(sim, thread), 1, 7000, 0);
		for (int i = 0; i < 300; i++)
			datagram_round(sim, thread);
		stream_sort(&sim->stream);
		o = run_cut(&sim->stream, &opts, seed);
		cr_assert_eq(o.nr, sim->nr);
		for (size_t i = 0; i < o.nr; i++) {
			const struct journey *journey = &o.journeys[i];
			const struct truth *truth = datagram_of(sim, journey);

			cr_assert_eq(journey->outcome,
				     truth->outputs ? OUTCOME_OUT : OUTCOME_DROPPED);
			for (uint32_t k = 0; k < journey->nr_stamps; k++)
				if (journey->stamps[k].station != STATION_TXQ)
					cr_assert_eq(journey->stamps[k].at_ns,
						     truth->at_ns[journey->stamps[k].station]);
		}
		outcome_free(&o);
		simulation_free(sim);
	}
}
