// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_get.c - values out of a JSON document that nobody vouches for
 *
 * Types and bounds are checked here and nowhere else. An integer may come as a real (other
 * tools rewrite large ones so) if it is whole, and from 2^63 on as the string that
 * vsm_read_json() makes of it, because jansson has no such integers.
 */
#include "src/render/json_get.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void get_init(struct get *self, const json_t *document, char why[GET_WHY_BYTES])
{
	memset(self, 0, sizeof(*self));
	self->at[0] = document;
	self->why = why;
}

static const json_t *here(const struct get *self)
{
	return self->at[self->depth];
}

static size_t print_way(const struct get *self, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned int i = 1; i <= self->depth && at < size; i++)
		at += (size_t)(self->key[i] ?
				       snprintf(out + at, size - at, "%s%.40s", i > 1 ? "." : "",
						self->key[i]) :
				       snprintf(out + at, size - at, "[%zu]", self->index[i]));
	return at < size ? at : size - 1;
}

void get_fail(struct get *self, const char *key, const char *what)
{
	char way[GET_WHY_BYTES];
	size_t at;

	if (self->err)
		return;
	self->err = -EBADMSG;
	at = print_way(self, way, 60);
	if (key)
		snprintf(way + at, sizeof(way) - at, "%s%.40s", at ? "." : "", key);
	snprintf(self->why, GET_WHY_BYTES, "%.100s: %.50s", *way ? way : "map", what);
}

void get_no_memory(struct get *self)
{
	if (!self->err)
		self->err = -ENOMEM;
}

void *get_allocate(struct get *self, size_t nr, size_t bytes)
{
	void *memory = nr ? calloc(nr, bytes) : NULL;

	if (nr && !memory)
		get_no_memory(self);
	return memory;
}

/* NULL for what is absent or null, and for everything once something was wrong. */
static const json_t *find(const struct get *self, const char *key)
{
	const json_t *value = self->err ? NULL : json_object_get(here(self), key);

	return json_is_null(value) ? NULL : value;
}

static void go(struct get *self, const json_t *value, const char *key, size_t index)
{
	assert(self->depth + 1 < GET_MAX_DEPTH);
	self->depth++;
	self->at[self->depth] = value;
	self->key[self->depth] = key;
	self->index[self->depth] = index;
}

bool get_enter(struct get *self, const char *key)
{
	const json_t *value = find(self, key);

	if (!value)
		return false;
	if (!json_is_object(value)) {
		get_fail(self, key, "not an object");
		return false;
	}
	go(self, value, key, 0);
	return true;
}

bool get_enter_array(struct get *self, const char *key, size_t max, size_t *nr)
{
	const json_t *value = find(self, key);

	*nr = 0;
	if (!value)
		return false;
	if (!json_is_array(value)) {
		get_fail(self, key, "not an array");
		return false;
	}
	if (json_array_size(value) > max) {
		get_fail(self, key, "too many elements");
		return false;
	}
	*nr = json_array_size(value);
	go(self, value, key, 0);
	return true;
}

bool get_enter_element(struct get *self, size_t index)
{
	const json_t *value = self->err ? NULL : json_array_get(here(self), index);

	if (self->err)
		return false;
	go(self, value, NULL, index);
	if (json_is_object(value))
		return true;
	get_fail(self, NULL, "not an object");
	get_leave(self);
	return false;
}

void get_leave(struct get *self)
{
	assert(self->depth > 0);
	self->depth--;
}

bool get_has(const struct get *self, const char *key)
{
	return find(self, key);
}

bool get_bool(struct get *self, const char *key)
{
	const json_t *value = find(self, key);

	if (value && !json_is_boolean(value))
		get_fail(self, key, "not true or false");
	return json_is_true(value);
}

static bool is_whole(const json_t *value, uint64_t *out)
{
	double real;
	char *end;

	if (json_is_integer(value)) {
		*out = (uint64_t)json_integer_value(value);
		return json_integer_value(value) >= 0;
	}
	if (json_is_real(value)) {
		real = json_real_value(value);
		if (!(real >= 0 && real < 0x1p64) || real != floor(real))
			return false;
		*out = (uint64_t)real;
		return true;
	}
	if (!json_is_string(value) || json_string_length(value) < 19)
		return false;
	errno = 0;
	*out = strtoull(json_string_value(value), &end, 10);
	return !errno && !*end && *out > INT64_MAX && *json_string_value(value) != '-';
}

uint64_t get_u64_or(struct get *self, const char *key, uint64_t null)
{
	const json_t *value = find(self, key);
	uint64_t whole;

	if (!value)
		return null;
	if (is_whole(value, &whole))
		return whole;
	get_fail(self, key, "not an integer from 0 to 2^64-1");
	return null;
}

uint64_t get_u64(struct get *self, const char *key)
{
	return get_u64_or(self, key, 0);
}

uint64_t get_u64_max(struct get *self, const char *key, uint64_t max)
{
	uint64_t value = get_u64(self, key);

	if (value > max)
		get_fail(self, key, "too large");
	return value > max ? 0 : value;
}

double get_real(struct get *self, const char *key)
{
	const json_t *value = find(self, key);

	if (value && !json_is_number(value))
		get_fail(self, key, "not a number");
	return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *get_borrowed(struct get *self, const char *key)
{
	const json_t *value = find(self, key);

	if (value && !json_is_string(value))
		get_fail(self, key, "not a string");
	return json_string_value(value);
}

static char *copy(struct get *self, const char *text)
{
	char *own = text ? strdup(text) : NULL;

	if (text && !own)
		get_no_memory(self);
	return own;
}

char *get_text(struct get *self, const char *key)
{
	return copy(self, get_borrowed(self, key));
}

char *get_needed_text(struct get *self, const char *key)
{
	if (!get_has(self, key))
		get_fail(self, key, "missing");
	return get_text(self, key);
}

char **get_texts(struct get *self, const char *key, size_t max, size_t *nr)
{
	size_t wanted;
	char **texts;

	*nr = 0;
	if (!get_enter_array(self, key, max, &wanted))
		return NULL;
	texts = get_allocate(self, wanted, sizeof(*texts));
	while (texts && !self->err && *nr < wanted) {
		const char *text = json_string_value(json_array_get(here(self), *nr));

		if (text)
			texts[(*nr)++] = copy(self, text);
		else
			get_fail(self, NULL, "not an array of strings");
	}
	get_leave(self);
	return texts;
}

void get_u64s(struct get *self, const char *key, uint64_t *out, size_t nr, uint64_t null)
{
	size_t found;

	if (!get_enter_array(self, key, nr, &found)) {
		if (nr)
			get_fail(self, key, "missing");
		return;
	}
	if (found != nr)
		get_fail(self, NULL, "too few elements");
	for (size_t i = 0; i < found && !self->err; i++) {
		const json_t *value = json_array_get(here(self), i);

		out[i] = null;
		if (null == UINT64_MAX && json_is_null(value))
			continue;
		if (!is_whole(value, &out[i]))
			get_fail(self, NULL, "not an array of integers from 0 to 2^64-1");
	}
	get_leave(self);
}

size_t get_name(struct get *self, const char *key, const char *(*name)(size_t), size_t nr)
{
	const char *text = get_borrowed(self, key);

	for (size_t i = 0; text && i < nr; i++)
		if (!strcmp(name(i), text))
			return i;
	if (text)
		get_fail(self, key, "not a name known here");
	return 0;
}
