#ifndef TESTS_HOST_ECHO_H
#define TESTS_HOST_ECHO_H

#include "tests/host/net.h"

#include <stdint.h>

#define ECHO_MAX_CLIENTS 256
#define ECHO_MAX_BYTES 65535

/*
 * Answers every datagram on fd with itself until end_ns or a signal. 0 or -errno; *nr_echoed is
 * set in both cases.
 */
int echo_serve(int fd, uint64_t end_ns, uint64_t *nr_echoed);

/*
 * nr_clients sockets, each sending nr_requests one after the other; prints a head line and one
 * line per client on stdout. *nr_bad becomes the number of replies that were wrong or never came.
 * 0 or -errno.
 */
int echo_load(const struct endpoint *to, unsigned nr_clients, uint64_t nr_requests, uint64_t end_ns,
	      uint64_t *nr_bad);

#endif
