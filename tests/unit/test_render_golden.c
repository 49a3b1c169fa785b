/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_render_golden.c - what renderers make of a map, as text, and the text it should be
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/render/render.h"
#include "tests/unit/test_render_sample.h"

static char *render_with(int (*render)(const struct vsm *, const struct render_opts *, FILE *),
			 const struct vsm *vsm, const struct render_opts *opts)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	cr_assert_not_null(out);
	cr_assert_eq(render(vsm, opts, out), 0);
	cr_assert_eq(fclose(out), 0);
	return text;
}

char *sample_text(const struct vsm *vsm, unsigned int columns, bool is_utf8, bool is_coloured)
{
	struct render_opts opts = { columns, is_utf8, is_coloured };

	return render_with(render_text, vsm, &opts);
}

char *sample_json(const struct vsm *vsm)
{
	struct render_opts opts = { 0 };

	return render_with(render_json, vsm, &opts);
}

struct vsm *sample_read(const char *json)
{
	char why[160] = "";
	struct vsm *vsm = NULL;
	int err = vsm_read_json(&vsm, json, strlen(json), why);

	cr_assert_eq(err, 0, "%d: %s", err, why);
	return vsm;
}

static char *read_file(const char *path)
{
	char *text = NULL;
	size_t bytes;
	size_t room = 0;
	FILE *in = fopen(path, "r");

	cr_assert_not_null(in, "%s: missing; UPDATE_GOLDEN=1 writes it", path);
	bytes = (size_t)getdelim(&text, &room, '\0', in);
	cr_assert_neq(bytes, (size_t)-1);
	fclose(in);
	return text;
}

void assert_golden(const char *name, const char *text)
{
	char path[128];
	char *golden;
	FILE *out;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("UPDATE_GOLDEN")) {
		out = fopen(path, "w");
		cr_assert_not_null(out);
		fputs(text, out);
		fclose(out);
		return;
	}
	golden = read_file(path);
	cr_assert_str_eq(text, golden, "differs from %s; it is now:\n%s", path, text);
	free(golden);
}
