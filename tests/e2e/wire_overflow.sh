#!/usr/bin/env bash
# A feed that is faster than its reader: datagrams that find the socket's buffer full are dropped
# by the host. They are items that came in and were dropped, a defect that is charged to the socket
# queue, and the rest still balances.
#
# Judge: the exchange's count of packets sent and the trader's of packets got; and the socket's own
# counter of drops, as it stands in the namespace's /proc/net/snmp.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns_lib.sh"
skip_without_bpf
need jq

packets=3000
make_namespaces

buffer_errors() { in_server awk '$1 == "Udp:" && $6 ~ /^[0-9]+$/ { print $6 }' /proc/net/snmp; }

start_server exchange "$HOST/exchange" --feed 127.0.0.1:17001 --orders 127.0.0.1:17002 --burst 100 \
	--rate 2000 --packets $packets --start-after-ms 2500
exchange=$pid
wait_for_line "$TMP/exchange.out" '^ready '
start_server trader "$HOST/trader" --feed 127.0.0.1:17001 --orders 127.0.0.1:17002 --rcvbuf 1 \
	--strategy-ns 100000
trader=$pid
record "$TMP/o.gemba" "$trader"
errors=$(buffer_errors)
wait_for_exit "$exchange" 40
wait_for_exit "$trader"
errors=$(($(buffer_errors) - errors))
wait_for_exit "$gemba"
map "$TMP/o.gemba" "$TMP/o.json"
items "$TMP/o.gemba" "$TMP/o.csv"
sound "$TMP/o.json"

got=$(sed -n 's/.*packets=\([0-9]*\) .*/\1/p' "$TMP/trader.out")
same "packets sent" "$(sed -n 's/.*packets=\([0-9]*\) .*/\1/p' "$TMP/exchange.out")" $packets
at_least "packets dropped, or the test is none" $((packets - got)) 100
same "drops that the kernel counted" "$errors" $((packets - got))
same "items dropped" "$(json "$TMP/o.json" .account.items_dropped)" $((packets - got))
same "dropped items in the list" \
	"$(columns "$TMP/o.csv" protocol outcome | grep -c '^udp	dropped$')" $((packets - got))
same "UDP items that were read" \
	"$(columns "$TMP/o.csv" protocol outcome | grep '^udp' | grep -vc dropped)" "$got"
same "partial items" "$(columns "$TMP/o.csv" partial | grep -c 1)" 0
holds "$TMP/o.json" '[.families[] | select(.protocol == "udp" and .outcome == "out") | .steps[] |
	select(.id == "sock>recv" or .id == "rx>sock") | .complete_and_accurate_ratio // 1] | min |
	. < 0.97 and . > 0'
holds "$TMP/o.json" '[.families[] | select(.protocol == "udp") | .rolled_complete_and_accurate_ratio |
	values] | min < 0.97'
holds "$TMP/o.json" '[.families[] | select(.outcome == "dropped") | .lead_time | .count, .p50_ns] == [0, null]'
echo "# $got of $packets read; $(json "$TMP/o.json" '[.families[] | [.route, .outcome, .items,
	.rolled_complete_and_accurate_ratio]] | tojson')"
