// SPDX-License-Identifier: BSD-2-Clause
/*
 * feature.c - looks at the kernel: BTF, tracepoints and their arguments, privileges, stamps
 */
#include "src/attach/feature.h"

#include <bpf/btf.h>
#include <linux/capability.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct btf *feature_vmlinux_btf(void)
{
	return btf__load_vmlinux_btf();
}

bool feature_has_uprobe_multi(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "bpf_uprobe_multi_link", BTF_KIND_STRUCT) > 0;
}

int feature_tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *type;
	char name[128];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -1;
	type = btf__type_by_id(btf, id);
	type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_ptr(type))
		return -1;
	type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_func_proto(type))
		return -1;
	return btf_vlen(type) - 1;
}

static bool stamps_receives(int fd, const char *device)
{
	struct hwtstamp_config config = { 0 };
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	request.ifr_data = (char *)&config;
	return !ioctl(fd, SIOCGHWTSTAMP, &request) && config.rx_filter != HWTSTAMP_FILTER_NONE;
}

bool feature_has_hwstamps(void)
{
	struct if_nameindex *devices = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = false;

	for (size_t i = 0; devices && fd >= 0 && devices[i].if_name && !found; i++)
		found = stamps_receives(fd, devices[i].if_name);
	if (devices)
		if_freenameindex(devices);
	if (fd >= 0)
		close(fd);
	return found;
}

bool feature_has_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	unsigned long long caps;

	if (syscall(SYS_capget, &head, data))
		return false;
	caps = data[0].effective | (unsigned long long)data[1].effective << 32;
	return (caps & 1ull << CAP_SYS_ADMIN) ||
	       ((caps & 1ull << CAP_BPF) && (caps & 1ull << CAP_PERFMON));
}
