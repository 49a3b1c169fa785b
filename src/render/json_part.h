/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_part.h - what the writer and the reader of map files share
 *
 * Plain fields stand in tables that both walk, so that neither knows one the other does not.
 */
#ifndef GEMBA_RENDER_JSON_PART_H
#define GEMBA_RENDER_JSON_PART_H

#include "src/map/vsm.h"
#include "src/render/emit.h"
#include "src/render/json_get.h"

#define MAP_SCHEMA "gemba.map/1"

struct field {
	const char *name;
	size_t offset;
};

/* Each ends with a NULL name. char * in struct capture; uint64_t in struct account. */
extern const struct field capture_texts[];
extern const struct field stage_texts[];
extern const struct field account_items[];
extern const struct field account_attributed[];
extern const struct field account_more[];
extern const char *const event_kind_names[GEMBA_NR_KINDS];

/* A DIST, of nanoseconds or of plain counts. */
enum dist_unit { DIST_NS, DIST_COUNT };

void emit_dist(struct emit *emit, const char *key, const struct hist *hist, enum dist_unit unit);
void get_dist(struct get *get, const char *key, struct hist *hist, enum dist_unit unit);

void get_capture(struct get *get, struct vsm *vsm);
void get_account(struct get *get, struct vsm *vsm);

void emit_family(struct emit *emit, const struct family *family);
/* The element that `get` stands on; what is filled is all zero. */
void get_family(struct get *get, struct family *family);
void get_step(struct get *get, struct step *step);

#endif
