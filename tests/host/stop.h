#ifndef TESTS_HOST_STOP_H
#define TESTS_HOST_STOP_H

#include <stdbool.h>

/* Turns SIGINT and SIGTERM into a flag and a readable descriptor. 0 or -errno. */
int stop_init(void);

bool is_stop_requested(void);

/* Becomes and stays readable at the first signal, for every poll(2) that should end then. */
int stop_fd(void);

#endif
