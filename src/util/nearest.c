// SPDX-License-Identifier: BSD-2-Clause
/*
 * nearest.c - optimal string alignment distance, three rows, names up to 63 letters
 *
 * A swap of neighbours counts as one error because it is the commonest slip of a hand.
 */
#include "src/util/nearest.h"

#include <string.h>

#define MAX_LETTERS 63
#define MAX_DISTANCE 2

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int rows[3][MAX_LETTERS + 1];

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = min(above[j], row[j - 1]) + 1;
			row[j] = min(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

void nearest_init(struct nearest *self, const char *given)
{
	self->given = given;
	self->best = NULL;
	self->distance = MAX_DISTANCE + 1;
}

void nearest_offer(struct nearest *self, const char *name)
{
	size_t a_length = strlen(self->given), b_length = strlen(name);
	unsigned int d;

	if (!a_length || a_length > MAX_LETTERS || b_length > MAX_LETTERS)
		return;
	d = distance(self->given, a_length, name, b_length);
	if (d >= self->distance || d * 2 >= b_length)
		return;
	self->distance = d;
	self->best = name;
}
