// SPDX-License-Identifier: BSD-2-Clause
/*
 * stage_file_place.c - the file's tree once more, with libyaml's marks
 */
#include "src/stage_file_place.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

/* The value of a mapping's key, or NULL. */
static yaml_node_t *value_of(yaml_document_t *document, const yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(document, pair->key);

		if (name && name->type == YAML_SCALAR_NODE &&
		    !strcmp((const char *)name->data.scalar.value, key))
			return yaml_document_get_node(document, pair->value);
	}
	return NULL;
}

static yaml_node_t *item_of(yaml_document_t *document, const yaml_node_t *sequence, size_t item)
{
	const yaml_node_item_t *at;

	if (!sequence || sequence->type != YAML_SEQUENCE_NODE)
		return NULL;
	at = sequence->data.sequence.items.start + item;
	return at < sequence->data.sequence.items.top ? yaml_document_get_node(document, *at) :
							NULL;
}

static int find(struct stage_file_place *out, yaml_document_t *document, unsigned int stage,
		const char *field)
{
	const yaml_node_t *owner = yaml_document_get_root_node(document), *value;

	if (stage != STAGE_FILE_NO_STAGE)
		owner = item_of(document, value_of(document, owner, "stages"), stage);
	value = value_of(document, owner, field);
	value = value ? value : owner;
	if (!value)
		return -ENOENT;
	out->line = (unsigned int)value->start_mark.line + 1;
	out->column = (unsigned int)value->start_mark.column + 1;
	return 0;
}

int stage_file_find(struct stage_file_place *out, const char *text, size_t bytes,
		    unsigned int stage, const char *field)
{
	yaml_document_t document;
	yaml_parser_t parser;
	int err = -ENOENT;

	if (!yaml_parser_initialize(&parser))
		return err;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
	if (yaml_parser_load(&parser, &document)) {
		err = find(out, &document, stage, field);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return err;
}
