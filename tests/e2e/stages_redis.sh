#!/usr/bin/env bash
# Redis with stages: every command is an item that passes processCommand and call exactly once, also
# when one read holds many of them; no reply goes to another socket; all sums close; and the same
# load without stages gives the same items, outputs and joins.
#
# Judges: redis counts its own commands (INFO commandstats) and its CPU time is the kernel's; loads
# come in bursts, so that no machine's speed brings the brake in.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_stages.sh"
skip_without_bpf
need redis-server redis-benchmark redis-cli jq

bursts=12 burst=800

calls() { # GET, and the two CONFIG GETs that each redis-benchmark begins with
	redis-cli -p "$port" info commandstats | tr -d '\r' |
		sed -n 's/^cmdstat_\(get\|config|get\):calls=\([0-9]*\),.*/\2/p' | awk '{ n += $1 } END { print n + 0 }'
}

load() { # CLIENTS PIPELINE
	local i
	for ((i = 0; i < bursts; i++)); do
		redis-benchmark -p "$port" -n $burst -t get -c "$1" -P "$2" --csv >"$TMP/bench.csv" \
			2>"$TMP/bench.err" || fail "redis-benchmark: $(cat "$TMP/bench.err")"
		sleep 0.1
	done
}

cpu_ns() { # of all threads of redis: ticks of 10 ms
	awk '{ sub(/^.*\) /, ""); print ($12 + $13) * 10000000 }' "/proc/$redis/stat"
}

run() { # CLIENTS PIPELINE
	local name=stages-c$1-P$2 commands cpu
	local trace=$TMP/$name.gemba json=$TMP/$name.json csv=$TMP/$name.csv

	commands=$(calls)
	record "$trace" "$redis" -s processCommand -s call -s addReply
	cpu=$(cpu_ns)
	load "$1" "$2"
	end_record
	cpu=$(($(cpu_ns) - cpu))
	commands=$(($(calls) - commands))
	map "$trace" "$json"
	items "$trace" "$csv"
	sound "$json"

	same "$name: commands that redis counted" $commands $((bursts * (burst + 2)))
	same "$name: hits of processCommand" "$(hits "$json" processCommand)" $commands
	same "$name: hits of call" "$(hits "$json" call)" $commands
	same "$name: hits of addReply, which GET does not call" "$(hits "$json" addReply)" 0
	holds "$json" '[.account.doubts[] | select(.code == "stage_never_entered") | .text |
		contains("addReply")] == [true]'
	holds "$json" '.account | .stage_hits == 2 * $n and .stage_hits_unowned == 0 and
		.stage_hits_skipped == 0' --argjson n $commands
	holds "$json" '[.capture.stages[] | .name] == ["processCommand", "call", "addReply"]'
	holds "$json" '[.capture.stages[] | .symbol == .name and (.binary | test("redis")) and
		.site_offset >= 0 and (.site_class | length > 0) and .cost_ns > 0 and .note == null] | all'

	same "$name: items" "$(columns "$csv" id | sort -u | wc -l)" $commands
	same "$name: items without a stage" \
		"$(columns "$csv" processCommand_ns call_ns | awk -F '\t' '!$1 || !$2' | wc -l)" 0
	same "$name: items whose stages are out of order" \
		"$(columns "$csv" rx_ns recv_ns processCommand_ns call_ns send_ns tx_ns |
			awk -F '\t' '$1 > $2 || $2 > $3 || $3 >= $4 || $4 > $5 || $5 > $6' | wc -l)" 0
	same "$name: items answered on another socket" "$(sent_elsewhere "$csv")" 0
	same "$name: sends not joined by their connection" \
		"$(columns "$csv" attribution | grep -vc '^connection$')" 0
	holds "$json" '.account | .items_out == .items_in and .items_in + .items_warmup == $n' \
		--argjson n $commands
	# each passes each stage once: no visit is a repeated one
	holds "$json" '[.families[] | select(.items > 0) | .route == ["rx", "sock", "recv", "processCommand",
		"call", "send", "txq", "tx"]] | all'
	holds "$json" '[.families[].steps[] | select(.from == "processCommand" or .from == "call") |
		.visits.min == 1 and .visits.max == 1 and .visits.count == .items] | all'
	holds "$json" '[.families[0].steps[].name] == ["kernel_rx", "socket_queue", "receive",
		"processCommand", "call", "send", "qdisc"]'
	holds "$json" '[.families[0].steps[] | .kind] ==
		["kernel", "queue", "process", "stage", "stage", "kernel", "queue"]'
	# conservation: one thread works on all items, and no more than it ran (in ticks)
	at_most "$name: ns that items were worked on" "$(json "$json" '[.families[].process_time.sum_ns] | add')" \
		$((cpu + 20000000))
	# bytes of a read are told once, however many commands it holds
	same "$name: items of a read that share its answer" \
		"$(columns "$csv" outputs_shared | awk -v p="$2" '$1 > (p < 2 ? 2 : p)' | wc -l)" 0
	"$GEMBA" items -q "$trace" >"$TMP/$name.items"
	grep -q 'recv.*processCommand.*call.*send' "$TMP/$name.items" || fail "$name: items lists no stages"
	"$GEMBA" map -q "$trace" | grep -q 'processCommand' || fail "$name: the map names no stages"
	echo "# $name: $commands commands, $(json "$json" '"unmapped " + (.account.unmapped_ns | tostring)')"
}

start_redis redis
redis=$pid
run 1 1
run 50 1
run 50 16
text_is_whole "$redis" 'after three recordings'

# With stages and without: what has nothing to do with stages is the same.
for with in '' '-s processCommand -s call'; do
	name=same$(wc -w <<<"$with")
	record "$TMP/$name.gemba" "$redis" $with
	load 20 1
	end_record
	items "$TMP/$name.gemba" "$TMP/$name.csv"
	columns "$TMP/$name.csv" outcome attribution bytes_out outputs partial doubtful |
		awk -F '\t' '$3 == 5' | sort | uniq -c >"$TMP/$name.shape" # without the CONFIG GETs
done
diff "$TMP/same0.shape" "$TMP/same4.shape" || fail 'without stages < > with stages differ'

# An entry stage that only some commands reach, on a thread that is never idle: those that do not
# are not taken for those that do. By the length of their answers: OK for a SET, 3 bytes for a GET.
redis-cli -p "$port" set key:__rand_int__ xxx >"$TMP/out"
record "$TMP/mix.gemba" "$redis" -s setCommand
redis-benchmark -p "$port" -n 20000 -c 10 -t set -q >"$TMP/mix.set" &
sets=$!
redis-benchmark -p "$port" -n 20000 -c 10 -t get -q >"$TMP/mix.get"
wait "$sets"
end_record
items "$TMP/mix.gemba" "$TMP/mix.csv"
columns "$TMP/mix.csv" setCommand_ns bytes_out outputs_shared |
	awk -F '\t' '$3 <= 1 && ($2 == 5 || $2 == 9) { print ($1 != ""), $2 }' | sort | uniq -c >"$TMP/mix"
count_of() { awk -v what="$1" '$2 " " $3 == what { print $1; nr = 1 } END { if (!nr) print 0 }' "$TMP/mix"; }
at_least 'SETs with the stage' "$(count_of '1 5')" 19000
at_most 'GETs with it' "$(count_of '1 9')" 100
at_most 'SETs without' "$(count_of '0 5')" 100

# The brake: what is entered too often is let go, and said; then redis is as fast as before.
rate() { redis-benchmark -p "$port" -n 100000 -t set -c 20 -P 16 --csv | awk -F, '/^"SET"/ { gsub(/"/, "", $2); print int($2) }'; }
before=$(rate)
record "$TMP/brake.gemba" "$redis" -s libjemalloc.so.2:malloc -s processCommand
during=$(rate)
after=$(rate)
end_record
grep -q 'stage malloc: braked: ' "$TMP/record.err" || fail "no brake: $(cat "$TMP/record.err")"
map "$TMP/brake.gemba" "$TMP/brake.json"
holds "$TMP/brake.json" '[.account.doubts[].code] | index("stage_braked") != null'
holds "$TMP/brake.json" '.capture.stages[0].note | startswith("braked")'
same 'status of a map of it' "$("$GEMBA" map -q "$TMP/brake.gemba" | grep -c 'Stage malloc was braked\|malloc.*braked' | head -c 1)" 1
text_is_whole "$redis" 'after the brake'
echo "# SET: $before/s without, $during/s with, $after/s braked"
at_least 'requests a second after the brake, of those without' "$after" $((before / 4))
