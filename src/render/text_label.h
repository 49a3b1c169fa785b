/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_label.h - what an endpoint is called in a box: the name, and what tells it apart
 */
#ifndef GEMBA_RENDER_TEXT_LABEL_H
#define GEMBA_RENDER_TEXT_LABEL_H

#include <stdbool.h>

#include "src/map/vsm.h"

#define LABEL_MAX_COLUMNS 128
#define LABEL_BYTES (4 * LABEL_MAX_COLUMNS + 1)
#define LABEL_PORT_COLUMNS 6 /* :65535 */

enum label_parts { LABEL_NAME = 0, LABEL_PORT = 1, LABEL_PROTOCOL = 2 };

/* As printable text of so many columns at most: the name is cut first, then a multicast group,
 * never the port or the protocol. `parts` is a set; LABEL_PROTOCOL needs LABEL_PORT. Returns
 * the width. */
unsigned int label_print(char out[LABEL_BYTES], const struct vsm_endpoint *endpoint,
			 unsigned int parts, unsigned int columns, bool is_utf8);

/* The port with its colon, of the target or, where that opened the connection, of the peer;
 * NULL: none. */
const char *label_port(const struct vsm_endpoint *endpoint);
const char *label_protocol(const struct vsm_endpoint *endpoint);
/* Both are served at one port of the target, not at a multicast group. `other` may be NULL. */
bool label_same_port(const struct vsm_endpoint *endpoint, const struct vsm_endpoint *other);

#endif
