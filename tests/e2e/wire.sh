#!/usr/bin/env bash
# Waits on the wire's two ends, made to measure. A token bucket on the server's side holds its
# replies: the time is in the qdisc step, and it is waiting, not transport. One on the client's
# side holds the client's packets: that is in the customer's round trip, and in no step.
#
# Judge: arithmetic. Twenty clients with one request on its way each keep twenty replies in the
# bucket's queue, so a reply leaves one cycle after it came: the bytes of twenty replies * 8 / rate.
# Beside it the clients' own round trips and the bucket's own counters.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns_lib.sh"
skip_without_bpf
need jq redis-server redis-benchmark redis-cli

rate=2000000 clients=20 requests=150

# near WHAT SEEN EXPECTED PERCENT
near() {
	awk -v seen="$2" -v expected="$3" -v percent="$4" 'BEGIN {
		exit !(seen >= expected * (1 - percent / 100) && seen <= expected * (1 + percent / 100))
	}' || fail "$1: $2, not within $4 % of $3"
	echo "# $1: $2 of $3 expected"
}

# Replies of 32 + 4 * ID bytes, under headers of UDP, IPv4 and Ethernet.
echo_cycle() {
	local i bytes=0
	for ((i = 0; i < clients; i++)); do
		bytes=$((bytes + 32 + 4 * i + 8 + 20 + 14))
	done
	echo $((bytes * 8 * 1000000000 / rate))
}

make_namespaces

# UDP, the replies are held.
start_server echo "$HOST/echo" --listen $ip_server:17003 --for 60
echo_server=$pid
wait_for_line "$TMP/echo.out" '^ready '
slow "$ns_server" ${rate}bit
record "$TMP/udp.gemba" "$echo_server"
in_client "$HOST/echo" --client $ip_server:17003 --clients $clients --requests $requests --for 30 \
	>"$TMP/clients.tsv" 2>"$TMP/clients.err" || fail "echo: $(cat "$TMP/clients.err")"
end_record
stop "$echo_server"
sent=$(tc -n "$ns_server" -s qdisc show dev wire | sed -n 's/.*Sent [0-9]* bytes \([0-9]*\) pkt.*/\1/p')
fast "$ns_server"
map "$TMP/udp.gemba" "$TMP/udp.json"
items "$TMP/udp.gemba" "$TMP/udp.csv"
sound "$TMP/udp.json"
same "udp: items" "$(columns "$TMP/udp.csv" id | wc -l)" $((clients * requests))
same "udp: items that are partial" "$(columns "$TMP/udp.csv" partial | grep -c 1)" 0
at_least "udp: packets through the bucket" "$sent" $((clients * requests))
# The interrupt that empties the bucket strikes whatever runs, and on some virtual machines there
# are threads below which no tracepoint fires. Such a loss must not shift what comes after it.
at_least "udp: items that were seen leaving" \
	"$(columns "$TMP/udp.csv" tx_ns | grep -c '[1-9]')" $((clients * requests * 95 / 100))
near "udp: ns in the qdisc, median" "$(json "$TMP/udp.json" \
	'.families[0].steps[] | select(.id == "txq>tx") | .time.p50_ns')" "$(echo_cycle)" 10
at_most "udp: ns in the qdisc, largest" "$(json "$TMP/udp.json" \
	'.families[0].steps[] | select(.id == "txq>tx") | .time.max_ns')" $(($(echo_cycle) * 5))
at_most "udp: replies in the qdisc at once" "$(json "$TMP/udp.json" \
	'.families[0].steps[] | select(.id == "txq>tx") | .inventory.max')" $clients
near "udp: the clients' round trip, mean" \
	"$(awk '/^client/ { sum += $9; n++ } END { printf "%d", sum / n }' "$TMP/clients.tsv")" \
	"$(echo_cycle)" 20
holds "$TMP/udp.json" '.families[0] | .wait_time.sum_ns >= 0.98 *
	([.steps[] | select(.id == "txq>tx") | .time.sum_ns] | add)'
holds "$TMP/udp.json" '.families[0] | .transport_time.sum_ns < 0.1 * .lead_time.sum_ns'

# TCP, the client's packets are held: GET key:__rand_int__ is 36 bytes, and carries the ACK of the
# reply before it; with 12 bytes of TCP options.
start_remote_redis redis
redis=$pid
slow "$ns_client" ${rate}bit
cycle=$((clients * (36 + 32 + 20 + 14) * 8 * 1000 / (rate / 1000000)))
record "$TMP/rtt.gemba" "$redis"
in_client redis-benchmark -h $ip_server -p $port -n 3000 -t get -c $clients --csv >"$TMP/bench.csv" \
	2>"$TMP/bench.err" || fail "redis-benchmark: $(cat "$TMP/bench.err")"
end_record
fast "$ns_client"
map "$TMP/rtt.gemba" "$TMP/rtt.json"
sound "$TMP/rtt.json"
near "tcp: the customer's round trip, ns, median" \
	"$(json "$TMP/rtt.json" '.customers[0].rtt_p50_ns')" $cycle 15
near "tcp: the client's own latency, ns, median" "$(awk -F, '/^"GET"/ { gsub(/"/, "", $5)
	print $5 * 1e6 }' "$TMP/bench.csv")" $cycle 20
holds "$TMP/rtt.json" '.customers | length == 1 and .[0].rtt_min_ns <= .[0].rtt_p50_ns'
holds "$TMP/rtt.json" '.families[0].lead_time.p50_ns < $cycle / 2' --argjson cycle $cycle

# Without the bucket the round trip is a small part of that.
record "$TMP/free.gemba" "$redis"
in_client redis-benchmark -h $ip_server -p $port -n 3000 -t get -c 1 --csv >"$TMP/bench.csv" \
	2>"$TMP/bench.err" || fail "redis-benchmark: $(cat "$TMP/bench.err")"
end_record
map "$TMP/free.gemba" "$TMP/free.json"
sound "$TMP/free.json"
holds "$TMP/free.json" '.customers[0].rtt_p50_ns < $cycle / 10' --argjson cycle $cycle
holds "$TMP/free.json" '.families[0].steps[] | select(.id == "txq>tx") | .time.p50_ns < 100000'
