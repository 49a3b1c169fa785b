#ifndef TESTS_HOST_NET_H
#define TESTS_HOST_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
	const char *text; /* as the user wrote it, for messages */
};

/*
 * Reads A.B.C.D:PORT or [IPV6]:PORT, digits only (a name look-up would be traffic). -EINVAL, and
 * *out untouched, on anything else. Keeps the text pointer.
 */
int endpoint_parse(const char *text, struct endpoint *out);

uint16_t endpoint_port(const struct endpoint *self);
bool endpoint_is_multicast(const struct endpoint *self);

/*
 * All return a descriptor or -errno; the caller closes it. The interface is the local IPv4 address
 * to send from or to join on and matters for multicast only. A receive buffer gets as large as
 * asked for and as the kernel allows.
 */
int net_feed_sender(const struct endpoint *to, struct in_addr interface);
int net_udp_bind(const struct endpoint *at, int rcvbuf_bytes);
int net_feed_receiver(const struct endpoint *at, struct in_addr interface, int rcvbuf_bytes);
int net_udp_connect(const struct endpoint *to);
int net_tcp_listen(const struct endpoint *at);
int net_tcp_connect(const struct endpoint *to);

/* Small messages must leave at once, and neither send nor connect may block for longer than
 * two seconds. */
int net_tcp_tune(int fd);

/* Port the socket is bound to (for ADDR:0), or -errno. */
int net_local_port(int fd);

#endif
