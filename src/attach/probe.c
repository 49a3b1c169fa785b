// SPDX-License-Identifier: BSD-2-Clause
/*
 * probe.c - loads and attaches the BPF programs, each for itself
 *
 * One table row per program: the tracepoint, the arguments it needs, what it serves and which
 * other program makes it unnecessary. What BTF does not have is not loaded; what the kernel
 * refuses is taken out and the rest is loaded again, so that one refusal costs one station.
 */
#include "src/attach/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/attach/feature.h"
#include "src/util/log.h"

typedef uint64_t u64;
typedef uint32_t u32;
#include "bpf/key.h"
#include "build/bpf/gemba.skel.h"

#define MAX_RINGS 512
#define OTHER_FDS 64 /* programs, maps, links, and what is open already */
#define MIN_RING_BYTES 4096
#define MAX_RING_BYTES (1u << 31) /* max_entries of a map is 32 bits wide */

struct row {
	const char *program;
	const char *tracepoint; /* NULL: an iterator, or uprobes attached one by one */
	int min_args;
	const char *serves; /* a station, or what else the map loses without it */
	const char *unless; /* not needed when this tracepoint exists */
	const char *spares; /* not needed while this program is not refused */
};

static const struct row rows[] = {
	{ "on_rx_direct", "netif_receive_skb", 1, "rx", NULL, NULL },
	{ "on_rx", "netif_receive_skb", 1, "rx", NULL, "on_rx_direct" },
	{ "on_ready", "sk_data_ready", 1, "sock", NULL, NULL },
	{ "on_tcp_probe", "tcp_probe", 2, "sock (tcp)", "sk_data_ready", NULL },
	{ "on_recv", "sock_recv_length", 3, "recv", NULL, NULL },
	{ "on_rcv_space", "tcp_rcv_space_adjust", 1, "recv (tcp)", "sock_recv_length", NULL },
	{ "on_send", "tcp_sendmsg_locked", 2, "send (tcp)", NULL, NULL },
	{ "on_sent", "sock_send_length", 2, "sent", NULL, "on_send" },
	{ "on_txq", "net_dev_queue", 1, "txq", NULL, NULL },
	{ "on_tx_direct", "net_dev_start_xmit", 1, "tx", NULL, NULL },
	{ "on_tx", "net_dev_start_xmit", 1, "tx", NULL, "on_tx_direct" },
	{ "on_udp_drop", "udp_fail_queue_rcv_skb", 2, "drops (udp)", NULL, NULL },
	{ "on_retransmit", "tcp_retransmit_skb", 2, "retransmits", NULL, NULL },
	{ "on_state", "inet_sock_set_state", 3, "new connections", NULL, NULL },
	{ "find_sockets", NULL, 0, "sockets open at attach", NULL, NULL },
	{ "on_waking", "sched_waking", 1, "wake-ups", NULL, NULL },
	{ "on_switch", "sched_switch", 3, "on_cpu, run_queue, blocked", NULL, NULL },
	{ "on_fork", "sched_process_fork", 2, "new threads", NULL, NULL },
	{ "on_exit", "sched_process_exit", 1, "thread exits", NULL, NULL },
	{ "on_exec", "sched_process_exec", 1, "exec", NULL, NULL },
	{ "on_stage", NULL, 0, "stages", NULL, NULL },
	{ "on_calibrate", NULL, 0, "calibration of stages", NULL, NULL },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

struct probe {
	struct gemba_bpf *skel;
	struct bpf_link *links[NR_ROWS];
	char refused[NR_ROWS][160]; /* "" : wanted */
	bool has_better[NR_ROWS];   /* this kernel has the tracepoint that makes it needless */
	int ring_fds[MAX_RINGS];
	unsigned int nr_rings;
	size_t ring_bytes;
	uint64_t misses_at_start;
	bool has_multi; /* programs of stages are loaded for uprobe_multi links */
};

/* Attached when a stage is, not with the rest. */
static bool is_of_stages(size_t row)
{
	return !strcmp(rows[row].program, "on_stage") || !strcmp(rows[row].program, "on_calibrate");
}

static int row_of(const char *program)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		if (!strcmp(rows[i].program, program))
			return i;
	return -1;
}

static bool is_spare(const struct probe *self, size_t row)
{
	const char *better = rows[row].spares;

	return self->has_better[row] || (better && !self->refused[row_of(better)][0]);
}

/* Another row does the very same and speaks for this one: the one that works, else the last. */
static bool has_stand_in(size_t row)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		if (rows[i].spares && !strcmp(rows[i].spares, rows[row].program))
			return !strcmp(rows[i].serves, rows[row].serves);
	return false;
}

static struct bpf_program *program_of(const struct probe *self, size_t row)
{
	return bpf_object__find_program_by_name(self->skel->obj, rows[row].program);
}

/* Which rows this kernel's BTF has; called once, before the first load. */
static void look(struct probe *self, const struct btf *btf)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		const struct row *row = &rows[i];
		int args = row->tracepoint ? feature_tracepoint_args(btf, row->tracepoint) : 0;

		if (row->unless && feature_tracepoint_args(btf, row->unless) >= 0)
			self->has_better[i] = true;
		else if (args < 0)
			snprintf(self->refused[i], sizeof(self->refused[i]),
				 "this kernel has no tracepoint %s", row->tracepoint);
		else if (args < row->min_args)
			snprintf(self->refused[i], sizeof(self->refused[i]),
				 "tracepoint %s of this kernel has %d arguments, %d are needed",
				 row->tracepoint, args, row->min_args);
	}
}

static bool is_loaded(const struct probe *self, const char *program)
{
	int i = row_of(program);

	return !is_spare(self, i) && !self->refused[i][0];
}

/*
 * libbpf says which program the kernel refused only in its log: keep the name, show the text
 * at -vv. One load at a time, in one thread.
 */
static char refused_program[64];

static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];
	char name[64];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	if (sscanf(line, "libbpf: prog '%63[^']': BPF program load failed", name) == 1 ||
	    sscanf(line, "libbpf: prog '%63[^']': failed to load", name) == 1 ||
	    sscanf(line, "libbpf: prog '%63[^']': failed to find", name) == 1)
		snprintf(refused_program, sizeof(refused_program), "%s", name);
	log_debug("%s", line);
	return 0;
}

static int make_rings(struct probe *self)
{
	size_t room = self->ring_bytes;

	for (unsigned int cpu = 0; cpu < self->nr_rings; cpu++) {
		self->ring_fds[cpu] =
			bpf_map_create(BPF_MAP_TYPE_RINGBUF, "gemba_ring", 0, 0, room, NULL);
		if (self->ring_fds[cpu] < 0)
			return -errno;
	}
	return 0;
}

/* The largest power of two that leaves all rings within the total, one page at least, 2 GiB at most. */
static size_t ring_size(uint64_t total, unsigned int nr)
{
	size_t room = MIN_RING_BYTES;

	while (room * 2 * nr <= total && room < MAX_RING_BYTES)
		room *= 2;
	return room;
}

static int open_and_configure(struct probe *self, const struct btf *btf)
{
	self->skel = gemba_bpf__open();
	if (!self->skel)
		return -errno;
	for (size_t i = 0; i < NR_ROWS; i++)
		if (is_spare(self, i) || self->refused[i][0])
			bpf_program__set_autoload(program_of(self, i), false);
	for (size_t i = 0; i < NR_ROWS && self->has_multi; i++)
		if (is_of_stages(i))
			uprobe_prepare_multi(program_of(self, i));
	self->skel->rodata->want_hwstamp = feature_has_hwstamps();
	self->skel->rodata->switch_has_state = feature_tracepoint_args(btf, "sched_switch") >= 4;
	bpf_map__set_inner_map_fd(self->skel->maps.rings, self->ring_fds[0]);
	return 0;
}

/* Loads, taking out one refused program a turn. */
static int load(struct probe *self, const struct btf *btf)
{
	for (size_t turn = 0; turn <= NR_ROWS; turn++) {
		int err = open_and_configure(self, btf), row;

		if (err)
			return err;
		refused_program[0] = 0;
		err = gemba_bpf__load(self->skel);
		if (!err)
			return 0;
		row = row_of(refused_program);
		gemba_bpf__destroy(self->skel);
		self->skel = NULL;
		if (row < 0 || self->refused[row][0])
			return err;
		snprintf(self->refused[row], sizeof(self->refused[row]),
			 "this kernel refused its program: %s", strerror(-err));
	}
	return -EOPNOTSUPP;
}

static int set_rings(struct probe *self)
{
	int map = bpf_map__fd(self->skel->maps.rings);

	for (unsigned int cpu = 0; cpu < self->nr_rings; cpu++)
		if (bpf_map_update_elem(map, &cpu, &self->ring_fds[cpu], BPF_ANY))
			return -errno;
	return 0;
}

static int explain(int err, char *why)
{
	const char *text = strerror(-err);

	if (!feature_has_privileges())
		text = "this needs root, or CAP_BPF with CAP_PERFMON; run it with sudo";
	else if (err == -ENOENT)
		text = "this kernel has no BTF (/sys/kernel/btf/vmlinux); one built with "
		       "CONFIG_DEBUG_INFO_BTF=y is needed";
	else if (err == -ENOMEM)
		text = "out of memory; give smaller rings (--ring), or raise the limit (ulimit -v, "
		       "the cgroup's memory.max)";
	else if (err == -EMFILE || err == -ENFILE)
		text = "too many open files; raise the limit (ulimit -n 1024)";
	else if (err == -EPERM || err == -EACCES)
		text = "the kernel refuses BPF here (lockdown, or a container without it); run "
		       "gemba on the host, see gemba check";
	snprintf(why, PROBE_WHY_BYTES, "cannot load the probes: %s", text);
	return err;
}

static int no_btf(void)
{
	if (!feature_has_privileges())
		return -EPERM;
	return access("/sys/kernel/btf/vmlinux", R_OK) ? -ENOENT : -ENOMEM;
}

/* libbpf reports a lack of descriptors as this or that: it is told before. */
static int raise_limits(unsigned int nr_rings)
{
	rlim_t wanted = nr_rings + OTHER_FDS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return 0;
	if (limit.rlim_max < wanted)
		return -EMFILE;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

static int load_all(struct probe *self, const struct probe_opts *opts)
{
	struct btf *btf = feature_vmlinux_btf();
	int nr = libbpf_num_possible_cpus();
	int err;

	if (!btf)
		return no_btf();
	self->nr_rings = nr < 1 ? 1 : nr > MAX_RINGS ? MAX_RINGS : nr;
	self->ring_bytes = ring_size(opts->ring_bytes, self->nr_rings);
	for (unsigned int i = 0; i < MAX_RINGS; i++)
		self->ring_fds[i] = -1;
	look(self, btf);
	for (size_t i = 0; i < NR_ROWS; i++)
		self->has_better[i] |= is_of_stages(i) ? !opts->has_stages : opts->has_only_stages;
	self->has_multi = opts->has_stages && feature_has_uprobe_multi(btf);
	err = raise_limits(self->nr_rings);
	err = err ?: make_rings(self);
	err = err ?: load(self, btf);
	err = err ?: set_rings(self);
	btf__free(btf);
	return err;
}

int probe_give_up_multi(struct probe *self)
{
	struct btf *btf = feature_vmlinux_btf();
	int err;

	if (!btf)
		return no_btf();
	gemba_bpf__destroy(self->skel);
	self->skel = NULL;
	self->has_multi = false;
	err = load(self, btf);
	err = err ?: set_rings(self);
	btf__free(btf);
	return err;
}

static int name_missing(const struct probe *self, struct pairs *missing)
{
	int err = 0;

	for (size_t i = 0; i < NR_ROWS && !err; i++)
		if (self->refused[i][0] && !has_stand_in(i))
			err = pairs_add(missing, rows[i].serves, self->refused[i]);
	return err;
}

int probe_new(struct probe **out, const struct probe_opts *opts, struct pairs *missing, char *why)
{
	struct probe *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	libbpf_set_print(keep_log);
	err = load_all(self, opts);
	if (err) {
		probe_free(self);
		return explain(err, why);
	}
	err = name_missing(self, missing);
	if (err) {
		probe_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void probe_watch(struct probe *self, uint32_t pid)
{
	const size_t words = sizeof(self->skel->bss->watched_pids) / sizeof(u64);

	__atomic_fetch_or(&self->skel->bss->watched_pids[(pid >> 6) & (words - 1)],
			  1ull << (pid & 63), __ATOMIC_SEQ_CST);
}

void probe_watch_none(struct probe *self)
{
	const size_t words = sizeof(self->skel->bss->watched_pids) / sizeof(u64);

	for (size_t i = 0; i < words; i++)
		if (self->skel->bss->watched_pids[i])
			__atomic_store_n(&self->skel->bss->watched_pids[i], 0, __ATOMIC_SEQ_CST);
}

int probe_attach(struct probe *self, struct pairs *missing, char *why)
{
	size_t nr = 0;
	int err = 0;

	for (size_t i = 0; i < NR_ROWS; i++) {
		if (is_spare(self, i) || self->refused[i][0] || is_of_stages(i))
			continue;
		self->links[i] = bpf_program__attach(program_of(self, i));
		if (self->links[i]) {
			nr++;
			continue;
		}
		err = -errno;
		snprintf(self->refused[i], sizeof(self->refused[i]), "cannot be attached: %s",
			 strerror(errno));
		if (pairs_add(missing, rows[i].serves, self->refused[i]))
			return -ENOMEM;
	}
	self->misses_at_start = 0;
	self->misses_at_start = probe_recursion_misses(self);
	return nr ? 0 : explain(err ?: -EOPNOTSUPP, why);
}

int probe_find_sockets(struct probe *self)
{
	struct bpf_link *link = self->links[row_of("find_sockets")];
	char none[256];
	ssize_t n;
	int fd;

	if (!link)
		return -EOPNOTSUPP;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return -errno;
	do
		n = read(fd, none, sizeof(none));
	while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	return n < 0 ? -errno : 0;
}

int probe_stage_fd(const struct probe *self)
{
	return is_loaded(self, "on_stage") ? bpf_program__fd(program_of(self, row_of("on_stage"))) :
					     -1;
}

static int attach_uprobe(struct probe *self, const char *program, uint64_t cookie, uint32_t pid,
			 const char *path, uint64_t file_offset, struct uprobe *out)
{
	if (!is_loaded(self, program))
		return -EOPNOTSUPP;
	return uprobe_attach(out, program_of(self, row_of(program)), self->has_multi, cookie, pid,
			     path, file_offset);
}

bool probe_has_multi(const struct probe *self)
{
	return self->has_multi;
}

int probe_stage_attach(struct probe *self, unsigned int stage, uint32_t pid, const char *path,
		       uint64_t file_offset, struct uprobe *out)
{
	return attach_uprobe(self, "on_stage", stage, pid, path, file_offset, out);
}

int probe_calibration_attach(struct probe *self, uint32_t pid, const char *path,
			     uint64_t file_offset, struct uprobe *out)
{
	return attach_uprobe(self, "on_calibrate", 0, pid, path, file_offset, out);
}

unsigned int probe_nr_calibrations(const struct probe *self)
{
	return __atomic_load_n(&self->skel->bss->nr_calibrations, __ATOMIC_RELAXED);
}

const uint64_t *probe_calibrations(const struct probe *self)
{
	return (const uint64_t *)self->skel->bss->calibration_ns;
}

void probe_stage_key(struct probe *self, unsigned int stage, const struct gemba_key *key)
{
	self->skel->bss->stage_keys[stage] = *key;
}

uint64_t probe_stage_hits(const struct probe *self, unsigned int stage)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < self->nr_rings; cpu++)
		sum += __atomic_load_n(&self->skel->bss->stage_hits[cpu][stage], __ATOMIC_RELAXED);
	return sum;
}

void probe_detach(struct probe *self)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		bpf_link__destroy(self->links[i]);
		self->links[i] = NULL;
	}
}

void probe_free(struct probe *self)
{
	if (!self)
		return;
	probe_detach(self);
	for (unsigned int cpu = 0; cpu < self->nr_rings; cpu++)
		if (self->ring_fds[cpu] >= 0)
			close(self->ring_fds[cpu]);
	if (self->skel)
		gemba_bpf__destroy(self->skel);
	free(self);
}

unsigned int probe_nr_rings(const struct probe *self)
{
	return self->nr_rings;
}

int probe_ring_fd(const struct probe *self, unsigned int cpu)
{
	return self->ring_fds[cpu];
}

size_t probe_ring_bytes(const struct probe *self)
{
	return self->ring_bytes;
}

uint64_t probe_lost(const struct probe *self, unsigned int cpu, unsigned int kind)
{
	return __atomic_load_n(&self->skel->bss->lost[cpu][kind & 31], __ATOMIC_RELAXED);
}

uint64_t probe_recursion_misses(const struct probe *self)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < NR_ROWS; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t bytes = sizeof(info);
		int fd = is_loaded(self, rows[i].program) ? bpf_program__fd(program_of(self, i)) :
							    -1;

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &bytes))
			sum += info.recursion_misses;
	}
	return sum - self->misses_at_start;
}

bool probe_has_sched(const struct probe *self)
{
	return self->links[row_of("on_switch")];
}

int probe_try(struct probe_status **out, size_t *nr, char *why)
{
	const struct probe_opts opts = { .ring_bytes = 0 };
	struct probe *self = calloc(1, sizeof(*self));
	struct probe_status *list = calloc(NR_ROWS, sizeof(*list));
	int err = self && list ? 0 : -ENOMEM;

	libbpf_set_print(keep_log);
	err = err ?: load_all(self, &opts);
	*nr = 0;
	for (size_t i = 0; i < NR_ROWS && !err; i++) {
		if (is_spare(self, i) || (self->refused[i][0] && has_stand_in(i)))
			continue;
		list[*nr].program = rows[i].program;
		list[*nr].serves = rows[i].serves;
		memcpy(list[*nr].why, self->refused[i], sizeof(list[*nr].why));
		++*nr;
	}
	probe_free(self);
	if (err) {
		free(list);
		return explain(err, why);
	}
	*out = list;
	return 0;
}
