/*
 * Addresses as the user writes them in, sockets out; 0 or a descriptor, else -errno, silent.
 *
 * The feed is sent from an unconnected socket: on a connected one the ICMP answer to a packet that
 * no trader wanted would fail the next send. A multicast receiver binds to the group, so that
 * nothing but the group reaches it, and may share the port with other receivers of the group.
 */
#include "tests/host/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int parse_port(const char *text, in_port_t *out)
{
	char *end;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	port = strtoul(text, &end, 10);
	if (*end || errno || port > 65535)
		return -EINVAL;
	*out = htons((uint16_t)port);
	return 0;
}

static int parse_host(const char *host, in_port_t port, struct endpoint *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = port };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = port };
	size_t length = strlen(host);
	char bare[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(&out->address, &v4, sizeof(v4));
		out->length = sizeof(v4);
		return 0;
	}
	if (length < 4 || length - 2 >= sizeof(bare) || host[0] != '[' || host[length - 1] != ']')
		return -EINVAL;
	memcpy(bare, host + 1, length - 2);
	bare[length - 2] = '\0';
	if (inet_pton(AF_INET6, bare, &v6.sin6_addr) != 1)
		return -EINVAL;
	memcpy(&out->address, &v6, sizeof(v6));
	out->length = sizeof(v6);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *out)
{
	struct endpoint parsed = { .text = text };
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port;
	int err;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	err = parse_port(colon + 1, &port);
	if (!err)
		err = parse_host(host, port, &parsed);
	if (!err)
		*out = parsed;
	return err;
}

uint16_t endpoint_port(const struct endpoint *self)
{
	/* sin_port and sin6_port share their place. */
	return ntohs(((const struct sockaddr_in *)&self->address)->sin_port);
}

bool endpoint_is_multicast(const struct endpoint *self)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&self->address;

	return v4->sin_family == AF_INET && IN_MULTICAST(ntohl(v4->sin_addr.s_addr));
}

static int close_with_errno(int fd)
{
	int err = -errno;

	close(fd);
	return err;
}

static int open_socket(const struct endpoint *at, int type)
{
	int fd = socket(at->address.ss_family, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int open_bound(const struct endpoint *at, int type, bool is_shared)
{
	int one = 1, fd = open_socket(at, type);

	if (fd < 0)
		return fd;
	if (is_shared && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return close_with_errno(fd);
	if (bind(fd, (const struct sockaddr *)&at->address, at->length))
		return close_with_errno(fd);
	return fd;
}

static int connect_to(int fd, const struct endpoint *to)
{
	if (connect(fd, (const struct sockaddr *)&to->address, to->length))
		return close_with_errno(fd);
	return fd;
}

int net_feed_sender(const struct endpoint *to, struct in_addr interface)
{
	unsigned char loop = 1, ttl = 1;
	int fd = open_socket(to, SOCK_DGRAM);

	if (fd < 0 || !endpoint_is_multicast(to))
		return fd;
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface)) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof(loop)) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)))
		return close_with_errno(fd);
	return fd;
}

int net_udp_bind(const struct endpoint *at, int rcvbuf_bytes)
{
	int fd = open_bound(at, SOCK_DGRAM, endpoint_is_multicast(at));

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf_bytes, sizeof(rcvbuf_bytes)))
		return close_with_errno(fd);
	return fd;
}

int net_feed_receiver(const struct endpoint *at, struct in_addr interface, int rcvbuf_bytes)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at->address;
	struct ip_mreq request = { .imr_multiaddr = v4->sin_addr, .imr_interface = interface };
	int fd = net_udp_bind(at, rcvbuf_bytes);

	if (fd < 0 || !endpoint_is_multicast(at))
		return fd;
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)))
		return close_with_errno(fd);
	return fd;
}

int net_udp_connect(const struct endpoint *to)
{
	int fd = open_socket(to, SOCK_DGRAM);

	return fd < 0 ? fd : connect_to(fd, to);
}

int net_tcp_listen(const struct endpoint *at)
{
	int fd = open_bound(at, SOCK_STREAM, true);

	if (fd >= 0 && listen(fd, 16))
		return close_with_errno(fd);
	return fd;
}

int net_tcp_connect(const struct endpoint *to)
{
	int err, fd = open_socket(to, SOCK_STREAM);

	if (fd < 0)
		return fd;
	/* Before connecting, which is bounded by the same limit as a send. */
	err = net_tcp_tune(fd);
	if (err) {
		close(fd);
		return err;
	}
	return connect_to(fd, to);
}

int net_tcp_tune(int fd)
{
	struct timeval limit = { .tv_sec = 2 };
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	return 0;
}

int net_local_port(int fd)
{
	struct endpoint local = { .length = sizeof(local.address) };

	if (getsockname(fd, (struct sockaddr *)&local.address, &local.length))
		return -errno;
	return endpoint_port(&local);
}
