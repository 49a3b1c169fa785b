// SPDX-License-Identifier: BSD-2-Clause
/*
 * name.c - pure functions on names; libiberty demangles
 *
 * Demangling costs a microsecond, and a big program has 10^5 names. So a search for a demangled
 * name first asks for an identifier that its mangled form must contain. Output is cut at
 * NAME_ROOM: a short hostile name can unfold to gigabytes.
 */
#include "src/symbol/name.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <string.h>

#define MANGLED_MAX_BYTES 2048

size_t name_bytes(const char *name)
{
	const char *at = *name ? strchr(name + 1, '@') : NULL;

	return at ? (size_t)(at - name) : strlen(name);
}

static bool is_clone_word(const char *word, size_t bytes)
{
	static const char *const words[] = { "cold",	 "part", "constprop", "isra",
					     "lto_priv", "llvm", "clone",     "localalias" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == bytes && !memcmp(words[i], word, bytes))
			return true;
	return false;
}

static bool is_number(const char *text, size_t bytes)
{
	size_t i = 0;

	while (i < bytes && isdigit((unsigned char)text[i]))
		i++;
	return bytes && i == bytes;
}

size_t name_base_bytes(const char *name, size_t bytes)
{
	size_t base = bytes, end = bytes;
	const char *dot;

	while ((dot = memrchr(name, '.', end)) && dot != name) {
		size_t word_bytes = end - (dot + 1 - name);

		end = dot - name;
		if (is_clone_word(dot + 1, word_bytes))
			base = end;
		else if (!is_number(dot + 1, word_bytes))
			break;
	}
	return base;
}

bool name_is_cold(const char *name, size_t bytes)
{
	size_t base = name_base_bytes(name, bytes);

	return memmem(name + base, bytes - base, ".cold", 5);
}

bool name_is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

struct output {
	char *to;
	size_t bytes;
};

static void take(const char *text, size_t bytes, void *ctx)
{
	struct output *self = ctx;

	if (self->bytes + bytes < NAME_ROOM)
		memcpy(self->to + self->bytes, text, bytes);
	self->bytes += bytes;
}

bool name_demangle(const char *name, size_t bytes, enum name_form form, char to[NAME_ROOM])
{
	static const int options[] = {
		[NAME_ALONE] = DMGL_NO_OPTS,
		[NAME_PARAMS] = DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP,
		[NAME_SIGNATURE] = DMGL_PARAMS | DMGL_ANSI,
	};
	struct output output = { .to = to };
	char mangled[MANGLED_MAX_BYTES];
	bool is_good;

	to[0] = 0;
	if (bytes >= sizeof(mangled) || !name_is_mangled(name))
		return false;
	memcpy(mangled, name, bytes);
	mangled[bytes] = 0;
	is_good = rust_demangle_callback(mangled, DMGL_NO_OPTS, take, &output);
	if (!is_good) {
		output.bytes = 0;
		is_good = cplus_demangle_v3_callback(mangled, options[form], take, &output);
	}
	if (!is_good || !output.bytes || output.bytes >= NAME_ROOM) {
		to[0] = 0;
		return false;
	}
	to[output.bytes] = 0;
	return true;
}

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

/* Bytes of "operator" and the signs that belong to it, 0 when none stands there. */
static size_t operator_bytes(const char *name, const char *at)
{
	size_t bytes = strlen("operator");

	if (strncmp(at, "operator", bytes) != 0 || (at > name && is_letter(at[-1])) ||
	    is_letter(at[bytes]))
		return 0;
	return bytes + (strncmp(at + bytes, "()", 2) ? strspn(at + bytes, "<>=-+*/%^&|~!,[]") : 2);
}

void name_strip_templates(char *name)
{
	const char *from = name;
	char *to = name;
	int depth = 0;

	while (*from) {
		size_t bytes = depth ? 0 : operator_bytes(name, from);

		if (bytes) {
			memmove(to, from, bytes);
			to += bytes;
			from += bytes;
			continue;
		}
		if (!strncmp(from, "[abi:", 5))
			from += strcspn(from, "]");
		else if (*from == '<')
			depth++;
		else if (*from == '>' && depth)
			depth--;
		else if (!depth)
			*to++ = *from;
		from += *from != 0;
	}
	*to = 0;
}

static const char *closing(const char *open)
{
	int depth = 0;

	for (const char *at = open; *at; at++) {
		depth += (*at == '(') - (*at == ')');
		if (!depth)
			return at;
	}
	return NULL;
}

/* Other parentheses: "(anonymous namespace)::f", "server.(*client).read", "operator()(int)". */
bool name_strip_params(char *name)
{
	char *open = strchr(name, '(');

	while (open) {
		const char *close = closing(open);

		if (!close)
			return false;
		if (!strchr(":.(", close[1]) || !close[1])
			break;
		open = strchr(close, '(');
	}
	if (!open || open == name || (open - name >= 8 && !strncmp(open - 8, "operator", 8)))
		return false;
	*open = 0;
	return true;
}

bool name_equals(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

bool name_literal(const char *name, const char **literal, size_t *bytes)
{
	int depth = 0;

	*bytes = 0;
	if (strstr(name, "std::")) /* the mangled form has abbreviations for some of it */
		return false;
	for (const char *at = name; *at && !operator_bytes(name, at);) {
		size_t run = 0;

		while (is_letter(at[run]) && at[run] != '$')
			run++;
		if (!run) {
			depth += !!strchr("<([{", *at) - !!strchr(">)]}", *at);
			at++;
			continue;
		}
		if (!depth && run > *bytes && strncmp(at, "const", run) != 0 &&
		    strncmp(at, "volatile", run) != 0) {
			*literal = at;
			*bytes = run;
		}
		at += run;
	}
	for (size_t i = 0; i < *bytes; i++)
		if ((*literal)[i] & 0x80)
			return false; /* Rust writes these in punycode */
	return *bytes > 0;
}

const char *name_last_part(const char *name)
{
	const char *last = name;
	int depth = 0;

	for (const char *at = name; *at; at++) {
		depth += (*at == '<' || *at == '(') - (*at == '>' || *at == ')');
		if (depth == 0 && at[1] && (*at == '.' || (*at == ':' && at[1] == ':')))
			last = at + (*at == ':' ? 2 : 1);
	}
	return last;
}
