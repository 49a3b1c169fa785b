#!/usr/bin/env bash
# gemba check: says what can be observed, attaches nothing, and its exit status can be believed.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
need jq

sane() { # every line is a heading, the sentence at the end, or "  VERDICT what  text"
	grep -Ev '^(host|stations and events of this kernel, by loading each program|target [0-9]+ .*|this host can be observed; .*)$|^  (ok|NO|-|note|    ) ' \
		"$TMP/out" && fail 'check has odd lines'
	at_least 'lines of check' "$(wc -l <"$TMP/out")" 8
	[ ! -s "$TMP/err" ] || fail "check says on standard error: $(said)"
}

# Without privileges: says so, fails.
if [ "$(id -u)" = 0 ]; then
	cp "$GEMBA" "$TMP/gemba"
	chmod 755 "$TMP" "$TMP/gemba"
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$TMP/gemba" check
	same 'status as nobody' "$status" 1
	sane
	grep -Eq '^  NO   privileges .*sudo' "$TMP/out" || fail "$(cat "$TMP/out")"
	grep -q 'this host can be observed' "$TMP/out" && fail 'it cannot be observed by nobody'
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$TMP/gemba" check -p $$
	same 'status as nobody of a process' "$status" 1
fi

run "$GEMBA" check -p 4194304
same 'status without such a process' "$status" 1
same 'output without such a process' "$(wc -c <"$TMP/out")" 0
skip_without_bpf
need bpftool memcached

succeeds "$GEMBA" check
sane
for station in rx sock recv 'send (tcp)' txq tx 'wake-ups' 'on_cpu, run_queue, blocked'; do
	grep -q "^  ok   $station " "$TMP/out" || grep -q "^  NO   $station  *[a-z]" "$TMP/out" ||
		fail "nothing about $station: $(cat "$TMP/out")"
done
grep -q '^this host can be observed' "$TMP/out" || fail "$(cat "$TMP/out")"

start memcached memcached -u nobody -U 0 -l 127.0.0.1 -p "$(free_port)" -t 4
target=$pid
sleep 0.3
succeeds "$GEMBA" check -p "$target"
sane
grep -q "^target $target memcached$" "$TMP/out" || fail "$(cat "$TMP/out")"
grep -Eq "^ +threads +$(ls "/proc/$target/task" | wc -l)$" "$TMP/out" || fail "$(cat "$TMP/out")"
grep -Eq '^ +executable +/.*memcached$' "$TMP/out" || fail "$(cat "$TMP/out")"
grep -Eq '^ +build-id +[0-9a-f]{40}$' "$TMP/out" || fail "$(cat "$TMP/out")"
name=$(cat "/proc/$target/comm")
if [ "$(pgrep -c -x "$name")" = 1 ]; then
	succeeds "$GEMBA" check -n "$name"
	grep -q "^target $target memcached$" "$TMP/out" || fail "$(cat "$TMP/out")"
fi

# The events' process ids are the host's.
run unshare --pid --fork --mount-proc "$GEMBA" check
same 'status in a PID namespace' "$status" 1
grep -q '^  NO   process ids .*on the host' "$TMP/out" || fail "$(cat "$TMP/out")"

# A name cannot write commands to the terminal.
evil=$TMP/$(printf 'a\nb\033[31m')
cp "$(command -v sleep)" "$evil"
start evil "$evil" 10
sleep 0.1
succeeds "$GEMBA" check -p "$pid"
grep -q "$(printf '\033')" "$TMP/out" && fail 'an escape sequence came through'
grep -q "^target $pid a?b?\[31m$" "$TMP/out" || fail "$(head -n 1 "$TMP/out")"
kill "$pid"

succeeds "$GEMBA" check -q -p "$target" --color always
same 'its tracer' "$(sed -n 's/^TracerPid:\t//p' "/proc/$target/status")" 0
no_probe_left
