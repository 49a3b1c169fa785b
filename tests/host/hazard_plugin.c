/*
 * The path of plugin.so in, its function called while it is loaded: half of each period it is,
 * half it is not, so that a tracer sees the mapping come and go, at the address before and at others.
 */
#include "tests/host/hazard_plugin.h"

#include "tests/host/clock.h"
#include "tests/host/plugin.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/mman.h>

#define PERIOD_NS (100 * NS_PER_MS)

/* Every second time the gap that the plugin left is taken, one page for good. */
static void move_on(const struct hazard_plugin *self)
{
	if (self->nr_loads % 2 == 0)
		(void)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int load(struct hazard_plugin *self)
{
	move_on(self);
	self->handle = dlopen(self->path, RTLD_NOW | RTLD_LOCAL);
	if (!self->handle)
		return -1;
	self->nr_loads++;
	self->work = (uint64_t(*)(uint64_t, uint64_t))dlsym(self->handle, "plugin_work");
	return self->work ? 0 : -1;
}

static void unload(struct hazard_plugin *self)
{
	dlclose(self->handle);
	self->handle = NULL;
}

const char *hazard_plugin_round(struct hazard_plugin *self)
{
	/* a = 1, b = 2, each turn: 5, 17, 53, 161 */
	const uint64_t expected = 161;

	if (now_ns() >= self->toggle_ns) {
		self->toggle_ns = now_ns() + PERIOD_NS / 2;
		if (self->handle)
			unload(self);
		else if (load(self))
			return dlerror();
	}
	if (!self->handle)
		return NULL;
	self->nr_calls++;
	return self->work(1, 2) == expected ? NULL : "plugin_work returned a wrong number";
}

void hazard_plugin_fini(struct hazard_plugin *self)
{
	if (self->handle)
		unload(self);
}
