#!/usr/bin/env bash
# What gemba stages --propose prints for redis, which is stripped and has no frame pointers, and for
# the trader, asleep and spinning, is used as it stands: the map that comes of it has the stages of
# every item in the order proposed, and they hold at least 80 % of the items' process time.
# Nothing is left behind: the functions' bytes are the file's again.
#
# Judge: the map of a capture of its own, made afterwards. The trader is a program of known
# functions: three messages come in a packet, and the finest cut of the way is that of a message,
# by the functions that work on it and not by those that only call them.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need jq

# propose NAME PID: the proposal into $TMP/NAME.txt, its -s lines into $lines.
propose() {
	"$GEMBA" stages --propose -p "$2" >"$TMP/$1.txt" 2>"$TMP/$1.err" ||
		fail "$1: no proposal: $(cat "$TMP/$1.err" "$TMP/$1.txt")"
	lines=$(grep '^-s ' "$TMP/$1.txt")
	[ -n "$lines" ] || fail "$1: no -s lines: $(cat "$TMP/$1.txt")"
	at_most "$1: stages" "$(wc -l <<<"$lines")" 8
	at_most "$1: lines that are no stage, no comment and no command" \
		"$(grep -vcE '^(-s [A-Za-z_][A-Za-z0-9_.-]*=[^ ]+|#.*|gemba map .*)$' "$TMP/$1.txt")" 0
	same "$1: the last line" "$(tail -n 1 "$TMP/$1.txt")" \
		"gemba map -p $2 --for 10s $(paste -sd ' ' <<<"$lines")"
	grep -B 1 '^-s ' "$TMP/$1.txt" | grep '^#' | tail -n +2 | grep ': 0 % of process time' &&
		fail "$1: a stage that holds nothing"
	grep -E '[0-9]{3,} % of' "$TMP/$1.txt" && fail "$1: more than all"
	:
}

# shares NAME PID: a map with the proposed lines, and what share of process time its stages hold.
shares() {
	local share
	# The lines are words for a shell, which is what they are for.
	# shellcheck disable=SC2046,SC2086
	"$GEMBA" map -q -p "$2" --for 3s $lines -f json -o "$TMP/$1.json" --force 2>"$TMP/$1.err" ||
		fail "$1: no map: $(cat "$TMP/$1.err")"
	share=$(json "$TMP/$1.json" '[.families[].steps[]? | select(.on_cpu and (.kind == "stage" or
		.kind == "process"))] | (map(select(.kind == "stage").on_cpu.sum_ns) | add) /
		(map(.on_cpu.sum_ns) | add)')
	at_least "$1: share of process time ($(tr '\n' ' ' <<<"$lines"))" "$share" 0.8
	same "$1: the route" "$(json "$TMP/$1.json" '.families[0].route | join(" ")' |
		sed 's/^rx sock recv //; s/ send txq tx$//')" \
		"$(sed 's/^-s //; s/=.*//' <<<"$lines" | paste -sd ' ')"
	echo "# $1: $(wc -l <<<"$lines") stages hold $share of process time; $(grep '^# counted' "$TMP/$1.txt")"
}

# bytes_are_back PID FILE: the mapped text of the process is what the file has.
bytes_are_back() {
	local range offset
	while read -r range offset; do
		cmp -s <(dd if="/proc/$1/mem" bs=4096 skip=$((0x${range%-*} / 4096)) \
			count=$(((0x${range#*-} - 0x${range%-*}) / 4096)) 2>/dev/null) \
			<(dd if="$2" bs=4096 skip=$((0x$offset / 4096)) \
				count=$(((0x${range#*-} - 0x${range%-*}) / 4096)) 2>/dev/null |
				cat - /dev/zero | head -c $((0x${range#*-} - 0x${range%-*}))) ||
			fail "text of process $1 at $range differs from $2"
	done < <(awk -v file="$2" '$2 ~ /x/ && $6 == file { print $1, $3 }' "/proc/$1/maps")
}

if command -v redis-server redis-benchmark >/dev/null; then
	port=$(free_port)
	start redis redis-server --port "$port" --save '' --appendonly no
	redis=$pid
	wait_for_listen "$port"
	# A GET is 4 us of work: there the probes, 1.4 us each, take longer than the work, which the
	# proposal says, and what they leave of it is no judge of a cut. A reply of 300 entries is.
	start bench redis-benchmark -p "$port" -n 100000000 -t get -c 1
	propose get "$redis"
	at_least "redis: stages of a GET" "$(wc -l <<<"$lines")" 2
	grep -q '^# the stages are short: ' "$TMP/get.txt" || fail "probes of no weight: $(cat "$TMP/get.txt")"
	stop "$pid"
	redis-benchmark -p "$port" -n 300 -q lpush list entry >/dev/null 2>&1
	start bench redis-benchmark -p "$port" -n 100000000 -c 1 lrange list 0 299
	propose redis "$redis"
	at_least "redis: stages" "$(wc -l <<<"$lines")" 2
	shares redis "$redis"
	stop "$pid"
	bytes_are_back "$redis" "$(readlink "/proc/$redis/exe")"
	"$GEMBA" stages --propose -p "$redis" >"$TMP/idle.txt" 2>"$TMP/idle.err" &&
		fail "a proposal for a redis that does nothing: $(cat "$TMP/idle.txt")"
	grep -q 'received nothing' "$TMP/idle.err" || fail "$(cat "$TMP/idle.err")"
	stop "$redis"
else
	echo "# without redis: it is not installed"
fi

# A program of 5 000 functions that does next to nothing: all of them are counted, and where the
# kernel attaches many at once, they are within 2 s.
many() {
	local attached
	awk 'BEGIN {
		print "#include <netinet/in.h>\n#include <stdio.h>\n#include <sys/socket.h>"
		print "#define ALONE __attribute__((noipa))"
		for (i = 0; i < 5000; i++)
			printf "ALONE int f%d(int x) { return x > 1 ? %s(x / 2) + %d : x; }\n", i, \
				i ? "f" i - 1 : "getchar() + ", i
		print "int main(void) { struct sockaddr_in a = { .sin_family = AF_INET }, from; socklen_t n;"
		print "char b[64]; int s = socket(AF_INET, SOCK_DGRAM, 0), got; n = sizeof(a);"
		print "bind(s, (void *)&a, n); getsockname(s, (void *)&a, &n);"
		print "printf(\"ready %d\\n\", ntohs(a.sin_port)); fflush(stdout);"
		print "for (;;) { n = sizeof(from); got = recvfrom(s, b, 64, 0, (void *)&from, &n);"
		print "b[0] = f4999(1 << 20); sendto(s, b, got, 0, (void *)&from, n); } }"
	}' >"$TMP/many.c"
	"${CC:-cc}" -O1 -o "$TMP/many" "$TMP/many.c" || fail "cannot compile 5 000 functions"
	start many "$TMP/many"
	many=$pid
	wait_for_line "$TMP/many.out" '^ready '
	start knock bash -c "while sleep 0.005; do echo x >/dev/udp/127.0.0.1/$(sed -n 's/^ready //p' "$TMP/many.out"); done"
	propose many "$many"
	grep -q '^# counted [45][0-9]* functions' "$TMP/many.txt" || fail "$(cat "$TMP/many.txt")"
	at_least "functions counted" "$(sed -n 's/^# counted \([0-9]*\) .*/\1/p' "$TMP/many.txt")" 4900
	if grep -q uprobe_multi "$TMP/many.txt"; then
		attached=$(sed -n 's/.*attached in \([0-9.]*\) s.*/\1/p' "$TMP/many.txt")
		at_most "seconds to attach them" "$attached" 2
	fi
	echo "# many: $(grep '^# counted' "$TMP/many.txt")"
	bytes_are_back "$many" "$TMP/many"
	stop "$pid"
	stop "$many"
}
many

for spin in '' --spin; do
	feed=127.0.0.1:$(free_port)
	start exchange "$HOST/exchange" --feed "$feed" --orders 127.0.0.1:0 --for 60
	exchange=$pid
	wait_for_line "$TMP/exchange.out" '^ready '
	start trader "$HOST/trader" --feed "$feed" --for 60 $spin \
		--orders "127.0.0.1:$(sed -n 's/^ready //p' "$TMP/exchange.out")"
	trader=$pid
	sleep 0.5
	propose "trader$spin" "$trader"
	shares "trader$spin" "$trader"
	bytes_are_back "$trader" "$(readlink "/proc/$trader/exe")"
	same "trader$spin: the stages" "$(grep -o '[^:]*$' <<<"$lines" |
		grep -vxE 'work_packet|decode_packet' | head -n 3 | paste -sd ' ')" \
		'decode_message update_book run_strategy'
	grep -qx '# an item is one entry of decode_message, 3.0 to a datagram' \
		"$TMP/trader$spin.txt" || fail "trader$spin: $(cat "$TMP/trader$spin.txt")"
	stop "$trader" INT
	stop "$exchange" INT
done
