/*
 * Instants that the path noted in, a TSV file at the end out.
 *
 * Logging must cost the path nothing: rows live in memory that is faulted in before the first
 * packet and are formatted after the last one. A full log counts what it did not take instead of
 * growing. The platform's own stamps are the truth that a tracer's map is judged by.
 */
#include "tests/host/truth.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

int truth_log_init(struct truth_log *self, uint64_t nr_wanted, size_t row_bytes)
{
	size_t capacity = TRUTH_MAX_BYTES / row_bytes;
	void *rows;

	if (nr_wanted < capacity)
		capacity = (size_t)nr_wanted;
	rows = mmap(NULL, capacity * row_bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (rows == MAP_FAILED)
		return -errno;
	*self = (struct truth_log){ .rows = rows, .row_bytes = row_bytes, .capacity = capacity };
	return 0;
}

void truth_log_fini(struct truth_log *self)
{
	if (self->rows)
		munmap(self->rows, self->capacity * self->row_bytes);
	*self = (struct truth_log){ 0 };
}

void *truth_log_add(struct truth_log *self)
{
	if (!self->rows)
		return NULL;
	if (self->nr_rows == self->capacity) {
		self->nr_unlogged++;
		return NULL;
	}
	return truth_log_row(self, self->nr_rows++);
}

void *truth_log_row(const struct truth_log *self, size_t idx)
{
	return self->rows + idx * self->row_bytes;
}

int truth_close(FILE *file, uint64_t nr_unlogged)
{
	int err = 0;

	fprintf(file, "#end\t%" PRIu64 "\n", nr_unlogged);
	if (fflush(file))
		err = -errno;
	else if (ferror(file))
		err = -EIO;
	if (fclose(file) && !err)
		err = -errno;
	return err;
}
