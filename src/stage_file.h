/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage_file.h - the stage file: what to observe of a target, kept beside its source (YAML)
 *
 * All but `stages` and a stage's `probe` may be left out, and then is NULL.
 */
#ifndef GEMBA_STAGE_FILE_H
#define GEMBA_STAGE_FILE_H

#include <stddef.h>
#include <stdio.h>

struct stage_file_stage {
	char *name;
	char *probe;
	char *key;
	char *value; /* added, necessary, waste, unknown */
};

struct stage_file {
	char *map; /* what the map is called */
	char *owner;
	char *review_by;
	char *takt; /* a time, 50us */
	struct stage_file_stage *stages;
	unsigned int nr_stages;
	char *text; /* the file's own, so that a place in it can be told */
	size_t bytes;
};

#define STAGE_FILE_WHY_BYTES 384

/* 0 (then stage_file_free), or -errno with `FILE:LINE:COLUMN: what is wrong` in why. */
int stage_file_load(struct stage_file **out, const char *path, char *why);
void stage_file_free(struct stage_file *self);
/* 0 or -errno. */
int stage_file_save(const struct stage_file *self, FILE *out);

#endif
