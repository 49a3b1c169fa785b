#ifndef TESTS_HOST_HAZARD_PLUGIN_H
#define TESTS_HOST_HAZARD_PLUGIN_H

#include <stdint.h>

/* All zero but the path. */
struct hazard_plugin {
	const char *path;
	void *handle; /* NULL while it is not loaded */
	uint64_t (*work)(uint64_t a, uint64_t b);
	uint64_t toggle_ns, nr_loads, nr_calls;
};

/* Loads or unloads when it is time, calls plugin_work when loaded. NULL or what went wrong. */
const char *hazard_plugin_round(struct hazard_plugin *self);

void hazard_plugin_fini(struct hazard_plugin *self);

#endif
