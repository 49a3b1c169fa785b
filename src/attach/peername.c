// SPDX-License-Identifier: BSD-2-Clause
/*
 * peername.c - a loopback peer's process, from /proc/net and the file descriptors
 *
 * The peer of a connection on this host has the same addresses the other way round: its inode
 * stands in /proc/net/tcp, and the process that holds it has a link socket:[inode] among its
 * descriptors. One walk answers for all that wait; each waits for two walks, so that a
 * connection not yet accepted gets a second chance, and a host with many processes pays at
 * most MAX_WALKS walks in all.
 */
#include "src/attach/peername.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/attach/procfs.h"

#define MAX_WANTED 256
#define MAX_WALKS 60
#define MAX_TRIES 2

struct wanted {
	struct gemba_conn conn;
	unsigned long inode; /* of the peer's socket, 0 unknown */
	unsigned int tries;
	bool is_found;
};

struct peername {
	struct wanted wanted[MAX_WANTED];
	size_t nr;
	unsigned int walks;
	unsigned long long next_ns;
	unsigned long own_netns;
};

int peername_new(struct peername **out)
{
	struct peername *self = calloc(1, sizeof(*self));
	struct stat st;

	if (!self)
		return -ENOMEM;
	if (!stat("/proc/self/ns/net", &st))
		self->own_netns = st.st_ino;
	*out = self;
	return 0;
}

void peername_free(struct peername *self)
{
	free(self);
}

static bool is_local(const struct gemba_conn *conn)
{
	static const unsigned char loop6[16] = { [15] = 1 };

	return (conn->raddr[10] == 0xff && conn->raddr[12] == 127) ||
	       !memcmp(conn->raddr, loop6, 16) || !memcmp(conn->raddr, conn->laddr, 16);
}

void peername_want(struct peername *self, const struct gemba_conn *conn)
{
	if (self->nr == MAX_WANTED || self->walks >= MAX_WALKS || !conn->rport)
		return;
	if (conn->netns != self->own_netns || !is_local(conn))
		return;
	self->wanted[self->nr++] = (struct wanted){ .conn = *conn };
}

/* An address as /proc/net/tcp writes it: words in host order, 8 or 32 digits. */
static void parse_addr(const char *text, unsigned char to[16])
{
	unsigned int words[4] = { 0, 0, 0xffff0000, 0 };

	if (strlen(text) == 8)
		sscanf(text, "%8x", &words[3]);
	else
		sscanf(text, "%8x%8x%8x%8x", &words[0], &words[1], &words[2], &words[3]);
	memcpy(to, words, 16);
}

static void match_line(struct peername *self, const char *line, bool udp)
{
	char local[33], remote[33];
	unsigned char laddr[16], raddr[16];
	unsigned int lport, rport;
	unsigned long inode;

	if (sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %*x %*s %*s %*s %*d %*d %lu", local,
		   &lport, remote, &rport, &inode) != 5 ||
	    !inode)
		return;
	parse_addr(local, laddr);
	parse_addr(remote, raddr);
	for (size_t i = 0; i < self->nr; i++) {
		struct wanted *w = &self->wanted[i];

		if (udp == !!(w->conn.ev.flags & GEMBA_F_UDP) && w->conn.lport == rport &&
		    w->conn.rport == lport && !memcmp(w->conn.raddr, laddr, 16) &&
		    !memcmp(w->conn.laddr, raddr, 16))
			w->inode = inode;
	}
}

static void read_table(struct peername *self, const char *path, bool udp)
{
	FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		match_line(self, line, udp);
	fclose(file);
}

static void name_owner(struct wanted *w, unsigned int pid)
{
	struct proc_stat stat;

	if (proc_stat_read(pid, &stat))
		return;
	w->is_found = true;
	w->conn.ev.tid = pid;
	snprintf((char *)w->conn.laddr, 16, "%.15s", stat.comm); /* the address has served */
}

static void match_links(struct peername *self, unsigned int pid)
{
	char path[320], link[64];
	struct dirent *entry;
	unsigned long inode;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%u/fd/%s", pid, entry->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = 0;
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		for (size_t i = 0; i < self->nr; i++)
			if (self->wanted[i].inode == inode && !self->wanted[i].is_found)
				name_owner(&self->wanted[i], pid);
	}
	closedir(dir);
}

static void walk_processes(struct peername *self)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			match_links(self, strtoul(entry->d_name, NULL, 10));
	closedir(proc);
}

static size_t take_found(struct peername *self, unsigned long long now_ns, struct gemba_comm *to,
			 size_t room)
{
	size_t given = 0, left = 0;

	for (size_t i = 0; i < self->nr; i++) {
		struct wanted *w = &self->wanted[i];

		if (w->is_found && given < room) {
			struct gemba_comm *rec = &to[given++];

			memset(rec, 0, sizeof(*rec));
			rec->ev.ts_ns = now_ns;
			rec->ev.kind = GEMBA_PEERNAME;
			rec->ev.sk = w->conn.ev.sk;
			rec->ev.tid = w->conn.ev.tid;
			memcpy(rec->comm, w->conn.laddr, 16);
		} else if (w->is_found || ++w->tries < MAX_TRIES) {
			self->wanted[left++] = *w;
		}
	}
	self->nr = left;
	return given;
}

size_t peername_find(struct peername *self, unsigned long long now_ns, struct gemba_comm *to,
		     size_t room)
{
	if (!self->nr || now_ns < self->next_ns || self->walks >= MAX_WALKS)
		return 0;
	self->next_ns = now_ns + 1000000000ull;
	self->walks++;
	read_table(self, "/proc/net/tcp", false);
	read_table(self, "/proc/net/tcp6", false);
	read_table(self, "/proc/net/udp", true);
	read_table(self, "/proc/net/udp6", true);
	walk_processes(self);
	return take_found(self, now_ns, to, room);
}
