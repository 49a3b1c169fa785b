// SPDX-License-Identifier: BSD-2-Clause
/*
 * stage_file.c - the stage file's schema, and where in it something is wrong
 *
 * libcyaml says in its first line what is wrong and in those behind it where, the innermost first.
 */
#include "src/stage_file.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_BYTES (1 << 20)
#define MAX_STAGES 64

#define TEXT(name, of, min, flags)                                                                 \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (flags), struct of, name, min, 4096)

static const cyaml_schema_field_t stage_fields[] = {
	TEXT(name, stage_file_stage, 1, CYAML_FLAG_OPTIONAL),
	TEXT(probe, stage_file_stage, 1, 0),
	TEXT(key, stage_file_stage, 1, CYAML_FLAG_OPTIONAL),
	TEXT(value, stage_file_stage, 1, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t stage_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct stage_file_stage, stage_fields),
};
static const cyaml_schema_field_t file_fields[] = {
	TEXT(map, stage_file, 1, CYAML_FLAG_OPTIONAL),
	TEXT(owner, stage_file, 1, CYAML_FLAG_OPTIONAL),
	TEXT(review_by, stage_file, 1, CYAML_FLAG_OPTIONAL),
	TEXT(takt, stage_file, 1, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_SEQUENCE_COUNT("stages", CYAML_FLAG_POINTER, struct stage_file, stages,
				   nr_stages, &stage_schema, 1, MAX_STAGES),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct stage_file, file_fields),
};

struct complaint {
	char what[STAGE_FILE_WHY_BYTES / 2];
	unsigned int line, column; /* 0: not told */
};

static void take_line(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct complaint *self = ctx;
	char line[STAGE_FILE_WHY_BYTES / 2];
	const char *text = line, *where;

	(void)level;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	text += strncmp(text, "Load: ", 6) ? 0 : 6;
	where = strstr(text, "(line: ");
	if (where && !self->line)
		sscanf(where, "(line: %u, column: %u", &self->line, &self->column);
	else if (!self->what[0])
		snprintf(self->what, sizeof(self->what), "%s", text);
}

static int read_all(const char *path, char **text, size_t *bytes, char *why)
{
	FILE *in = fopen(path, "re");
	struct stat st = { 0 };
	int err = in && !fstat(fileno(in), &st) ? 0 : -errno;

	if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	*text = err ? NULL : malloc(MAX_BYTES + 1);
	if (*text)
		*bytes = fread(*text, 1, MAX_BYTES + 1, in);
	if (*text && ferror(in))
		err = -errno;
	if (in)
		fclose(in);
	if (err || !*text)
		snprintf(why, STAGE_FILE_WHY_BYTES, "%.200s: %s", path, strerror(-err ?: ENOMEM));
	else if (*bytes > MAX_BYTES)
		snprintf(why, STAGE_FILE_WHY_BYTES, "%.200s: longer than 1 MiB: no stage file",
			 path);
	else
		return 0;
	free(*text);
	return err ?: -EFBIG;
}

int stage_file_load(struct stage_file **out, const char *path, char *why)
{
	struct complaint complaint = { "", 0, 0 };
	const cyaml_config_t config = {
		.log_fn = take_line,
		.log_ctx = &complaint,
		.log_level = CYAML_LOG_WARNING,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	char *text;
	size_t bytes;
	cyaml_err_t err;
	int read_err = read_all(path, &text, &bytes, why);

	*out = NULL;
	if (read_err)
		return read_err;
	err = cyaml_load_data((const uint8_t *)text, bytes, &config, &file_schema,
			      (cyaml_data_t **)out, NULL);
	if (err == CYAML_OK && *out) {
		(*out)->text = text;
		(*out)->bytes = bytes;
		return 0;
	}
	free(text);
	if (err == CYAML_OK)
		snprintf(complaint.what, sizeof(complaint.what), "it is empty; give stages:");
	else if (!complaint.what[0])
		snprintf(complaint.what, sizeof(complaint.what), "%s", cyaml_strerror(err));
	if (complaint.line)
		snprintf(why, STAGE_FILE_WHY_BYTES, "%.160s:%u:%u: %s", path, complaint.line,
			 complaint.column, complaint.what);
	else
		snprintf(why, STAGE_FILE_WHY_BYTES, "%.160s: %s", path, complaint.what);
	return -EINVAL;
}

void stage_file_free(struct stage_file *self)
{
	const cyaml_config_t config = { .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem };

	if (!self)
		return;
	free(self->text);
	cyaml_free(&config, &file_schema, self, 0);
}

int stage_file_save(const struct stage_file *self, FILE *out)
{
	const cyaml_config_t config = { .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem };
	char *text = NULL;
	size_t bytes = 0;
	cyaml_err_t err =
		cyaml_save_data(&text, &bytes, &config, &file_schema, (cyaml_data_t *)self, 0);

	if (err == CYAML_OK)
		fwrite(text, 1, bytes, out);
	config.mem_fn(NULL, text, 0);
	return err == CYAML_OK ? 0 : err == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
}
