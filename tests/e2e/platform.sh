#!/usr/bin/env bash
# Tick to trade: orders (TCP) belong to the packets of market data (UDP) that caused them and never
# to the acks that come in between on the order session; every station of every item lies between
# the instants that the trader and the exchange noted themselves. With an order at every packet, at
# every third one, and with a trader that spins instead of sleeping.
#
# Judge: the logs of exchange and trader, see platform_lib.sh. It is shown to notice two packets
# that are swapped in either log.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/platform_lib.sh"
skip_without_bpf
need jq

packets=2000
feed=127.0.0.1:$(free_port)

trade every "$feed" 127.0.0.1 $packets '' ''
judge every "$port" || fail "an order for every packet"
notices every "$port"
holds "$TMP/every.json" '.families[0] | .route == ["rx", "sock", "recv", "send", "txq", "tx"] and
	.outcome == "out" and .protocol == "udp"'

trade third "$feed" 127.0.0.1 $packets '' '--order-every 3'
judge third "$port" || fail "an order for every third packet"
holds "$TMP/third.json" '[.families[] | select(.protocol == "udp" and .outcome == "out") | .items] |
	add == $n' --argjson n $((packets / 3))
holds "$TMP/third.json" '[.families[] | select(.protocol == "udp" and .outcome == "ended") | .items] |
	add == $n' --argjson n $((packets - packets / 3))

trade spin "$feed" 127.0.0.1 $packets '--rate 1000' --spin
judge spin "$port" || fail "a spinning trader"

for name in every third spin; do
	holds "$TMP/$name.json" '.account | .events_lost == 0 and .items_partial == 0'
	echo "# $name: $(json "$TMP/$name.json" '.account.attributed | tojson')"
done
