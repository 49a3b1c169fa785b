/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golang.h - functions of a stripped Go program
 */
#ifndef GEMBA_SYMBOL_GOLANG_H
#define GEMBA_SYMBOL_GOLANG_H

#include "src/symbol/table.h"

/*
 * Adds the functions that the Go runtime keeps for its own stack traces (.gopclntab), which
 * strip(1) leaves. Go 1.18 and later. 0, -ENOENT: has none, -ENOTSUP: older, -EBADMSG, -ENOMEM.
 */
int golang_add(struct table *table, const struct image *program);

#endif
