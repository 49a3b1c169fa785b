#ifndef TESTS_HOST_TRUTH_H
#define TESTS_HOST_TRUTH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TRUTH_MAX_BYTES (256UL << 20)

/* Rows of one kind, filled by one thread. All zero: a log that takes nothing. */
struct truth_log {
	uint8_t *rows;
	size_t row_bytes, capacity, nr_rows;
	uint64_t nr_unlogged; /* asked for beyond the capacity */
};

/* Memory for nr_wanted rows (at least 1), already faulted in; for fewer when they would take more
 * than TRUTH_MAX_BYTES. 0 or -errno. */
int truth_log_init(struct truth_log *self, uint64_t nr_wanted, size_t row_bytes);
void truth_log_fini(struct truth_log *self);

/* The next row, zeroed and valid until fini, or NULL when the log is full or takes nothing. */
void *truth_log_add(struct truth_log *self);

void *truth_log_row(const struct truth_log *self, size_t idx);

/* Last line "#end UNLOGGED", so that a reader can tell a whole file from a cut one; closes the
 * file. 0 or -errno of anything that could not be written. */
int truth_close(FILE *file, uint64_t nr_unlogged);

#endif
