#!/usr/bin/env bash
# --max-size: the trace is never larger, ends in order at a point where all CPUs are complete.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq redis-server redis-benchmark

start_redis redis
redis=$pid
start_load load "$port"

for size in 64K 65537 250K 1M; do
	bytes=$(numfmt --from=iec "$size")
	trace=$TMP/$size.gemba
	start gemba "$GEMBA" record -p "$redis" -o "$trace" --for 60s --max-size "$size"
	within 20 written "$trace" || fail "not attached: $(cat "$TMP/gemba.err")"
	while is_running "$pid"; do
		at_most "bytes of $size while it is written" "$(stat -c %s "$trace")" "$bytes"
		sleep 0.05
	done
	wait_for_exit "$pid" 40
	same "status ($(cat "$TMP/gemba.err"))" "$status" 0
	grep -q '; stopped at --max-size$' "$TMP/gemba.err" || fail "$(cat "$TMP/gemba.err")"
	at_most "bytes of $size" "$(stat -c %s "$trace")" "$bytes"
	[ "$size" = 64K ] || [ "$size" = 65537 ] || at_least "bytes of $size" "$(stat -c %s "$trace")" $((bytes / 2))

	succeeds "$GEMBA" map "$trace" -f json -o "$trace.json"
	[ ! -s "$TMP/err" ] || fail "$(said)"
	is_balanced "$trace.json"
	holds "$trace.json" '.capture.window.ended_in_order and .account.late == 0'
	has_no_doubt "$trace.json" trace_cut
done
holds "$TMP/1M.gemba.json" '.account.items_in > 10000'
at_most 'unobserved items' "$(json "$TMP/1M.gemba.json" .account.items_unobserved)" 0

# It does not matter when the end comes first.
start gemba "$GEMBA" record -p "$redis" -o "$TMP/short.gemba" --for 200ms --max-size 1G
wait_for_exit "$pid" 20
same 'status' "$status" 0
grep -q 'stopped at --max-size' "$TMP/gemba.err" && fail "$(cat "$TMP/gemba.err")"
no_probe_left
