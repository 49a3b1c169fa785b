#!/usr/bin/env bash
# Stages of the bundled trader, one thread: what gemba says of each stage of each packet, corrected
# for its own probes, is what the trader noted itself on entering the same function.
#
# Judge: the trader's log, joined by the packet's place in the feed. A note is taken behind the
# probe of its function, so it lies after the stamp by the rest of that probe, and a stage by the
# notes is longer than one without probes by one whole probe. Half of the errors must be within 1 us
# and all but one in a hundred within 3 us. And every note lies between the stamp of its own packet
# and that of the next one, exactly: two packets that are swapped in the log are noticed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/platform_lib.sh"
skip_without_bpf
need jq

stages='decode_packet decode_message update_book run_strategy check_risk send_order'
packets=2000
feed=127.0.0.1:$(free_port)

start exchange "$HOST/exchange" --feed "$feed" --orders 127.0.0.1:0 --packets $packets \
	--start-after-ms 3000 --truth "$TMP/exchange.tsv"
exchange=$pid
wait_for_line "$TMP/exchange.out" '^ready '
port=$(sed -n 's/^ready //p' "$TMP/exchange.out")
start trader "$HOST/trader" --feed "$feed" --orders "127.0.0.1:$port" --truth "$TMP/trader.tsv" \
	--decode-ns 2000 --book-ns 3000 --strategy-ns 8000 --risk-ns 2000 --order-ns 4000
trader=$pid
record "$TMP/t.gemba" "$trader" $(printf -- '-s %s ' $stages)
wait_for_exit "$exchange" 40
wait_for_exit "$trader"
wait_for_exit "$gemba"
same "status of gemba ($(cat "$TMP/record.err"))" "$status" 0
grep -q '^#end	0$' "$TMP/trader.tsv" || fail "the trader's log is not whole"
map "$TMP/t.gemba" "$TMP/t.json"
items "$TMP/t.gemba" "$TMP/t.csv"
sound "$TMP/t.json"

holds "$TMP/t.json" '.families[0].route == ["rx", "sock", "recv", "decode_packet", "decode_message",
	"update_book", "run_strategy", "check_risk", "send_order", "send", "txq", "tx"]'
holds "$TMP/t.json" '.families[0].items == $n' --argjson n $packets
holds "$TMP/t.json" '.account | .events_lost == 0 and .stage_hits_skipped == 0'
holds "$TMP/t.json" '[.families[0].steps[] | select(.kind == "stage") |
	.time_raw.mean_ns > .time.mean_ns and .error_ns > 0] | length == 6 and all'
json "$TMP/t.json" '.capture.stages[] | [.name, .cost_ns, .before_ns] | @tsv' >"$TMP/costs"

# columns: the stamps of a packet, then the notes of its first message; one line a packet
columns "$TMP/t.csv" rx_ns protocol decode_packet_ns decode_message_ns update_book_ns run_strategy_ns \
	check_risk_ns send_order_ns | awk -F '\t' '$2 == "udp"' | sort -n | cut -f 3- >"$TMP/stamps"
notes() { # LOG
	awk -F '\t' -v OFS='\t' '$1 == "message" && $2 == $3 { print $2, $6, $7, $8, $9, $10, $11 }' "$1" |
		sort -n | cut -f 2-
}

# judge LOG: prints the errors by stage, false if they are too large.
judge() {
	notes "$1" >"$TMP/notes"
	paste "$TMP/stamps" "$TMP/notes" | awk -F '\t' -v names="$stages" -v costs="$TMP/costs" '
		BEGIN {
			nr = split(names, name, " ")
			while ((getline line <costs) > 0) {
				split(line, f, "\t")
				cost[f[1]] = f[2]
				before[f[1]] = f[3]
			}
		}
		{
			lines++
			for (k = 1; k <= nr; k++) {
				# where the note should stand: behind the rest of the probe
				if ($(nr + k) < $k)
					print name[k] ".order\t" 1
				if (lines > 1 && note[k] >= $k)
					print name[k] ".order\t" 1
				note[k] = $(nr + k)
				at = $(nr + k) - $k - (cost[name[k]] - before[name[k]])
				print name[k] ".at\t" (at < 0 ? -at : at)
				if (k == nr)
					continue
				gemba = $(k + 1) - $k - (cost[name[k]] - before[name[k]]) - before[name[k + 1]]
				truth = $(nr + k + 1) - $(nr + k) - cost[name[k + 1]]
				error = gemba - truth
				print name[k] ".time\t" (error < 0 ? -error : error)
			}
		}' | sort -t '	' -k 1,1 -k 2,2g >"$TMP/errors"
	awk -F '\t' -v packets=$packets '
		function verdict() {
			if (!name)
				return
			p50 = e[int((n + 1) / 2)]; p99 = e[int((n * 99 + 99) / 100)]
			bad = name ~ /[.]order$/ || n != packets || p50 > 1000 || p99 > 3000
			printf "# %-20s p50 %5d ns  p99 %5d ns  of %d%s\n", name, p50, p99, n, bad ? "  TOO FAR" : ""
			wrong += bad
		}
		$1 != name { verdict(); name = $1; n = 0 }
		{ e[++n] = $2 }
		END { verdict(); exit wrong || !NR }' "$TMP/errors"
}

judge "$TMP/trader.tsv" || fail "the stages are not those that the trader noted"
awk -F '\t' -v OFS='\t' '$1 == "message" && ($3 == 301 || $3 == 304) { d = $3 == 301 ? 3 : -3; $2 += d; $3 += d }
	{ print }' "$TMP/trader.tsv" >"$TMP/swapped.tsv"
cmp -s "$TMP/trader.tsv" "$TMP/swapped.tsv" && fail "nothing was swapped"
judge "$TMP/swapped.tsv" >"$TMP/swapped.out" && fail "two swapped packets are not noticed"
grep -q '\.order' "$TMP/swapped.out" || fail "the swap fails for another reason: $(cat "$TMP/swapped.out")"

# At full load, when the thread never sleeps, its order session's acks are not taken for packets.
feed=127.0.0.1:$(free_port)
packets=20000
start exchange "$HOST/exchange" --feed "$feed" --orders 127.0.0.1:0 --packets $packets --rate 8000 \
	--burst 5 --start-after-ms 2000
exchange=$pid
wait_for_line "$TMP/exchange.out" '^ready '
port=$(sed -n 's/^ready //p' "$TMP/exchange.out")
start trader "$HOST/trader" --feed "$feed" --orders "127.0.0.1:$port"
record "$TMP/burst.gemba" "$pid" -s decode_message -s send_order
wait_for_exit "$exchange" 40
wait_for_exit "$gemba"
items "$TMP/burst.gemba" "$TMP/burst.csv"
columns "$TMP/burst.csv" protocol decode_message_ns outcome |
	awk -F '\t' '$1 == "tcp" && ($2 != "" || $3 == "out")' >"$TMP/acks"
same 'acks that were begun or answered' "$(wc -l <"$TMP/acks")" 0
at_least 'messages begun' "$(columns "$TMP/burst.csv" protocol decode_message_ns |
	awk -F '\t' '$1 == "udp" && $2 != ""' | wc -l)" $((packets * 3 / 2))
