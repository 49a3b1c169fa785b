// SPDX-License-Identifier: BSD-2-Clause
/*
 * log.c - messages to stderr
 *
 * A line is composed first and written with one call, so that lines of gemba and of a command
 * that it started do not mix. It holds names that others chose (processes, files), so control
 * characters become `?` and cannot reach the terminal. The level is the one piece of global state in the program: it
 * is the user's choice about the terminal, not about any object.
 */
#include "src/util/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 2048

static enum log_level current_level = LOG_NORMAL;

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_level(void)
{
	return current_level;
}

static void __attribute__((format(printf, 2, 0))) say(int err, const char *format, va_list args)
{
	char line[LINE_BYTES];
	size_t used = (size_t)snprintf(line, sizeof(line), "gemba: ");
	int added = vsnprintf(line + used, sizeof(line) - used, format, args);

	if (added > 0)
		used += (size_t)added;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	if (err)
		used += (size_t)snprintf(line + used, sizeof(line) - used, ": %s",
					 strerror(abs(err)));
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	for (size_t i = 0; i < used; i++)
		if (iscntrl((unsigned char)line[i]))
			line[i] = '?';
	line[used++] = '\n';
	fflush(stdout);
	if (fwrite(line, 1, used, stderr) == used)
		fflush(stderr);
}

int log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(0, format, args);
	va_end(args);
	return 1;
}

int log_errno(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(err, format, args);
	va_end(args);
	return err;
}

void log_info(const char *format, ...)
{
	va_list args;

	if (current_level < LOG_NORMAL)
		return;
	va_start(args, format);
	say(0, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (current_level < LOG_VERBOSE)
		return;
	va_start(args, format);
	say(0, format, args);
	va_end(args);
}
