/*
 * A shared object that the hazard program loads and unloads while it runs: a function that is
 * there for a while, then not, then again.
 */
#include "tests/host/plugin.h"

uint64_t plugin_work(uint64_t a, uint64_t b)
{
	for (unsigned i = 0; i < PLUGIN_TURNS; i++)
		a = a * 3 + b;
	return a;
}
