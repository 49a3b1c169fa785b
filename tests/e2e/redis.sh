#!/usr/bin/env bash
# Redis under redis-benchmark, alone, with 50 clients and with 50 clients that send 16 requests at
# once: every request is an item, every reply belongs to the item of its own socket, and every
# sum of the map closes. Redis reads all ready sockets first and answers them afterwards in any
# order, so a join by "what the thread read last" would be wrong for nearly all of them.
#
# Judges: redis counts its own commands (INFO commandstats), redis-benchmark its own latencies.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need redis-server redis-benchmark redis-cli jq

requests=100000

# Calls of a command so far: gets, and the two CONFIG GETs that redis-benchmark begins with.
calls() {
	redis-cli -p "$port" info commandstats | tr -d '\r' |
		sed -n "s/^cmdstat_$1:calls=\([0-9]*\),.*/\1/p" | grep . || echo 0
}

run() { # CLIENTS PIPELINE
	local name=redis-c$1-P$2 clients=$1 pipeline=$2
	local trace=$TMP/$name.gemba json=$TMP/$name.json csv=$TMP/$name.csv
	local gets configs expected mean

	gets=$(calls get)
	configs=$(calls 'config|get')
	record "$trace" "$redis"
	redis-benchmark -p "$port" -n $requests -t get -c "$clients" -P "$pipeline" --csv \
		>"$TMP/bench.csv" 2>"$TMP/bench.err" || fail "redis-benchmark: $(cat "$TMP/bench.err")"
	end_record
	gets=$(($(calls get) - gets))
	configs=$(($(calls 'config|get') - configs))
	map "$trace" "$json"
	items "$trace" "$csv"
	sound "$json"

	same "$name: gets that redis counted" "$gets" $requests
	same "$name: CONFIG GETs that redis counted" "$configs" 2 # in one write: one item
	expected=$((gets / pipeline + 1))
	same "$name: items" "$(columns "$csv" id | sort -u | wc -l)" $expected
	same "$name: items in the map" "$(json "$json" '.account | .items_in + .items_warmup')" $expected
	same "$name: partial or doubtful items" \
		"$(columns "$csv" partial doubtful | awk '$1 || $2' | wc -l)" 0
	at_least "$name: items with an output" "$(columns "$csv" outcome | grep -c '^out$')" \
		"$(awk -v n=$expected 'BEGIN { print 0.999 * n }')"
	same "$name: items answered on another socket" "$(sent_elsewhere "$csv")" 0
	same "$name: sends not joined by their connection" \
		"$(columns "$csv" attribution | grep -vc '^connection$')" 0
	holds "$json" '.account | .attributed.connection == .items_out and
		.attributed.thread + .attributed.guessed + .attributed.key == 0'
	same "$name: connections in the items" "$(columns "$csv" in_remote_port | sort -u | wc -l)" \
		$((clients + 1)) # one for the CONFIG GETs
	holds "$json" '.families[0].route == ["rx", "sock", "recv", "send", "txq", "tx"]'
	holds "$json" '[.families[0].steps[].name] ==
		["kernel_rx", "socket_queue", "process", "send", "qdisc"]'
	holds "$json" '.families[0].items >= 0.99 * .account.items_in'
	# A connection may be gone before its peer's name is looked up; then it stands by its address.
	holds "$json" '[.suppliers[].protocol] | unique == ["tcp"]'
	holds "$json" '[.suppliers[].name] - ["redis-benchmark", "127.0.0.1"] == []'
	[ "$pipeline" != 1 ] || holds "$json" '.suppliers[0].name == "redis-benchmark"'

	# The client's clock runs from its write to its read, around all that gemba sees.
	mean=$(awk -F, '/^"GET"/ { gsub(/"/, "", $3); print $3 * 1e6 }' "$TMP/bench.csv")
	at_most "$name: mean lead time, beside the client's mean" \
		"$(json "$json" .families[0].lead_time.mean_ns)" "$mean"
}

start_redis redis
redis=$pid
run 1 1
run 50 1
run 50 16

# The same trace gives the same bytes.
for format in json text; do
	"$GEMBA" map -q "$TMP/redis-c50-P16.gemba" -f $format >"$TMP/once"
	"$GEMBA" map -q "$TMP/redis-c50-P16.gemba" -f $format >"$TMP/twice"
	cmp -s "$TMP/once" "$TMP/twice" || fail "two maps ($format) of one trace differ"
	[ -s "$TMP/once" ] || fail "the map ($format) is empty"
done
