# What the tests of stages share; sourced behind lib.sh.

# said_once FILE: one line of an error, not a story.
said_once() { [ "$(grep -c . "$1")" = 1 ]; }

# refuses PID MESSAGE OPTION...: gemba record ends with 1, or 2 for wrong usage, and one line with MESSAGE.
refuses() {
	local target=$1 message=$2
	shift 2
	timeout -k 2 20 "$GEMBA" record -p "$target" -o "$TMP/refused.gemba" --force --for 100ms "$@" \
		>"$TMP/refused.out" 2>"$TMP/refused.err"
	status=$?
	[ "$status" = 1 ] || [ "$status" = 2 ] || fail "status $status of $*: $(cat "$TMP/refused.err")"
	said_once "$TMP/refused.err" || fail "$* is not refused in one line: $(cat "$TMP/refused.err")"
	grep -q -e "$message" "$TMP/refused.err" || fail "$*: no '$message' in: $(cat "$TMP/refused.err")"
}

# changed_text PID: prints each mapping of code whose bytes in memory are not its file's.
changed_text() {
	local range perms offset path from bytes
	while read -r range perms offset _ _ path; do
		case $perms:$path in
		*'(deleted)') continue ;;
		r-xp:/*) ;;
		*) continue ;;
		esac
		from=$((0x${range%-*})) bytes=$((0x${range#*-} - 0x${range%-*}))
		cmp -s <(dd if="/proc/$1/mem" bs=4096 skip=$((from / 4096)) count=$((bytes / 4096)) status=none) \
			<(dd if="$path" bs=4096 skip=$((0x$offset / 4096)) count=$((bytes / 4096)) status=none) ||
			echo "$range $path"
	done <"/proc/$1/maps"
}

# A process that is gone has no text to be whole.
is_text_whole() { grep -qs . "/proc/$1/maps" && [ -z "$(changed_text "$1")" ]; }

# text_is_whole PID WHEN: the code of a process is its files' again, at once or (the kernel takes probes
# of a killed gemba off by itself) soon.
text_is_whole() {
	within 10 is_text_whole "$1" || fail "$2: process $1 is gone or has changed text: $(changed_text "$1")"
}

# lives PID WHEN: a child of the test, which has not ended.
lives() {
	is_running "$1" && return
	wait "$1"
	fail "$2: process $1 ended with status $?: $(cat "$TMP/hazard.out" "$TMP/hazard.err")"
}

# hits MAP.json STAGE
hits() { json "$1" '.capture.stages[] | select(.name == $name) | .hits' --arg name "$2"; }

# start_hazard OPTION...: stopped before its first round, until `go`; its PID in $hazard.
start_hazard() {
	rm -f "$TMP/hazard.out"
	start hazard "$HOST/hazard" --start-after-ms 700 --seconds 60 "$@"
	hazard=$pid
	wait_for_line "$TMP/hazard.out" '^ready '
	kill -STOP "$hazard"
}
go() { kill -CONT "$1"; }

# of_hazard NAME: a number of its last line
of_hazard() { sed -n "s/^rounds=/ rounds=/; s/.* $1=\([0-9]*\).*/\1/p" "$TMP/hazard.out"; }

# hazard_is_well: it has ended by itself, and nothing that it computed was wrong.
hazard_is_well() { # WHEN
	wait_for_exit "$hazard" 40
	same "$1: status of hazard ($(cat "$TMP/hazard.out" "$TMP/hazard.err"))" "$status" 0
	same "$1: wrong results" "$(of_hazard wrong)" 0
	same "$1: wrong results in the signal handler" "$(of_hazard wrong_alarms)" 0
}
