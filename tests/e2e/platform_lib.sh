# Tick to trade on the bundled platform, for the tests that look at a trader; sourced.
#
# The exchange notes when it called send for each packet of market data and when each order
# came; the trader notes when its receive call returned, and when it called send for the order.
# What gemba says about the packet's item must lie between those instants: the n-th UDP item is
# joined to the n-th packet, which is exact because all three count the same packets.

# trade NAME FEED ORDERS PACKETS EXCHANGE_OPTIONS TRADER_OPTIONS: the options are split at blanks.
# Leaves NAME.gemba .csv .json and the logs NAME.exchange.tsv and NAME.trader.tsv in $TMP, the order
# port in $port.
trade() {
	local name=$1 feed=$2 orders=$3 packets=$4 exchange trader base=$TMP/$1

	start "$name.exchange" "$HOST/exchange" --feed "$feed" --orders "$orders:0" --packets "$packets" \
		--start-after-ms 2500 --truth "$base.exchange.tsv" $5
	exchange=$pid
	wait_for_line "$base.exchange.out" '^ready '
	port=$(sed -n 's/^ready //p' "$base.exchange.out")
	start "$name.trader" "$HOST/trader" --feed "$feed" --orders "$orders:$port" \
		--truth "$base.trader.tsv" $6
	trader=$pid
	record "$base.gemba" "$trader"
	wait_for_exit "$exchange" 40
	same "$name: status of the exchange ($(cat "$base.exchange.err"))" "$status" 0
	wait_for_exit "$trader"
	same "$name: status of the trader ($(cat "$base.trader.err"))" "$status" 0
	wait_for_exit "$gemba" # its target has ended
	same "$name: status of gemba ($(cat "$TMP/record.err"))" "$status" 0
	grep -q '^#end	0$' "$base.exchange.tsv" && grep -q '^#end	0$' "$base.trader.tsv" ||
		fail "$name: a log is not whole"
	map "$base.gemba" "$base.json"
	items "$base.gemba" "$base.csv"
	sound "$base.json"
}

# judge NAME ORDER_PORT: prints what was compared, or what is wrong; false if anything is.
judge() {
	local base=$TMP/$1
	columns "$base.csv" recv_ns rx_ns sock_ns send_ns txq_ns tx_ns protocol outcome attribution \
		outputs bytes_out out_remote_port in_remote_port bytes_in partial doubtful |
		sort -n >"$TMP/judged"
	awk -v FS='\t' -v name="$1" -v order_port="$2" '
		function wrong(what) {
			if (nr_wrong++ < 10)
				print name ": packet " n " (seq " seq[n] "): " what
		}
		# a <= b or say so; as strings too long for a double they would still compare rightly
		function before(a, b, what) { if (a + 0 > b + 0) wrong(what ": " a " is after " b) }

		FILENAME == ARGV[1] && $1 == "packet" { seq[++nr_sent] = $2; begin[nr_sent] = $4 }
		FILENAME == ARGV[1] && $1 == "order" { nr_orders++; taken[$2] = $4 }
		FILENAME == ARGV[2] && $1 == "packet" {
			got[++nr_got] = $2
			returned[nr_got] = $4
			ordered[nr_got] = $24
			order_done[nr_got] = $25
		}
		FILENAME == ARGV[2] && $1 == "ack" { nr_acks++ }
		FILENAME == ARGV[3] && $7 == "tcp" {
			if ($13 != order_port)
				wrong("a TCP item from port " $13)
			if ($8 != "ended")
				wrong("an ack that has an output")
			ack_bytes += $14
		}
		FILENAME == ARGV[3] && $7 == "udp" {
			n = ++nr_items
			if (!(n in got) || got[n] != seq[n]) {
				wrong("the logs do not agree about it")
				next
			}
			if ($15)
				wrong("partial")
			if ($16) { # said to be perhaps a neighbour\047s arrival: two CPUs raced
				nr_doubtful++
			} else {
				before(begin[n], $2, "rx before the exchange sent")
				before($2, $3, "sock before rx")
				before($3, $1, "recv before sock")
			}
			before($1, returned[n], "recv after the trader had it")
			late[n] = returned[n] - $1
			if (!ordered[n]) {
				if ($8 != "ended")
					wrong("is " $8 ", but the trader sent no order")
				next
			}
			nr_out++
			if ($8 != "out") {
				wrong("is " $8 ", but the trader sent an order")
				next
			}
			how[$9]++
			if ($10 != 1 || $11 != 32 || $12 != order_port)
				wrong($10 " outputs, " $11 " bytes to port " $12)
			before(ordered[n], $4, "sent before the trader did")
			before($4, order_done[n], "sent after the trader had")
			before($4, $5, "txq before send")
			before($5, $6, "tx before txq")
			before($6, taken[seq[n]], "left after the exchange had it")
		}
		END {
			if (nr_sent != nr_got || nr_sent != nr_items) {
				print name ": " nr_sent " packets sent, " nr_got " got, " nr_items " UDP items"
				nr_wrong++
			}
			if (nr_orders != nr_out || ack_bytes != 17 * nr_acks) {
				print name ": " nr_orders " orders, " nr_out " items with one; " nr_acks \
					" acks, " ack_bytes " bytes of them in items"
				nr_wrong++
			}
			if (nr_doubtful > 0.1 * nr_items) {
				print name ": " nr_doubtful " of " nr_items " items are doubtful"
				nr_wrong++
			}
			close_by = 0
			for (n = 1; n <= nr_items; n++)
				close_by += late[n] < 100000
			if (close_by < 0.5 * nr_items) {
				print name ": only " close_by " of " nr_items " recv within 100 us of the truth"
				nr_wrong++
			}
			printf "# %s: %d packets, %d orders, %d wrong, %d doubtful;", name, nr_items, nr_out,
				nr_wrong, nr_doubtful
			for (h in how)
				printf " %d by %s", how[h], h
			print ""
			exit nr_wrong > 0
		}' "$base.exchange.tsv" "$base.trader.tsv" "$TMP/judged"
}

# notices NAME ORDER_PORT: that the judge tells a wrong join from a right one. In a copy of each log in turn
# the instants of two neighbouring packets are swapped, their numbers stay.
notices() {
	local which base=$TMP/$1 copy=$TMP/$1-swapped
	cp "$base.csv" "$copy.csv"
	for which in exchange trader; do
		cp "$base.exchange.tsv" "$copy.exchange.tsv"
		cp "$base.trader.tsv" "$copy.trader.tsv"
		awk -v FS='\t' -v OFS='\t' '
			$1 != "packet" { print; next }
			{ n++ }
			n == 100 { held = $0; next }
			n == 101 {
				split(held, a)
				first = a[1] OFS a[2] OFS a[3]
				second = $1 OFS $2 OFS $3
				for (i = 4; i <= NF; i++) {
					first = first OFS $i
					second = second OFS a[i]
				}
				print first
				print second
				next
			}
			{ print }' "$base.$which.tsv" >"$copy.$which.tsv"
		cmp -s "$base.$which.tsv" "$copy.$which.tsv" && fail "$1: nothing was swapped"
		judge "$1-swapped" "$2" >"$TMP/swapped" &&
			fail "$1: two packets swapped in the log of the $which are not noticed"
		grep -q 'packet 10[01] ' "$TMP/swapped" || fail "$1: $(cat "$TMP/swapped")"
	done
}
