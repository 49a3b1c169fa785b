// SPDX-License-Identifier: BSD-2-Clause
/*
 * hist.c - values in, bucket counts out; integer arithmetic wherever a bucket is chosen
 *
 * A value is shifted so that its highest bit is bit 63; the five bits below that name a cell,
 * a cell holds at most two bucket bounds, so two comparisons with a table find the bucket.
 * The tables are floor(2^(63 + i/32)) and floor(2^(63 + (2i+1)/64)), integer roots of powers
 * of two found by bisection with exact integers. All bounds but i = 0 are irrational, so the
 * floor decides as the real bound would.
 *
 * counts[] covers the buckets from the lowest to the highest seen, no others.
 */
#include "src/map/hist.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NR_PER_OCTAVE 32
#define ROOM_UNIT 32
#define PPB 1000000000ULL

static const uint64_t tops[NR_PER_OCTAVE + 2] = {
	0x8000000000000000ULL,
	0x82cd8698ac2ba1d7ULL,
	0x85aac367cc487b14ULL,
	0x88980e8092da8527ULL,
	0x8b95c1e3ea8bd6e6ULL,
	0x8ea4398b45cd53c0ULL,
	0x91c3d373ab11c336ULL,
	0x94f4efa8fef70961ULL,
	0x9837f0518db8a96fULL,
	0x9b8d39b9d54e5538ULL,
	0x9ef5326091a111adULL,
	0xa27043030c496818ULL,
	0xa5fed6a9b15138eaULL,
	0xa9a15ab4ea7c0ef8ULL,
	0xad583eea42a14ac6ULL,
	0xb123f581d2ac258fULL,
	0xb504f333f9de6484ULL,
	0xb8fbaf4762fb9ee9ULL,
	0xbd08a39f580c36beULL,
	0xc12c4cca66709456ULL,
	0xc5672a115506daddULL,
	0xc9b9bd866e2f27a2ULL,
	0xce248c151f8480e3ULL,
	0xd2a81d91f12ae45aULL,
	0xd744fccad69d6af4ULL,
	0xdbfbb797daf23755ULL,
	0xe0ccdeec2a94e111ULL,
	0xe5b906e77c8348a8ULL,
	0xeac0c6e7dd24392eULL,
	0xefe4b99bdcdaf5cbULL,
	0xf5257d152486cc2cULL,
	0xfa83b2db722a033aULL,
	UINT64_MAX,
	UINT64_MAX,
};

static const uint64_t mids[NR_PER_OCTAVE] = {
	0x8164d1f3bc030773ULL, 0x843a28c3acde4046ULL, 0x871f61969e8d1010ULL, 0x8a14d575496efd9aULL,
	0x8d1adf5b7e5ba9e5ULL, 0x9031dc431466b1dcULL, 0x935a2b2f13e6e92bULL, 0x96942d3720185a00ULL,
	0x99e0459320b7fa64ULL, 0x9d3ed9a72cffb750ULL, 0xa0b0510fb9714fc2ULL, 0xa43515ae09e6809eULL,
	0xa7cd93b4e9653569ULL, 0xab7a39b5a93ed337ULL, 0xaf3b78ad690a4374ULL, 0xb311c412a9112489ULL,
	0xb6fd91e328d17791ULL, 0xbaff5ab2133e45fbULL, 0xbf1799b67a731082ULL, 0xc346ccda24976407ULL,
	0xc78d74c8abb9b15cULL, 0xcbec14fef2727c5cULL, 0xd06333daef2b2594ULL, 0xd4f35aabcfedfa1fULL,
	0xd99d15c278afd7b5ULL, 0xde60f4825e0e9123ULL, 0xe33f8972be8a5a51ULL, 0xe8396a503c4bdc68ULL,
	0xed4f301ed9942b84ULL, 0xf281773c59ffb139ULL, 0xf7d0df730ad13bb8ULL, 0xfd3e0c0cf486c174ULL,
};

/* How many bounds lie below cell g, [2^63 + g 2^58, 2^63 + (g+1) 2^58). */
static const uint8_t below[NR_PER_OCTAVE] = {
	0,  2,	3,  5,	6,  7,	8,  10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26, 26, 27, 28, 29, 30, 30, 31, 32,
};

static inline unsigned int bucket_of(uint64_t value_ns)
{
	unsigned int zeros = __builtin_clzll(value_ns);
	uint64_t mantissa = value_ns << zeros;
	unsigned int i = below[(mantissa >> 58) & (NR_PER_OCTAVE - 1)];

	i += (tops[i] < mantissa) + (tops[i + 1] < mantissa);
	return (63 - zeros) * NR_PER_OCTAVE + i;
}

unsigned int hist_bucket(uint64_t value_ns)
{
	return bucket_of(value_ns);
}

uint64_t hist_bucket_top_ns(unsigned int k)
{
	unsigned int octave = k / NR_PER_OCTAVE;

	if (octave > 63)
		return UINT64_MAX;
	return tops[k % NR_PER_OCTAVE] >> (63 - octave);
}

uint64_t hist_bucket_mid_ns(unsigned int k)
{
	unsigned int octave, shift;
	uint64_t mid;

	if (k == 0)
		return 1;
	octave = (k - 1) / NR_PER_OCTAVE;
	mid = mids[(k - 1) % NR_PER_OCTAVE];
	shift = 63 - octave;
	if (shift == 0)
		return mid;
	return (mid >> shift) + ((mid >> (shift - 1)) & 1);
}

void hist_init(struct hist *self)
{
	memset(self, 0, sizeof(*self));
	self->min_ns = UINT64_MAX;
}

void hist_fini(struct hist *self)
{
	free(self->counts);
	hist_init(self);
}

/* Makes counts[] cover buckets lo..hi; what it covers already stays. */
static __attribute__((noinline)) int cover(struct hist *self, unsigned int lo, unsigned int hi)
{
	unsigned int from = self->nr && self->offset < lo ? self->offset : lo;
	unsigned int last =
		self->nr && self->offset + self->nr - 1U > hi ? self->offset + self->nr - 1U : hi;
	unsigned int nr = last - from + 1;
	unsigned int shift = self->nr ? self->offset - from : 0;

	if (nr > self->room) {
		unsigned int room = (nr + ROOM_UNIT - 1) / ROOM_UNIT * ROOM_UNIT;
		uint64_t *counts = realloc(self->counts, room * sizeof(*counts));

		if (!counts)
			return -ENOMEM;
		self->counts = counts;
		self->room = room;
	}
	if (shift)
		memmove(self->counts + shift, self->counts, self->nr * sizeof(*self->counts));
	memset(self->counts, 0, shift * sizeof(*self->counts));
	memset(self->counts + shift + self->nr, 0, (nr - shift - self->nr) * sizeof(*self->counts));
	self->offset = from;
	self->nr = nr;
	return 0;
}

static inline void note(struct hist *self, uint64_t value_ns, uint64_t n)
{
	/* From a signed integer the conversion is one instruction, from another it is eight. */
	double value = value_ns >> 63 ? (double)value_ns : (double)(int64_t)value_ns;

	self->count += n;
	self->sum_ns += value_ns * n;
	self->sum_squares += value * value * (double)(int64_t)n;
	if (value_ns < self->min_ns)
		self->min_ns = value_ns;
	if (value_ns > self->max_ns)
		self->max_ns = value_ns;
}

int hist_add_n(struct hist *self, uint64_t value_ns, uint64_t n)
{
	if (n == 0)
		return 0;
	if (value_ns == 0) {
		self->zero_count += n;
	} else {
		unsigned int k = bucket_of(value_ns);

		if (k - self->offset >= self->nr && cover(self, k, k) < 0)
			return -ENOMEM;
		self->counts[k - self->offset] += n;
	}
	note(self, value_ns, n);
	return 0;
}

/* What most calls do, without a product and without a frame; the rest is left to the other. */
int hist_add(struct hist *self, uint64_t value_ns)
{
	unsigned int i;

	if (value_ns == 0)
		return hist_add_n(self, 0, 1);
	i = bucket_of(value_ns) - self->offset;
	if (i >= self->nr)
		return hist_add_n(self, value_ns, 1);
	self->counts[i]++;
	note(self, value_ns, 1);
	return 0;
}

int hist_merge(struct hist *self, const struct hist *other)
{
	if (other->nr) {
		if (cover(self, other->offset, other->offset + other->nr - 1U) < 0)
			return -ENOMEM;
		for (unsigned int i = 0; i < other->nr; i++)
			self->counts[other->offset - self->offset + i] += other->counts[i];
	}
	self->count += other->count;
	self->zero_count += other->zero_count;
	self->sum_ns += other->sum_ns;
	self->sum_squares += other->sum_squares;
	if (other->min_ns < self->min_ns)
		self->min_ns = other->min_ns;
	if (other->max_ns > self->max_ns)
		self->max_ns = other->max_ns;
	return 0;
}

static uint64_t clamp(const struct hist *self, uint64_t value_ns)
{
	if (value_ns < self->min_ns)
		return self->min_ns;
	return value_ns > self->max_ns ? self->max_ns : value_ns;
}

static uint64_t value_of_rank(const struct hist *self, uint64_t rank)
{
	uint64_t seen = self->zero_count;

	if (rank <= seen)
		return 0;
	for (unsigned int i = 0; i < self->nr; i++) {
		seen += self->counts[i];
		if (rank <= seen)
			return clamp(self, hist_bucket_mid_ns(self->offset + i));
	}
	return self->max_ns;
}

/* q in whole billionths: 1 - 0.9999 is not 0.0001 in binary, and 10 items must be enough. */
bool hist_quantile(const struct hist *self, double q, uint64_t *value_ns)
{
	unsigned __int128 n = self->count;
	uint64_t q_ppb = (uint64_t)llround(q * PPB);

	if (n < 20 && q_ppb <= PPB / 2)
		return false;
	if (n * (PPB - q_ppb) < (unsigned __int128)10 * PPB)
		return false;
	*value_ns = value_of_rank(self, (uint64_t)((n * q_ppb + PPB - 1) / PPB));
	return true;
}

uint64_t hist_mean_ns(const struct hist *self)
{
	return self->count ? self->sum_ns / self->count : 0;
}

uint64_t hist_stddev_ns(const struct hist *self)
{
	double n = (double)self->count, mean, variance;

	if (self->count == 0 || self->min_ns == self->max_ns)
		return 0;
	mean = (double)self->sum_ns / n;
	variance = self->sum_squares / n - mean * mean;
	return variance > 0 ? (uint64_t)sqrt(variance) : 0;
}
