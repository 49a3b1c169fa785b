#!/usr/bin/env bash
# Targets come, change and go while they are observed; gemba ends in order whatever they do.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq redis-server redis-benchmark redis-cli memcached

trace=$TMP/t.gemba map=$TMP/t.json

# observe PID [OPTION...]: $gemba records it, attached when this returns.
observe() {
	local target=$1
	shift
	rm -f "$trace"
	start gemba "$GEMBA" record -q -p "$target" -o "$trace" "$@"
	gemba=$pid
	within 20 written "$trace" || fail "not attached: $(cat "$TMP/gemba.err")"
	sleep 0.15 # the warm-up
}

# A target that waits with what it does until it is observed.
await='until [ -e go ]; do sleep 0.02; done'
start_waiting() { # NAME SHELL-COMMAND
	rm -f "$TMP/go"
	start "$1" env -C "$TMP" bash -c "$await; $2"
}
go() { touch "$TMP/go"; }

has_links() { [ -n "$(find "/proc/$1/fd" -lname '*bpf_link*' 2>/dev/null)" ]; }

# ended: gemba has ended by itself; its map is in $map and is sound.
ended() {
	wait_for_exit "$gemba" 10
	same "status of gemba ($(cat "$TMP/gemba.err"))" "$status" 0
	mapped
}

mapped() {
	succeeds "$GEMBA" map "$trace" -f json -o "$map" --force
	[ ! -s "$TMP/err" ] || fail "$(said)"
	holds "$map" '.capture.window.ended_in_order'
	is_balanced "$map"
}

# adopt PID: of a process that is no child of this test, to be ended with it
adopt() { at_exit "kill $1 2>/dev/null"; }

exit_status_is() { holds "$map" ".capture.targets[0].exit_status == $1"; }

# seconds since $began
elapsed() { awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { print b - a }'; }

# --- the target ends
start_waiting target 'exit 3'
observe "$pid"
go
ended
exit_status_is 3
"$GEMBA" map "$trace" >"$TMP/text" || fail 'no text'
grep -q 'exited 3' "$TMP/text" || fail "the map does not say how the target ended: $(head -n 1 "$TMP/text")"

start_redis target
target=$pid
observe "$target"
redis-benchmark -p "$port" -n 500 -c 5 -t get -q >/dev/null
kill -KILL "$target"
ended
exit_status_is 137
holds "$map" '.account.items_in > 100'

start_redis target
target=$pid
observe "$target"
redis-benchmark -p "$port" -n 500 -c 5 -t get -q >/dev/null
redis-cli -p "$port" shutdown nosave >/dev/null 2>&1
ended
exit_status_is 0

# --- it execs: the sockets of what it becomes are seen
port=$(free_port)
start_waiting target "exec redis-server --port $port --bind 127.0.0.1 --save ''"
target=$pid
observe "$target"
go
wait_for_listen "$port"
redis-benchmark -p "$port" -n 500 -c 5 -t get -q >/dev/null
kill -INT "$gemba"
ended
holds "$map" '.account.items_in > 400 and .capture.targets[0].exit_status == null'
holds "$map" '.capture.targets[0] | .comm == "redis-server" and (.exe | test("redis"))'
kill "$target"

# --- it forks: the child is another process and not observed
port=$(free_port)
start_waiting target "redis-server --port $port --bind 127.0.0.1 --save '' & echo \$!; wait"
target=$pid
observe "$target"
go
wait_for_listen "$port"
child=$(cat "$TMP/target.out" | head -n 1)
adopt "$child"
redis-benchmark -p "$port" -n 500 -c 5 -t get -q >/dev/null
kill -INT "$gemba"
ended
holds "$map" '.account.items_in == 0 and (.capture.targets | length) == 1'
kill "$child"

# --- signals to gemba
start_redis redis
redis=$pid redis_port=$port
start_load load "$redis_port"
load=$pid
for signal in INT TERM HUP; do
	observe "$redis"
	sleep 0.5
	began=$(date +%s.%N)
	kill -$signal "$gemba"
	ended
	at_most "seconds from SIG$signal to the end" "$(elapsed)" 3
	exit_status_is null
	answers "$redis_port" || fail "redis does not answer"
done
observe "$redis"
sleep 1.5
kill -STOP "$gemba"
kill -INT "$gemba"
kill -CONT "$gemba"
kill -INT "$gemba" 2>/dev/null
wait_for_exit "$gemba" 5
case $status in
0 | 130) ;;
*) fail "status $status after two SIGINT" ;;
esac
run "$GEMBA" map "$trace" -f json -o "$map" --force
same 'status of the map after two SIGINT' "$status" 0
is_balanced "$map"
start map "$GEMBA" map -q -p "$redis" -f json -o "$TMP/live.json"
within 10 has_links "$pid" || fail 'gemba map did not attach'
sleep 0.5
kill -INT "$pid"
wait_for_exit "$pid" 5
same 'status of map after SIGINT' "$status" 0
is_balanced "$TMP/live.json"
holds "$TMP/live.json" '.account.items_in > 0'
stop "$load"

# --- two at once, by name, and two gembas on one target
cp /usr/bin/redis-server "$TMP/gemba-test-redis-server" # longer than a comm
port2=$(free_port)
start redis2 "$TMP/gemba-test-redis-server" --port "$port2" --bind 127.0.0.1 --save ''
redis2=$pid
wait_for_listen "$port2"
rm -f "$TMP/name.gemba"
start name "$GEMBA" record -q -n gemba-test-redis-server -o "$TMP/name.gemba" --for 4s
named=$pid
observe "$redis,$redis2" --for 3s
within 20 written "$TMP/name.gemba"
sleep 0.15
redis-benchmark -p "$port2" -n 500 -c 5 -t get -q >/dev/null
redis-benchmark -p "$redis_port" -n 500 -c 5 -t get -q >/dev/null
ended
holds "$map" '[.capture.targets[].pid] == [$a, $b] and .account.items_in > 800' \
	--argjson a "$redis" --argjson b "$redis2"
holds "$map" '[.suppliers[].local | tostring | capture("(?<port>[0-9]+)$").port] | unique == ([$a, $b] | unique)' \
	--arg a "$redis_port" --arg b "$port2"
wait_for_exit "$named" 10
same 'status of record -n' "$status" 0
trace=$TMP/name.gemba mapped
holds "$map" '.capture.targets[0].pid == $b and .account.items_in > 400' --argjson b "$redis2"

# --- sockets made after attach
observe "$redis"
port3=$(free_port)
redis-cli -p "$redis_port" config set port "$port3" >/dev/null
redis-benchmark -p "$port3" -n 500 -c 5 -t get -q >/dev/null
kill -INT "$gemba"
ended
holds "$map" '.account.items_in > 400 and ([.suppliers[].local | tostring | endswith($p)] | any)' --arg p "$port3"

start echo "$HOST/echo" --listen 127.0.0.1:0
wait_for_line "$TMP/echo.out" '^ready'
port=$(sed -n 's/^ready //p' "$TMP/echo.out")
start_waiting target "exec 3<>/dev/udp/127.0.0.1/$port; for i in {1..50}; do
	printf x >&3; read -r -t 2 -N 1 -u 3; done; sleep 0.3"
observe "$pid"
go
ended
holds "$map" '.account | .items_in == 50 and .items_originated == 1 and .items_out == 50 and .items_ended == 1'

# --- many threads, many short connections
start memcached memcached -u nobody -U 0 -l 127.0.0.1 -p "$((port = $(free_port)))" -t 200
memcached=$pid
wait_for_listen "$port"
observe "$memcached"
for _ in $(seq 40); do
	(exec 3<>/dev/tcp/127.0.0.1/"$port" && printf 'get a\r\n' >&3 && read -r -t 5 <&3)
done
kill -INT "$gemba"
ended
holds "$map" '.account.items_in == 40 and .account.items_out == 40'

observe "$redis" --for 4s
sleep 0.2
timeout 3 redis-benchmark -p "$port3" -n 900 -c 5 -k 0 -t get -q >/dev/null
ended
holds "$map" '.account.items_in > 600 and .account.items_out > 600'
holds "$map" '[.suppliers[].flows] | add > 600'

# --- a command of gemba's own
own() { # [OPTION...] -- COMMAND...
	rm -f "$trace"
	start own "$GEMBA" record -o "$trace" "$@"
	gemba=$pid
}
own -- sh -c 'exit 7'
ended
exit_status_is 7
holds "$map" '.capture.targets[0].comm == "sh" and (.capture.targets[0].cmdline | startswith("sh -c"))'
own -- sh -c 'kill -TERM $$'
ended
exit_status_is 143

port=$(free_port)
own --for 3s -- redis-server --port "$port" --bind 127.0.0.1 --save ''
wait_for_listen "$port"
sleep 0.15
redis-benchmark -p "$port" -n 500 -c 5 -t get -q >/dev/null
ended
child=$(json "$map" '.capture.targets[0].pid')
adopt "$child"
holds "$map" '.capture.targets[0].comm == "redis-server" and .capture.targets[0].exit_status == null and
	.capture.name == "redis-server"'
holds "$map" '.account.items_in == .account.items_out and .account.items_in >= 500'
grep -q "the command goes on as pid $child" "$TMP/own.err" || fail "$(cat "$TMP/own.err")"
answers "$port" || fail 'the command did not go on'
kill "$child"

# what was ignored before is ignored by the command: nohup, and a shell's background jobs
for how in ignore default; do
	env "--$how-signal=HUP,INT,QUIT,PIPE,TERM,XFSZ" "$GEMBA" record -q --force \
		-o "$TMP/signals.gemba" -- grep SigIgn /proc/self/status >"$TMP/$how" ||
		fail 'no record of grep'
done
same 'signals that the command ignores' "$(cut -f 2 "$TMP/ignore")" 0000000001005007
same 'signals that it was told not to ignore' "$(cut -f 2 "$TMP/default")" 0000000000000000

own -- "$HOST/echo" --listen 127.0.0.1:0
wait_for_line "$TMP/own.out" '^ready'
sleep 0.15
"$HOST/echo" --client "127.0.0.1:$(sed -n 's/^ready //p' "$TMP/own.out")" --requests 300 >/dev/null
kill -INT "$gemba" # goes to the command, which ends with it
ended
holds "$map" '.account.items_in == 300 and .account.items_out == 300 and
	.account.items_partial == 0 and .capture.targets[0].exit_status != null'

own -q --for 60s -- sleep 60
within 5 written "$trace"
child=$(pgrep -P "$gemba" || :)
[ -n "$child" ] || fail 'the command is not a child of gemba'
kill -KILL "$gemba"
adopt "$child"
kill -0 "$child" || fail "the command died with gemba"
kill "$child"
no_probe_left
