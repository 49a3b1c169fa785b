#!/usr/bin/env bash
# gemba stages against nm, objdump and readelf: the functions are those of the binary, each site is
# an instruction that objdump has there, probes lead back, and nothing of the target is touched.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
need nm objdump readelf jq redis-server setpriv

# judge PID BINARY: its list, as JSON in $TMP/rows, against objdump.
judge() {
	local before=$(cat "/proc/$1/maps" | md5sum)
	succeeds "$GEMBA" stages -p "$1" -f json
	cp "$TMP/out" "$TMP/rows"
	same "its mappings" "$(cat "/proc/$1/maps" | md5sum)" "$before"
	holds "$TMP/rows" 'length > 10 and ([.[] | .binary] | unique | length) == 1'
	holds "$TMP/rows" '[.[] | .probe] | length == (unique | length)'
	holds "$TMP/rows" '[.[] | .refused != null or (.site_offset != null and .site_class != null)] | all'
	objdump -d --no-show-raw-insn -j .text "$2" |
		sed -nE 's/^ *([0-9a-f]+):\t([a-z0-9]+).*/\1 \2/p' | sort -k 1b,1 >"$TMP/code"
	jq -r '.[] | select(.refused == null) | "\(.address + .site_offset) \(.site_text)"' "$TMP/rows" |
		awk '{ printf "%x %s\n", $1, $2 }' | sort -k 1b,1 >"$TMP/sites"
	join -j 1 "$TMP/sites" "$TMP/code" >"$TMP/both"
	# Not in .text are a few of the linker's own.
	at_least "sites that objdump knows" "$(wc -l <"$TMP/both")" "$(($(wc -l <"$TMP/sites") - 10))"
	awk '{ a = substr($2, 1, 2); b = substr($3, 1, 2); if (a != b && $2 !~ /^(j|nop|mov|c)/) print }' \
		"$TMP/both" >"$TMP/wrong"
	[ ! -s "$TMP/wrong" ] || fail "other instructions: $(head -n 3 "$TMP/wrong" | tr '\n' '|')"
}

# has_names PID BINARY: what nm calls functions is listed, each address once.
has_names() {
	nm --defined-only "$2" | awk '$2 ~ /[tTwW]/ { print $1 }' | sed 's/^0*//' | sort -u >"$TMP/nm"
	jq -r '.[].address' "$TMP/rows" | awk '{ printf "%x\n", $1 }' | sort >"$TMP/listed"
	same "addresses told twice" "$(uniq -d "$TMP/listed" | wc -l)" 0
	at_least "listed addresses that nm knows" "$(comm -12 "$TMP/listed" "$TMP/nm" | wc -l)" \
		"$(($(wc -l <"$TMP/listed") * 98 / 100))"
}

start_redis redis
redis=$pid
binary=$(readlink -f "$(command -v redis-server)")
judge "$redis" "$binary"
id=$(readelf -n "$binary" | sed -n 's/.*Build ID: //p')
holds "$TMP/rows" 'all(.[]; .build_id == $id)' --arg id "$id"
if [ -z "$GEMBA_NO_BPF" ]; then
	holds "$TMP/rows" '[.[] | select(.refused == null) | .cost_ns > 100] | all'
fi

# A limit to the size of files is none to the trials, which need a page.
(ulimit -f 8 && "$GEMBA" stages -p "$redis" 'processC*' -f json) >"$TMP/limited" 2>"$TMP/limited.err" ||
	fail "under ulimit -f: $(cat "$TMP/limited.err")"
[ -n "$GEMBA_NO_BPF" ] ||
	holds "$TMP/limited" '[.[] | select(.refused == null) | .cost_ns > 100] | length > 0 and all'

for name in cpp_server rust_server hazard; do
	[ -x "$HOST/$name" ] || continue
	if [ "$name" = hazard ]; then
		start "$name" "$HOST/$name" --seconds 60
	else
		start "$name" "$HOST/$name" --port "$(free_port)"
	fi
	sleep 0.3
	judge "$pid" "$HOST/$name"
	has_names "$pid" "$HOST/$name"
	[ "$name" = rust_server ] || continue
	holds "$TMP/rows" '[.[] | select(.demangled != null)] | length > 50'
	# What a row ends with is taken, demangled names and their quotes too.
	succeeds "$GEMBA" stages -p "$pid" '*Engine*'
	row=$(grep -m 1 'Engine::handle' "$TMP/out" | sed 's/^.* [0-9-]* \([^ ]*:.*\)/\1/')
	eval "succeeds \"\$GEMBA\" record -p \"$pid\" --for 0.2s -o \"\$TMP/typed.gemba\" -s $row"
done

# VEX is never probed, whoever asks.
holds "$TMP/rows" '[.[] | select(.site_text // "" | test("^v[a-z]"))] | length == 0'

# By name, by binary, everything; in ASCII here. A row's last word is what -s takes.
succeeds "$GEMBA" stages -p "$redis" 'processComm*'
grep -q '^ .* [0-9-] redis-[a-z-]*:processCommand$' "$TMP/out" || fail "$(cat "$TMP/out")"
succeeds "$GEMBA" stages -p "$redis" 'libc:getpid' -f json
holds "$TMP/out" 'length == 1 and .[0].probe == "libc.so.6:getpid"'
COLUMNS=80 run "$GEMBA" stages -p "$redis" '*'
same 'status of everything' "$status" 0
at_least 'functions of redis and its libraries' "$(wc -l <"$TMP/out")" 10000
grep -q '^to stamp one: gemba map -p [0-9]* -s redis-[a-z-]*:[A-Za-z]' "$TMP/out" || fail "$(tail -n 1 "$TMP/out")"
same 'bytes that are not ASCII' "$(LC_ALL=C grep -c '[^ -~]' "$TMP/out")" 0
grep -Eq '^[0-9]+ functions: [0-9]+ with a cheap site, [0-9]+ single-stepped, [0-9]+ refused$' "$TMP/out" ||
	fail "no totals: $(tail -n 3 "$TMP/out")"
succeeds "$GEMBA" stages -p "$redis" 'processComm*' -o "$TMP/list.json"
holds "$TMP/list.json" 'length >= 1'

# What is wrong is said in a line.
refused() {
	local words=$1
	shift
	run "$GEMBA" stages "$@"
	[ "$status" != 0 ] || fail "no failure of: $*"
	same "lines of output of $*" "$(wc -c <"$TMP/out")" 0
	grep -q "$words" "$TMP/err" || fail "$*: $(said)"
}
refused 'near it: processCommand' -p "$redis" 'procesCommand'
refused "executes no file named 'nosuch'" -p "$redis" 'nosuch:*'
refused 'no process has pid 4194304' -p 4194304
refused 'its target is -p or -n' -- true
refused 'control characters' -p "$redis" "$(printf 'a\033b')"
refused 'needs a target' 'a*'

# Go says what that means.
if command -v nats-server >/dev/null; then
	start nats nats-server -a 127.0.0.1 -p "$(free_port)"
	sleep 0.5
	succeeds "$GEMBA" stages -p "$pid" '*processPub*'
	grep -q '^note: process .* is of Go: probes at entries only, and items join by connection' "$TMP/out" ||
		fail "$(head -n 3 "$TMP/out")"
	grep -q 'processPub' "$TMP/out" || fail "$(cat "$TMP/out")"
fi

# Without root: the list, and once why there are no costs.
if [ "$(id -u)" = 0 ]; then
	cp "$GEMBA" "$TMP/gemba"
	chmod 755 "$TMP" "$TMP/gemba"
	start sleeper setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all sleep 60
	sleep 0.3
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
		"$TMP/gemba" stages -p "$redis"
	same 'status of a foreign process' "$status" 1
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
		"$TMP/gemba" stages -p "$pid" 'libc:getp*'
	same 'status as nobody' "$status" 0
	same 'notes about costs' "$(grep -c 'costs are not known' "$TMP/out")" 1
	grep -Eq "^ +- [a-z]+ .* [0-9-]+ libc.so.6:getpid\$" "$TMP/out" || fail "$(cat "$TMP/out")"
fi
no_probe_left
