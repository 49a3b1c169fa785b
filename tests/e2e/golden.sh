#!/usr/bin/env bash
# A trace gives the same bytes of map: on any machine, without privileges, wherever it is read.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
need jq

scripts/golden -n >"$TMP/diff" || {
	head -n 100 "$TMP/diff"
	fail "the maps of tests/data are not those of tests/golden; see scripts/golden"
}

golden=$PWD/tests/golden
cp "$GEMBA" tests/data/*.gemba "$TMP"
gemba=$TMP/$(basename "$GEMBA")
chmod 755 "$TMP" "$gemba"
chmod 644 "$TMP"/*.gemba
mkdir -m 777 "$TMP/elsewhere"
cd "$TMP/elsewhere" || exit 1
nobody=
[ "$(id -u)" != 0 ] || nobody=as_nobody

gives() { # GOLDEN COMMAND...
	local file=$golden/$1
	shift
	$nobody "$@" >"$TMP/out" 2>"$TMP/err" || fail "status $? of $*: $(said)"
	cmp "$TMP/out" "$file" || fail "$*"
	[ ! -s "$TMP/err" ] || fail "$*: $(said)"
}

for name in redis trader echo memcached nats; do
	trace=../$name.gemba
	gives $name-map.json env LC_ALL=C COLUMNS=40 TZ=Asia/Tokyo "$gemba" map $trace -f json
	gives $name-map.json env -i "$gemba" map -f json "$TMP/$name.gemba"
	gives $name-map.json env LC_ALL=C.UTF-8 LANG=xx NO_COLOR=1 "$gemba" map $trace -f json --color always
	gives $name-80.txt env LC_ALL=C.UTF-8 COLUMNS=80 TZ=America/St_Johns "$gemba" map $trace
	gives $name-80.txt env -i LC_CTYPE=C.UTF-8 "$gemba" map $trace
	gives $name-80.txt env -i LANG=C.UTF-8 COLUMNS=0 "$gemba" map $trace
	gives $name-80.txt env -i LANG=C.UTF-8 COLUMNS=x "$gemba" map $trace --color auto
	gives $name-80-ascii.txt env LC_ALL=C TERM=dumb "$gemba" map $trace
	gives $name-80-ascii.txt env -i LC_ALL=no_SUCH.UTF-8 "$gemba" map $trace
	gives $name-items.txt env -i "$gemba" items --slowest 10 $trace

	# what a map file is drawn from is what the trace was drawn from
	$nobody "$gemba" map $trace -f json -o "$name.json" || fail "$name.json"
	gives $name-80.txt env LC_ALL=C.UTF-8 "$gemba" map "$name.json"
	gives $name-map.json "$gemba" map "$name.json" -f json
	is_balanced "$name.json"
done

# Nothing in the directory but these, and by its time the newest trace is the one that is read.
same 'files made' "$(ls | tr '\n' ' ')" 'echo.json memcached.json nats.json redis.json trader.json '
cp ../trader.gemba new.gemba
touch -d yesterday new.gemba
cp ../redis.gemba newer.gemba
run "$gemba" map -f json
cmp "$TMP/out" "$golden/redis-map.json" || fail 'the newest trace here'
grep -q '^gemba: reading newer.gemba, the newest trace here$' "$TMP/err" || fail "$(said)"

# Narrow and wide: never wider than asked for, down to 40 columns.
for columns in 40 60 100 132 1000; do
	for locale in C C.UTF-8; do
		LC_ALL=$locale COLUMNS=$columns "$gemba" map ../trader.gemba >"$TMP/out" || fail "$columns columns"
		at_most "width of $columns columns" "$(LC_ALL=C.UTF-8 wc -L <"$TMP/out")" "$columns"
	done
done
