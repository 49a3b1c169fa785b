/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * event.h - the contract between the kernel side and user space
 *
 * Everything that leaves the kernel is one of three fixed-width records that begin with
 * struct gemba_event; the kind says which. The same bytes are the trace record. A record's
 * fields mean what the table beside its kind says and nothing else; what a kind does not
 * name is zero, so that records compress and compare.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, read between reserve and submit. Addresses and
 * ports are in network order in the 16-byte form (IPv4 as ::ffff:a.b.c.d).
 */
#ifndef GEMBA_BPF_EVENT_H
#define GEMBA_BPF_EVENT_H

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t __gemba_u8;
typedef uint16_t __gemba_u16;
typedef uint32_t __gemba_u32;
typedef uint64_t __gemba_u64;
#else
typedef unsigned char __gemba_u8;
typedef unsigned short __gemba_u16;
typedef unsigned int __gemba_u32;
typedef unsigned long long __gemba_u64;
#endif

/*
 * kind             sk       tid          seq              len            aux
 * RX   packet in   socket   -            TCP seq | raddr  payload        TCP ack | UDP tag
 * SOCK data ready  socket   -            rcv_nxt | bytes  UDP queued     - | UDP tag
 * RECV read done   socket   reader       TCP copied_seq   bytes read     UDP queued after
 * EMPTY -EAGAIN    socket   reader       -                -              -
 * SEND call begins socket   sender       TCP write_seq    bytes asked    -
 * SENT call ends   socket   sender       TCP write_seq    bytes sent     -
 * TXQ  to qdisc    socket   UDP sender   TCP seq | raddr  payload        - | UDP tag
 * TX   to driver   socket   UDP sender   TCP seq | raddr  payload        ns since its TXQ (F_TXQ) | UDP tag
 * DROP datagram    socket   -            raddr            payload        UDP tag
 * RETRANS segment  socket   -            TCP seq          payload        -
 * SWITCH on a CPU  -        next tid     prev tid         ns since wake  waker tid
 * FORK new thread  -        new tid      tgid             -              parent tid
 * EXIT thread      -        tid          tgid             exit code      -
 * EXEC process     -        tid          tgid             -              -
 * CLOSE            socket   -            -                -              -
 * HWSTAMP last RX  socket   -            stamp, low       stamp, high    -
 * STAGE entered    -        thread       stage, from 0    key, low       key, high (F_KEY)
 *
 * In the UDP records RX, TXQ, TX and DROP `len` is payload | rport << 16, `raddr` the IPv4
 * address as it stands in the packet or the folded IPv6 one, and the tag names the skb among
 * those of one burst. A tid that cannot be vouched for (interrupt context) is 0.
 *
 * GEMBA_CONN and GEMBA_PEER are longer, see below. Four are made in user space: the source
 * makes MARK and LOST, the recorder COMM and PEERNAME.
 */
enum gemba_kind {
	GEMBA_NONE,
	GEMBA_RX,
	GEMBA_SOCK,
	GEMBA_RECV,
	GEMBA_EMPTY,
	GEMBA_SEND,
	GEMBA_SENT,
	GEMBA_TXQ,
	GEMBA_TX,
	GEMBA_DROP,
	GEMBA_RETRANS,
	GEMBA_SWITCH,
	GEMBA_FORK,
	GEMBA_EXIT,
	GEMBA_EXEC,
	GEMBA_CLOSE,
	GEMBA_HWSTAMP,
	GEMBA_CONN,
	GEMBA_PEER,
	GEMBA_MARK,
	GEMBA_LOST,
	GEMBA_COMM,
	GEMBA_PEERNAME,
	GEMBA_STAGE,
	GEMBA_NR_KINDS,
};

#define GEMBA_MAX_STAGES 64
#define GEMBA_MAX_CALIBRATIONS 1024

enum gemba_flag {
	GEMBA_F_UDP = 1,	/* a datagram; otherwise TCP */
	GEMBA_F_V6 = 2,		/* raddr is a folded IPv6 address: see GEMBA_PEER */
	GEMBA_F_FIN = 4,	/* RX, TX: FIN or RST set */
	GEMBA_F_SYN = 8,	/* RX, TX: SYN set */
	GEMBA_F_TXQ = 16,	/* TX: no queue lies before it; aux tells the TXQ of this packet */
	GEMBA_F_PREV = 32,	/* SWITCH: the one that leaves is a target's thread */
	GEMBA_F_NEXT = 64,	/* SWITCH: the one that comes is a target's thread */
	GEMBA_F_RUNNABLE = 128, /* SWITCH: the one that leaves could have gone on */

	GEMBA_F_KEY = 1,    /* STAGE: len and aux are its key */
	GEMBA_F_UNREAD = 2, /* STAGE: it has a key, whose memory could not be read */

	GEMBA_F_TARGET = 1, /* COMM: a target's thread */
	GEMBA_F_GO = 2,	    /* COMM: its process runs a Go binary */
};

struct gemba_event {
	__gemba_u64 ts_ns;
	__gemba_u8 kind;
	__gemba_u8 flags;
	__gemba_u16 cpu;
	__gemba_u32 tid;
	__gemba_u32 sk;
	__gemba_u32 seq;
	__gemba_u32 len;
	__gemba_u32 aux;
};

enum gemba_how {
	GEMBA_HOW_UNKNOWN, /* it was there when we attached */
	GEMBA_HOW_LISTEN,
	GEMBA_HOW_ACCEPTED,
	GEMBA_HOW_OPENED,
	GEMBA_HOW_DATAGRAM,
};

/* A socket of the target, said once before its first event: ev.sk is its id, ev.aux its
 * inode, ev.tid the owner's tgid if known; for TCP ev.seq is copied_seq and ev.len write_seq at this
 * instant, for UDP ev.len the datagrams queued. */
struct gemba_conn {
	struct gemba_event ev;
	__gemba_u8 laddr[16];
	__gemba_u8 raddr[16];
	__gemba_u16 lport;
	__gemba_u16 rport;
	__gemba_u32 netns;
	__gemba_u32 rcv_nxt;
	__gemba_u32 how;
};

/* The whole address behind a folded IPv6 one: ev.seq is the fold. */
struct gemba_peer {
	struct gemba_event ev;
	__gemba_u8 addr[16];
};

/* GEMBA_COMM: the name of a thread (ev.tid, of process ev.seq).
 * GEMBA_PEERNAME: the process (ev.tid) on this host at the other end of socket ev.sk.
 * GEMBA_LOST: ev.len events of kind ev.aux lost on ev.cpu within ev.seq ns from ev.ts_ns.
 * GEMBA_MARK: nothing older than ev.ts_ns will come from any CPU. */
struct gemba_comm {
	struct gemba_event ev;
	char comm[16];
};

union gemba_record {
	struct gemba_event ev;
	struct gemba_conn conn;
	struct gemba_peer peer;
	struct gemba_comm comm;
};

_Static_assert(sizeof(struct gemba_event) == 32, "the trace depends on it");
_Static_assert(sizeof(struct gemba_conn) == 80, "the trace depends on it");
_Static_assert(sizeof(struct gemba_peer) == 48, "the trace depends on it");
_Static_assert(sizeof(struct gemba_comm) == 48, "the trace depends on it");

/* True: user space makes this kind, so its time is not that of an observation. */
static inline int gemba_is_made_up(unsigned int kind)
{
	return kind >= GEMBA_MARK && kind <= GEMBA_PEERNAME;
}

/* Bytes of a record by its kind: the kernel's, the file's and the collector's one truth. */
static inline unsigned int gemba_record_bytes(unsigned int kind)
{
	switch (kind) {
	case GEMBA_CONN:
		return sizeof(struct gemba_conn);
	case GEMBA_PEER:
		return sizeof(struct gemba_peer);
	case GEMBA_COMM:
	case GEMBA_PEERNAME:
		return sizeof(struct gemba_comm);
	default:
		return sizeof(struct gemba_event);
	}
}

#endif
