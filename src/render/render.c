// SPDX-License-Identifier: BSD-2-Clause
/*
 * render.c - the formats there are
 */
#include "src/render/render.h"

#include <string.h>

const struct renderer renderers[] = {
	{ "text", ".txt", "for people, in a terminal or a ticket", render_text },
	{ "json", ".json", "complete, for scripts, and readable again by gemba", render_json },
	{ 0 },
};

const struct renderer *renderer_by_name(const char *name)
{
	for (const struct renderer *renderer = renderers; renderer->name; renderer++)
		if (!strcmp(renderer->name, name))
			return renderer;
	return NULL;
}

const struct renderer *renderer_by_suffix(const char *path)
{
	size_t bytes = strlen(path);

	for (const struct renderer *renderer = renderers; renderer->name; renderer++) {
		size_t own = strlen(renderer->suffix);

		if (bytes > own && !strcmp(path + bytes - own, renderer->suffix))
			return renderer;
	}
	return NULL;
}
