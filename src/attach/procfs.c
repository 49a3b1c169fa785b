// SPDX-License-Identifier: BSD-2-Clause
/*
 * procfs.c - small readers of /proc and of ELF notes
 *
 * Every process may vanish between two calls: each reader answers for itself with -errno or
 * NULL and the caller goes on with what it has.
 */
#include "src/attach/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INIT_PIDNS_INO 0xeffffffcu /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

static ssize_t read_into(const char *path, char *to, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (at < bytes - 1 && (n = read(fd, to + at, bytes - 1 - at)) > 0)
		at += n;
	if (n < 0)
		n = -errno;
	close(fd);
	to[at] = 0;
	return n < 0 ? n : (ssize_t)at;
}

char *read_small_file(const char *path)
{
	char text[8192];
	ssize_t n = read_into(path, text, sizeof(text));

	if (n < 0)
		return NULL;
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	return strdup(text);
}

int proc_stat_read(uint32_t pid, struct proc_stat *stat)
{
	char path[64], text[1024], *open_paren, *close_paren;
	unsigned long flags;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	n = read_into(path, text, sizeof(text));
	if (n < 0)
		return n;
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')'); /* the name itself may hold parentheses */
	if (!open_paren || !close_paren)
		return -EBADMSG;
	*close_paren = 0;
	snprintf(stat->comm, sizeof(stat->comm), "%s", open_paren + 1);
	if (sscanf(close_paren + 1, " %c %*d %*d %*d %*d %*d %lu", &stat->state, &flags) != 2)
		return -EBADMSG;
	stat->flags = flags;
	return 0;
}

long proc_status_number(uint32_t pid, const char *field)
{
	char path[64], text[8192], *line;
	size_t len = strlen(field);

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (read_into(path, text, sizeof(text)) < 0)
		return -1;
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, field, len) && line[len] == ':')
			return strtol(line + len + 1, NULL, 10);
	}
	return -1;
}

bool status_has_shadow_stack(const char *text)
{
	static const char field[] = "\nx86_Thread_features:";
	const char *line = strstr(text, field);
	char words[64];

	if (!line)
		return false;
	line += sizeof(field) - 1;
	snprintf(words, sizeof(words), "%.*s", (int)strcspn(line, "\n"), line);
	return strstr(words, "shstk") != NULL;
}

bool proc_has_shadow_stack(uint32_t pid)
{
	char path[64], text[8192];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	return read_into(path, text, sizeof(text)) >= 0 && status_has_shadow_stack(text);
}

bool proc_is_of_host(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == INIT_PIDNS_INO;
}

int proc_readlink(uint32_t pid, const char *name, char *to, size_t bytes)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	n = readlink(path, to, bytes - 1);
	if (n < 0)
		return -errno;
	to[n] = 0;
	return 0;
}

char *proc_cmdline(uint32_t pid)
{
	char path[64], text[4096] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	n = read_into(path, text, sizeof(text));
	if (n < 0)
		return NULL;
	while (n > 0 && !text[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	return strdup(text);
}

int proc_threads(uint32_t pid, void (*each)(void *ctx, uint32_t tid), void *ctx)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;
	int nr = 0;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		each(ctx, strtoul(entry->d_name, NULL, 10));
		nr++;
	}
	closedir(dir);
	return nr;
}

static Elf *elf_open(const char *path, int *fd)
{
	if (elf_version(EV_CURRENT) == EV_NONE)
		return NULL;
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return NULL;
	return elf_begin(*fd, ELF_C_READ_MMAP, NULL);
}

static void elf_done(Elf *elf, int fd)
{
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
}

static char *hex(const unsigned char *bytes, size_t nr)
{
	char *text = malloc(2 * nr + 1);

	for (size_t i = 0; text && i < nr; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	return text;
}

/* The build-id among the notes of one segment. */
static char *find_build_id(Elf_Data *data)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *owner = (const char *)data->d_buf + name;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(owner, "GNU", 4))
			return hex((unsigned char *)data->d_buf + desc, note.n_descsz);
	}
	return NULL;
}

char *elf_build_id(const char *path)
{
	char *id = NULL;
	size_t nr = 0;
	int fd = -1;
	Elf *elf = elf_open(path, &fd);

	if (elf)
		elf_getphdrnum(elf, &nr);
	for (size_t i = 0; i < nr && !id; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_NOTE)
			id = find_build_id(
				elf_getdata_rawchunk(elf, ph.p_offset, ph.p_filesz, ELF_T_NHDR));
	}
	elf_done(elf, fd);
	return id;
}

bool elf_is_go(const char *path)
{
	bool found = false;
	Elf_Scn *scn = NULL;
	int fd = -1;
	Elf *elf = elf_open(path, &fd);
	size_t names;

	if (elf && !elf_getshdrstrndx(elf, &names)) {
		while (!found && (scn = elf_nextscn(elf, scn))) {
			GElf_Shdr sh;
			const char *name = NULL;

			if (gelf_getshdr(scn, &sh))
				name = elf_strptr(elf, names, sh.sh_name);
			found = name && !strcmp(name, ".go.buildinfo");
		}
	}
	elf_done(elf, fd);
	return found;
}

int proc_own_offset(const void *address, uint64_t *offset)
{
	uint64_t at = (uint64_t)(uintptr_t)address;
	unsigned long long from, to, file_at;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int err = -ENOENT;

	if (!maps)
		return -errno;
	while (err && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx %*s %llx", &from, &to, &file_at) != 3 || at < from ||
		    at >= to)
			continue;
		*offset = at - from + file_at;
		err = 0;
	}
	fclose(maps);
	return err;
}
