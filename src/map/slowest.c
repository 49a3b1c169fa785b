// SPDX-License-Identifier: BSD-2-Clause
/*
 * slowest.c - a sorted list of ten; all but the first few items are turned away at the door
 */
#include "src/map/slowest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void slowest_fini(struct slowest *self)
{
	for (unsigned int i = 0; i < self->nr; i++)
		free(self->items[i].stamps);
	self->nr = 0;
}

static bool is_slower(const struct passage *passage, const struct slowest_item *item)
{
	if (passage->lead_ns != item->lead_ns)
		return passage->lead_ns > item->lead_ns;
	return passage->journey->id < item->id;
}

static struct slowest_stamp *copy_stamps(const struct passage *passage)
{
	struct slowest_stamp *stamps = calloc(passage->nr_stamps, sizeof(*stamps));

	for (uint32_t i = 0; stamps && i < passage->nr_stamps; i++) {
		const struct stamp *stamp = &passage->journey->stamps[i];

		stamps[i] = (struct slowest_stamp){
			.at_ns = stamp->at_ns,
			.tid = stamp->tid,
			.cpu = stamp->cpu,
			.station = stamp->station,
		};
	}
	return stamps;
}

int slowest_add(struct slowest *self, const struct passage *passage)
{
	struct slowest_item item = {
		.id = passage->journey->id,
		.key = passage->journey->key,
		.has_key = passage->journey->has_key,
		.lead_ns = passage->lead_ns,
		.nr_stamps = passage->nr_stamps,
	};
	unsigned int at = self->nr;

	if (at == VSM_NR_SLOWEST && !is_slower(passage, &self->items[at - 1]))
		return 0;
	item.stamps = copy_stamps(passage);
	if (!item.stamps)
		return -ENOMEM;
	if (at == VSM_NR_SLOWEST)
		free(self->items[--at].stamps);
	else
		self->nr++;
	for (; at > 0 && is_slower(passage, &self->items[at - 1]); at--)
		self->items[at] = self->items[at - 1];
	self->items[at] = item;
	return 0;
}

static int finish_item(const struct slowest_item *item, const struct stage_names *names,
		       struct slow_item *out)
{
	out->id = item->id;
	out->key = item->key;
	out->has_key = item->has_key;
	out->lead_time_ns = item->lead_ns;
	out->nr_stamps = item->nr_stamps;
	out->stamps = calloc(item->nr_stamps, sizeof(*out->stamps));
	if (!out->stamps)
		return -ENOMEM;
	for (uint32_t i = 0; i < item->nr_stamps; i++) {
		out->stamps[i].name = stage_names_station(names, item->stamps[i].station);
		out->stamps[i].at_ns = item->stamps[i].at_ns;
		out->stamps[i].tid = item->stamps[i].tid;
		out->stamps[i].cpu = item->stamps[i].cpu;
		if (!out->stamps[i].name)
			return -ENOMEM;
	}
	return 0;
}

int slowest_finish(const struct slowest *self, const struct stage_names *names,
		   struct family *family)
{
	for (unsigned int i = 0; i < self->nr; i++) {
		family->nr_slowest = i + 1;
		if (finish_item(&self->items[i], names, &family->slowest[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}
