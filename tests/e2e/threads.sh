#!/usr/bin/env bash
# A trader that hands its work from thread to thread: the thread that sends the order is not the
# one that received the packet. Without stages or keys nobody can tell which order belongs to which
# packet; gemba must not pretend to. Receiving is still exact, and every order is accounted for.
#
# Judge: the logs of exchange and trader.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/platform_lib.sh"
skip_without_bpf
need jq

packets=1000

run() { # THREADS
	local name=threads$1
	trade "$name" "127.0.0.1:$(free_port)" 127.0.0.1 $packets '' "--threads $1"
	columns "$TMP/$name.csv" recv_ns rx_ns protocol outcome partial | sort -n |
		awk -v FS='\t' -v name="$name" '
		FILENAME == ARGV[1] && $1 == "packet" { begin[++nr_sent] = $4 }
		FILENAME == ARGV[2] && $1 == "packet" { returned[++nr_got] = $4 }
		FILENAME == "-" && $3 == "udp" && $1 {
			n++
			if ($5 || $2 < begin[n] || $1 > returned[n])
				bad++
			out += $4 == "out"
		}
		END {
			printf "# %s: %d packets, %d UDP items, %d wrong, %d with an output\n", name, nr_sent, n,
				bad, out
			exit nr_sent != nr_got || nr_sent != n || bad
		}' "$TMP/$name.exchange.tsv" "$TMP/$name.trader.tsv" - || fail "$name: receiving"
	echo "# $name: $(json "$TMP/$name.json" '.account | {items_in, items_originated, items_out,
		items_ended, attributed} | tojson')"
}

run 2
run 3
