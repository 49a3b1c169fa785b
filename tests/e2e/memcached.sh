#!/usr/bin/env bash
# Memcached with four worker threads: a dispatcher hands connections to them, the binary is
# stripped. Every request of eight clients is an item, and each reply belongs to the request of
# its own connection: every client's replies have a size that no other client's have.
#
# Judge: the clients, which check every reply byte by byte and know how long it was; memcached's
# own count of commands.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need memcached jq

clients=8 gets=400

start_memcached memcached 4
memcached=$pid

# One of memcached's counters, asked for on a connection of its own.
counter() {
	local name value
	exec 4<>"/dev/tcp/127.0.0.1/$port" || fail "memcached does not take a connection"
	printf 'stats\r\n' >&4
	while read -r -t 5 _ name value <&4; do
		[ "$name" = "$1" ] && echo "${value%?}"
		[ -n "$name" ] || break # END
	done
	exec 4>&-
}

memcached_fill "$port" $clients
nr_get=$(counter cmd_get)
record "$TMP/m.gemba" "$memcached"
memcached_load "$port" $clients $gets
end_record
nr_get=$(($(counter cmd_get) - nr_get))
map "$TMP/m.gemba" "$TMP/m.json"
items "$TMP/m.gemba" "$TMP/m.csv"
sound "$TMP/m.json"

same "gets that memcached counted" "$nr_get" $((clients * gets))
same items "$(columns "$TMP/m.csv" id | wc -l)" "$nr_get"
same "partial or doubtful items" \
	"$(columns "$TMP/m.csv" partial doubtful | awk '$1 || $2' | wc -l)" 0
at_least "items with an output" "$(columns "$TMP/m.csv" outcome | grep -c '^out$')" \
	$((nr_get * 999 / 1000))
same "items answered on another socket" "$(sent_elsewhere "$TMP/m.csv")" 0
same "sends not joined by their connection" \
	"$(columns "$TMP/m.csv" attribution | grep -vc '^connection$')" 0

for ((i = 0; i < clients; i++)); do
	length=$((20 + 10 * i))
	echo "12,$((length + ${#length} + 24)) $gets"
done | sort >"$TMP/expected"
columns "$TMP/m.csv" in_remote_port bytes_in bytes_out | sort | uniq -c >"$TMP/by_port"
awk '{ print $3 "," $4, $1 }' "$TMP/by_port" | sort >"$TMP/seen"
diff "$TMP/expected" "$TMP/seen" ||
	fail "requests and replies by size (BYTES_IN,BYTES_OUT COUNT): expected < > seen"
same "connections" "$(awk '{ print $2 }' "$TMP/by_port" | sort -u | wc -l)" $clients

same "threads that received" "$(columns "$TMP/m.csv" recv_tid | sort -u | wc -l)" 4
same "items that one thread read and another answered" \
	"$(columns "$TMP/m.csv" recv_tid send_tid | awk '$1 != $2' | wc -l)" 0
holds "$TMP/m.json" '.families[0].steps[] | select(.id == "recv>send") | .threads == 4'
