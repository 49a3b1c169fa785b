/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * conn.bpf.h - which sockets are the target's
 *
 * State per socket lives in socket storage: found in a few nanoseconds, freed with the socket,
 * and a listener's is cloned into its children, which is how an accepted connection is known
 * before anyone accepts it. Packets that have no socket yet are found by their addresses in an
 * LRU map, behind one bit per local port so that a foreign packet pays a load.
 */
#ifndef GEMBA_BPF_CONN_H
#define GEMBA_BPF_CONN_H

#include "bpf/emit.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_CLOSE 7
#define TCP_LISTEN 10

#define FORM_CONNECTED 1
#define FORM_BOUND 2

struct conn {
	u64 txq_ns;
	u64 last_skb; /* UDP: the packet queued last, and where */
	u64 last_dev;
	u32 id;
	u32 send_end;
	u8 udp;
	u8 how;
	u8 said_empty;
	u8 sending;
	u32 pad;
};

/*
 * Where a packet of a socket comes in, small because every packet is looked up by it. Addresses
 * in their short form (short_addr), any-address 0; two IPv6 peers whose folds are the same would
 * also have to share all ports to be taken for one another.
 */
struct flow {
	u32 laddr;
	u32 raddr;
	u32 netns;
	u16 lport; /* network order, both */
	u16 rport;
	u32 udp;
};

struct owner {
	u32 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow);
	__type(value, struct owner);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u32);
} peers SEC(".maps");

#define PORT_WORDS 1024
u64 watched_ports[PORT_WORDS]; /* a bit for each local port that some socket of the target has */
u32 udp_forms;
u32 last_id;

static __always_inline bool port_is_watched(u16 port)
{
	return watched_ports[port >> 6] & (1ull << (port & 63));
}

/*
 * The state of a socket that is the target's, or NULL. Foreign sockets have no storage at all,
 * as a rule: one load tells. (A request or time-wait socket is smaller than that: what is read
 * there is not its own, and the helper then refuses it.)
 */
static __always_inline struct conn *conn_of(struct sock *sk)
{
	struct conn *conn;

	if (!sk->sk_bpf_storage)
		return NULL;
	conn = bpf_sk_storage_get(&conns, sk, 0, 0);
	return conn && conn->id ? conn : NULL;
}

static __always_inline u32 how_of(struct sock *sk)
{
	if (sk->sk_protocol == IPPROTO_UDP)
		return GEMBA_HOW_DATAGRAM;
	return sk->__sk_common.skc_state == TCP_LISTEN ? GEMBA_HOW_LISTEN : GEMBA_HOW_UNKNOWN;
}

/* An IPv4 address in the 16-byte form; any-address is all zero in both families. */
static __always_inline void put_v4(u8 to[16], u32 addr)
{
	u32 *w = (u32 *)to;

	w[0] = w[1] = 0;
	w[2] = addr ? bpf_htonl(0xffff) : 0;
	w[3] = addr;
}

static __always_inline void put_v6(u8 to[16], const struct in6_addr *from)
{
	u32 *w = (u32 *)to;

	w[0] = from->in6_u.u6_addr32[0];
	w[1] = from->in6_u.u6_addr32[1];
	w[2] = from->in6_u.u6_addr32[2];
	w[3] = from->in6_u.u6_addr32[3];
	if (!w[0] && !w[1] && !w[3])
		w[2] = 0;
}

static __always_inline u32 fold(const u8 addr[16])
{
	const u32 *w = (const u32 *)addr;

	return w[0] ^ w[1] * 3 ^ w[2] * 5 ^ w[3];
}

static __always_inline bool is_v4(const u8 addr[16])
{
	const u32 *w = (const u32 *)addr;

	return !w[0] && !w[1] && w[2] == bpf_htonl(0xffff);
}

/* An IPv4 address as it stands in the packet, the fold of an IPv6 one, 0 for any-address. */
static __always_inline u32 short_addr(const u8 addr[16])
{
	return is_v4(addr) ? ((const u32 *)addr)[3] : fold(addr);
}

struct addresses {
	u8 laddr[16];
	u8 raddr[16];
};

static __always_inline void addresses_of(struct addresses *to, struct sock *sk)
{
	struct sock_common *c = &sk->__sk_common;

	if (c->skc_family == AF_INET) {
		put_v4(to->laddr, c->skc_rcv_saddr);
		put_v4(to->raddr, c->skc_daddr);
	} else {
		put_v6(to->laddr, &c->skc_v6_rcv_saddr);
		put_v6(to->raddr, &c->skc_v6_daddr);
	}
}

static __always_inline void flow_of(struct flow *flow, struct sock *sk,
				    const struct addresses *addresses)
{
	struct sock_common *c = &sk->__sk_common;

	flow->laddr = short_addr(addresses->laddr);
	flow->raddr = short_addr(addresses->raddr);
	flow->netns = c->skc_net.net->ns.inum;
	flow->lport = bpf_htons(c->skc_num);
	flow->rport = c->skc_dport;
	flow->udp = sk->sk_protocol == IPPROTO_UDP;
}

static __always_inline void flow_watch(const struct flow *flow, u32 id)
{
	struct owner owner = { .id = id };

	if (!flow->lport)
		return;
	/* the first socket of a shared port speaks for all: user space knows the others */
	bpf_map_update_elem(&flows, flow, &owner, flow->udp ? BPF_NOEXIST : BPF_ANY);
	if (flow->udp && flow->rport)
		udp_forms |= FORM_CONNECTED;
	else if (flow->udp && flow->laddr)
		udp_forms |= FORM_BOUND;
	watched_ports[flow->lport >> 6] |= 1ull << (flow->lport & 63);
}

static __always_inline void conn_tell(struct sock *sk, struct conn *conn, const struct flow *flow,
				      const struct addresses *addresses)
{
	struct gemba_conn *rec = reserve(GEMBA_CONN, sizeof(*rec));
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	struct socket *socket;

	if (!rec)
		return;
	rec->ev.flags = conn->udp ? GEMBA_F_UDP : 0;
	rec->ev.sk = conn->id;
	rec->ev.tid = rec->ev.seq = rec->ev.len = rec->ev.aux = rec->rcv_nxt = 0;
	if (current_is_watched())
		rec->ev.tid = bpf_get_current_pid_tgid() >> 32;
	__builtin_memcpy(rec->laddr, addresses->laddr, 16);
	__builtin_memcpy(rec->raddr, addresses->raddr, 16);
	rec->lport = bpf_ntohs(flow->lport);
	rec->rport = bpf_ntohs(flow->rport);
	rec->netns = flow->netns;
	rec->how = conn->how;
	socket = sk->sk_socket;
	if (socket)
		rec->ev.aux = BPF_CORE_READ(socket, file, f_inode, i_ino);
	if (conn->udp) {
		rec->ev.len = sk->sk_receive_queue.qlen;
	} else {
		rec->ev.seq = BPF_CORE_READ(tp, copied_seq);
		rec->ev.len = BPF_CORE_READ(tp, write_seq);
		rec->rcv_nxt = BPF_CORE_READ(tp, rcv_nxt);
	}
	submit(rec);
}

/*
 * Makes `sk` one of ours, once: gives it an id, finds it by address from now on, tells user
 * space. A datagram socket that has been bound or connected since gets its new address and is
 * told again. NULL: not TCP or UDP over IP, or no memory.
 */
static __noinline struct conn *conn_learn(struct sock *sk, u32 how)
{
	struct addresses addresses = {};
	struct flow flow = {};
	struct conn *conn;
	u16 family, protocol;

	family = sk->__sk_common.skc_family;
	protocol = sk->sk_protocol;
	if (family != AF_INET && family != AF_INET6)
		return NULL;
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return NULL;
	if (how == GEMBA_HOW_UNKNOWN && sk->__sk_common.skc_state == TCP_CLOSE)
		return NULL;
	conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn)
		return NULL;
	addresses_of(&addresses, sk);
	flow_of(&flow, sk, &addresses);
	if (conn->id && (protocol == IPPROTO_TCP || conn->send_end == (u32)flow.lport + 1))
		return conn;
	if (!conn->id)
		conn->id = __sync_fetch_and_add(&last_id, 1) + 1;
	conn->udp = protocol == IPPROTO_UDP;
	conn->how = how;
	if (conn->udp)
		conn->send_end = (u32)flow.lport + 1; /* the port we last knew it by */
	if (how != GEMBA_HOW_LISTEN)
		flow_watch(&flow, conn->id);
	conn_tell(sk, conn, &flow, &addresses);
	return conn;
}

static __always_inline void conn_accepted(struct sock *sk, struct conn *conn)
{
	conn->id = 0;
	conn->sending = 0;
	conn->said_empty = 0;
	conn_learn(sk, GEMBA_HOW_ACCEPTED);
}

static __always_inline void conn_closed(struct sock *sk, struct conn *conn)
{
	struct addresses addresses = {};
	struct flow flow = {};

	addresses_of(&addresses, sk);
	flow_of(&flow, sk, &addresses);
	if (conn->how != GEMBA_HOW_LISTEN)
		bpf_map_delete_elem(&flows, &flow);
	emit(GEMBA_CLOSE, 0, conn->id, 0, 0, 0, 0);
	conn->id = 0;
}

/* TCP's life: a listener opened by a watched process, its children, and what it opens itself. */
static __always_inline void conn_state(struct sock *sk, int oldstate, int newstate)
{
	struct conn *conn;

	if (newstate == TCP_LISTEN && current_is_watched()) {
		conn_learn(sk, GEMBA_HOW_LISTEN);
		return;
	}
	if (newstate == TCP_SYN_SENT && current_is_watched()) {
		conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
		if (conn)
			conn->how = GEMBA_HOW_OPENED;
		return;
	}
	if (newstate != TCP_ESTABLISHED && newstate != TCP_CLOSE)
		return;
	conn = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (!conn)
		return;
	if (newstate == TCP_CLOSE) {
		if (conn->id)
			conn_closed(sk, conn);
	} else if (conn->how == GEMBA_HOW_LISTEN) {
		conn_accepted(sk, conn);
	} else if (conn->how == GEMBA_HOW_OPENED && !conn->id) {
		conn_learn(sk, GEMBA_HOW_OPENED);
	}
}

#endif
