// SPDX-License-Identifier: BSD-2-Clause
/*
 * json_read.c - a map file back into a map
 *
 * The file may come from anywhere: every type is checked, every size bounded, and what is
 * wrong is named with the way to it. What this reads, render_json() writes again byte for byte
 * as it was. Fields that are not known here are ignored; those that are absent are null.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/escape.h"
#include "src/render/json_part.h"
#include "src/render/render.h"

#define MAX_MERGED 65536
#define LARGEST_OF_JANSSON "9223372036854775807"

static bool is_of_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Bytes of the string, the number or the single character that text begins with. */
static size_t token(const char *text, size_t bytes)
{
	size_t nr = 1;

	if (*text == '"') {
		while (nr < bytes && text[nr] != '"')
			nr += text[nr] == '\\' ? 2 : 1;
		return nr < bytes ? nr + 1 : bytes;
	}
	while (is_of_number(*text) && nr < bytes && is_of_number(text[nr]))
		nr++;
	return nr;
}

static bool is_large_integer(const char *text, size_t nr)
{
	size_t most = strlen(LARGEST_OF_JANSSON);

	for (size_t i = 0; i < nr; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return nr > most || (nr == most && memcmp(text, LARGEST_OF_JANSSON, most) > 0);
}

/* A copy in which integers from 2^63 on are strings; jansson would refuse the document. */
static char *quote_large(const char *text, size_t bytes, size_t *out_bytes)
{
	char *out = malloc(bytes + bytes / 8 + 4); /* two bytes more for each 19 or more */
	char *at = out;
	size_t nr;

	for (size_t i = 0; out && i < bytes; i += nr) {
		bool is_large;

		nr = token(text + i, bytes - i);
		is_large = is_large_integer(text + i, nr);
		if (is_large)
			*at++ = '"';
		at = (char *)memcpy(at, text + i, nr) + nr;
		if (is_large)
			*at++ = '"';
	}
	*out_bytes = out ? (size_t)(at - out) : 0;
	return out;
}

static void get_endpoint(struct get *get, struct vsm_endpoint *endpoint)
{
	const char *protocol = get_borrowed(get, "protocol");

	endpoint->id = get_needed_text(get, "id");
	endpoint->name = get_text(get, "name");
	endpoint->is_udp = protocol && !strcmp(protocol, "udp");
	endpoint->local = get_text(get, "local");
	endpoint->remote = get_text(get, "remote");
	endpoint->flows = get_u64(get, "flows");
	endpoint->items = get_u64(get, "items");
	endpoint->bytes = get_u64(get, "bytes");
	endpoint->rate_hz = get_real(get, "rate_hz");
	get_dist(get, "rtt", &endpoint->rtt, DIST_NS);
}

static void get_endpoints(struct get *get, const char *key, struct vsm_endpoint *endpoints,
			  size_t *nr_endpoints)
{
	size_t nr;

	if (!get_enter_array(get, key, VSM_MAX_ENDPOINTS + 1, &nr))
		return;
	while (*nr_endpoints < nr && get_enter_element(get, *nr_endpoints)) {
		get_endpoint(get, &endpoints[(*nr_endpoints)++]);
		get_leave(get);
	}
	get_leave(get);
}

static void get_families(struct get *get, struct vsm *vsm)
{
	size_t nr;

	if (!get_enter_array(get, "families", VSM_MAX_FAMILIES + 1, &nr))
		return;
	vsm->families = get_allocate(get, nr, sizeof(*vsm->families));
	while (vsm->families && vsm->nr_families < nr && get_enter_element(get, vsm->nr_families)) {
		get_family(get, &vsm->families[vsm->nr_families++]);
		get_leave(get);
	}
	get_leave(get);
}

static void get_map(struct get *get, struct vsm *vsm)
{
	const char *schema = get_borrowed(get, "schema");

	if (!schema || strcmp(schema, MAP_SCHEMA))
		get_fail(get, "schema", "not " MAP_SCHEMA);
	vsm->made_by = get_text(get, "made_by");
	vsm->map_id = get_text(get, "map_id");
	vsm->merged_from = get_texts(get, "merged_from", MAX_MERGED, &vsm->nr_merged_from);
	get_capture(get, vsm);
	get_account(get, vsm);
	get_endpoints(get, "suppliers", vsm->suppliers, &vsm->nr_suppliers);
	get_endpoints(get, "customers", vsm->customers, &vsm->nr_customers);
	get_families(get, vsm);
}

static json_t *parse(const char *text, size_t bytes, char why[GET_WHY_BYTES])
{
	size_t quoted_bytes;
	char *quoted = quote_large(text, bytes, &quoted_bytes);
	json_error_t error;
	json_t *document = NULL;

	if (quoted) {
		document = json_loadb(quoted, quoted_bytes, JSON_REJECT_DUPLICATES, &error);
		if (!document)
			snprintf(why, GET_WHY_BYTES, "line %d: %.120s", error.line, error.text);
	}
	free(quoted);
	return document;
}

/* It quotes the file, which may say anything. */
static void make_printable(char why[GET_WHY_BYTES])
{
	char shown[4 * GET_WHY_BYTES];

	escape_text(shown, why, GET_WHY_BYTES - 1, false);
	memcpy(why, shown, strlen(shown) + 1);
}

int vsm_read_json(struct vsm **out, const char *text, size_t bytes, char why[160])
{
	struct vsm *vsm = calloc(1, sizeof(*vsm));
	struct get get = { 0 };
	json_t *document;

	why[0] = '\0';
	document = vsm ? parse(text, bytes, why) : NULL;
	if (!document)
		get.err = why[0] ? -EBADMSG : -ENOMEM;
	else {
		get_init(&get, document, why);
		if (json_is_object(document))
			get_map(&get, vsm);
		else
			get_fail(&get, NULL, "not an object");
	}
	json_decref(document);
	make_printable(why);
	if (get.err) {
		vsm_free(vsm);
		return get.err;
	}
	*out = vsm;
	return 0;
}
