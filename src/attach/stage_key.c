// SPDX-License-Identifier: BSD-2-Clause
/*
 * stage_key.c - parse, ask DWARF for names, place in registers
 */
#include "src/attach/stage_key.h"

#include "src/key/key.h"
#include "src/site/site.h"
#include "src/symbol/params.h"

static int follow_path(struct key *key, struct binaries *binaries, const struct place *place,
		       char *why)
{
	struct gemba_key_read reads[PARAMS_MAX_READS];
	struct params_value value;
	int err;

	if (!key->path[0])
		return 0;
	err = params_resolve(&value, binaries, place, key->path, why);
	if (err)
		return err;
	for (size_t i = 0; i < value.nr_reads; i++)
		reads[i] = (struct gemba_key_read){ .offset = (uint32_t)value.reads[i].offset,
						    .bytes = value.reads[i].bytes };
	return key_follow(key, value.arg, value.bytes, reads, value.nr_reads, why);
}

int stage_key_make(const char *expr, struct binaries *binaries, const struct place *place,
		   struct gemba_key *out, uint32_t *keep, char *why)
{
	struct key key;
	int err = key_parse(&key, expr, why);

	err = err ?: follow_path(&key, binaries, place, why);
	err = err ?: key_place(&key, place->is_go, out, why);
	if (!err)
		*keep = 1u << key.arg | (key.nr_reads ? SITE_KEEP_MEMORY : 0);
	return err;
}
