/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_render_sample.h - maps to render, and what the renderers make of them
 */
#ifndef TESTS_UNIT_TEST_RENDER_SAMPLE_H
#define TESTS_UNIT_TEST_RENDER_SAMPLE_H

#include "src/map/vsm.h"

/* A redis-like server: requests with replies in five steps, a rarer route without, `other`;
 * suppliers, customers, doubts, something missing, something lost. All figures are made of
 * 120 000 items drawn from a fixed seed. vsm_free() it. */
struct vsm *sample_redis(void);
/* A gateway: n stages between recv and send. */
struct vsm *sample_stages(size_t nr_stages);
/* A map of no item: target and window, all counts zero. */
struct vsm *sample_empty(void);
/* All that can be null is null, all that can be NAN is. One family of one step, few items. */
struct vsm *sample_nulls(void);
/* Replaces every name in the map. */
void sample_rename(struct vsm *vsm, const char *name);

/* malloc'd. */
char *sample_text(const struct vsm *vsm, unsigned int columns, bool is_utf8, bool is_coloured);
char *sample_json(const struct vsm *vsm);
/* Fails the test with `why` when it cannot be read. */
struct vsm *sample_read(const char *json);

/* Fails the test unless tests/golden/NAME holds this text; UPDATE_GOLDEN=1 in the environment
 * writes it instead. */
void assert_golden(const char *name, const char *text);

#endif
