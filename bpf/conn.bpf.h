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

#define PORTS_TCP 0
#define PORTS_UDP 1
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

struct flow {
	u8 laddr[16];
	u8 raddr[16];
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
u64 watched_ports[2 * PORT_WORDS]; /* TCP's bits, then UDP's */
u32 udp_forms;
u32 last_id;

static __always_inline u64 *port_word(u32 udp, u16 port)
{
	u32 i = (udp ? PORT_WORDS : 0) + (port >> 6);

	/* the compiler knows that i is small, the verifier does not */
	barrier_var(i);
	return &watched_ports[i & (2 * PORT_WORDS - 1)];
}

static __always_inline bool port_is_watched(u32 udp, u16 port)
{
	return *port_word(udp, port) & (1ull << (port & 63));
}

static __always_inline void flow_fill(struct flow *flow, u32 udp, u32 netns, u16 lport, u16 rport)
{
	flow->netns = netns;
	flow->lport = lport;
	flow->rport = rport;
	flow->udp = udp;
}

/* The state of a socket that is the target's, or NULL. */
static __always_inline struct conn *conn_of(struct sock *sk)
{
	struct conn *conn = bpf_sk_storage_get(&conns, sk, 0, 0);

	return conn && conn->id ? conn : NULL;
}

static __always_inline u32 how_of(struct sock *sk)
{
	if (sk->sk_protocol == IPPROTO_UDP)
		return GEMBA_HOW_DATAGRAM;
	return sk->__sk_common.skc_state == TCP_LISTEN ? GEMBA_HOW_LISTEN : GEMBA_HOW_UNKNOWN;
}

static __always_inline bool is_zero(const u8 addr[16])
{
	const u64 *w = (const u64 *)addr;

	return !w[0] && !w[1];
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

static __always_inline void flow_of(struct flow *flow, struct sock *sk)
{
	struct sock_common *c = &sk->__sk_common;

	flow_fill(flow, sk->sk_protocol == IPPROTO_UDP, c->skc_net.net->ns.inum,
		  bpf_htons(c->skc_num), c->skc_dport);
	if (c->skc_family == AF_INET) {
		put_v4(flow->laddr, c->skc_rcv_saddr);
		put_v4(flow->raddr, c->skc_daddr);
	} else {
		put_v6(flow->laddr, &c->skc_v6_rcv_saddr);
		put_v6(flow->raddr, &c->skc_v6_daddr);
	}
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
	else if (flow->udp && !is_zero(flow->laddr))
		udp_forms |= FORM_BOUND;
	*port_word(flow->udp, flow->lport) |= 1ull << (flow->lport & 63);
}

static __always_inline void conn_tell(struct sock *sk, struct conn *conn, const struct flow *flow)
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
	__builtin_memcpy(rec->laddr, flow->laddr, 16);
	__builtin_memcpy(rec->raddr, flow->raddr, 16);
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
	flow_of(&flow, sk);
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
	conn_tell(sk, conn, &flow);
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
	struct flow flow = {};

	flow_of(&flow, sk);
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
