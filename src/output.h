/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - files that users name: made, found, read whole
 */
#ifndef GEMBA_OUTPUT_H
#define GEMBA_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Makes a file that only its owner reads; follows no symbolic link, and takes one that exists
 * only if forced, still with what it holds. A descriptor, or -errno with the message printed.
 */
int output_create(const char *path, bool is_forced);
/* What a forced file held goes; called when it is sure that something will be written.
 * Not for standard output, which may append. */
void output_empty(int fd);
/* Removes a file that nothing was written to; a device or what holds something stays. */
void output_discard(const char *path);
/* Standard output for NULL or "-"; otherwise output_create. NULL: the message is printed. */
FILE *output_open(const char *path, bool is_forced);
/*
 * Flushes and closes. 0, or 1 with the message printed; that of standard output, which is not
 * closed, main prints.
 */
int output_close(FILE *file, const char *path);
/* The newest *.gemba of the current directory, malloc'd; NULL: there is none. */
char *output_newest_trace(void);
/* A whole file of at most max bytes, malloc'd and ended by 0. 0 or -errno (-EFBIG). */
int output_read_whole(int fd, size_t max, char **text, size_t *bytes);

/* From now on a file size limit is an error of write(2), not the end of the process. */
void output_outlive_limits(void);
/* Columns of text that goes there: of $COLUMNS, of the terminal, 80. */
unsigned int output_columns(FILE *file);
/* Whether the locale of the environment, which is set for characters, is UTF-8. */
bool output_is_utf8(void);

#endif
