# What the end-to-end tests share; sourced, not run (and so not executable).
#
# Every process that `start` starts is ended by its PID when the test ends, however it ends, and
# every wait is bounded. A test may add `at_exit 'COMMAND'` for what else it made.
set -u

: "${GEMBA:=build/gemba}" "${HOST:=build/host}" "${GEMBA_NO_BPF:=}"
own_tmp=
if [ -z "${TMP:-}" ] || [ ! -d "${TMP:-}" ]; then
	TMP=$(mktemp -d)
	own_tmp=1
fi
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

started=
exit_commands=

clean_up() {
	local status=$? pid
	trap '' INT TERM
	for pid in $started; do
		stop "$pid"
	done
	eval "$exit_commands"
	[ -z "$own_tmp" ] || rm -rf "$TMP"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# at_exit COMMAND: evaluated after the processes ended, last added first.
at_exit() { exit_commands="$1; $exit_commands"; }

# fail MESSAGE...: ends the test.
fail() {
	echo "FAIL: $*"
	exit 1
}

# skip REASON...: ends the test; the reason is the last line.
skip() {
	echo "$*"
	exit 77
}

skip_without_bpf() { [ -z "$GEMBA_NO_BPF" ] || skip "$GEMBA_NO_BPF"; }

# need COMMAND...
need() {
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || skip "there is no $command here"
	done
}

# start NAME COMMAND...: in the background; its PID in $pid, output in $TMP/NAME.out and .err.
start() {
	local name=$1
	shift
	"$@" >"$TMP/$name.out" 2>"$TMP/$name.err" </dev/null &
	pid=$!
	started="$pid $started"
}

# is_running PID: a child of this test, so that a PID that was used again is never hit.
is_running() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	[ "${stat:0:1}" != Z ] && [ "$(cut -d ' ' -f 2 <<<"$stat")" = $$ ]
}

# stop PID [SIGNAL]: at most 5 s, then by force.
stop() {
	if is_running "$1"; then
		kill "-${2:-TERM}" "$1" 2>/dev/null
		within 5 is_gone "$1" || kill -KILL "$1" 2>/dev/null
	fi
	wait "$1" 2>/dev/null
	return 0
}

is_gone() { ! is_running "$1"; }

# within SECONDS COMMAND...: until the command says true, 20 times a second.
within() {
	local end=$(($(date +%s%N) + $1 * 1000000000))
	shift
	while ! "$@"; do
		[ "$(date +%s%N)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# wait_for_line FILE PATTERN [SECONDS]
wait_for_line() {
	within "${3:-10}" grep -qs -e "$2" "$1" && return
	cat "$1"
	fail "no '$2' in $1 within ${3:-10} s"
}

# wait_for_exit PID [SECONDS]: its exit status in $status.
wait_for_exit() {
	within "${2:-20}" is_gone "$1" || fail "process $1 did not end within ${2:-20} s"
	wait "$1"
	status=$?
}

listens() { [ -n "$(ss -Hltn "sport = :$1")$(ss -Hlun "sport = :$1")" ]; }

# wait_for_listen PORT [SECONDS]
wait_for_listen() {
	within "${2:-10}" listens "$1" || fail "nothing listens on port $1 within ${2:-10} s"
}

# free_port: prints one that nobody uses, for TCP and UDP, below the ephemeral ones.
free_port() {
	local port
	for _ in $(seq 100); do
		port=$((10000 + RANDOM % 20000))
		[ -n "$(ss -Hatn "sport = :$port")$(ss -Haun "sport = :$port")" ] && continue
		echo "$port"
		return
	done
	fail "no free port"
}

# json FILE FILTER [JQ OPTION...]: the filter's result, raw.
json() {
	local file=$1 filter=$2
	shift 2
	jq -r "$@" "$filter" "$file" || fail "jq '$filter' on $file"
}

# holds FILE CONDITION [JQ OPTION...]: fails with the condition and what made it false.
holds() {
	local file=$1 condition=$2
	shift 2
	[ "$(jq "$@" "$condition" "$file" 2>&1)" = true ] ||
		fail "$(basename "$file"): not so: $condition: $(jq -c "$@" "$condition" "$file" 2>&1 | head -c 400)"
}

# same WHAT A B
same() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }

# at_least WHAT A B, at_most WHAT A B: of numbers.
at_least() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 >= b + 0) }' || fail "$1: $2 is less than $3"; }
at_most() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 <= b + 0) }' || fail "$1: $2 is more than $3"; }


# record FILE PID [OPTION...]: gemba record in the background; its PID in $gemba; returns when it has attached.
record() {
	local file=$1 target=$2
	shift 2
	rm -f "$file"
	start record "$GEMBA" record -p "$target" -o "$file" --force "$@"
	gemba=$pid
	if within 15 has_begun "$file" "$gemba" && is_running "$gemba"; then
		sleep 0.15 # past the warm-up of 100 ms, whose items are in no distribution
		return
	fi
	cat "$TMP/record.err"
	fail "gemba record did not attach to $target"
}

# The head of a trace is written when everything is attached.
has_begun() { [ -s "$1" ] || ! is_running "$2"; }

# end_record: as with Ctrl-C; fails unless it ends with status 0 within 10 s.
end_record() {
	sleep 0.1 # the last bytes are answered, but perhaps not yet acknowledged
	kill -INT "$gemba" 2>/dev/null
	wait_for_exit "$gemba" 10
	[ "$status" = 0 ] && return
	cat "$TMP/record.err"
	fail "gemba record ended with status $status"
}

# map FILE OUT [OPTION...], items FILE OUT [OPTION...]: of a trace; the format by the suffix of OUT.
map() {
	"$GEMBA" map -q "$1" --force -o "$2" "${@:3}" || fail "gemba map $1 ended with status $?"
}
items() {
	"$GEMBA" items -q "$1" --force -o "$2" "${@:3}" || fail "gemba items $1 ended with status $?"
}

# columns FILE NAME...: the named columns of a CSV file, tab-separated, without the head line.
columns() {
	local file=$1
	shift
	awk -F, -v OFS='\t' -v names="$*" '
		NR == 1 {
			n = split(names, name, " ")
			for (i = 1; i <= NF; i++)
				at[$i] = i
			for (i = 1; i <= n; i++)
				if (!(name[i] in at)) {
					print "no column " name[i] >"/dev/stderr"
					exit 1
				}
			next
		}
		{
			row = $at[name[1]]
			for (i = 2; i <= n; i++)
				row = row OFS $at[name[i]]
			print row
		}' "$file" || fail "columns of $file"
}

# sound MAP.json [LOST]: what must hold of every map, whatever was looked at. Sums are compared
# as jq has them, in doubles, which is exact for all below 2^53.
sound() {
	holds "$1" '.schema == "gemba.map/1"'
	same "events lost" "$(json "$1" '.account.events_lost_by_kind | tojson')" '{}'
	same "events out of order" "$(json "$1" .account.late)" 0
	at_most "programs not run, of $(json "$1" .account.events) events" \
		"$(json "$1" .account.observer.recursion_misses)" \
		"$(json "$1" '0.001 * .account.events')"
	holds "$1" '.account | .in_flight_start + .items_in + .items_originated == .items_out +
		.items_ended + .items_merged + .items_dropped + .items_unobserved + .in_flight_end'
	holds "$1" '[.families[] | select(.lead_time.count > 0) |
		([.steps[].time.sum_ns] | add // 0) == .lead_time.sum_ns] | all'
	holds "$1" '([.families[].lead_time.sum_ns] | add // 0) ==
		([.families[] | .process_time.sum_ns, .transport_time.sum_ns, .wait_time.sum_ns] |
		add // 0) + .account.unmapped_ns'
	holds "$1" '[.families[].ladders[]? | values | . as $l | ([.steps[]] | add // 0) - .lead_mean_ns |
		fabs <= ($l.steps | length)] | all'
	holds "$1" '[.families[] | .steps[] | select(.on_cpu != null and .on_cpu.count == .items) |
		.on_cpu.sum_ns + .run_queue.sum_ns + .blocked.sum_ns + .busy_item.sum_ns +
		.busy_other.sum_ns == .time.sum_ns] | all'
	holds "$1" '[.families[] | select(.steps | length > 0) | .items == .lead_time.count] | all'
}

# sent_elsewhere ITEMS.csv: how many items were answered on another socket than they came by;
# originated ones came by none (port 0).
sent_elsewhere() {
	columns "$1" outcome in_local_port in_remote_port out_local_port out_remote_port |
		awk -F '\t' '$1 == "out" && $2 && ($2 != $4 || $3 != $5)' | wc -l
}

# start_redis NAME [OPTION...]: $pid and $port; on loopback, without files.
start_redis() {
	local name=$1
	shift
	port=$(free_port)
	start "$name" redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no \
		--daemonize no --dir "$TMP" "$@"
	wait_for_listen "$port"
}

# start_memcached NAME THREADS: $pid and $port.
start_memcached() {
	local name=$1 user=
	port=$(free_port)
	[ "$(id -u)" = 0 ] && user='-u root'
	start "$name" memcached -l 127.0.0.1 -p "$port" -U 0 -t "$2" $user
	wait_for_listen "$port"
}

# The value of a key has a length of its own, 20 + 10 * ID, so that each client's replies have a
# size of their own: 24 + LENGTH + its digits, to requests of 12 bytes.
memcached_value() { printf '%*s' $((20 + 10 * $1)) '' | tr ' ' "$(printf '\\%o' $((97 + $1)))"; }

# memcached_fill PORT CLIENTS: stores their values; before a load, and outside of the capture,
# because a set is two lines and so may be two writes.
memcached_fill() {
	local i value line
	exec 3<>"/dev/tcp/127.0.0.1/$1" || fail "memcached does not take a connection"
	for ((i = 0; i < $2; i++)); do
		value=$(memcached_value $i)
		printf 'set key%d 0 0 %d\r\n%s\r\n' $((100 + i)) ${#value} "$value" >&3
		read -r -t 10 line <&3 && [ "$line" = $'STORED\r' ] || fail "memcached stores nothing"
	done
	exec 3>&-
}

# memcached_client PORT ID GETS: on one connection, one request at a time. Fails at the first
# reply that is not its own.
memcached_client() {
	local value line key=key$((100 + $2)) i
	value=$(memcached_value "$2")
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
	for ((i = 0; i < $3; i++)); do
		printf 'get %s\r\n' "$key" >&3
		read -r -t 10 line <&3 && [ "$line" = "VALUE $key 0 ${#value}"$'\r' ] || return 1
		read -r -t 10 line <&3 && [ "$line" = "$value"$'\r' ] || return 1
		read -r -t 10 line <&3 && [ "$line" = $'END\r' ] || return 1
	done
	exec 3>&-
}

# memcached_load PORT CLIENTS GETS: the clients at once; fails if one of them does.
memcached_load() {
	local i one clients= bad=0
	for ((i = 0; i < $2; i++)); do
		(
			trap - EXIT INT TERM
			memcached_client "$1" $i "$3"
		) &
		clients="$clients $!"
	done
	started="$clients $started"
	for one in $clients; do
		wait "$one" || bad=$((bad + 1))
	done
	[ $bad = 0 ] || fail "$bad of $2 memcached clients got a wrong reply or none"
}
