#!/usr/bin/env bash
# A recorder killed at any instant leaves a trace that can be read, and nothing else. Four at a
# time on one busy target, which none of them must hurt.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need bpftool jq redis-server redis-benchmark redis-cli

start_redis redis
redis=$pid
start_load load "$port"

kill_now() {
	kill -KILL "$1"
	wait "$1" 2>/dev/null
}

# In the background: kills recorder $1 up to a second after it began with file $2.
kill_soon() {
	within 20 written "$2"
	sleep "$(printf '0.%03d' $((RANDOM % 1000)))"
	kill -KILL "$1"
}

nr_with_items=0
judge() { # TRACE
	succeeds "$GEMBA" map "$1" -f json -o "$1.json"
	grep -q 'did not end in order' "$TMP/err" || fail "no word about the end: $(said)"
	is_balanced "$1.json"
	has_doubt "$1.json" trace_cut
	holds "$1.json" '.capture.window.ended_in_order == false'
	nr_with_items=$((nr_with_items + ($(json "$1.json" .account.items_in) > 0)))
}

for round in $(seq 5); do
	recorders=
	for i in 1 2 3 4; do
		trace=$TMP/$round$i.gemba
		start "gemba$i" "$GEMBA" record -q -p "$redis" --for 60s -o "$trace"
		recorders="$recorders $pid"
		kill_soon "$pid" "$trace" &
	done
	wait $recorders 2>/dev/null
	for i in 1 2 3 4; do
		[ ! -s "$TMP/gemba$i.err" ] || fail "$(cat "$TMP/gemba$i.err")"
		judge "$TMP/$round$i.gemba"
	done
	no_probe_left
	answers "$port" || fail "redis does not answer any more"
done
at_least 'traces with items, of 20' "$nr_with_items" 5
run "$GEMBA" map "$TMP/11.gemba" --strict
same 'status with --strict' "$status" 4

# Stages of a killed recorder: the kernel's count of hits is gone with it, the trace's events count.
start gemba "$GEMBA" record -q -p "$redis" -s call -s dictResize --for 60s -o "$TMP/stages.gemba"
within 20 written "$TMP/stages.gemba"
sleep 1
kill_now "$pid"
judge "$TMP/stages.gemba"
holds "$TMP/stages.gemba.json" '.capture.stages[0].hits as $hits | $hits > 100 and
	([.families[].steps[] | select(.from == "call") | .visits.sum] | add) <= $hits'
holds "$TMP/stages.gemba.json" '[.account.doubts[] | select(.code == "stage_never_entered") | .text |
	contains("dictResize")] == [true]'
no_probe_left

# Killed before it has begun: then there may be no trace, but nothing stays either.
for delay in 0.01 0.04 0.08 0.15; do
	start gemba "$GEMBA" record -q -p "$redis" --for 60s -o "$TMP/early.gemba" --force
	sleep "$delay"
	kill_now "$pid"
done
no_probe_left
answers "$port" || fail "redis does not answer any more"
