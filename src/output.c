// SPDX-License-Identifier: BSD-2-Clause
/*
 * output.c - the files that commands write and read by name
 */
#include "src/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/util/log.h"

void output_outlive_limits(void)
{
	signal(SIGXFSZ, SIG_IGN);
}

int output_create(const char *path, bool is_forced)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (is_forced ? 0 : O_EXCL);
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		return fd;
	fd = -errno;
	if (fd == -EEXIST)
		log_error("%s exists; give another name, or --force to overwrite it", path);
	else if (fd == -ELOOP)
		log_error("%s is a symbolic link; give the file itself", path);
	else
		log_error("%s: cannot be written: %s", path, strerror(-fd));
	return fd;
}

void output_empty(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size && ftruncate(fd, 0))
		log_errno(errno, "cannot empty the output file");
}

void output_discard(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISREG(st.st_mode) && !st.st_size)
		unlink(path);
}

FILE *output_open(const char *path, bool is_forced)
{
	FILE *file;
	int fd;

	if (!path || !strcmp(path, "-"))
		return stdout;
	fd = output_create(path, is_forced);
	if (fd < 0)
		return NULL;
	file = fdopen(fd, "w");
	if (!file) {
		log_error("%s: cannot be written: %s", path, strerror(errno));
		close(fd);
	}
	return file;
}

/* Half a map is worse than none, and would stand in the way of the next try. */
static void remove_cut(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISREG(st.st_mode))
		unlink(path);
}

int output_close(FILE *file, const char *path)
{
	bool failed = fflush(file) || ferror(file);

	if (file == stdout)
		return failed;
	failed |= fclose(file) != 0;
	if (!failed)
		return 0;
	log_error("%s: cannot be written: %s", path, strerror(errno ?: EIO));
	remove_cut(path);
	return 1;
}

char *output_newest_trace(void)
{
	struct timespec newest = { 0 };
	char *found = NULL;
	glob_t list;

	if (glob("*.gemba", 0, NULL, &list))
		return NULL;
	for (size_t i = 0; i < list.gl_pathc; i++) {
		struct stat st;

		if (stat(list.gl_pathv[i], &st))
			continue;
		if (found &&
		    (st.st_mtim.tv_sec < newest.tv_sec ||
		     (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec <= newest.tv_nsec)))
			continue;
		newest = st.st_mtim;
		free(found);
		found = strdup(list.gl_pathv[i]);
	}
	globfree(&list);
	return found;
}

int output_read_whole(int fd, size_t max, char **text, size_t *bytes)
{
	size_t room = 65536, at = 0;
	char *buffer = malloc(room);
	ssize_t n = 1;

	while (buffer && n > 0) {
		char *more;

		n = read(fd, buffer + at, room - at - 1);
		if (n > 0)
			at += n;
		if (at + 1 < room)
			continue;
		room *= 2;
		more = at < max ? realloc(buffer, room) : NULL;
		if (!more) {
			free(buffer);
			return at < max ? -ENOMEM : -EFBIG;
		}
		buffer = more;
	}
	if (!buffer)
		return -ENOMEM;
	if (n < 0) {
		n = -errno;
		free(buffer);
		return n;
	}
	buffer[at] = 0;
	*text = buffer;
	*bytes = at;
	return 0;
}

unsigned int output_columns(FILE *file)
{
	const char *given = getenv("COLUMNS");
	struct winsize size;
	long columns = given ? strtol(given, NULL, 10) : 0;

	if (columns <= 0 && isatty(fileno(file)) && !ioctl(fileno(file), TIOCGWINSZ, &size))
		columns = size.ws_col;
	return columns >= 40 && columns <= 1000 ? columns : 80;
}

bool output_is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}
