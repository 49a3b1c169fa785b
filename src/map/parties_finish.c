// SPDX-License-Identifier: BSD-2-Clause
/*
 * parties_finish.c - the busiest endpoints under the names people know them by
 *
 * An accepted connection's peer has an ephemeral port, which is left out: its local port tells
 * it apart. On a connection that the target opened it is the other way round. Round trips are
 * the connection's, and so the same for who supplies and who is supplied over it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/map/parties.h"

struct side {
	const struct parties *parties;
	const struct endpoint *endpoints;
	size_t nr_endpoints;
	bool is_in;
	double window_s;
};

struct entry {
	uint32_t endpoint;
	uint64_t items;
};

static const struct traffic *traffic_of(const struct side *side, const struct party *party)
{
	return side->is_in ? &party->in : &party->out;
}

static int by_items(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->items != b->items)
		return a->items > b->items ? -1 : 1;
	return a->endpoint < b->endpoint ? -1 : 1;
}

/* Those with items and a name, the busiest first; *nr of them. NULL: no memory. */
static struct entry *busiest(const struct side *side, size_t *nr)
{
	struct entry *entries = calloc(side->parties->nr + 1, sizeof(*entries));

	*nr = 0;
	for (size_t i = 0; entries && i < side->parties->nr; i++) {
		uint64_t items = traffic_of(side, &side->parties->parties[i])->items;

		if (items && i < side->nr_endpoints)
			entries[(*nr)++] = (struct entry){ i, items };
	}
	if (entries)
		qsort(entries, *nr, sizeof(*entries), by_items);
	return entries;
}

/* Without a port when has_port is not set. */
static char *address_text(const uint8_t addr[16], bool has_port, uint16_t number)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char host[INET6_ADDRSTRLEN], port[8] = "", *text;
	bool is_v4 = !memcmp(addr, mapped, sizeof(mapped));

	inet_ntop(is_v4 ? AF_INET : AF_INET6, addr + (is_v4 ? 12 : 0), host, sizeof(host));
	if (has_port)
		snprintf(port, sizeof(port), ":%u", number);
	if (asprintf(&text, is_v4 ? "%s%s" : "[%s]%s", host, port) < 0)
		return NULL;
	return text;
}

/* A port alone, unless the socket is bound to a multicast group. */
static char *local_text(const struct endpoint *endpoint)
{
	static const uint8_t none[sizeof(endpoint->laddr)];
	char *text;

	if (endpoint->is_opened)
		return strdup("");
	if (memcmp(endpoint->laddr, none, sizeof(none)) != 0)
		return address_text(endpoint->laddr, true, endpoint->port);
	return asprintf(&text, ":%u", endpoint->port) < 0 ? NULL : text;
}

static int describe(struct vsm_endpoint *out, const struct endpoint *endpoint)
{
	out->is_udp = endpoint->is_udp;
	out->flows = endpoint->flows;
	out->local = local_text(endpoint);
	out->remote = address_text(endpoint->raddr, endpoint->is_opened, endpoint->port);
	if (!out->remote || !out->local)
		return -ENOMEM;
	out->name = endpoint->comm[0] ? strndup(endpoint->comm, sizeof(endpoint->comm)) :
					strdup(out->remote);
	return out->name ? 0 : -ENOMEM;
}

static int add_party(struct vsm_endpoint *out, const struct side *side, const struct party *party)
{
	const struct traffic *traffic = traffic_of(side, party);

	out->items += traffic->items;
	out->bytes += traffic->bytes;
	out->rate_hz = side->window_s > 0 ? (double)out->items / side->window_s : NAN;
	if (!party->rtt)
		return 0;
	return hist_merge(&out->rtt, &side->parties->rtts[party->rtt - 1]);
}

static int add_entry(struct vsm_endpoint *list, size_t *nr, const struct side *side,
		     const struct entry *entry)
{
	struct vsm_endpoint *out = &list[*nr];

	hist_init(&out->rtt);
	++*nr;
	if (asprintf(&out->id, "%c%zu", side->is_in ? 's' : 'c', *nr) < 0) {
		out->id = NULL;
		return -ENOMEM;
	}
	if (describe(out, &side->endpoints[entry->endpoint]) < 0)
		return -ENOMEM;
	return add_party(out, side, &side->parties->parties[entry->endpoint]);
}

static int add_others(struct vsm_endpoint *list, size_t *nr, const struct side *side,
		      const struct entry *entries, size_t nr_entries)
{
	struct vsm_endpoint *out = &list[*nr];

	hist_init(&out->rtt);
	++*nr;
	out->id = strdup("others");
	out->name = strdup("others");
	out->local = strdup("");
	out->remote = strdup("");
	if (!out->id || !out->name || !out->local || !out->remote)
		return -ENOMEM;
	for (size_t i = 0; i < nr_entries; i++) {
		out->flows += side->endpoints[entries[i].endpoint].flows;
		if (add_party(out, side, &side->parties->parties[entries[i].endpoint]) < 0)
			return -ENOMEM;
	}
	if (hist_merge(&out->rtt, &side->parties->rtt_rest) < 0)
		return -ENOMEM;
	return add_party(out, side, &side->parties->beyond);
}

static int finish_side(const struct side *side, struct vsm_endpoint *list, size_t *nr)
{
	size_t nr_entries, shown;
	struct entry *entries = busiest(side, &nr_entries);
	int err = entries ? 0 : -ENOMEM;

	shown = nr_entries < VSM_MAX_ENDPOINTS ? nr_entries : VSM_MAX_ENDPOINTS;
	for (size_t i = 0; !err && i < shown; i++)
		err = add_entry(list, nr, side, &entries[i]);
	if (!err && (nr_entries > shown || traffic_of(side, &side->parties->beyond)->items))
		err = add_others(list, nr, side, entries + shown, nr_entries - shown);
	free(entries);
	return err;
}

int parties_finish(const struct parties *self, const struct endpoint *endpoints,
		   size_t nr_endpoints, struct vsm *vsm)
{
	struct side side = {
		.parties = self,
		.endpoints = endpoints,
		.nr_endpoints = nr_endpoints,
		.is_in = true,
		.window_s = (double)(vsm->window_end_ns - vsm->window_start_ns) / 1e9,
	};
	int err = finish_side(&side, vsm->suppliers, &vsm->nr_suppliers);

	side.is_in = false;
	return err ? err : finish_side(&side, vsm->customers, &vsm->nr_customers);
}
