/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * packet.bpf.h - what the headers of a packet say: addresses, ports, protocol
 *
 * IPv4 and IPv6, TCP and UDP, first fragments only. Addresses take the 16-byte form of
 * conn.bpf.h, so that one map finds both families.
 */
#ifndef GEMBA_BPF_PACKET_H
#define GEMBA_BPF_PACKET_H

#include "bpf/conn.bpf.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define TCP_FIN_RST 5
#define TCP_SYN 2

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

static __always_inline u32 short_raddr(const u8 raddr[16])
{
	return is_v4(raddr) ? ((const u32 *)raddr)[3] : fold(raddr);
}

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

/*
 * The headers of a packet, read in one go: the transport header behind an IPv4 header without
 * options, or behind a bare IPv6 one. What lies behind a short packet is read as well, and not
 * used: the kernel's buffers are larger.
 */
union l4 {
	struct tcphdr tcp;
	struct udphdr udp; /* its ports are where tcp's are */
};

struct headers {
	union {
		struct {
			struct iphdr ip;
			union l4 l4;
		} v4;
		struct {
			struct ipv6hdr ip;
			union l4 l4;
		} v6;
	};
	union l4 *l4;
	u32 bytes; /* of the IP header */
	bool is_v6;
	bool is_udp;
};

/*
 * Kernels from 6.17 let a program read through a pointer that BTF gives as plain memory
 * (`direct`): a few loads instead of a call, on every packet of the host. Others need the call.
 */
static __always_inline int read_packet(void *to, const void *at, u32 bytes, bool direct)
{
	u32 *words = to;
	const u32 *from = at;

	if (!direct)
		return bpf_probe_read_kernel(to, bytes, at);
	for (u32 i = 0; i < bytes / 4; i++)
		words[i] = from[i];
	return 0;
}

static __always_inline int read_v4(struct headers *h, const void *at, bool direct)
{
	if (read_packet(&h->v4, at, sizeof(h->v4), direct))
		return -1;
	if (h->v4.ip.frag_off & bpf_htons(0x1fff))
		return -1; /* not the first fragment: no ports */
	h->l4 = &h->v4.l4;
	h->is_udp = h->v4.ip.protocol == IPPROTO_UDP;
	if (!h->is_udp && h->v4.ip.protocol != IPPROTO_TCP)
		return -1;
	h->bytes = (h->v4.ip.ihl_version & 15) * 4;
	if (h->bytes == sizeof(h->v4.ip))
		return 0;
	return bpf_probe_read_kernel(&h->v4.l4, sizeof(h->v4.l4), at + h->bytes) ? -1 : 0;
}

/* Extension headers are not walked: TCP and UDP of real stacks send none. */
static __always_inline int read_v6(struct headers *h, const void *at, bool direct)
{
	if (read_packet(&h->v6, at, sizeof(h->v6), direct))
		return -1;
	h->l4 = &h->v6.l4;
	h->is_v6 = true;
	h->is_udp = h->v6.ip.nexthdr == IPPROTO_UDP;
	h->bytes = sizeof(h->v6.ip);
	return h->is_udp || h->v6.ip.nexthdr == IPPROTO_TCP ? 0 : -1;
}

/* 0, or -1: not TCP or UDP over IP. */
static __always_inline int read_headers(struct headers *h, const void *at, u16 protocol,
					bool direct)
{
	if (protocol == bpf_htons(ETH_P_IP))
		return read_v4(h, at, direct);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return read_v6(h, at, direct);
	return -1;
}

static __always_inline void put_saddr(u8 to[16], const struct headers *h)
{
	if (h->is_v6)
		__builtin_memcpy(to, h->v6.ip.saddr, 16);
	else
		put_v4(to, h->v4.ip.saddr);
}

static __always_inline void put_daddr(u8 to[16], const struct headers *h)
{
	if (h->is_v6)
		__builtin_memcpy(to, h->v6.ip.daddr, 16);
	else
		put_v4(to, h->v4.ip.daddr);
}

static __always_inline u32 tcp_flags(const struct tcphdr *th)
{
	return (th->flags & TCP_FIN_RST ? GEMBA_F_FIN : 0) |
	       (th->flags & TCP_SYN ? GEMBA_F_SYN : 0);
}

#endif
