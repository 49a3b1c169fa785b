#!/usr/bin/env bash
# Tick to trade with market data on a multicast group: one datagram is delivered to each of two
# traders, of which gemba looks at one, so that an arrival is not taken for both.
#
# Judge: the logs of exchange and trader, see platform_lib.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/platform_lib.sh"
skip_without_bpf
need jq

packets=2000
group=239.255.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)):$(free_port)

# A second member of the group, which orders elsewhere: from nobody's view here.
start other.exchange "$HOST/exchange" --no-wait --feed "127.0.0.1:$(free_port)" --orders 127.0.0.1:0 \
	--rate 1 --for 30
wait_for_line "$TMP/other.exchange.out" '^ready '
start other.trader "$HOST/trader" --feed "$group" --for 30 --order-every 1000000 \
	--orders "127.0.0.1:$(sed -n 's/^ready //p' "$TMP/other.exchange.out")"

trade multicast "$group" 127.0.0.1 $packets '' ''
judge multicast "$port" || fail "market data by multicast"
notices multicast "$port"
holds "$TMP/multicast.json" '[.suppliers[] | select(.protocol == "udp")] | length == 1 and
	.[0].items == $n and .[0].local == $group' --arg group "$group" --argjson n $packets
