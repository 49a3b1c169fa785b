#!/usr/bin/env bash
# A UDP server with one socket and three clients, over IPv4 and IPv6: each reply belongs to the
# request of its own client. All three share the socket, so only the remote address tells whose a
# reply is; each client's datagrams have a size that no other's have.
#
# Judge: the clients, which check every reply byte by byte, and their counts.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need jq

clients=3 requests=2000

run() { # NAME ADDRESS
	local name=$1 address=$2 server port csv=$TMP/$1.csv

	start "$name" "$HOST/echo" --listen "$address:0" --for 60
	server=$pid
	wait_for_line "$TMP/$name.out" '^ready '
	port=$(sed -n 's/^ready //p' "$TMP/$name.out")
	record "$TMP/$name.gemba" "$server"
	"$HOST/echo" --client "$address:$port" --clients $clients --requests $requests --for 30 \
		>"$TMP/clients.tsv" 2>"$TMP/clients.err" || fail "$name: $(cat "$TMP/clients.err")"
	end_record
	stop "$server"
	map "$TMP/$name.gemba" "$TMP/$name.json"
	items "$TMP/$name.gemba" "$csv"
	sound "$TMP/$name.json"

	same "$name: items" "$(columns "$csv" id | wc -l)" $((clients * requests))
	same "$name: partial or doubtful items" \
		"$(columns "$csv" partial doubtful | awk '$1 || $2' | wc -l)" 0
	same "$name: items without an output" "$(columns "$csv" outcome | grep -vc '^out$')" 0
	same "$name: sends not joined by socket and address" \
		"$(columns "$csv" attribution | grep -vc '^connection$')" 0
	same "$name: items answered on another socket" "$(sent_elsewhere "$csv")" 0
	holds "$TMP/$name.json" '.families[0].route == ["rx", "sock", "recv", "txq", "tx"]'

	# "SIZE SIZE COUNT": one remote port each, and what came in went out.
	awk '/^client/ { print $3, $3, $4 }' "$TMP/clients.tsv" | sort >"$TMP/expected"
	columns "$csv" in_remote_port bytes_in bytes_out | sort | uniq -c | awk '{ print $3, $4, $1 }' |
		sort >"$TMP/seen"
	diff "$TMP/expected" "$TMP/seen" || fail "$name: BYTES_IN BYTES_OUT COUNT: expected < > seen"

	# Stations in order, and the order within each client's own requests.
	columns "$csv" recv_ns rx_ns sock_ns txq_ns tx_ns in_remote_port | sort -n | awk '
		!($2 <= $3 && $3 <= $1 && $1 <= $4 && $4 <= $5) { print "stations: " $0; bad = 1 }
		$6 in left && $2 <= left[$6] { print "came before the last reply left: " $0; bad = 1 }
		{ left[$6] = $5 }
		END { exit bad }' || fail "$name: stations out of order"

	# The client's clock runs around all that gemba sees.
	at_most "$name: mean lead time, beside the clients' mean" \
		"$(json "$TMP/$name.json" .families[0].lead_time.mean_ns)" \
		"$(awk '/^client/ { sum += $9; n++ } END { print sum / n }' "$TMP/clients.tsv")"
}

run ipv4 127.0.0.1
[ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || { echo "# no IPv6 here"; exit 0; }
run ipv6 '[::1]'
