/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spec.h - the parts of a PROBE as it is written
 */
#ifndef GEMBA_SYMBOL_SPEC_H
#define GEMBA_SYMBOL_SPEC_H

#include <stdbool.h>
#include <stdint.h>

struct spec {
	char *binary; /* NULL: none is named */
	char *symbol;
	uint64_t offset;
	bool is_address; /* symbol is a number, the address of a function in binary */
	uint64_t address;
};

/*
 * Takes `SYMBOL`, `BINARY:SYMBOL` or `BINARY:0xADDRESS`, each perhaps with `+OFFSET` (decimal or
 * 0x), apart; "::" is part of a name. 0, then spec_fini; -EINVAL, -ENOTSUP for usdt: and a
 * sentence in why[PLACE_WHY_BYTES]; -ENOMEM.
 */
int spec_parse(struct spec *self, const char *text, char *why);
void spec_fini(struct spec *self);
/* The colon that ends BINARY, or NULL. */
const char *spec_colon(const char *text);

#endif
