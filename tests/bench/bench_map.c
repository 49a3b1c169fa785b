// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_map.c - what a journey costs on its way into the map, and what memory the map holds
 *
 * Journeys of the six built-in stations with parts, one to ten families, at a rate; the cost
 * of making them is measured apart and taken off. Then routes without number, the worst case
 * for memory: it must stay below 32 MB whatever comes.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/map/vsm_build.h"

enum { NR_VARIANTS = 1024, NR_ROUNDS = 5, NR_JOURNEYS = 1000000, NR_ROUTES = 100000 };

static uint64_t seed = 1;
static struct journey variants[NR_VARIANTS];

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Narrow with a tail, as latencies are. */
static uint64_t pass(uint32_t about_ns)
{
	return about_ns / 2 + draw(about_ns) + (draw(64) ? 0 : draw(16 * about_ns));
}

static void split(struct parts *parts, uint64_t time_ns)
{
	*parts = (struct parts){ .is_known = true, .on_cpu_ns = time_ns };
	if (draw(4))
		return;
	parts->run_queue_ns = draw(time_ns + 1);
	parts->on_cpu_ns -= parts->run_queue_ns;
	parts->ran[0].pid = 100 + draw(6);
	parts->ran[0].ns = parts->run_queue_ns;
}

static void make(struct journey *journey, const uint16_t *stations, unsigned int nr)
{
	memset(journey, 0, sizeof(*journey));
	journey->customer = journey->supplier = draw(50);
	journey->outputs = 1;
	journey->nr_stamps = nr;
	for (unsigned int i = 0; i < nr; i++) {
		struct stamp *stamp = &journey->stamps[i];
		uint64_t time_ns = i ? pass(3000) : 0;

		stamp->station = stations[i];
		stamp->cpu = draw(2);
		stamp->tid = stations[i] > STATION_SOCK && stations[i] < STATION_TX ? 7 : 0;
		stamp->at_ns = i ? stamp[-1].at_ns + time_ns : 0;
		if (stamp->tid)
			split(&stamp->parts, time_ns);
	}
	journey->last_output_ns = journey->stamps[nr - 1].at_ns;
}

static void make_variants(unsigned int nr_families)
{
	static const uint16_t route[] = { STATION_RX,	STATION_SOCK, STATION_RECV,
					  STATION_SEND, STATION_TXQ,  STATION_TX };

	for (unsigned int i = 0; i < NR_VARIANTS; i++) {
		make(&variants[i], route, 6);
		/* A stage of its own in place of send makes a family of its own. */
		if (i % nr_families)
			variants[i].stamps[3].station = STATION_STAGE + i % nr_families;
	}
}

static void shift(struct journey *to, const struct journey *from, uint64_t by_ns)
{
	memcpy(to, from, offsetof(struct journey, stamps));
	memcpy(to->stamps, from->stamps, from->nr_stamps * sizeof(from->stamps[0]));
	to->last_output_ns += by_ns;
	for (uint32_t i = 0; i < to->nr_stamps; i++)
		to->stamps[i].at_ns += by_ns;
}

static void ignore(void *ctx, const struct journey *journey)
{
	uint64_t *sum = ctx;

	*sum += journey->stamps[0].at_ns;
}

/* ns per journey; every `late_every`th is told of a second late. */
static double feed(const struct journey_sink *sink, unsigned int every_ns, unsigned int late_every)
{
	static struct journey journey;
	uint64_t begin_ns = now_ns(), at_ns = 1000000000;

	for (unsigned int i = 0; i < NR_JOURNEYS; i++) {
		bool is_late = late_every && i % late_every == 0 &&
			       i * (uint64_t)every_ns > 1000000000;

		shift(&journey, &variants[i % NR_VARIANTS], at_ns - (is_late ? 1000000000 : 0));
		journey.id = i + 1;
		sink->journey(sink->ctx, &journey);
		at_ns += every_ns;
	}
	return (double)(now_ns() - begin_ns) / NR_JOURNEYS;
}

static void finish(struct vsm_builder *builder, double *finish_ms)
{
	struct capture capture = { 0 };
	struct account account = { 0 };
	struct vsm *vsm;
	uint64_t begin_ns = now_ns();

	if (vsm_builder_finish(builder, &vsm, &capture, &account, NULL, 0) < 0)
		exit(1);
	*finish_ms = (double)(now_ns() - begin_ns) / 1e6;
	vsm_free(vsm);
	vsm_builder_free(builder);
}

static size_t used_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void bench(const char *name, unsigned int nr_families, unsigned int every_ns,
		  unsigned int late_every)
{
	double best = 1e9, best_making = 1e9, finish_ms = 0;
	size_t bytes = 0, before;
	uint64_t sum = 0;

	make_variants(nr_families);
	before = used_bytes();
	for (int round = 0; round < NR_ROUNDS; round++) {
		struct journey_sink nothing = { .ctx = &sum, .journey = ignore };
		struct journey_sink sink;
		struct vsm_builder *builder;
		double making = feed(&nothing, every_ns, late_every), all;

		if (vsm_builder_new(&builder, 0) < 0)
			exit(1);
		sink = vsm_builder_sink(builder);
		all = feed(&sink, every_ns, late_every);
		bytes = used_bytes() - before;
		best = all < best ? all : best;
		best_making = making < best_making ? making : best_making;
		finish(builder, &finish_ms);
	}
	printf("%-32s %6.0f ns/journey %6.1f MB, finish %5.1f ms\n", name, best - best_making,
	       bytes / 1e6, finish_ms);
}

/* Stations in any order, up to the longest route there is. */
static void bench_routes(void)
{
	static struct journey journey, moved;
	struct vsm_builder *builder;
	struct journey_sink sink;
	size_t most = 0, before = used_bytes();
	uint64_t begin_ns;
	double finish_ms;

	if (vsm_builder_new(&builder, 0) < 0)
		exit(1);
	sink = vsm_builder_sink(builder);
	begin_ns = now_ns();
	for (unsigned int i = 0; i < NR_ROUTES; i++) {
		uint16_t route[82];
		unsigned int nr = 2 + draw(i % 16 ? 8 : 80);

		for (unsigned int s = 0; s < nr; s++)
			route[s] = STATION_STAGE + draw(i % 4 ? 8 : 100);
		make(&journey, route, nr);
		journey.id = i + 1;
		shift(&moved, &journey, 1000000000 + i * 10000ULL);
		sink.journey(sink.ctx, &moved);
		if (i % 64 == 0 && used_bytes() - before > most)
			most = used_bytes() - before;
	}
	printf("%-32s %6.0f ns/journey %6.1f MB at most\n", "100 000 random routes",
	       (double)(now_ns() - begin_ns) / NR_ROUTES, most / 1e6);
	finish(builder, &finish_ms);
}

int main(void)
{
	bench("1 family, 10 000/s", 1, 100000, 0);
	bench("1 family, 1 000 000/s", 1, 1000, 0);
	bench("10 families, 100 000/s", 10, 10000, 0);
	bench("1 family, 100 000/s, 10 % late", 1, 10000, 10);
	bench_routes();
	return 0;
}
