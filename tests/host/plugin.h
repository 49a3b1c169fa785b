#ifndef TESTS_HOST_PLUGIN_H
#define TESTS_HOST_PLUGIN_H

#include <stdint.h>

#define PLUGIN_TURNS 4

/* PLUGIN_TURNS times a = a * 3 + b; 0 turns would be a. */
uint64_t plugin_work(uint64_t a, uint64_t b);

#endif
