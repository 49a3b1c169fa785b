#ifndef TESTS_HOST_OPTIONS_H
#define TESTS_HOST_OPTIONS_H

#include <stdint.h>

enum option_kind {
	OPTION_FLAG,	  /* bool, becomes true */
	OPTION_NUMBER,	  /* uint64_t within [min, max] */
	OPTION_SECONDS,	  /* uint64_t in ns, written as decimal seconds within [min, max] ms */
	OPTION_ENDPOINT,  /* struct endpoint, port within [min, max] */
	OPTION_INTERFACE, /* struct in_addr */
	OPTION_TEXT,	  /* const char * */
};

struct option_row {
	const char *name; /* with its dashes */
	enum option_kind kind;
	void *value; /* holds the default before, the user's choice after */
	uint64_t min, max;
	const char *help; /* argument, two blanks, sentence, default included */
};

struct options {
	const char *program, *summary;
	const struct option_row *rows; /* ends with a row without a name */
};

/*
 * Fills in the values. Exits 0 after -h; exits 2 with one line on stderr when anything is unknown,
 * out of range or left over.
 */
void options_parse(const struct options *self, int argc, char **argv);

/* One line "PROGRAM: WHAT: strerror(err)" on stderr; err may be negative or 0 for none. Returns 1,
 * the exit status, so that a caller can fail in one expression. */
int fail(const char *program, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
