/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - TIME and SIZE as people write and read them
 *
 * Inside the program a time is u64 nanoseconds and a size u64 bytes; this is the only place
 * that turns words into them. Integer arithmetic throughout: 0.1s is exactly 100 000 000 ns.
 */
#ifndef GEMBA_UTIL_UNIT_H
#define GEMBA_UTIL_UNIT_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_M (60 * NS_PER_S)
#define NS_PER_H (3600 * NS_PER_S)

#define UNIT_TEXT_BYTES 48

/*
 * "500ms", "1.5 s", "10m": digits, perhaps a fraction, a unit of ns us ms s m h. What is finer
 * than a nanosecond is cut. 0 and *ns; -EINVAL: not such a thing; -EDOM: a number without a
 * unit; -ERANGE: more than 2^64 ns.
 */
int unit_parse_time(const char *text, uint64_t *ns);
/* "64M", "1.5 GiB", "4096": B K M G T and KiB MiB GiB TiB, all powers of 1024; no unit: bytes.
 * 0, -EINVAL or -ERANGE. */
int unit_parse_size(const char *text, uint64_t *bytes);
/* Digits alone. 0, -EINVAL or -ERANGE. */
int unit_parse_count(const char *text, uint64_t *count);

/* At most four figures and a unit, "87.54us", "10s", "1.25h"; what is exact stays short.
 * Rounded half up. Returns out. */
const char *unit_format_time(uint64_t ns, char out[UNIT_TEXT_BYTES]);
const char *unit_format_size(uint64_t bytes, char out[UNIT_TEXT_BYTES]);

#endif
