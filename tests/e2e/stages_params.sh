#!/usr/bin/env bash
# Keys by the names of parameters: a C++ program calls functions whose arguments lead to one number
# in many ways, and every way makes a stage of the same function, keyed by it. The first begins an item,
# so each item passes all stages, or a way led elsewhere. Then the same by offsets, stripped.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq strip
[ -x "$HOST/keyed" ] || skip 'there is no C++ compiler here'

# line BINARY KEY[@FUNCTION]...: a stage for each key, of venue::Order::run unless it says otherwise
line() {
	local binary=$1 options='' nr=0 key
	shift
	for key in "$@"; do
		options="$options -s s$nr=${FUNCTION:-${key##*@}} -k s$nr=${key%@*}"
		nr=$((nr + 1))
	done
	start keyed "$binary" --seconds 4
	keyed=$pid
	wait_for_line "$TMP/keyed.out" '^ready'
	# shellcheck disable=SC2086
	succeeds "$GEMBA" record -q --force -p "$keyed" --for 1500ms -o "$TMP/keyed.gemba" $options
	succeeds "$GEMBA" map "$TMP/keyed.gemba" -f json -o "$TMP/keyed.json" --force
	stop "$keyed"
}

# passes_all NR: every item has so many stages; one may be cut at each end
passes_all() {
	holds "$TMP/keyed.json" '.families[0].route == [range($nr) | "s\(.)"]' --argjson nr "$1"
	holds "$TMP/keyed.json" '.families[0].items as $n | $n > 300 and
		([.families[].items] | add) - $n <= 1'
	holds "$TMP/keyed.json" '.account | .stage_hits_unowned <= $nr and .keys_reused == 0' \
		--argjson nr "$1"
	holds "$TMP/keyed.json" '[.account.doubts[].code] - ["parts_unknown"] == []'
}

run='@venue::Order::run' widen='@venue::widen'
line "$HOST/keyed" "this->raw_seq$run" "this->hdr.seq$run" "this->base_seq$run" "seq$run" \
	"this->next->raw_seq$run" "this->next->hdr.seq$run" "this.header.seq$run" "this->symbol$run" \
	"u32(this->next+8)$run" "arg0->raw_seq$run" "order.raw_seq$widen" "order->hdr.seq$widen" "seq$widen"
passes_all 13

# the same, stripped of its debug symbols: by offset
offset=$(sed -n 's/^offset //p' "$TMP/keyed.out")
strip -g -o "$TMP/stripped" "$HOST/keyed"
line "$TMP/stripped" "u64(arg0+$offset)$run" "u32(arg0+$offset)$run"
passes_all 2

# what is wrong is said with what there is
start keyed "$HOST/keyed" --seconds 20
wrong() { # KEY MESSAGE [FUNCTION]
	run_gemba=$("$GEMBA" map -q -p "$pid" --for 100ms -s "f=${3:-venue::Order::run}" -k "f=$1" 2>&1)
	same "status of $1" "$?" 1
	same "message of $1" "$run_gemba" "gemba: stage f: '$1': $2"
}
wrong nope "the function has no parameter 'nope'; it has: this, bias, seq, weight"
wrong 'this->nope' "no member 'nope'; there is: unused, base_seq, hdr, raw_seq, price, next, flags, symbol, text, header"
wrong 'this->hdr.seq.x' "what stands before 'x' has no members"
wrong this-\>flags "'flags' is a bit field"
wrong 'this->text' 'it has 16 bytes; a key has 1, 2, 4 or 8'
wrong weight 'in which register that parameter comes cannot be told; count the arguments and give argN'
wrong 'seq.x' 'it is passed by value, not by a pointer'
keyed=$pid
start stripped "$TMP/stripped" --seconds 20
wrong 'this->raw_seq' 'names of parameters need debug symbols; count the arguments and give u64(arg0+OFFSET)'
# a key that reads nothing that is there: counted, and the thread decides
"$GEMBA" map -q -p "$keyed" --for 700ms -s a=venue::Order::run -s b=venue::widen -k 'a=u64(u64(arg0+0)+0)' \
	-f json -o "$TMP/unread.json"
has_doubt "$TMP/unread.json" key_unread
# a stage file says what the command line said, and whose map it is
succeeds "$GEMBA" map -q -p "$keyed" --for 300ms -s a=venue::Order::run -s venue::widen -k 'a=arg0->hdr.seq' \
	--save-config "$TMP/saved.yaml" -f json -o "$TMP/first.json"
printf 'map: the line\nowner: us\ntakt: 40us\n' | cat - <(sed 's/^---$//; s/^\.\.\.$//' "$TMP/saved.yaml") |
	sed 's/^  probe: venue::widen/  value: added\n&/' >"$TMP/ours.yaml"
succeeds "$GEMBA" map -q -p "$keyed" --for 300ms -c "$TMP/ours.yaml" -f json -o "$TMP/second.json"
stages='[.capture.stages[] | [.name, .symbol, .key]]'
same 'stages of the file' "$(json "$TMP/second.json" "$stages" -c)" "$(json "$TMP/first.json" "$stages" -c)"
holds "$TMP/second.json" '.capture | .name == "the line" and .owner == "us"'
holds "$TMP/second.json" '[.capture.stages[].value] == [null, "added"]'
run "$GEMBA" map -q -p "$keyed" --for 300ms -s a=venue::Order::run --save-config "$TMP/saved.yaml"
same 'status where a stage file exists' "$status" 1
stop "$keyed"
stop "$pid"
no_probe_left
