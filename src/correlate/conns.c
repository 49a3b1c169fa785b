// SPDX-License-Identifier: BSD-2-Clause
/*
 * conns.c - the sockets by id, their groups, and who is at the other end
 *
 * A socket is known from its GEMBA_CONN record, or from its first event when that was lost.
 * An endpoint is a remote address on one local port, whatever the number of connections; a
 * peer on this host is an endpoint of its own by its process name. Both are bounded: sockets
 * that have been idle longest go, endpoints beyond the bound share the last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/correlate/state.h"

#define MAX_CONNS 65536
#define MAX_PEERS 16384

static void detach_items(struct correlate *self, struct conn *conn)
{
	struct thread *sender = idmap_get(&self->threads, conn->last_sender);

	if (sender)
		own_share(self, conn, sender);
	while (!list_is_empty(&conn->items))
		item_close(self, list_entry(conn->items.next, struct item, by_conn));
}

static void forget_conn(struct correlate *self, struct conn *conn)
{
	detach_items(self, conn);
	out_give_up(self, conn);
	state_depth(self, conn, 0);
	list_del(&conn->by_time);
	idmap_del(&self->conns, conn->id);
	if (self->last_conn == conn)
		self->last_conn = NULL;
	/* sockets that shared its arrivals stand alone from now on */
	for (size_t i = 0; conn->is_udp && i < self->conns.room; i++) {
		struct conn *other = self->conns.slots[i].key ? self->conns.slots[i].value : NULL;

		if (other && other->group == conn)
			other->group = other;
	}
	conn_free(conn);
}

static struct conn *add_conn(struct correlate *self, const struct gemba_conn *is)
{
	struct conn *conn;

	if (self->conns.nr >= MAX_CONNS)
		forget_conn(self, list_entry(self->conns_by_time.next, struct conn, by_time));
	conn = conn_new(is, self->now_ns);
	if (!conn || idmap_put(&self->conns, conn->id, conn)) {
		conn_free(conn);
		self->error = -ENOMEM;
		return NULL;
	}
	list_add_tail(&self->conns_by_time, &conn->by_time);
	self->account.sockets++;
	return conn;
}

struct conn *state_conn(struct correlate *self, uint32_t id)
{
	struct conn *conn = self->last_conn;

	if (!conn || conn->id != id)
		conn = idmap_get(&self->conns, id);
	if (!conn)
		return NULL;
	/* the list is for what is idle for long: its order need not be exact */
	if (self->now_ns - conn->last_used_ns > 1000000000) {
		conn->last_used_ns = self->now_ns;
		list_move_tail(&self->conns_by_time, &conn->by_time);
	}
	self->last_conn = conn;
	return conn;
}

static bool same_place(const struct gemba_conn *a, const struct gemba_conn *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->netns == b->netns &&
	       !memcmp(a->laddr, b->laddr, 16) && !memcmp(a->raddr, b->raddr, 16);
}

/* Datagram sockets on the same address: the first one's id stands in the rx events of all. It
 * may be told after the others, which were alone until now. */
static void find_group(struct correlate *self, struct conn *conn)
{
	for (size_t i = 0; i < self->conns.room; i++) {
		struct conn *other = self->conns.slots[i].key ? self->conns.slots[i].value : NULL;

		if (!other || !other->is_udp || other == conn || other->group != other)
			continue;
		if (!same_place(&other->is, &conn->is))
			continue;
		if (other->id < conn->group->id)
			conn->group = other;
		else if (other->id > conn->id)
			other->group = conn;
	}
}

static void listen_on(struct correlate *self, uint32_t port)
{
	if (!idmap_get(&self->ports, port + 1) && idmap_put(&self->ports, port + 1, self))
		self->error = -ENOMEM;
	for (size_t i = 0; i < self->conns.room; i++) {
		struct conn *conn = self->conns.slots[i].key ? self->conns.slots[i].value : NULL;

		if (!conn || conn->is_udp || conn->is.lport != port || conn->is_accepted ||
		    conn->is.how != GEMBA_HOW_UNKNOWN)
			continue;
		/* told before its listener: its peer was taken for one the target had sought */
		conn->is_accepted = true;
		conn->supplier = ENDPOINT_NONE;
		conn->is_flow_counted = false;
	}
}

void state_conn_told(struct correlate *self, const struct gemba_conn *is)
{
	struct conn *conn = idmap_get(&self->conns, is->ev.sk);

	if (is->how == GEMBA_HOW_LISTEN) {
		self->account.listeners++;
		listen_on(self, is->lport);
		return;
	}
	if (!is->ev.sk)
		return;
	if (conn) {
		conn->is = *is; /* bound or connected since */
		conn->group = conn;
		conn->supplier = ENDPOINT_NONE;
	} else {
		conn = add_conn(self, is);
	}
	if (!conn)
		return;
	conn->is_accepted =
		is->how == GEMBA_HOW_ACCEPTED ||
		(is->how == GEMBA_HOW_UNKNOWN && idmap_get(&self->ports, is->lport + 1));
	if (conn->is_udp && is->lport)
		find_group(self, conn);
}

void state_conn_closed(struct correlate *self, struct conn *conn)
{
	forget_conn(self, conn);
}

void state_depth(struct correlate *self, struct conn *conn, uint32_t depth)
{
	if (depth == conn->depth)
		return;
	if (conn->depth && self->sink.queue_depth)
		self->sink.queue_depth(self->sink.ctx, conn->depth_since_ns, self->now_ns,
				       conn->depth);
	conn->depth = depth;
	conn->depth_since_ns = self->now_ns;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->is_udp == b->is_udp && a->is_opened == b->is_opened && a->port == b->port &&
	       !memcmp(a->raddr, b->raddr, 16) && !memcmp(a->laddr, b->laddr, 16);
}

static uint32_t find_endpoint(struct correlate *self, const struct endpoint *want,
			      struct conn *conn)
{
	struct endpoint *found = NULL;

	for (size_t i = 0; i < self->nr_endpoints && !found; i++) {
		struct endpoint *one = &self->endpoints[i];

		if (!same_endpoint(one, want))
			continue;
		if (!one->comm[0] && want->comm[0]) {
			/* the first name that becomes known is that of those before it as well */
			memcpy(one->comm, want->comm, sizeof(one->comm));
			one->comm_pid = want->comm_pid;
		}
		if (!want->comm[0] || !strcmp(one->comm, want->comm))
			found = one;
	}
	if (!found) {
		if (self->nr_endpoints < MAX_ENDPOINTS)
			self->nr_endpoints++;
		found = &self->endpoints[self->nr_endpoints - 1];
		if (self->nr_endpoints < MAX_ENDPOINTS)
			*found = *want;
	}
	found->flows += !conn->is_flow_counted;
	conn->is_flow_counted = true;
	return found - self->endpoints;
}

/* Of two addresses with the same fold the first stands for both, as in the kernel. */
void state_peer_told(struct correlate *self, const struct gemba_peer *is)
{
	void *addr;

	if (self->peers.nr >= MAX_PEERS || idmap_get(&self->peers, is->ev.seq))
		return;
	addr = malloc(sizeof(is->addr));
	if (addr)
		memcpy(addr, is->addr, sizeof(is->addr));
	if (!addr || idmap_put(&self->peers, is->ev.seq, addr))
		free(addr);
}

/* A folded IPv6 address stands for itself in the last word if its GEMBA_PEER is not known. */
static void raddr_of(const struct correlate *self, uint32_t raddr, bool is_v6, uint8_t to[16])
{
	const void *addr = is_v6 ? idmap_get(&self->peers, raddr) : NULL;

	if (addr) {
		memcpy(to, addr, 16);
		return;
	}
	memset(to, 0, 16);
	if (!is_v6)
		to[10] = to[11] = 0xff;
	memcpy(to + 12, &raddr, 4);
}

/* Remote ports of an unconnected socket's peers are its flows; without memory they are not counted. */
static void count_peer(struct correlate *self, uint32_t endpoint, uint16_t rport)
{
	uint8_t **ports = &self->peer_ports[endpoint];

	if (!*ports)
		*ports = calloc(1, 65536 / 8);
	if (!*ports || (*ports)[rport >> 3] & 1 << (rport & 7))
		return;
	(*ports)[rport >> 3] |= 1 << (rport & 7);
	self->endpoints[endpoint].flows++;
}

static bool is_multicast(const uint8_t addr[16])
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	return addr[0] == 0xff || (!memcmp(addr, v4, 12) && addr[12] >> 4 == 14);
}

static uint32_t datagram_endpoint(struct correlate *self, struct conn *conn, uint32_t raddr,
				  bool is_v6)
{
	struct endpoint want = { .port = conn->is.lport, .is_udp = true };

	conn->is_flow_counted |= !conn->is.rport; /* those are counted by their ports */
	if (is_multicast(conn->is.laddr))
		memcpy(want.laddr, conn->is.laddr, 16);
	if (conn->is.rport) {
		memcpy(want.raddr, conn->is.raddr, 16);
		memcpy(want.comm, conn->peer_comm, 16);
		want.comm_pid = conn->peer_pid;
	} else {
		raddr_of(self, raddr, is_v6, want.raddr);
	}
	/* unconnected sockets have many peers: the last one found is kept at hand */
	if (conn->supplier != ENDPOINT_NONE &&
	    same_endpoint(&self->endpoints[conn->supplier], &want))
		return conn->supplier;
	return conn->supplier = find_endpoint(self, &want, conn);
}

static uint32_t stream_endpoint(struct correlate *self, struct conn *conn)
{
	struct endpoint want = { .is_opened = !conn->is_accepted };

	if (conn->supplier != ENDPOINT_NONE)
		return conn->supplier;
	memcpy(want.raddr, conn->is.raddr, 16);
	memcpy(want.comm, conn->peer_comm, 16);
	want.comm_pid = conn->peer_pid;
	want.port = conn->is_accepted ? conn->is.lport : conn->is.rport;
	return conn->supplier = find_endpoint(self, &want, conn);
}

uint32_t state_supplier(struct correlate *self, struct conn *conn, const struct arrival *arrival)
{
	uint32_t endpoint;

	if (!conn->is_udp)
		return stream_endpoint(self, conn);
	if (!arrival->has_rx && !conn->is.rport)
		return ENDPOINT_NONE;
	endpoint = datagram_endpoint(self, conn, arrival->raddr, arrival->is_v6);
	if (!conn->is.rport)
		count_peer(self, endpoint, arrival->rport);
	return endpoint;
}

uint32_t state_customer(struct correlate *self, struct conn *conn, uint32_t raddr, uint16_t rport,
			bool is_v6)
{
	struct endpoint want = { .is_udp = true, .is_opened = true, .port = rport };

	if (!conn->is_udp)
		return stream_endpoint(self, conn);
	if (idmap_get(&self->ports, conn->is.lport + 1) || conn->rx.nr || conn->nr_read)
		return datagram_endpoint(self, conn, raddr, is_v6);
	raddr_of(self, raddr, is_v6, want.raddr);
	return find_endpoint(self, &want, conn);
}

void state_fini_conns(struct correlate *self)
{
	for (size_t i = 0; i < self->conns.room; i++)
		if (self->conns.slots[i].key)
			conn_free(self->conns.slots[i].value);
	for (size_t i = 0; i < self->peers.room; i++)
		if (self->peers.slots[i].key)
			free(self->peers.slots[i].value);
	idmap_fini(&self->conns);
	idmap_fini(&self->ports);
	idmap_fini(&self->peers);
}
