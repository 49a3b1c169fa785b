// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_parties.c - who sent, who received, under which names
 */
#include <arpa/inet.h>

#include "tests/unit/map_fixture.h"

static struct endpoint endpoint_of(const char *address, uint16_t port, bool is_opened)
{
	struct endpoint endpoint = { .port = port, .is_opened = is_opened, .flows = 1 };

	if (inet_pton(AF_INET6, address, endpoint.raddr) == 1)
		return endpoint;
	endpoint.raddr[10] = endpoint.raddr[11] = 0xff;
	cr_assert_eq(inet_pton(AF_INET, address, endpoint.raddr + 12), 1);
	return endpoint;
}

static void add_from_to(struct map *map, uint32_t supplier, uint32_t customer)
{
	struct journey journey = journey_of("rx 0, recv 10, send 20, tx 30");

	journey.supplier = supplier;
	journey.customer = customer;
	journey.bytes_in = 100;
	journey.bytes_out = 7;
	map_add(map, journey);
}

static void assert_party(const struct vsm_endpoint *party, const char *id, const char *name,
			 const char *local, const char *remote)
{
	cr_assert_str_eq(party->id, id);
	cr_assert_str_eq(party->name, name);
	cr_assert_str_eq(party->local, local);
	cr_assert_str_eq(party->remote, remote);
}

Test(parties, the_busiest_comes_first_with_items_bytes_and_rate)
{
	struct endpoint endpoints[] = { endpoint_of("10.0.0.1", 80, false),
					endpoint_of("10.0.0.2", 80, false) };
	struct map map;

	map_begin(&map);
	map.endpoints = endpoints;
	map.nr_endpoints = 2;
	add_from_to(&map, 0, 1);
	add_from_to(&map, 1, 1);
	add_from_to(&map, 1, 1);
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_suppliers, 2);
	assert_party(&map.vsm->suppliers[0], "s1", "10.0.0.2", ":80", "10.0.0.2");
	cr_assert_eq(map.vsm->suppliers[0].items, 2);
	cr_assert_eq(map.vsm->suppliers[0].bytes, 200);
	cr_assert_float_eq(map.vsm->suppliers[0].rate_hz, 1, 1e-9);
	cr_assert_eq(map.vsm->nr_customers, 1);
	cr_assert_str_eq(map.vsm->customers[0].id, "c1");
	cr_assert_eq(map.vsm->customers[0].items, 3);
	cr_assert_eq(map.vsm->customers[0].bytes, 21);
	map_free(&map);
}

Test(parties, a_peer_is_named_by_process_else_by_address_with_the_port_that_tells_it_apart)
{
	struct endpoint endpoints[] = { endpoint_of("2001:db8::1", 443, true),
					endpoint_of("::1", 80, false),
					endpoint_of("192.0.2.7", 9000, true),
					endpoint_of("127.0.0.1", 6379, false) };
	struct map map;

	strcpy(endpoints[3].comm, "redis-benchmark");
	map_begin(&map);
	map.endpoints = endpoints;
	map.nr_endpoints = 4;
	for (uint32_t i = 0; i < 4; i++)
		add_from_to(&map, i, ENDPOINT_NONE);
	map_end(&map, 2000000000);
	assert_party(&map.vsm->suppliers[0], "s1", "[2001:db8::1]:443", "", "[2001:db8::1]:443");
	assert_party(&map.vsm->suppliers[1], "s2", "[::1]", ":80", "[::1]");
	assert_party(&map.vsm->suppliers[2], "s3", "192.0.2.7:9000", "", "192.0.2.7:9000");
	assert_party(&map.vsm->suppliers[3], "s4", "redis-benchmark", ":6379", "127.0.0.1");
	map_free(&map);
}

static void bind_to_group(struct endpoint *endpoint, const char *group)
{
	struct endpoint as_peer = endpoint_of(group, 0, false);

	endpoint->is_udp = true;
	memcpy(endpoint->laddr, as_peer.raddr, sizeof(endpoint->laddr));
}

Test(parties, a_multicast_feed_is_known_by_group_and_port)
{
	struct endpoint endpoints[] = { endpoint_of("10.0.0.1", 5000, false),
					endpoint_of("10.0.0.1", 5000, false),
					endpoint_of("fe80::1", 5001, false) };
	struct map map;

	bind_to_group(&endpoints[0], "239.1.2.3");
	bind_to_group(&endpoints[1], "239.1.2.4");
	bind_to_group(&endpoints[2], "ff15::7");
	strcpy(endpoints[2].comm, "exchange");
	map_begin(&map);
	map.endpoints = endpoints;
	map.nr_endpoints = 3;
	for (uint32_t i = 0; i < 3; i++)
		add_from_to(&map, i, ENDPOINT_NONE);
	map_end(&map, 2000000000);
	assert_party(&map.vsm->suppliers[0], "s1", "10.0.0.1", "239.1.2.3:5000", "10.0.0.1");
	assert_party(&map.vsm->suppliers[1], "s2", "10.0.0.1", "239.1.2.4:5000", "10.0.0.1");
	assert_party(&map.vsm->suppliers[2], "s3", "exchange", "[ff15::7]:5001", "[fe80::1]");
	map_free(&map);
}

Test(parties, beyond_the_32_busiest_are_others)
{
	struct endpoint endpoints[40];
	struct vsm_endpoint *others;
	struct map map;

	map_begin(&map);
	map.endpoints = endpoints;
	map.nr_endpoints = 40;
	for (uint32_t i = 0; i < 40; i++) {
		endpoints[i] = endpoint_of("10.0.0.1", 1000 + i, false);
		endpoints[i].flows = 2;
		for (uint32_t n = 0; n <= i; n++)
			add_from_to(&map, i, i);
		map.sink.round_trip(map.sink.ctx, i, 1000);
	}
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->nr_customers, 33);
	cr_assert_str_eq(map.vsm->customers[0].local, ":1039");
	others = &map.vsm->customers[32];
	assert_party(others, "others", "others", "", "");
	cr_assert_eq(others->items, 36);
	cr_assert_eq(others->flows, 16);
	cr_assert_eq(others->rtt.count, 8);
	cr_assert_eq(map.vsm->suppliers[32].rtt.count, 8);
	map_free(&map);
}

Test(parties, round_trips_are_of_the_connection_whoever_sends)
{
	struct endpoint endpoints[] = { endpoint_of("10.0.0.1", 80, false) };
	struct map map;

	map_begin(&map);
	map.endpoints = endpoints;
	map.nr_endpoints = 1;
	add_from_to(&map, 0, 0);
	map.sink.round_trip(map.sink.ctx, 0, 5000);
	map.sink.round_trip(map.sink.ctx, 0, 7000);
	map.sink.round_trip(map.sink.ctx, ENDPOINT_NONE, 7000);
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->customers[0].rtt.count, 2);
	cr_assert_eq(map.vsm->customers[0].rtt.min_ns, 5000);
	cr_assert_eq(map.vsm->suppliers[0].rtt.count, 2);
	cr_assert_eq(map.vsm->suppliers[0].rtt.min_ns, 5000);
	map_free(&map);
}

Test(parties, an_item_counts_for_its_supplier_whatever_became_of_it)
{
	struct endpoint endpoints[] = { endpoint_of("10.0.0.1", 80, false) };
	struct journey journey = journey_of("rx 0, recv 10");
	struct map map;

	map_begin(&map);
	map.endpoints = endpoints;
	map.nr_endpoints = 1;
	journey.supplier = journey.customer = 0;
	for (unsigned int outcome = 0; outcome < OUTCOME_NR; outcome++) {
		journey.outcome = outcome;
		map_add(&map, journey);
	}
	journey.is_partial = true;
	map_add(&map, journey);
	journey.is_warmup = true;
	map_add(&map, journey);
	map_end(&map, 2000000000);
	cr_assert_eq(map.vsm->suppliers[0].items, OUTCOME_NR + 1);
	cr_assert_eq(map.vsm->customers[0].items, 1);
	map_free(&map);
}
