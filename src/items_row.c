// SPDX-License-Identifier: BSD-2-Clause
/*
 * items_row.c - formats of single items: a table row per format, no state
 *
 * Instants are CLOCK_MONOTONIC nanoseconds, as in the trace; steps are named by their ends.
 */
#include "src/items_row.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/vsm.h"

static const char *const attributions[] = {
	[ATTRIBUTED_NONE] = "none",
	[ATTRIBUTED_KEY] = "key",
	[ATTRIBUTED_CONNECTION] = "connection",
	[ATTRIBUTED_THREAD] = "thread",
	[ATTRIBUTED_GUESSED] = "guessed",
};
_Static_assert(sizeof(attributions) / sizeof(attributions[0]) == ATTRIBUTED_NR, "one name each");

uint64_t items_lead_ns(const struct journey *journey)
{
	if (journey->is_partial || journey->outcome == OUTCOME_DROPPED)
		return 0;
	return journey->stamps[journey->nr_stamps - 1].at_ns - journey->stamps[0].at_ns;
}

int items_names_read(struct items_names *self, const struct capture *capture)
{
	for (size_t i = 0; i < capture->nr_stages && i < GEMBA_MAX_STAGES; i++) {
		const char *name = capture->stages[i].name;

		self->stages[i] = strdup(name ? name : "stage");
		if (!self->stages[i])
			return -ENOMEM;
		self->nr_stages++;
	}
	return 0;
}

void items_names_fini(struct items_names *self)
{
	for (size_t i = 0; i < self->nr_stages; i++)
		free(self->stages[i]);
	self->nr_stages = 0;
}

const char *items_station(const struct items_names *self, unsigned int station)
{
	if (station < STATION_STAGE)
		return station_name(station);
	if (station >= STATION_HANDOFF && station < STATION_NR)
		return "handoff";
	return station - STATION_STAGE < self->nr_stages ? self->stages[station - STATION_STAGE] :
							   "stage";
}

static void text_head(const struct items_names *names, FILE *out)
{
	(void)names;
	fprintf(out, "%8s %5s %-8s %-10s %11s  %s\n", "ID", "PORT", "OUTCOME", "BY", "LEAD_us",
		"STATIONS (us from the first)");
}

static void text_row(const struct items_names *names, const struct journey *journey,
		     uint64_t number, FILE *out)
{
	uint64_t lead_ns = items_lead_ns(journey), first_ns = journey->stamps[0].at_ns;

	(void)number;
	fprintf(out, "%8" PRIu64 " %5u %-8s %-10s ", journey->id,
		journey->in_lport ?: journey->out_lport, outcome_name(journey->outcome),
		attributions[journey->attribution]);
	if (lead_ns)
		fprintf(out, "%11.3f ", lead_ns / 1e3);
	else
		fprintf(out, "%11s ", "-");
	for (uint32_t i = 0; i < journey->nr_stamps; i++) {
		const struct stamp *stamp = &journey->stamps[i];

		fprintf(out, " %s", items_station(names, stamp->station));
		if (i)
			fprintf(out, " +%.1f", (stamp->at_ns - first_ns) / 1e3);
		if (stamp->more_visits)
			fprintf(out, " x%u", stamp->more_visits + 1);
	}
	if (journey->has_key)
		fprintf(out, " key %" PRIu64, journey->key);
	fprintf(out, "%s%s%s\n", journey->is_partial ? " (partial)" : "",
		journey->is_doubtful ? " (doubtful)" : "", journey->is_warmup ? " (warm-up)" : "");
}

static void no_tail(FILE *out)
{
	(void)out;
}

static const unsigned int csv_stations[] = { STATION_RX,   STATION_SOCK, STATION_RECV,
					     STATION_SEND, STATION_TXQ,	 STATION_TX };
#define NR_CSV_STATIONS (sizeof(csv_stations) / sizeof(csv_stations[0]))

static void csv_head(const struct items_names *names, FILE *out)
{
	fprintf(out, "id,key,protocol,in_local_port,in_remote_port,out_local_port,out_remote_port,"
		     "outcome,attribution,partial,doubtful,warmup,bytes_in,bytes_out,outputs,"
		     "outputs_shared,merges,retransmits,lead_time_ns");
	for (size_t i = 0; i < NR_CSV_STATIONS; i++)
		fprintf(out, ",%s_ns", station_name(csv_stations[i]));
	fprintf(out, ",recv_tid,send_tid");
	for (size_t i = 0; i < names->nr_stages; i++)
		fprintf(out, ",%s_ns", names->stages[i]);
	fputc('\n', out);
}

static const struct stamp *find_stamp(const struct journey *journey, unsigned int station)
{
	for (uint32_t i = 0; i < journey->nr_stamps; i++)
		if (journey->stamps[i].station == station)
			return &journey->stamps[i];
	return NULL;
}

static void csv_instant(const struct journey *journey, unsigned int station, FILE *out)
{
	const struct stamp *stamp = find_stamp(journey, station);

	fputc(',', out);
	if (stamp)
		fprintf(out, "%" PRIu64, stamp->at_ns);
}

static void csv_row(const struct items_names *names, const struct journey *journey, uint64_t number,
		    FILE *out)
{
	const struct stamp *recv = find_stamp(journey, STATION_RECV);
	const struct stamp *send = find_stamp(journey, STATION_SEND) ?:
					   find_stamp(journey, STATION_TXQ);
	uint64_t lead_ns = items_lead_ns(journey);

	(void)number;
	fprintf(out, "%" PRIu64 ",", journey->id);
	if (journey->has_key)
		fprintf(out, "%" PRIu64, journey->key);
	fprintf(out, ",%s,%u,%u,%u,%u,%s,%s,%d,%d,%d,%u,%" PRIu64 ",%u,%u,%u,%u,",
		journey->is_udp ? "udp" : "tcp", journey->in_lport, journey->in_rport,
		journey->out_lport, journey->out_rport, outcome_name(journey->outcome),
		attributions[journey->attribution], journey->is_partial, journey->is_doubtful,
		journey->is_warmup, journey->bytes_in, journey->bytes_out, journey->outputs,
		journey->outputs_shared, journey->merges, journey->retransmits);
	if (lead_ns)
		fprintf(out, "%" PRIu64, lead_ns);
	for (size_t i = 0; i < NR_CSV_STATIONS; i++)
		csv_instant(journey, csv_stations[i], out);
	fprintf(out, ",%u,%u", recv ? recv->tid : 0, send ? send->tid : 0);
	for (size_t i = 0; i < names->nr_stages; i++)
		csv_instant(journey, STATION_STAGE + i, out);
	fputc('\n', out);
}

static void json_head(const struct items_names *names, FILE *out)
{
	(void)names;
	fputs("[", out);
}

static void json_parts(const struct parts *parts, FILE *out)
{
	if (!parts->is_known)
		return;
	fprintf(out,
		",\"on_cpu_ns\":%" PRIu64 ",\"run_queue_ns\":%" PRIu64 ",\"blocked_ns\":%" PRIu64
		",\"busy_item_ns\":%" PRIu64 ",\"busy_other_ns\":%" PRIu64,
		parts->on_cpu_ns, parts->run_queue_ns, parts->blocked_ns, parts->busy_item_ns,
		parts->busy_other_ns);
}

/* As text: readers of JSON may take numbers for doubles. */
static const char *key_text(const struct journey *journey, char key[24])
{
	snprintf(key, 24, "\"%" PRIu64 "\"", journey->key);
	return journey->has_key ? key : "null";
}

static void json_row(const struct items_names *names, const struct journey *journey,
		     uint64_t number, FILE *out)
{
	uint64_t lead_ns = items_lead_ns(journey);
	char key[24];

	fprintf(out,
		"%s\n{\"id\":%" PRIu64 ",\"key\":%s,\"protocol\":\"%s\",\"in_local_port\":%u,"
		"\"in_remote_port\":%u,\"out_local_port\":%u,\"out_remote_port\":%u,"
		"\"outcome\":\"%s\",\"attribution\":\"%s\",\"partial\":%s,\"doubtful\":%s,"
		"\"warmup\":%s,\"in_seq\":%u,\"out_seq\":%u,\"bytes_in\":%u,\"bytes_out\":%" PRIu64
		",\"outputs\":%u,\"outputs_shared\":%u,\"merges\":%u,\"retransmits\":%u,"
		"\"lead_time_ns\":",
		number ? "," : "", journey->id, key_text(journey, key),
		journey->is_udp ? "udp" : "tcp", journey->in_lport, journey->in_rport,
		journey->out_lport, journey->out_rport, outcome_name(journey->outcome),
		attributions[journey->attribution], journey->is_partial ? "true" : "false",
		journey->is_doubtful ? "true" : "false", journey->is_warmup ? "true" : "false",
		journey->in_seq, journey->out_seq, journey->bytes_in, journey->bytes_out,
		journey->outputs, journey->outputs_shared, journey->merges, journey->retransmits);
	if (lead_ns)
		fprintf(out, "%" PRIu64, lead_ns);
	else
		fputs("null", out);
	fputs(",\"stations\":[", out);
	for (uint32_t i = 0; i < journey->nr_stamps; i++) {
		const struct stamp *stamp = &journey->stamps[i];

		fprintf(out, "%s{\"name\":\"%s\",\"at_ns\":%" PRIu64 ",\"tid\":%u,\"cpu\":%u",
			i ? "," : "", items_station(names, stamp->station), stamp->at_ns,
			stamp->tid, stamp->cpu);
		if (stamp->more_visits)
			fprintf(out, ",\"visits\":%u", stamp->more_visits + 1);
		json_parts(&stamp->parts, out);
		fputc('}', out);
	}
	fputs("]}", out);
}

static void json_tail(FILE *out)
{
	fputs("\n]\n", out);
}

const struct items_format *items_format(const char *name)
{
	static const struct items_format formats[] = {
		{ "text", text_head, text_row, no_tail },
		{ "csv", csv_head, csv_row, no_tail },
		{ "json", json_head, json_row, json_tail },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return &formats[0];
}

/* The step a scope names: FROM>TO, or a built-in name; its end's index, or 0. */
static uint32_t find_step(const struct items_names *stations, const struct journey *journey,
			  const char *scope)
{
	static const struct {
		const char *name;
		const char *id;
	} names[] = {
		{ "kernel_rx", "rx>sock" }, { "socket_queue", "sock>recv" },
		{ "process", "recv>send" }, { "process", "recv>txq" },
		{ "send", "send>txq" },	    { "qdisc", "txq>tx" },
	};

	for (uint32_t i = 1; i < journey->nr_stamps; i++) {
		unsigned int from = journey->stamps[i - 1].station;
		char id[160];

		snprintf(id, sizeof(id), "%s>%s", items_station(stations, from),
			 items_station(stations, journey->stamps[i].station));
		if (!strcmp(id, scope) ||
		    (from >= STATION_STAGE && !strcmp(items_station(stations, from), scope)))
			return i;
		if (!strcmp(scope, "receive") && from == STATION_RECV &&
		    journey->stamps[i].station >= STATION_STAGE)
			return i;
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (!strcmp(names[k].name, scope) && !strcmp(names[k].id, id))
				return i;
	}
	return 0;
}

static double step_value(const struct journey *journey, uint32_t i, const char *metric)
{
	const struct stamp *stamp = &journey->stamps[i];
	const struct {
		const char *name;
		uint64_t ns;
	} parts[] = {
		{ "on_cpu", stamp->parts.on_cpu_ns },
		{ "run_queue", stamp->parts.run_queue_ns },
		{ "blocked", stamp->parts.blocked_ns },
		{ "busy_item", stamp->parts.busy_item_ns },
		{ "busy_other", stamp->parts.busy_other_ns },
	};

	if (!strcmp(metric, "time"))
		return stamp->at_ns - stamp[-1].at_ns;
	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && stamp->parts.is_known; k++)
		if (!strcmp(parts[k].name, metric))
			return parts[k].ns;
	return NAN;
}

double items_value(const struct items_names *stations, const struct journey *journey,
		   const struct expr *expr)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "outputs", journey->outputs },	 { "bytes_in", journey->bytes_in },
		{ "bytes_out", journey->bytes_out },	 { "merges", journey->merges },
		{ "retransmits", journey->retransmits },
	};
	uint64_t lead_ns = items_lead_ns(journey);
	uint32_t step;

	if (expr->scope[0]) {
		step = find_step(stations, journey, expr->scope);
		return step ? step_value(journey, step, expr->metric) : NAN;
	}
	if (!strcmp(expr->metric, "lead_time"))
		return lead_ns ? lead_ns : NAN;
	if (!strcmp(expr->metric, "time_to_last_output"))
		return lead_ns && journey->last_output_ns ?
			       (double)(journey->last_output_ns - journey->stamps[0].at_ns) :
			       NAN;
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
		if (!strcmp(counts[k].name, expr->metric))
			return counts[k].value;
	return NAN;
}
