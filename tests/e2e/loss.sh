#!/usr/bin/env bash
# Events that get lost are counted by kind, make a doubt, and never make a family.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq redis-server redis-benchmark

# flooded NAME PID: records it with little room while a flood lasts, and stands still for a second
flooded() {
	start "$1" "$GEMBA" record -p "$2" -o "$TMP/$1.gemba" --ring 256K
	within 20 written "$TMP/$1.gemba" || fail "not attached: $(cat "$TMP/$1.err")"
	sleep 0.5
	kill -STOP "$pid"
	sleep 1
	kill -CONT "$pid"
	sleep 0.5
	kill -INT "$pid"
	wait_for_exit "$pid" 10
	same 'status of record' "$status" 0
	grep -Eq '^gemba: [0-9]+ events were lost: use a larger --ring, or record less$' "$TMP/$1.err" ||
		fail "record says nothing of what it lost: $(cat "$TMP/$1.err")"
	grep -Eq ', [1-9][0-9]* lost$' "$TMP/$1.err" || fail "$(cat "$TMP/$1.err")"
}

# whole NAME PID: the same with room enough, for its routes
whole() {
	start "$1" "$GEMBA" record -q -p "$2" -o "$TMP/$1.gemba" --ring 64M --for 1s
	wait_for_exit "$pid" 20
	same 'status of record' "$status" 0
	succeeds "$GEMBA" map "$TMP/$1.gemba" -f json -o "$TMP/$1.json"
	holds "$TMP/$1.json" '.account.events_lost == 0'
	has_no_doubt "$TMP/$1.json" events_lost
}

# lossy NAME WHOLE: what its map must say
lossy() {
	local map=$TMP/$1.json trace=$TMP/$1.gemba routes
	succeeds "$GEMBA" map "$trace" -f json -o "$map"
	is_balanced "$map"
	holds "$map" '.account.events_lost > 0'
	holds "$map" '[.account.events_lost_by_kind[]] | add <= $lost' \
		--argjson lost "$(json "$map" .account.events_lost)"
	holds "$map" '.account.events_lost_by_kind | length > 0'
	has_doubt "$map" events_lost
	holds "$map" '.account.doubts[] | select(.code == "events_lost") | .text |
		test("^[0-9]+ events were lost: .*; it touches .*items, routes and lead times")'

	# in no family: neither what was not observed nor a route that only loss makes
	holds "$map" '[.families[] | select(.outcome == "unobserved")] == []'
	holds "$map" '([.families[].items] | add // 0) <=
		(.account | .items_out + .items_ended + .items_dropped + .items_merged)'
	routes=$(json "$TMP/$2.json" '[.families[] | [.route, .outcome]]' -c)
	same 'families that only loss makes' "$(json "$map" '[.families[] |
		select(.name != "other") | select([.route, .outcome] as $one | $routes | index([$one]) | not) |
		[.name, .outcome, .items]]' -c --argjson routes "$routes")" '[]'

	succeeds "$GEMBA" map "$trace"
	grep -Eq '^events .* [1-9][0-9 ]* lost' "$TMP/out" || fail "the text says nothing of loss"
	grep -Eq '^doubt +[0-9 ]+ events were lost' "$TMP/out" || fail "the text has no doubt of it"
	run "$GEMBA" map "$trace" --strict -f json -o "$TMP/strict.json" --force
	same 'status with --strict' "$status" 4
	[ "$(wc -l <"$TMP/err")" = 1 ] || fail "not one line: $(said)"
	[ -s "$TMP/strict.json" ] || fail 'no map with --strict'
	run "$GEMBA" map "$trace" --fail-if 'events_lost > 0'
	same 'status with --fail-if' "$status" 3
}

start_redis redis
redis=$pid
start load redis-benchmark -p "$port" -n 100000000 -c 50 -P 16 -t get -q
load=$pid
sleep 0.3
whole redis_whole "$redis"
flooded redis_lossy "$redis"
stop "$load"
lossy redis_lossy redis_whole
# What is sent behind the gap answers nothing from before it.
holds "$TMP/redis_lossy.json" '[.families[].lead_time.max_ns] | max < 500000000'

# Market data by UDP and orders by TCP
start exchange "$HOST/exchange" --feed 127.0.0.1:"$(free_port)" --orders 127.0.0.1:0 --rate 20000 \
	--burst 50 --for 60
exchange=$pid
wait_for_line "$TMP/exchange.out" '^ready'
feed=$(tr '\0' '\n' <"/proc/$exchange/cmdline" | sed -n '/^--feed$/{n;p}')
start trader "$HOST/trader" --feed "$feed" --orders "127.0.0.1:$(sed -n 's/^ready //p' "$TMP/exchange.out")" \
	--decode-ns 500 --book-ns 0 --strategy-ns 0 --for 60
trader=$pid
sleep 0.3
whole trader_whole "$trader"
flooded trader_lossy "$trader"
stop "$trader"
stop "$exchange"
lossy trader_lossy trader_whole
no_probe_left
