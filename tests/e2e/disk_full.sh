#!/usr/bin/env bash
# A full disk or a file size limit ends a recording with one line; what was written can be read.
# In a mount namespace of its own, so that the small disk goes with the test however it ends.
if [ -z "${GEMBA_NO_BPF:-}" ] && [ -z "${OWN_MOUNTS:-}" ]; then
	OWN_MOUNTS=1 exec unshare --mount --propagation private "$0"
fi
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq redis-server redis-benchmark

mkdir "$TMP/disk"
mount -t tmpfs -o size=1m gemba-test "$TMP/disk" || skip 'no tmpfs can be mounted here'
at_exit "umount '$TMP/disk'"
disk=$TMP/disk

start_redis redis
redis=$pid
start_load load "$port"

# stopped FILE REGEX: the recorder that began as $pid has ended by itself, with one line
stopped() {
	wait_for_exit "$pid" 40
	same "status ($(cat "$TMP/gemba.err"))" "$status" 1
	same "lines on standard error ($(cat "$TMP/gemba.err"))" "$(wc -l <"$TMP/gemba.err")" 1
	grep -Eq "^gemba: $1: $2; the trace holds [0-9]+ events and can be read, make room and record again$" \
		"$TMP/gemba.err" || fail "$(cat "$TMP/gemba.err")"
}

# readable FILE: to its last whole block; no more than what record said is in it
readable() {
	local events
	events=$(sed -n 's/.*the trace holds \([0-9]*\) events.*/\1/p' "$TMP/gemba.err")
	succeeds "$GEMBA" map "$1" -f json -o "$TMP/map.json" --force
	is_balanced "$TMP/map.json"
	has_doubt "$TMP/map.json" trace_cut
	holds "$TMP/map.json" '.account.items_in > 0'
	grep -q ', 0 bytes of a last block are not$' "$TMP/err" || fail "a part of a block was left: $(said)"
	at_least 'events in the map' "$(json "$TMP/map.json" .account.events)" 1
	at_most 'events in the map' "$(json "$TMP/map.json" .account.events)" "$events"
}

start gemba "$GEMBA" record -q -p "$redis" -o "$disk/t.gemba" --for 60s
stopped "$disk/t.gemba" 'No space left on device'
readable "$disk/t.gemba"
at_least 'bytes written' "$(stat -c %s "$disk/t.gemba")" 900000

# It was full before: nothing is made, and a map cannot be written either.
head -c 2000000 /dev/zero >"$disk/fill" 2>/dev/null
start gemba "$GEMBA" record -q -p "$redis" -o "$disk/t2.gemba" --for 5s
wait_for_exit "$pid" 20
same 'status' "$status" 1
grep -Eq "^gemba: $disk/t2.gemba: .*No space left on device" "$TMP/gemba.err" || fail "$(cat "$TMP/gemba.err")"
same 'lines on standard error' "$(wc -l <"$TMP/gemba.err")" 1
[ ! -e "$disk/t2.gemba" ] || fail 'an empty trace was left'
run "$GEMBA" map "$disk/t.gemba" -q -f json -o "$disk/map.json"
same 'status of map' "$status" 1
grep -Eq "^gemba: $disk/map.json: .*No space left on device" "$TMP/err" || fail "$(said)"
rm "$disk/fill" "$disk/map.json"

# A limit of the process, which is a signal unless it is ignored
start gemba bash -c 'ulimit -f 300; exec "$@"' - "$GEMBA" record -q -p "$redis" -o "$TMP/limit.gemba" --for 60s
stopped "$TMP/limit.gemba" 'File too large'
readable "$TMP/limit.gemba"
at_most 'bytes written' "$(stat -c %s "$TMP/limit.gemba")" 307200
is_running "$redis" || fail 'redis ended'
no_probe_left
