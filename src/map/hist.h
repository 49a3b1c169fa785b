/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist.h - a distribution of nanoseconds (or counts): base-2 exponential histogram, schema 5
 *
 * Bucket k holds (2^((k-1)/32), 2^(k/32)], zero apart: the native histogram of Prometheus,
 * error at most 1.1 %. Sum, sum of squares, minimum and maximum are exact. Two histograms
 * add; only the span of buckets in use is kept, a few kilobytes at most.
 */
#ifndef GEMBA_MAP_HIST_H
#define GEMBA_MAP_HIST_H

#include <stdbool.h>
#include <stdint.h>

#define HIST_NR_BUCKETS 2049 /* k = 0 (the value 1) to 2048 (2^64) */

struct hist {
	uint64_t count; /* zeros included */
	uint64_t zero_count;
	uint64_t sum_ns; /* modulo 2^64: 584 years */
	double sum_squares;
	uint64_t min_ns; /* of all, zero included; UINT64_MAX when empty */
	uint64_t max_ns;
	uint16_t offset; /* k of counts[0] */
	uint16_t nr;	 /* counts[] in use */
	uint16_t room;
	uint64_t *counts;
};

void hist_init(struct hist *self);
void hist_fini(struct hist *self);
/* 0 or -ENOMEM (nothing is changed then). */
int hist_add(struct hist *self, uint64_t value_ns);
int hist_add_n(struct hist *self, uint64_t value_ns, uint64_t n);
int hist_merge(struct hist *self, const struct hist *other);
/* The bucket of a value >= 1, 0..2048. Integer arithmetic only. */
unsigned int hist_bucket(uint64_t value_ns);
/* Geometric midpoint of a bucket, to the nearest integer, and its largest integer. */
uint64_t hist_bucket_mid_ns(unsigned int k);
uint64_t hist_bucket_top_ns(unsigned int k);
/*
 * Nearest-rank quantile, 0 < q < 1: the midpoint of its bucket clamped to [min, max]. False,
 * and *value_ns untouched, where it means nothing: n(1-q) < 10, for q <= 0.5 n < 20.
 */
bool hist_quantile(const struct hist *self, double q, uint64_t *value_ns);
/* 0 when empty. The mean is the exact sum's, rounded down; the deviation is of the population. */
uint64_t hist_mean_ns(const struct hist *self);
uint64_t hist_stddev_ns(const struct hist *self);

#endif
