#!/usr/bin/env bash
# The live map: the same families, steps and parties as the map of a trace of the same load, at the
# same time on the same process, and it ends by itself after the time asked for.
#
# Judge: gemba record, beside it.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need redis-server redis-benchmark jq

start_redis redis
redis=$pid
start load redis-benchmark -p "$port" -t get -c 20 -n 100000000 --csv
load=$pid
record "$TMP/t.gemba" "$redis"
begin=$(date +%s%N)
"$GEMBA" map -p "$redis" --for 2s -f json -o "$TMP/live.json" --force 2>"$TMP/live.err" ||
	fail "gemba map ended with status $?: $(cat "$TMP/live.err")"
took=$((($(date +%s%N) - begin) / 1000000))
end_record
stop "$load"
map "$TMP/t.gemba" "$TMP/t.json"
sound "$TMP/t.json"
sound "$TMP/live.json"
at_least "ms that a map of 2 s took" $took 2000
at_most "ms that a map of 2 s took" $took 7000
holds "$TMP/live.json" '.capture.window.duration_ns | . > 1700000000 and . < 2500000000'
holds "$TMP/live.json" '.account.items_in > 1000'

shape='[.families[] | select(.items > 100) | {route, outcome, protocol, steps: [.steps[] | {id, name, kind}]}],
	[.suppliers[] | {name, protocol, local, remote}], [.customers[] | {name, protocol, local, remote}]'
json "$TMP/t.json" "$shape" -S >"$TMP/t.shape"
json "$TMP/live.json" "$shape" -S >"$TMP/live.shape"
diff "$TMP/t.shape" "$TMP/live.shape" || fail "trace < > live differ in families or parties"

# A map is a FILE too: read back, it is the same.
map "$TMP/live.json" "$TMP/again.json"
cmp -s "$TMP/live.json" "$TMP/again.json" || fail "a map that is read and written again differs"
