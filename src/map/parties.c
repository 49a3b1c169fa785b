// SPDX-License-Identifier: BSD-2-Clause
/*
 * parties.c - counts per endpoint; the busiest become suppliers and customers
 *
 * correlate/ has grouped connections into endpoints, here they are only counted, by index.
 * Every item that came from one counts for its supplier, whatever became of it; a customer is
 * who got a first output.
 */
#include "src/map/parties.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 16

void parties_init(struct parties *self)
{
	memset(self, 0, sizeof(*self));
	hist_init(&self->rtt_rest);
}

void parties_fini(struct parties *self)
{
	for (size_t i = 0; i < self->nr_rtts; i++)
		hist_fini(&self->rtts[i]);
	free(self->rtts);
	free(self->parties);
	hist_fini(&self->rtt_rest);
}

/* NULL: no memory. */
static struct party *party_of(struct parties *self, uint32_t endpoint)
{
	if (endpoint >= PARTIES_MAX)
		return &self->beyond;
	while (endpoint >= self->room) {
		size_t room = self->room ? 2 * self->room : FIRST_ROOM;
		struct party *parties = realloc(self->parties, room * sizeof(*parties));

		if (!parties)
			return NULL;
		memset(parties + self->room, 0, (room - self->room) * sizeof(*parties));
		self->parties = parties;
		self->room = room;
	}
	if (endpoint >= self->nr)
		self->nr = endpoint + 1;
	return &self->parties[endpoint];
}

static int count(struct parties *self, uint32_t endpoint, bool is_in, uint64_t bytes)
{
	struct party *party = party_of(self, endpoint);
	struct traffic *traffic;

	if (!party)
		return -ENOMEM;
	traffic = is_in ? &party->in : &party->out;
	traffic->items++;
	traffic->bytes += bytes;
	return 0;
}

int parties_add(struct parties *self, const struct journey *journey)
{
	int err = 0;

	if (journey->supplier != ENDPOINT_NONE && !journey->is_originated)
		err = count(self, journey->supplier, true, journey->bytes_in);
	if (!err && journey->customer != ENDPOINT_NONE && journey->outcome == OUTCOME_OUT)
		err = count(self, journey->customer, false, journey->bytes_out);
	return err;
}

static int new_rtt(struct parties *self, struct party *party)
{
	struct hist *rtts = realloc(self->rtts, (self->nr_rtts + 1) * sizeof(*rtts));

	if (!rtts)
		return -ENOMEM;
	self->rtts = rtts;
	hist_init(&rtts[self->nr_rtts]);
	party->rtt = ++self->nr_rtts;
	return 0;
}

int parties_round_trip(struct parties *self, uint32_t endpoint, uint64_t rtt_ns)
{
	struct party *party;

	if (endpoint == ENDPOINT_NONE)
		return 0;
	party = party_of(self, endpoint);
	if (!party)
		return -ENOMEM;
	if (!party->rtt && (party == &self->beyond || self->nr_rtts == PARTIES_MAX_RTTS))
		return hist_add(&self->rtt_rest, rtt_ns);
	if (!party->rtt && new_rtt(self, party) < 0)
		return -ENOMEM;
	return hist_add(&self->rtts[party->rtt - 1], rtt_ns);
}
