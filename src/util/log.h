/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - messages for the person at the terminal: "gemba: ...", one line each, on stderr
 *
 * Standard output carries results only. A message is printed once, where the user's words are
 * known; deeper code returns -errno and is silent.
 */
#ifndef GEMBA_UTIL_LOG_H
#define GEMBA_UTIL_LOG_H

enum log_level {
	LOG_QUIET = -1, /* errors only: -q */
	LOG_NORMAL,	/* and what is about to happen or is doubtful */
	LOG_VERBOSE,	/* and the details: -v */
};

void log_set_level(enum log_level level);
enum log_level log_level(void);

/* Always printed. Returns 1, the exit status of a failure, so that a command can fail in one
 * expression. */
int log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with ": " and the words for err (either sign). Returns err as it was given. */
int log_errno(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Not under -q. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only under -v. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
