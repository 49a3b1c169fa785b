/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opts_value.h - the parts of option parsing: a parser for each kind of value, and the check
 *
 * Each takes the text into the row's field of *self and returns 0, or -EINVAL with the part of
 * the message that follows the option's name in why (OPTS_WHY_BYTES).
 */
#ifndef GEMBA_OPTS_VALUE_H
#define GEMBA_OPTS_VALUE_H

#include "src/opts.h"

int opt_flag(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_text(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_time(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_size(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_count(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_choice(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_format(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_pids(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_tag(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_stage(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_key(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_item_key(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_config(struct opts *self, const struct opt_row *row, const char *text, char *why);
/* What opt_config keeps, for tests: a process keeps its options to its end. */
void opts_free_config(struct opts *self);
/* All options are known: gives each key to its stage. */
int opts_give_keys(struct opts *self, char *why);
int opt_fail_if(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_where(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_quiet(struct opts *self, const struct opt_row *row, const char *text, char *why);
int opt_verbose(struct opts *self, const struct opt_row *row, const char *text, char *why);

/* What the options say together; given: one bit for each row of opt_rows that was. */
int opts_check(struct opts *self, uint64_t given, char *why);
/* Writes the message, returns -EINVAL. */
int opts_refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
