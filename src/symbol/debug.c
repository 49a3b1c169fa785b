// SPDX-License-Identifier: BSD-2-Clause
/*
 * debug.c - separate debug files and the small symbol table packed into a program
 *
 * A file found by name is believed only when its build-id is the program's, or its checksum is
 * the one that the program's link gives: wrong symbols are worse than none. Files come from the
 * target's file system: nothing but a regular file is opened for reading.
 */
#include "src/symbol/debug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define UNPACKED_MAX_BYTES ((size_t)256 << 20)
#define UNPACK_MEMORY_BYTES (UINT64_C(256) << 20)
#define LINK_MAX_BYTES 4096

/* What a program tells of its debug file. */
struct wanted {
	char build_id[IMAGE_BUILD_ID_BYTES];
	char *name; /* of .gnu_debuglink, or NULL */
	uint32_t crc;
};

static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -ENOENT;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -ENOENT;
}

static bool crc_matches(int fd, uint32_t want)
{
	uint32_t crc = 0;
	uint8_t *part = malloc(1 << 16);
	ssize_t n = -1;
	off_t at = 0;

	while (part && (n = pread(fd, part, 1 << 16, at)) > 0) {
		crc = crc32(crc, part, n);
		at += n;
	}
	free(part);
	return n == 0 && crc == want;
}

static bool belongs(int fd, const struct wanted *wanted, bool is_by_link)
{
	char id[IMAGE_BUILD_ID_BYTES] = "";
	struct image image;

	if (image_open(&image, fd))
		return false;
	image_build_id(&image, id);
	image_close(&image);
	if (*id && *wanted->build_id)
		return !strcmp(id, wanted->build_id);
	return is_by_link && crc_matches(fd, wanted->crc);
}

static int try_path(const char *path, const struct wanted *wanted, bool is_by_link)
{
	int fd = open_regular(path);

	if (fd < 0 || belongs(fd, wanted, is_by_link))
		return fd;
	close(fd);
	return -ENOENT;
}

static int try_build_id(const char *root, const struct wanted *wanted)
{
	const char *id = wanted->build_id;
	char path[PATH_MAX];

	if (strlen(id) < 3)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id/%.2s/%s.debug", root, id, id + 2);
	return try_path(path, wanted, false);
}

static int try_link(const char *root, const struct wanted *wanted, const char *program)
{
	static const struct {
		const char *above, *below; /* the program's directory */
	} places[] = { { "", "" }, { "", "/.debug" }, { "/usr/lib/debug", "" } };
	const char *slash = strrchr(program, '/');
	char path[PATH_MAX];
	int fd = -ENOENT;

	if (!wanted->name || !slash)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && fd < 0; i++) {
		int n = snprintf(path, sizeof(path), "%s%s%.*s%s/%s", root, places[i].above,
				 (int)(slash - program), program, places[i].below, wanted->name);

		if (n < (int)sizeof(path))
			fd = try_path(path, wanted, true);
	}
	return fd;
}

/* A file name, 0, padding to four bytes, the checksum. */
static void read_link(const struct image *program, struct wanted *wanted)
{
	size_t bytes, at;
	const Elf64_Shdr *section = image_section_named(program, ".gnu_debuglink");
	char *link;

	if (!section || section->sh_size > LINK_MAX_BYTES)
		return;
	link = image_load(program, section, &bytes);
	if (!link)
		return;
	at = (strlen(link) + 4) & ~(size_t)3;
	if (!*link || strchr(link, '/') || at + sizeof(wanted->crc) > bytes) {
		free(link);
		return;
	}
	memcpy(&wanted->crc, link + at, sizeof(wanted->crc));
	wanted->name = link;
}

int debug_open(const struct image *program, pid_t pid, const char *path)
{
	struct wanted wanted = { .name = NULL };
	char root[64];
	int fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	image_build_id(program, wanted.build_id);
	read_link(program, &wanted);
	fd = try_build_id(root, &wanted);
	if (fd < 0)
		fd = try_build_id("", &wanted);
	if (fd < 0)
		fd = try_link(root, &wanted, path);
	if (fd < 0)
		fd = try_link("", &wanted, path);
	free(wanted.name);
	return fd;
}

/* Unpacks all of an xz stream into *out, malloc'd, which grows up to a limit. */
static int unpack(lzma_stream *stream, uint8_t **out, size_t *bytes)
{
	size_t room = 1 << 20;
	lzma_ret ret = LZMA_OK;

	*out = NULL;
	*bytes = 0;
	while (ret == LZMA_OK) {
		uint8_t *more = realloc(*out, room);

		if (!more)
			return -ENOMEM;
		*out = more;
		stream->next_out = more + *bytes;
		stream->avail_out = room - *bytes;
		ret = lzma_code(stream, LZMA_FINISH);
		*bytes = room - stream->avail_out;
		if (ret == LZMA_OK && stream->avail_out)
			return -EBADMSG;
		if (ret == LZMA_OK && room >= UNPACKED_MAX_BYTES)
			return -EBADMSG;
		room *= 2;
	}
	return ret == LZMA_STREAM_END ? 0 : -EBADMSG;
}

int debug_unpack(struct image *out, const struct image *program)
{
	const Elf64_Shdr *section = image_section_named(program, ".gnu_debugdata");
	lzma_stream stream = LZMA_STREAM_INIT;
	uint8_t *unpacked = NULL, *packed;
	size_t packed_bytes, bytes;
	int err = -EBADMSG;

	if (!section)
		return -ENOENT;
	packed = image_load(program, section, &packed_bytes);
	if (packed && lzma_stream_decoder(&stream, UNPACK_MEMORY_BYTES, 0) == LZMA_OK) {
		stream.next_in = packed;
		stream.avail_in = packed_bytes;
		err = unpack(&stream, &unpacked, &bytes);
		lzma_end(&stream);
	}
	free(packed);
	if (!err)
		return image_of_memory(out, unpacked, bytes);
	free(unpacked);
	return err;
}
