#!/usr/bin/env bash
# Tick to trade over IPv6, the feed and the orders both.
#
# Judge: the logs of exchange and trader, see platform_lib.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/platform_lib.sh"
skip_without_bpf
need jq
grep -qs ' lo$' /proc/net/if_inet6 || skip "there is no IPv6 on the loopback interface"

trade ipv6 "[::1]:$(free_port)" '[::1]' 2000 '' '--order-every 2'
judge ipv6 "$port" || fail "market data and orders over IPv6"
notices ipv6 "$port"
holds "$TMP/ipv6.json" '[.suppliers[] | select(.protocol == "udp") | .remote] == ["[::1]"]'
