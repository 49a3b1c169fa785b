/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * packet.bpf.h - what the headers of a packet say: addresses, ports, protocol
 *
 * IPv4 and IPv6, TCP and UDP, first fragments only. Addresses take the short form of
 * conn.bpf.h, so that one map finds both families.
 */
#ifndef GEMBA_BPF_PACKET_H
#define GEMBA_BPF_PACKET_H

#include "bpf/conn.bpf.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define TCP_FIN_RST 5
#define TCP_SYN 2

/*
 * The name of an skb among those of one burst: 16 bits of its address above the cache line.
 * `at` is where the pointer stands: a read turns it into a number, which the verifier wants.
 */
static __always_inline u32 skb_tag(const void *at)
{
	u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr), at);
	return (addr >> 6) & 0xffff;
}

union l4 {
	struct tcphdr tcp;
	struct udphdr udp; /* its ports are where tcp's are */
};

/* A packet's headers: in the packet itself, or in a copy of them. */
struct headers {
	const union {
		struct iphdr v4;
		struct ipv6hdr v6;
	} * ip;
	const union l4 *l4;
	u32 bytes; /* of the IP header */
	bool is_v6;
	bool is_udp;
};

union copied {
	struct {
		struct iphdr ip;
		union l4 l4;
	} v4;
	struct {
		struct ipv6hdr ip;
		union l4 l4;
	} v6;
};

/*
 * Kernels from 6.17 let a program read through a pointer that BTF gives as plain memory
 * (f2362a57aeff): `copy` is NULL and the few fields that tell a foreign packet from ours are
 * loaded where they are. Others need a call: it copies both headers, and what lies behind a
 * short packet as well, which is not used: the kernel's buffers are larger.
 */
static __always_inline int read_v4(struct headers *h, const void *at, union copied *copy)
{
	h->ip = at;
	if (copy) {
		h->ip = (void *)&copy->v4.ip;
		if (bpf_probe_read_kernel(&copy->v4, sizeof(copy->v4), at))
			return -1;
	}
	if (h->ip->v4.frag_off & bpf_htons(0x1fff))
		return -1; /* not the first fragment: no ports */
	h->is_udp = h->ip->v4.protocol == IPPROTO_UDP;
	if (!h->is_udp && h->ip->v4.protocol != IPPROTO_TCP)
		return -1;
	h->bytes = (h->ip->v4.ihl_version & 15) * 4;
	h->l4 = at + h->bytes;
	if (copy) {
		h->l4 = &copy->v4.l4;
		if (h->bytes != sizeof(copy->v4.ip) &&
		    bpf_probe_read_kernel(&copy->v4.l4, sizeof(copy->v4.l4), at + h->bytes))
			return -1;
	}
	return 0;
}

/* Extension headers are not walked: TCP and UDP of real stacks send none. */
static __always_inline int read_v6(struct headers *h, const void *at, union copied *copy)
{
	h->ip = at;
	h->l4 = at + sizeof(h->ip->v6);
	if (copy) {
		h->ip = (void *)&copy->v6.ip;
		h->l4 = &copy->v6.l4;
		if (bpf_probe_read_kernel(&copy->v6, sizeof(copy->v6), at))
			return -1;
	}
	h->is_udp = h->ip->v6.nexthdr == IPPROTO_UDP;
	h->bytes = sizeof(h->ip->v6);
	return h->is_udp || h->ip->v6.nexthdr == IPPROTO_TCP ? 0 : -1;
}

/* 0, or -1: not TCP or UDP over IP. */
static __always_inline int read_headers(struct headers *h, const void *at, u16 protocol,
					union copied *copy)
{
	h->is_v6 = protocol == bpf_htons(ETH_P_IPV6);
	if (h->is_v6)
		return read_v6(h, at, copy);
	return protocol == bpf_htons(ETH_P_IP) ? read_v4(h, at, copy) : -1;
}

static __always_inline u32 short_v6(const __be32 from[4])
{
	u8 addr[16];

	__builtin_memcpy(addr, from, 16);
	return short_addr(addr);
}

static __always_inline u32 short_saddr(const struct headers *h)
{
	return h->is_v6 ? short_v6(h->ip->v6.saddr) : h->ip->v4.saddr;
}

static __always_inline u32 short_daddr(const struct headers *h)
{
	return h->is_v6 ? short_v6(h->ip->v6.daddr) : h->ip->v4.daddr;
}

static __always_inline u32 tcp_flags(const struct tcphdr *th)
{
	return (th->flags & TCP_FIN_RST ? GEMBA_F_FIN : 0) |
	       (th->flags & TCP_SYN ? GEMBA_F_SYN : 0);
}

#endif
