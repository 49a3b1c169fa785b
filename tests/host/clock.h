#ifndef TESTS_HOST_CLOCK_H
#define TESTS_HOST_CLOCK_H

#include <stdint.h>

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL

/* CLOCK_MONOTONIC, the clock of the tracer too: truth and trace compare without a conversion. */
uint64_t now_ns(void);

/* Burns the CPU for ns; 0 reads no clock at all. */
void spin_ns(uint64_t ns);

/* Hands the CPU back until at_ns is near, spins the rest; returns at once when it is past. */
void wait_until_ns(uint64_t at_ns);

/* Milliseconds from now to at_ns for poll(2), rounded up, 0 when past, at most a minute. */
int poll_ms_until(uint64_t at_ns);

#endif
