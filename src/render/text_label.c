// SPDX-License-Identifier: BSD-2-Clause
/*
 * text_label.c - what an endpoint is called in a box
 *
 * "exchange:17002" where the target opened the connection, "127.0.0.1 :6379" where it listens,
 * "feed 239.1.2.3:5000" for a multicast group; with the protocol "exchange tcp:17002".
 */
#include "src/render/text_label.h"

#include <stdio.h>
#include <string.h>

#include "src/render/escape.h"

#define MIN_NAME 4 /* columns left of a name beside a group */
#define PART_BYTES 512

static bool is_own(const struct vsm_endpoint *endpoint)
{
	return endpoint->local && *endpoint->local;
}

const char *label_port(const struct vsm_endpoint *endpoint)
{
	const char *text = is_own(endpoint) ? endpoint->local : endpoint->remote;
	const char *bracket = text ? strrchr(text, ']') : NULL;
	const char *colon = text ? strrchr(text, ':') : NULL;

	return colon && (!bracket || colon > bracket) ? colon : NULL;
}

const char *label_protocol(const struct vsm_endpoint *endpoint)
{
	return endpoint->is_udp ? "udp" : "tcp";
}

static bool is_port_alone(const struct vsm_endpoint *endpoint)
{
	return is_own(endpoint) && label_port(endpoint) == endpoint->local;
}

bool label_same_port(const struct vsm_endpoint *endpoint, const struct vsm_endpoint *other)
{
	return other && is_port_alone(endpoint) && is_port_alone(other) &&
	       !strcmp(endpoint->local, other->local) && endpoint->is_udp == other->is_udp;
}

/* Without the port that an address has for a name. */
static void print_name(char name[PART_BYTES], const struct vsm_endpoint *endpoint, const char *port)
{
	const char *text = endpoint->name ? endpoint->name : "-";
	bool is_address = port && !is_own(endpoint) && !strcmp(text, endpoint->remote);

	snprintf(name, PART_BYTES, "%.*s",
		 is_address ? (int)(port - endpoint->remote) : PART_BYTES - 1, text);
}

/* The group, with a blank before it. */
static void print_group(char group[PART_BYTES], const struct vsm_endpoint *endpoint,
			const char *port)
{
	bool has_group = port && is_own(endpoint) && port != endpoint->local;

	snprintf(group, PART_BYTES, "%s%.*s", has_group ? " " : "",
		 has_group ? (int)(port - endpoint->local) : 0, has_group ? endpoint->local : "");
}

static void print_protocol(char protocol[8], const struct vsm_endpoint *endpoint,
			   unsigned int parts)
{
	bool has_blank = (parts & LABEL_PROTOCOL) || is_port_alone(endpoint);

	snprintf(protocol, 8, "%s%s", has_blank ? " " : "",
		 parts & LABEL_PROTOCOL ? label_protocol(endpoint) : "");
}

static unsigned int less(unsigned int a, unsigned int b)
{
	return a > b ? a - b : 0;
}

/* Appends at most `columns` of the text, which may be of any origin; the columns it took. */
static unsigned int append(char *out, const char *text, unsigned int columns, bool is_utf8)
{
	return escape_text(out + strlen(out), text, columns, is_utf8);
}

unsigned int label_print(char out[LABEL_BYTES], const struct vsm_endpoint *endpoint,
			 unsigned int parts, unsigned int columns, bool is_utf8)
{
	const char *port = parts & LABEL_PORT ? label_port(endpoint) : NULL;
	char name[PART_BYTES], group[PART_BYTES], shown[4 * PART_BYTES], protocol[8] = "";
	unsigned int room, group_columns, used;

	if (columns > LABEL_MAX_COLUMNS)
		columns = LABEL_MAX_COLUMNS;
	print_name(name, endpoint, port);
	print_group(group, endpoint, port);
	if (port)
		print_protocol(protocol, endpoint, parts);
	room = port ? less(columns, (unsigned int)strlen(protocol) +
					    escape_text(shown, port, LABEL_PORT_COLUMNS, is_utf8)) :
		      columns;
	group_columns = escape_text(shown, group, less(room, MIN_NAME), is_utf8);
	out[0] = '\0';
	used = append(out, name, less(room, group_columns), is_utf8);
	used += append(out, protocol, less(columns, used), is_utf8);
	used += append(out, group, group_columns, is_utf8);
	if (port)
		used += append(out, port,
			       less(columns, used) < LABEL_PORT_COLUMNS ? less(columns, used) :
									  LABEL_PORT_COLUMNS,
			       is_utf8);
	return used;
}
