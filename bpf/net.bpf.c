/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * net.bpf.c - packets and sockets: rx, sock, recv, send, txq, tx, defects
 *
 * A socket of the target is known by its socket storage (conn.bpf.h): the foreign ones cost
 * one failed look-up. An arriving packet has no socket yet: its local port is one bit, then
 * the exact addresses decide. TCP says byte positions at every station, UDP counts; user space
 * pairs them. Nothing is decided here but whose a packet is.
 */
#include "bpf/emit.bpf.h"
#include "bpf/conn.bpf.h"
#include "bpf/packet.bpf.h"

#define MSG_PEEK 2
#define EAGAIN 11
#define TCQ_F_MQROOT 8

const volatile bool want_hwstamp; /* a device of this host stamps received packets */

u64 watched_pids[PID_WORDS];
u64 lost[MAX_CPUS][32];

/* IPv6 peers of datagrams are said in full once; events carry the fold. */
static __always_inline void tell_peer(const __be32 raddr[4])
{
	u32 key = short_v6(raddr), one = 1;
	struct gemba_peer *peer;

	if (bpf_map_lookup_elem(&peers, &key))
		return;
	peer = reserve(GEMBA_PEER, sizeof(*peer));
	if (!peer)
		return;
	peer->ev.flags = GEMBA_F_UDP | GEMBA_F_V6;
	peer->ev.sk = peer->ev.tid = peer->ev.len = peer->ev.aux = 0;
	peer->ev.seq = key;
	__builtin_memcpy(peer->addr, raddr, 16);
	submit(peer);
	bpf_map_update_elem(&peers, &key, &one, BPF_ANY);
}

/* A device's own receive stamp, in the device's clock: recorded, never mixed with ours. */
static __always_inline void emit_hwstamp(struct sk_buff *skb, u32 id)
{
	const struct skb_shared_info *info = (void *)skb->head + skb->end;
	u64 stamp = BPF_CORE_READ(info, hwtstamps.hwtstamp);

	if (stamp)
		emit(GEMBA_HWSTAMP, 0, id, 0, stamp, stamp >> 32, 0);
}

static __always_inline void rx_tcp(struct sk_buff *skb, const struct headers *h, struct flow *flow)
{
	const struct owner *owner = bpf_map_lookup_elem(&flows, flow);
	const struct tcphdr *th = &h->l4->tcp;
	u32 headers = h->bytes + (th->doff_res >> 4) * 4;

	if (!owner)
		return;
	emit(GEMBA_RX, tcp_flags(th), owner->id, 0, bpf_ntohl(th->seq),
	     skb->len > headers ? skb->len - headers : 0, bpf_ntohl(th->ack_seq));
	if (want_hwstamp)
		emit_hwstamp(skb, owner->id);
}

/* A datagram's socket: connected, bound to the address, bound to any. */
static __always_inline struct owner *find_datagram(struct flow *flow)
{
	struct owner *owner;

	if (udp_forms & FORM_CONNECTED) {
		owner = bpf_map_lookup_elem(&flows, flow);
		if (owner)
			return owner;
	}
	flow->raddr = 0;
	flow->rport = 0;
	if (udp_forms & FORM_BOUND) {
		owner = bpf_map_lookup_elem(&flows, flow);
		if (owner)
			return owner;
	}
	flow->laddr = 0;
	return bpf_map_lookup_elem(&flows, flow);
}

static __always_inline u32 udp_len(u32 packet, u32 headers, u16 rport)
{
	u32 bytes = packet > headers ? packet - headers : 0;

	return (bytes & 0xffff) | (u32)bpf_ntohs(rport) << 16;
}

static __always_inline void rx_udp(struct sk_buff *skb, const struct headers *h, struct flow *flow,
				   const void *ctx)
{
	u32 raddr = flow->raddr, flags = GEMBA_F_UDP;
	u16 rport = flow->rport;
	const struct owner *owner = find_datagram(flow);

	if (!owner)
		return;
	if (h->is_v6) {
		flags |= GEMBA_F_V6;
		tell_peer(h->ip->v6.saddr);
	}
	emit(GEMBA_RX, flags, owner->id, 0, raddr,
	     udp_len(skb->len, h->bytes + sizeof(struct udphdr), rport), skb_tag(ctx));
	if (want_hwstamp)
		emit_hwstamp(skb, owner->id);
}

/* The L3 header is where skb->data points: the kernel sets network_header just after this. */
static __always_inline int rx(const void *ctx, struct sk_buff *skb, union copied *copy)
{
	struct headers h;
	struct flow flow;

	if (read_headers(&h, skb->data, skb->protocol, copy) || !port_is_watched(h.l4->udp.dest))
		return 0;
	flow.laddr = short_daddr(&h);
	flow.raddr = short_saddr(&h);
	flow.netns = skb->dev->nd_net.net->ns.inum;
	flow.lport = h.l4->udp.dest;
	flow.rport = h.l4->udp.source;
	flow.udp = h.is_udp;
	if (h.is_udp)
		rx_udp(skb, &h, &flow, ctx);
	else
		rx_tcp(skb, &h, &flow);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(on_rx_direct, struct sk_buff *skb)
{
	return rx(ctx, skb, NULL);
}

/* Where on_rx_direct is refused. */
SEC("tp_btf/netif_receive_skb")
int BPF_PROG(on_rx, struct sk_buff *skb)
{
	union copied copy = {};

	return rx(ctx, skb, &copy);
}

static __always_inline u32 udp_queued(struct sock *sk)
{
	struct udp_sock *up = (struct udp_sock *)sk;

	return sk->sk_receive_queue.qlen + BPF_CORE_READ(up, reader_queue.qlen);
}

static __always_inline void emit_ready_tcp(struct sock *sk, u32 id)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (tp)
		emit(GEMBA_SOCK, 0, id, 0, tp->rcv_nxt, 0, 0);
}

static __always_inline void emit_ready_udp(struct sock *sk, u32 id)
{
	struct sk_buff *last = sk->sk_receive_queue.prev;
	u32 bytes = last->len;

	emit(GEMBA_SOCK, GEMBA_F_UDP, id, 0, bytes > 8 ? bytes - 8 : 0, udp_queued(sk),
	     skb_tag(__builtin_preserve_access_index(&sk->sk_receive_queue.prev)));
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_ready, struct sock *sk)
{
	struct conn *conn = conn_of(sk);

	if (!conn || conn->how == GEMBA_HOW_LISTEN)
		return 0;
	if (conn->udp)
		emit_ready_udp(sk, conn->id);
	else
		emit_ready_tcp(sk, conn->id);
	return 0;
}

/* Before 6.3, without sk_data_ready: the segment is about to enter the socket's queue. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(on_tcp_probe, struct sock *sk, struct sk_buff *skb)
{
	struct conn *conn = conn_of(sk);
	struct tcphdr th;

	if (!conn || skb->len == 0)
		return 0;
	if (bpf_probe_read_kernel(&th, sizeof(th), skb->head + skb->transport_header))
		return 0;
	if (skb->len <= (u32)(th.doff_res >> 4) * 4)
		return 0;
	emit(GEMBA_SOCK, 0, conn->id, 0, bpf_ntohl(th.seq) + skb->len - (th.doff_res >> 4) * 4, 0,
	     0);
	return 0;
}

static __always_inline void emit_recv_tcp(struct sock *sk, struct conn *conn, u32 bytes)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (tp)
		emit(GEMBA_RECV, 0, conn->id, bpf_get_current_pid_tgid(), tp->copied_seq, bytes, 0);
}

static __always_inline void received(struct sock *sk, struct conn *conn, int ret, int flags)
{
	if (flags & MSG_PEEK)
		return;
	if (ret == -EAGAIN && !conn->said_empty) {
		conn->said_empty = 1;
		emit(GEMBA_EMPTY, conn->udp ? GEMBA_F_UDP : 0, conn->id, bpf_get_current_pid_tgid(),
		     0, 0, 0);
		return;
	}
	if (ret < 0 || (ret == 0 && !conn->udp))
		return;
	conn->said_empty = 0;
	if (conn->udp)
		emit(GEMBA_RECV, GEMBA_F_UDP, conn->id, bpf_get_current_pid_tgid(), 0, ret,
		     udp_queued(sk));
	else
		emit_recv_tcp(sk, conn, ret);
}

/* The end of every receive call of every socket family: TCP and UDP of a watched process. */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_recv, struct sock *sk, int ret, int flags)
{
	struct conn *conn = conn_of(sk);

	if (!conn) {
		if (ret < 0 || !current_is_watched())
			return 0;
		conn = conn_learn(sk, how_of(sk));
		if (!conn)
			return 0;
	}
	received(sk, conn, ret, flags);
	return 0;
}

/* Before 6.3: the reader has taken bytes off a TCP socket, per segment. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_rcv_space, struct sock *sk)
{
	struct conn *conn = conn_of(sk);

	if (!conn) {
		if (!current_is_watched())
			return 0;
		conn = conn_learn(sk, how_of(sk));
		if (!conn)
			return 0;
	}
	emit_recv_tcp(sk, conn, 0);
	return 0;
}

/*
 * The first turn of a send call's loop, once per call: what is written plus what is left to
 * write stays the same through the turns of one call, and through the repeats of a call that
 * was cut short, which go on with the same output.
 */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_send, struct sock *sk, struct msghdr *msg)
{
	struct conn *conn = conn_of(sk);
	struct tcp_sock *tp;
	u32 left, end;

	if (!conn) {
		if (!current_is_watched())
			return 0;
		conn = conn_learn(sk, how_of(sk));
		if (!conn)
			return 0;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	left = msg->msg_iter.count;
	end = tp->write_seq + left;
	if (conn->sending && conn->send_end == end)
		return 0;
	conn->sending = 1;
	conn->send_end = end;
	emit(GEMBA_SEND, 0, conn->id, bpf_get_current_pid_tgid(), tp->write_seq, left, 0);
	return 0;
}

/* Without tcp_sendmsg_locked: the end of every send call. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(on_sent, struct sock *sk, int ret)
{
	struct conn *conn = conn_of(sk);
	struct tcp_sock *tp;

	if (!conn) {
		if (ret < 0 || !current_is_watched())
			return 0;
		conn = conn_learn(sk, how_of(sk));
		if (!conn)
			return 0;
	}
	if (conn->udp || ret <= 0)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		emit(GEMBA_SENT, 0, conn->id, bpf_get_current_pid_tgid(), tp->write_seq, ret, 0);
	return 0;
}

/* One outgoing packet as user space wants it; false: no payload, or not ours to understand. */
struct out {
	u32 seq;
	u32 len;
	u32 tid;
	u8 flags;
};

static __always_inline bool out_tcp(struct out *out, struct sk_buff *skb, bool direct)
{
	const struct tcphdr *th = (void *)skb->head + skb->transport_header;
	struct tcphdr copy;
	u32 headers;

	if (!direct) {
		if (bpf_probe_read_kernel(&copy, sizeof(copy), th))
			return false;
		th = &copy;
	}
	headers = skb->transport_header - skb->mac_header + (th->doff_res >> 4) * 4;
	out->flags = tcp_flags(th);
	out->seq = bpf_ntohl(th->seq);
	out->len = skb->len > headers ? skb->len - headers : 0;
	out->tid = 0;
	return out->len > 0;
}

static __always_inline bool out_udp(struct out *out, struct sk_buff *skb)
{
	union copied copy = {};
	struct headers h;
	u32 headers = skb->transport_header - skb->mac_header + sizeof(struct udphdr);

	if (read_headers(&h, skb->head + skb->network_header, skb->protocol, &copy) || !h.is_udp)
		return false;
	out->flags = GEMBA_F_UDP;
	if (h.is_v6) {
		tell_peer(h.ip->v6.daddr);
		out->flags |= GEMBA_F_V6;
	}
	out->seq = short_daddr(&h);
	out->len = udp_len(skb->len, headers, h.l4->udp.dest);
	/* datagrams leave within their send call, except the few that waited for a neighbour's
	 * address: those go from softirq, and are believed only if a watched thread runs there */
	out->tid = current_is_watched() ? bpf_get_current_pid_tgid() : 0;
	return true;
}

static __always_inline bool out_packet(struct out *out, struct sk_buff *skb,
				       const struct conn *conn, bool direct)
{
	return conn->udp ? out_udp(out, skb) : out_tcp(out, skb, direct);
}

/*
 * The device has no queue: its root qdisc is noqueue, which alone has no enqueue function
 * except for mq and mqprio, which only hold others. The packet then goes on to the driver
 * within this very call, and one record at the driver tells both instants.
 */
static __always_inline bool has_no_queue(struct sk_buff *skb)
{
	struct Qdisc *q = skb->dev->qdisc;

	return !q->enqueue && !(q->flags & TCQ_F_MQROOT);
}

/*
 * A datagram passes here again for the device below a VLAN, bond or tunnel, and in the host's
 * namespace below a container's: that is no second send. The same skb on another device than
 * its last one is such a passage; on the same device it is a new datagram in recycled memory.
 * Streams need no such care: their byte positions tell.
 */
static __always_inline bool is_lower_device(struct sk_buff *skb, const struct conn *conn)
{
	return conn->udp && conn->last_skb == (u64)skb && conn->last_dev != (u64)skb->dev;
}

/* The socket of a packet that leaves; one that sends its first datagram is learned here. */
static __always_inline struct conn *conn_of_packet(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct conn *conn;

	if (!sk)
		return NULL;
	conn = conn_of(sk);
	if (conn || sk->sk_protocol != IPPROTO_UDP || !current_is_watched())
		return conn;
	return conn_learn(sk, GEMBA_HOW_DATAGRAM);
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(on_txq, struct sk_buff *skb)
{
	struct conn *conn = conn_of_packet(skb);
	struct out out = {};

	if (!conn || is_lower_device(skb, conn))
		return 0;
	if (conn->udp) {
		conn->last_skb = (u64)skb;
		conn->last_dev = (u64)skb->dev;
	}
	if (has_no_queue(skb)) {
		conn->txq_ns = bpf_ktime_get_ns();
		return 0;
	}
	conn->txq_ns = 0;
	if (out_packet(&out, skb, conn, false))
		emit(GEMBA_TXQ, out.flags, conn->id, out.tid, out.seq, out.len,
		     conn->udp ? skb_tag(ctx) : 0);
	return 0;
}

static __always_inline int tx(const void *ctx, struct sk_buff *skb, bool direct)
{
	struct sock *sk = skb->sk;
	struct gemba_event *ev;
	struct conn *conn;
	struct out out = {};

	if (!sk)
		return 0;
	conn = conn_of(sk);
	if (!conn || is_lower_device(skb, conn) || !out_packet(&out, skb, conn, direct))
		return 0;
	ev = reserve_event(GEMBA_TX);
	if (!ev)
		return 0;
	ev->sk = conn->id;
	ev->tid = out.tid;
	ev->seq = out.seq;
	ev->len = out.len;
	ev->aux = conn->udp ? skb_tag(ctx) : 0;
	if (conn->txq_ns) {
		out.flags |= GEMBA_F_TXQ;
		ev->aux = ev->ts_ns - conn->txq_ns;
	}
	ev->flags = out.flags;
	submit(ev);
	return 0;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(on_tx_direct, struct sk_buff *skb)
{
	return tx(ctx, skb, true);
}

/* Where on_tx_direct is refused. */
SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(on_tx, struct sk_buff *skb)
{
	return tx(ctx, skb, false);
}

/* 6.10 gave this tracepoint the skb; before, the datagram's peer stays unknown. */
SEC("tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(on_udp_drop, int rc, struct sock *sk)
{
	struct conn *conn = conn_of(sk);

	if (conn)
		emit(GEMBA_DROP, GEMBA_F_UDP, conn->id, 0, 0, 0, 0);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, struct sock *sk, struct sk_buff *skb)
{
	struct conn *conn = conn_of(sk);
	u32 seq = 0;

	if (!conn)
		return 0;
	/* struct tcp_skb_cb begins with seq; TLP and RTO both come this way */
	bpf_probe_read_kernel(&seq, sizeof(seq), skb->cb);
	emit(GEMBA_RETRANS, 0, conn->id, 0, seq, skb->len, 0);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int oldstate, int newstate)
{
	conn_state(sk, oldstate, newstate);
	return 0;
}

/* The sockets that are there when we attach, and those that no tracepoint told us of. */
SEC("iter/task_file")
int find_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!file || !task || !is_watched(task->tgid))
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (sk)
		conn_learn(sk, how_of(sk));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
