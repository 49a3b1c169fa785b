#!/usr/bin/env bash
# After every way a run can end nothing remains: no program, map, pin, process, file, mount, and
# the target's code is what it was.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq redis-server bpftool

gemba=$(realpath "$GEMBA")
start_redis redis
redis=$pid
mkdir "$TMP/cwd" && cd "$TMP/cwd" || exit 1

# What a run could leave behind, and is the same before and after.
state() {
	ls -A .
	find /sys/fs/bpf /run/gemba* /dev/shm/gemba* 2>/dev/null
	cat /sys/kernel/tracing/uprobe_events /sys/kernel/tracing/kprobe_events 2>/dev/null
	sysctl -n kernel.bpf_stats_enabled kernel.perf_event_paranoid net.core.bpf_jit_enable 2>/dev/null
	cut -d ' ' -f 5 /proc/self/mountinfo | grep -v netns | sort
	ls /dev
	find "/proc/$redis/fd" -lname '*bpf*'
	grep -E '^(TracerPid|Seccomp|NoNewPrivs|Threads)' "/proc/$redis/status"
}

code() { # of the target: a sum over the bytes of its executable mappings
	local from to
	grep ' r-xp .* /' "/proc/$redis/maps" | while IFS=' -' read -r from to _; do
		dd if="/proc/$redis/mem" bs=4096 skip=$((0x$from / 4096)) count=$(((0x$to - 0x$from) / 4096)) \
			status=none
	done | md5sum
}

same_as_before() { # WHAT
	state >"$TMP/after"
	diff "$TMP/before" "$TMP/after" >"$TMP/diff" || fail "left by $1: $(tr '\n' '|' <"$TMP/diff")"
	[ -z "$(pgrep -P $$ -x gemba)" ] || fail "a gemba still runs after $1"
}

state >"$TMP/before"
code_before=$(code)

run "$gemba" record -q -p "$redis" --for 200ms -o "$TMP/t.gemba"
same 'status' "$status" 0
same_as_before record
run "$gemba" map -q -p "$redis" --for 200ms
same 'status' "$status" 0
same_as_before map
run "$gemba" map "$TMP/t.gemba"
run "$gemba" items "$TMP/t.gemba"
run "$gemba" check -p "$redis"
run "$gemba" record -q -p "$redis" --for 200ms -o /no/such/place.gemba
run "$gemba" record -q -p 4194304
run "$gemba" record -q --for 200ms -o "$TMP/u.gemba" -- /no/such/command
run "$gemba" record -q -o "$TMP/v.gemba" -- true
same_as_before 'map, items, check and errors'
for signal in INT TERM HUP KILL; do
	start gemba "$gemba" record -q -p "$redis" -o "$TMP/$signal.gemba"
	within 20 written "$TMP/$signal.gemba" || fail "not attached: $(cat "$TMP/gemba.err")"
	kill -$signal "$pid"
	within 5 is_gone "$pid" || fail "SIG$signal did not end it"
	same_as_before "SIG$signal"
done
for delay in 0.02 0.1 0.2; do # while it attaches
	start gemba "$gemba" record -q -p "$redis" -o "$TMP/early.gemba" --force --for 60s
	sleep $delay
	kill -TERM "$pid"
	within 5 is_gone "$pid" || fail 'SIGTERM while it attached did not end it'
	same_as_before 'SIGTERM while it attached'
done
run sh -c "'$gemba' items '$TMP/t.gemba' | head -n 1"
same_as_before 'a closed pipe'

same 'code of the target' "$(code)" "$code_before"
# the default name is the one file that a recording makes
run "$gemba" record -q -p "$redis" --for 100ms
[[ $(ls) =~ ^gemba-redis-server-[0-9]{8}T[0-9]{6}Z\.gemba$ ]] || fail "made: $(ls)"
same 'its mode' "$(stat -c %a ./*)" 600
no_probe_left
