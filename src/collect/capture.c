/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.c - the circumstances of a capture <-> lines of text
 *
 * What a field is called and where it lies stands in tables, one for the capture and one each
 * for targets and stages; both directions go by them. The numbers that are known only at the end come
 * first, so that a tail that had to be cut still has them. A key that this version does not know
 * is passed over: older programs read newer traces.
 */
#include "src/collect/capture.h"
#include "bpf/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far more than anyone has tags; a hostile text would cost the square of it. */
enum { MAX_PAIRS = 1024 };

enum type { TEXT, U64, U32, INT, FLAG };

struct key {
	const char *name;
	enum type type;
	size_t at;
};

struct list {
	const char *prefix;
	size_t at;
};

#define KEY(of, field, type)                                                                       \
	{                                                                                          \
#field, type, offsetof(struct of, field)                                           \
	}

static const struct key capture_keys[] = {
	KEY(capture, takt_declared_ns, U64),
	KEY(capture, start_ns, U64),
	KEY(capture, end_ns, U64),
	KEY(capture, start_wall_ns, U64),
	KEY(capture, observer_cpu_ns, U64),
	KEY(capture, observer_rss_bytes, U64),
	KEY(capture, recursion_misses, U64),
	KEY(capture, name, TEXT),
	KEY(capture, owner, TEXT),
	KEY(capture, review_by, TEXT),
	KEY(capture, host, TEXT),
	KEY(capture, boot_id, TEXT),
	KEY(capture, kernel, TEXT),
	KEY(capture, arch, TEXT),
	KEY(capture, timezone, TEXT),
};

static const struct key target_keys[] = {
	KEY(target_info, pid, U32),	    KEY(target_info, has_exited, FLAG),
	KEY(target_info, exit_status, INT), KEY(target_info, is_go, FLAG),
	KEY(target_info, comm, TEXT),	    KEY(target_info, exe, TEXT),
	KEY(target_info, build_id, TEXT),   KEY(target_info, cmdline, TEXT),
};

static const struct key stage_keys[] = {
	KEY(stage_info, name, TEXT),	      KEY(stage_info, probe, TEXT),
	KEY(stage_info, binary, TEXT),	      KEY(stage_info, symbol, TEXT),
	KEY(stage_info, site_class, TEXT),    KEY(stage_info, site_text, TEXT),
	KEY(stage_info, key, TEXT),	      KEY(stage_info, value, TEXT),
	KEY(stage_info, note, TEXT),	      KEY(stage_info, site_offset, U64),
	KEY(stage_info, hits, U64),	      KEY(stage_info, cost_ns, U32),
	KEY(stage_info, before_ns, U32),      KEY(stage_info, spread_ns, U32),
	KEY(stage_info, cold_before_ns, U32), KEY(stage_info, cold_after_ns, U32),
};

/* Arrays of structs: target.0.pid=17 */
static const struct rows {
	const char *prefix;
	const struct key *keys;
	size_t nr_keys;
	size_t bytes; /* of an element */
	size_t max;
	size_t at, nr_at;
} all_rows[] = {
	{ "target.", target_keys, sizeof(target_keys) / sizeof(target_keys[0]),
	  sizeof(struct target_info), MAX_PAIRS, offsetof(struct capture, targets),
	  offsetof(struct capture, nr_targets) },
	{ "stage.", stage_keys, sizeof(stage_keys) / sizeof(stage_keys[0]),
	  sizeof(struct stage_info), GEMBA_MAX_STAGES, offsetof(struct capture, stages),
	  offsetof(struct capture, nr_stages) },
};

static const struct list lists[] = {
	{ "tag.", offsetof(struct capture, tags) },
	{ "clock.", offsetof(struct capture, clock) },
	{ "environment.", offsetof(struct capture, environment) },
	{ "missing.", offsetof(struct capture, missing) },
};

#define NR(table) (sizeof(table) / sizeof((table)[0]))

static void *field_of(const void *object, size_t at)
{
	return (char *)object + at;
}

static void free_texts(void *object, const struct key *keys, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (keys[i].type == TEXT)
			free(*(char **)field_of(object, keys[i].at));
}

static void *element(const struct capture *self, const struct rows *rows, size_t i)
{
	return *(char **)field_of(self, rows->at) + i * rows->bytes;
}

static size_t *count_of(const struct capture *self, const struct rows *rows)
{
	return field_of(self, rows->nr_at);
}

static void free_rows(struct capture *self, const struct rows *rows)
{
	for (size_t i = 0; i < *count_of(self, rows); i++)
		free_texts(element(self, rows, i), rows->keys, rows->nr_keys);
	free(*(void **)field_of(self, rows->at));
}

void capture_fini(struct capture *self)
{
	for (size_t i = 0; i < NR(all_rows); i++)
		free_rows(self, &all_rows[i]);
	for (size_t i = 0; i < NR(lists); i++)
		pairs_fini(field_of(self, lists[i].at));
	free_texts(self, capture_keys, NR(capture_keys));
	*self = (struct capture){ 0 };
}

int pairs_add(struct pairs *self, const char *key, const char *value)
{
	struct pair pair = { .key = strdup(key), .value = strdup(value) };
	struct pair *items = realloc(self->items, (self->nr + 1) * sizeof(*items));

	if (items)
		self->items = items;
	if (!items || !pair.key || !pair.value) {
		free(pair.key);
		free(pair.value);
		return -ENOMEM;
	}
	self->items[self->nr++] = pair;
	return 0;
}

static struct pair *pairs_find(const struct pairs *self, const char *key)
{
	for (size_t i = 0; i < self->nr; i++)
		if (!strcmp(self->items[i].key, key))
			return &self->items[i];
	return NULL;
}

const char *pairs_get(const struct pairs *self, const char *key)
{
	const struct pair *pair = pairs_find(self, key);

	return pair ? pair->value : NULL;
}

void pairs_fini(struct pairs *self)
{
	for (size_t i = 0; i < self->nr; i++) {
		free(self->items[i].key);
		free(self->items[i].value);
	}
	free(self->items);
	*self = (struct pairs){ 0 };
}

/* What stands behind the backslash; a key ends at its first `=`, so its own are escaped too. */
static const char escapes[][2] = { { '\n', 'n' }, { '\r', 'r' }, { '\\', '\\' }, { '=', 'e' } };

static char escape_of(char c, bool is_key)
{
	for (size_t i = 0; i < NR(escapes); i++)
		if (escapes[i][0] == c && (c != '=' || is_key))
			return escapes[i][1];
	return 0;
}

static char unescape(char c)
{
	for (size_t i = 0; i < NR(escapes); i++)
		if (escapes[i][1] == c)
			return escapes[i][0];
	return c;
}

static void write_escaped(FILE *to, const char *text, bool is_key)
{
	for (; *text; text++) {
		char escape = escape_of(*text, is_key);

		if (escape)
			putc('\\', to);
		putc(escape ? escape : *text, to);
	}
}

/* `bytes` of escaped text as a string of its own, or NULL. */
static char *read_escaped(const char *text, size_t bytes)
{
	char *to = malloc(bytes + 1), *at = to;

	if (!to)
		return NULL;
	for (const char *end = text + bytes; text < end; text++) {
		if (*text == '\\' && text + 1 < end)
			*at++ = unescape(*++text);
		else
			*at++ = *text;
	}
	*at = 0;
	return to;
}

static void write_field(FILE *to, const struct key *key, const void *field)
{
	switch (key->type) {
	case TEXT:
		write_escaped(to, *(char *const *)field, false);
		break;
	case U64:
		fprintf(to, "%" PRIu64, *(const uint64_t *)field);
		break;
	case U32:
		fprintf(to, "%" PRIu32, *(const uint32_t *)field);
		break;
	case INT:
		fprintf(to, "%d", *(const int *)field);
		break;
	case FLAG:
		fprintf(to, "%d", *(const bool *)field);
		break;
	}
}

static void write_fields(FILE *to, const char *prefix, const void *object, const struct key *keys,
			 size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const void *field = field_of(object, keys[i].at);

		if (keys[i].type == TEXT && !*(char *const *)field)
			continue;
		fprintf(to, "%s%s=", prefix, keys[i].name);
		write_field(to, &keys[i], field);
		putc('\n', to);
	}
}

static void write_pairs(FILE *to, const char *prefix, const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->nr; i++) {
		fputs(prefix, to);
		write_escaped(to, pairs->items[i].key, true);
		putc('=', to);
		write_escaped(to, pairs->items[i].value, false);
		putc('\n', to);
	}
}

static void write_rows(FILE *to, const struct capture *self, const struct rows *rows)
{
	char prefix[32];

	for (size_t i = 0; i < *count_of(self, rows); i++) {
		snprintf(prefix, sizeof(prefix), "%s%zu.", rows->prefix, i);
		write_fields(to, prefix, element(self, rows, i), rows->keys, rows->nr_keys);
	}
}

char *capture_write(const struct capture *self)
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);
	bool failed;

	if (!to)
		return NULL;
	write_fields(to, "", self, capture_keys, NR(capture_keys));
	for (size_t i = 0; i < NR(all_rows); i++)
		write_rows(to, self, &all_rows[i]);
	for (size_t i = 0; i < NR(lists); i++)
		write_pairs(to, lists[i].prefix, field_of(self, lists[i].at));
	failed = ferror(to);
	if (fclose(to) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

static int read_text(char **field, const char *value, size_t bytes)
{
	char *text = read_escaped(value, bytes);

	if (!text)
		return -ENOMEM;
	free(*field);
	*field = text;
	return 0;
}

static int read_field(const struct key *key, void *field, const char *value, size_t bytes)
{
	char digits[24] = "";

	if (key->type == TEXT)
		return read_text(field, value, bytes);
	memcpy(digits, value, bytes < sizeof(digits) ? bytes : sizeof(digits) - 1);
	if (key->type == U64)
		*(uint64_t *)field = strtoull(digits, NULL, 10);
	else if (key->type == U32)
		*(uint32_t *)field = strtoul(digits, NULL, 10);
	else if (key->type == INT)
		*(int *)field = strtol(digits, NULL, 10);
	else
		*(bool *)field = digits[0] == '1';
	return 0;
}

static const struct key *key_named(const struct key *keys, size_t nr, const char *name,
				   size_t bytes)
{
	for (size_t i = 0; i < nr; i++)
		if (strlen(keys[i].name) == bytes && !memcmp(keys[i].name, name, bytes))
			return &keys[i];
	return NULL;
}

/* The element of that number, made if it is the next one; NULL: none such. */
static int element_at(struct capture *self, const struct rows *rows, size_t i, void **out)
{
	size_t *nr = count_of(self, rows);
	void **array = field_of(self, rows->at), *grown;

	*out = NULL;
	if (i > *nr || i >= rows->max)
		return 0;
	if (i == *nr) {
		grown = realloc(*array, (i + 1) * rows->bytes);
		if (!grown)
			return -ENOMEM;
		*array = grown;
		memset(element(self, rows, i), 0, rows->bytes);
		++*nr;
	}
	*out = element(self, rows, i);
	return 0;
}

/* `name` is what follows the prefix: a number, a dot, a field. */
static int read_row(struct capture *self, const struct rows *rows, const char *name,
		    const char *equals, size_t bytes)
{
	const struct key *key;
	void *object;
	size_t i = 0;
	int err;

	for (; *name >= '0' && *name <= '9' && i <= rows->max; name++)
		i = i * 10 + (*name - '0');
	if (*name++ != '.' || name > equals)
		return 0;
	key = key_named(rows->keys, rows->nr_keys, name, equals - name);
	if (!key)
		return 0;
	err = element_at(self, rows, i, &object);
	return err || !object ? err : read_field(key, field_of(object, key->at), equals + 1, bytes);
}

static int pairs_set(struct pairs *self, const char *key, const char *value)
{
	struct pair *pair = pairs_find(self, key);
	char *copy;

	if (!pair)
		return self->nr < MAX_PAIRS ? pairs_add(self, key, value) : -EBADMSG;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(pair->value);
	pair->value = copy;
	return 0;
}

static int read_pair(struct pairs *pairs, const char *name, const char *equals, size_t bytes)
{
	char *key = read_escaped(name, equals - name);
	char *value = read_escaped(equals + 1, bytes);
	int err = key && value ? pairs_set(pairs, key, value) : -ENOMEM;

	free(key);
	free(value);
	return err;
}

static bool begins_with(const char *line, const char *equals, const char *prefix)
{
	size_t bytes = strlen(prefix);

	return (size_t)(equals - line) >= bytes && !memcmp(line, prefix, bytes);
}

static int read_line(struct capture *self, const char *line, const char *end)
{
	const char *equals = memchr(line, '=', end - line);
	const struct key *key;
	size_t bytes;

	if (!equals)
		return -EBADMSG;
	bytes = end - equals - 1;
	for (size_t i = 0; i < NR(all_rows); i++)
		if (begins_with(line, equals, all_rows[i].prefix))
			return read_row(self, &all_rows[i], line + strlen(all_rows[i].prefix),
					equals, bytes);
	for (size_t i = 0; i < NR(lists); i++)
		if (begins_with(line, equals, lists[i].prefix))
			return read_pair(field_of(self, lists[i].at),
					 line + strlen(lists[i].prefix), equals, bytes);
	key = key_named(capture_keys, NR(capture_keys), line, equals - line);
	return key ? read_field(key, field_of(self, key->at), equals + 1, bytes) : 0;
}

int capture_read(struct capture *self, const char *text, size_t bytes)
{
	const char *end = text + bytes, *newline;
	int err = 0;

	while (text < end && !err) {
		newline = memchr(text, '\n', end - text);
		err = read_line(self, text, newline ? newline : end);
		text = newline ? newline + 1 : end;
	}
	return err;
}
