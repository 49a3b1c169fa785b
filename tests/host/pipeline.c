/*
 * Messages in; each goes through the stages in order, on one, two or three threads.
 *
 * A lane is a run of stages on one thread; between two lanes is a ring. Where the lanes are cut is
 * a table, so every split runs the same code and differs only in who calls it. Invariant: a work
 * is touched by one lane at a time and the stages' state by one lane ever, so rings are the only
 * synchronisation. A stage that says false ends the work: no order is wanted, or none allowed.
 */
#define _GNU_SOURCE 1

#include "tests/host/pipeline.h"

#include "tests/host/clock.h"
#include "tests/host/ring.h"

#include <errno.h>
#include <unistd.h>

#define RING_SLOTS 1024
#define DRAIN_NS (5 * NS_PER_S)

enum { STEP_DECODE, STEP_BOOK, STEP_STRATEGY, STEP_RISK, STEP_ORDER, NR_STEPS };

static bool step_decode(struct pipeline *pipeline, struct work *work)
{
	decode_message(work->wire, &work->message, pipeline->decode_delay_ns);
	work->wire = NULL;
	return true;
}

static bool step_book(struct pipeline *pipeline, struct work *work)
{
	update_book(&work->message, &pipeline->book);
	return true;
}

static bool step_strategy(struct pipeline *pipeline, struct work *work)
{
	return run_strategy(&work->message, &pipeline->strategy, &work->order);
}

static bool step_risk(struct pipeline *pipeline, struct work *work)
{
	return check_risk(&work->order, &pipeline->risk);
}

static bool step_order(struct pipeline *pipeline, struct work *work)
{
	struct gateway *gateway = &pipeline->gateway;
	int none = 0, err;

	/* A broken session stays broken; each further try might block up to the send limit. */
	if (atomic_load(&pipeline->err))
		return false;
	err = send_order(&work->order, gateway);
	if (err) {
		atomic_compare_exchange_strong(&pipeline->err, &none, err);
	} else if (work->truth) {
		work->truth->order_send_begin_ns = gateway->send_begin_ns;
		work->truth->order_send_end_ns = gateway->send_end_ns;
	}
	return true;
}

static const struct step {
	bool (*run)(struct pipeline *pipeline, struct work *work);
	size_t truth_offset;
	const char *thread_name; /* of a lane that begins here */
} steps[NR_STEPS] = {
	[STEP_DECODE] = { step_decode, offsetof(struct packet_truth, decode), "decode" },
	[STEP_BOOK] = { step_book, offsetof(struct packet_truth, book), "book" },
	[STEP_STRATEGY] = { step_strategy, offsetof(struct packet_truth, strategy), "strategy" },
	[STEP_RISK] = { step_risk, offsetof(struct packet_truth, risk), "risk" },
	[STEP_ORDER] = { step_order, offsetof(struct packet_truth, order), "order" },
};

/* First step of each lane, by number of lanes; the next lane's first step ends it. */
static const unsigned cuts[MAX_LANES][MAX_LANES + 1] = {
	{ STEP_DECODE, NR_STEPS },
	{ STEP_DECODE, STEP_STRATEGY, NR_STEPS },
	{ STEP_DECODE, STEP_BOOK, STEP_RISK, NR_STEPS },
};

static bool run_logged(struct lane *lane, const struct step *step, struct work *work)
{
	struct stage_truth *truth = (void *)((char *)work->truth + step->truth_offset);
	uint64_t begin = now_ns(), end;
	bool goes_on = step->run(lane->pipeline, work);

	end = now_ns();
	if (!truth->begin_ns) {
		truth->begin_ns = begin;
		truth->end_ns = end;
		truth->tid = lane->tid;
	}
	truth->last_begin_ns = begin;
	truth->last_end_ns = end;
	truth->sum_ns += end - begin;
	return goes_on;
}

static void run_lane(struct lane *lane, struct work *work)
{
	for (unsigned i = lane->first; i < lane->end; i++) {
		bool goes_on = work->truth ? run_logged(lane, &steps[i], work) :
					     steps[i].run(lane->pipeline, work);

		if (!goes_on)
			return;
	}
	if (lane->out)
		ring_push(lane->out, work);
}

/* A full ring before a slow stage may hold minutes of work. */
static bool is_given_up(struct pipeline *pipeline)
{
	uint64_t end_ns = atomic_load_explicit(&pipeline->drain_end_ns, memory_order_relaxed);

	return end_ns && now_ns() > end_ns;
}

static void *serve_lane(void *arg)
{
	struct lane *lane = arg;
	struct work work;

	lane->tid = (uint64_t)gettid();
	for (;;) {
		ring_pop(lane->in, &work);
		if (work.is_end)
			break;
		if (is_given_up(lane->pipeline))
			atomic_fetch_add(&lane->pipeline->nr_discarded, 1);
		else
			run_lane(lane, &work);
	}
	if (lane->out)
		ring_push(lane->out, &work);
	return NULL;
}

static int start_lane(struct lane *before, struct lane *lane, bool busy_poll)
{
	int err = ring_new(RING_SLOTS, sizeof(struct work), busy_poll, &lane->in);

	if (err)
		return err;
	err = -pthread_create(&lane->thread, NULL, serve_lane, lane);
	if (err) {
		ring_free(lane->in);
		lane->in = NULL;
		return err;
	}
	pthread_setname_np(lane->thread, steps[lane->first].thread_name);
	lane->is_started = true;
	before->out = lane->in;
	return 0;
}

int pipeline_start(struct pipeline *self, unsigned nr_lanes, bool busy_poll)
{
	int err = 0;

	self->nr_lanes = nr_lanes;
	for (unsigned i = 0; i < nr_lanes; i++)
		self->lanes[i] = (struct lane){ .pipeline = self,
						.first = cuts[nr_lanes - 1][i],
						.end = cuts[nr_lanes - 1][i + 1] };
	self->lanes[0].tid = (uint64_t)gettid();
	/* From the last one, so that a lane knows its own out ring before it starts. */
	for (unsigned i = nr_lanes - 1; i > 0 && !err; i--)
		err = start_lane(&self->lanes[i - 1], &self->lanes[i], busy_poll);
	return err;
}

void pipeline_feed(struct pipeline *self, struct work *work)
{
	run_lane(&self->lanes[0], work);
}

void pipeline_stop(struct pipeline *self)
{
	struct work end = { .is_end = true };

	atomic_store(&self->drain_end_ns, now_ns() + DRAIN_NS);
	/* A lane passes the end on; one whose predecessor never started is told here. */
	for (unsigned i = 1; i < self->nr_lanes; i++)
		if (self->lanes[i].is_started && (i == 1 || !self->lanes[i - 1].is_started))
			ring_push(self->lanes[i].in, &end);
	for (unsigned i = 1; i < self->nr_lanes; i++) {
		if (!self->lanes[i].is_started)
			continue;
		pthread_join(self->lanes[i].thread, NULL);
		ring_free(self->lanes[i].in);
	}
	self->nr_lanes = 0;
}
