#!/usr/bin/env bash
# One journey over three threads that hand messages on by rings, asleep and spinning: each stage has
# the message's number as its key, read through a pointer, and every message passes all threads.
#
# Judge: the trader's log, by that number. A note is taken by the function itself, so it lies behind
# the stamp of its own stage and before that of the next one: a stage that was joined to another
# message is not so, as a thread works on one at a time. Two numbers swapped in the log must fail it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/platform_lib.sh"
skip_without_bpf
need jq

stages='decode_message update_book run_strategy check_risk send_order'
packets=1500

# judge NAME: counts what lies wrong of the stamps in NAME.stamps and the notes in NAME.notes.
judge() {
	join -t '	' "$TMP/$1.stamps" "$TMP/$1.notes" | awk -F '\t' -v nr=5 '
		{
			lines++
			for (k = 1; k <= nr; k++) {
				if ($(1 + k) == "")
					continue
				note = $(1 + nr + k)
				if (note < $(1 + k) || (k < nr && $(2 + k) != "" && note > $(2 + k)))
					wrong++
			}
		}
		END { printf "%d of %d\n", wrong, lines }'
}

three_threads() { # NAME [OPTION]
	local name=$1 feed=127.0.0.1:$(free_port) exchange trader gemba port keys
	shift
	start exchange "$HOST/exchange" --feed "$feed" --orders 127.0.0.1:0 --packets $packets \
		--start-after-ms 2500 --rate 800
	exchange=$pid
	wait_for_line "$TMP/exchange.out" '^ready '
	port=$(sed -n 's/^ready //p' "$TMP/exchange.out")
	start trader "$HOST/trader" --feed "$feed" --orders "127.0.0.1:$port" --threads 3 "$@" \
		--truth "$TMP/$name.tsv"
	trader=$pid
	keys=$(printf -- '-k %s=u64(arg0) ' $stages)
	record "$TMP/$name.gemba" "$trader" $(printf -- '-s %s ' $stages) $keys
	gemba=$pid
	wait_for_exit "$exchange" 40
	wait_for_exit "$trader"
	wait_for_exit "$gemba"
	same "status of gemba ($(cat "$TMP/record.err"))" "$status" 0
	grep -q '^#end	0$' "$TMP/$name.tsv" || fail "the trader's log is not whole"
	map "$TMP/$name.gemba" "$TMP/$name.json"
	items "$TMP/$name.gemba" "$TMP/$name.csv"
	sound "$TMP/$name.json"

	holds "$TMP/$name.json" '.families[0].route == ["rx", "sock", "recv", "decode_message",
		"decode_message.handoff", "update_book", "run_strategy", "run_strategy.handoff",
		"check_risk", "send_order", "send", "txq", "tx"]'
	holds "$TMP/$name.json" '.families[0].items == $n' --argjson n $packets
	holds "$TMP/$name.json" '.families[0].steps | map(select(.kind == "handoff") | .name) ==
		["decode_message>handoff", "run_strategy>handoff"]'
	holds "$TMP/$name.json" '.families[0].steps | map(select(.kind == "handoff") |
		.items == $n and .on_cpu.sum_ns == 0) | all' --argjson n $packets
	# a sender that slept between its stage and its send, for the session's lock, is called guessed
	holds "$TMP/$name.json" '.account | .attributed.key + .attributed.guessed == $n and
		.attributed.guessed <= 0.05 * $n and .events_lost == 0 and .stage_hits_unowned == 0' \
		--argjson n $packets
	holds "$TMP/$name.json" '.families[0].slowest[0].key | tonumber > 0'

	columns "$TMP/$name.csv" key $(printf '%s_ns ' $stages) | awk -F '\t' '$1 != ""' |
		LC_ALL=C sort -t '	' -k 1b,1 >"$TMP/$name.stamps"
	awk -F '\t' -v OFS='\t' '$1 == "message" { print $2, $7, $8, $9, $10, $11 }' "$TMP/$name.tsv" |
		LC_ALL=C sort -t '	' -k 1b,1 >"$TMP/$name.notes"
	same "$name: messages with a key" "$(wc -l <"$TMP/$name.stamps")" $((3 * packets))
	same "$name: stages that lie outside of their message" "$(judge "$name")" \
		"0 of $((3 * packets))"
	awk -F '\t' -v OFS='\t' '$1 == 301 || $1 == 304 { $1 = 605 - $1 } { print }' "$TMP/$name.notes" |
		LC_ALL=C sort -t '	' -k 1b,1 >"$TMP/swapped.notes"
	cp "$TMP/$name.stamps" "$TMP/swapped.stamps"
	same "two swapped numbers are noticed" "$(judge swapped | grep -c '^0 of')" 0

	"$GEMBA" items "$TMP/$name.gemba" --key 301 -f json >"$TMP/one.json" || fail 'no item of a key'
	holds "$TMP/one.json" 'length == 1 and .[0].key == "301" and .[0].bytes_out == 32'
	"$GEMBA" map "$TMP/$name.gemba" >"$TMP/map.txt" || fail 'no map'
	grep -qE '(100|9[5-9][.0-9]*) % by key' "$TMP/map.txt" || fail "not by key: $(grep joins "$TMP/map.txt")"
}

three_threads asleep
three_threads spinning --busy-poll
