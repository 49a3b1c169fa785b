/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feature.h - what this kernel offers, found by looking, never by its version number
 */
#ifndef GEMBA_ATTACH_FEATURE_H
#define GEMBA_ATTACH_FEATURE_H

#include <stdbool.h>

struct btf;

/* The kernel's own BTF, or NULL with errno. btf__free() it. */
struct btf *feature_vmlinux_btf(void);
/* Arguments of a BTF-typed tracepoint without the context pointer, or -1: it is not there. */
int feature_tracepoint_args(const struct btf *btf, const char *tracepoint);
/* uprobe_multi links, 6.6; whether they see all threads has to be tried. */
bool feature_has_uprobe_multi(const struct btf *btf);
/* Whether some network device of this host stamps received packets in hardware. */
bool feature_has_hwstamps(void);
/* CAP_BPF with CAP_PERFMON, or CAP_SYS_ADMIN, is in the effective set. */
bool feature_has_privileges(void);

#endif
