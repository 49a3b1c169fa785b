#!/usr/bin/env bash
# A NATS server (Go): its goroutines move between threads, so that what a thread did last says
# nothing. No send may be attributed by thread, each that is attributed answers on its item's
# own connection, and gemba says itself that thread context is not believed.
#
# Judge: the clients; every subscriber must get every message of its subject, in order.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need nats-server jq

subscribers=3 messages=400

port=$(free_port)
start nats nats-server -a 127.0.0.1 -p "$port"
nats=$pid
wait_for_listen "$port"

"$GEMBA" check -p "$nats" >"$TMP/check" 2>&1 || fail "gemba check: $(cat "$TMP/check")"
grep -qi 'go' "$TMP/check" || fail "gemba check does not say that this is Go: $(cat "$TMP/check")"

# subscriber ID: prints what it gets until all came.
subscriber() {
	local line n=0
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'CONNECT {"verbose":false}\r\n' >&3
	printf 'SUB tick.%d 1\r\n' "$1" >&3
	printf 'PING\r\n' >&3
	while read -r -t 20 line <&3; do
		line=${line%?}
		case $line in
		PONG) echo subscribed ;;
		PING) printf 'PONG\r\n' >&3 ;;
		value*)
			echo "$line"
			n=$((n + 1))
			[ $n -lt $messages ] || break
			;;
		esac
	done
	exec 3>&-
}

# One message to each subject and a PING in one write (bash itself writes line by line, and each
# would wait for the ACK of the one before), and on with the next when its PONG came.
publisher() {
	local i s round value line
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'CONNECT {"verbose":false}\r\n' >&3
	for ((i = 1; i <= messages; i++)); do
		round=
		for ((s = 1; s <= subscribers; s++)); do
			value=value-$s-$i
			round+="PUB tick.$s ${#value}"$'\r\n'$value$'\r\n'
		done
		cat <<<"${round}PING"$'\r' >&3
		while read -r -t 20 line <&3; do
			[ "$line" = $'PONG\r' ] && break
		done
	done
	exec 3>&-
}

record "$TMP/nats.gemba" "$nats"
for ((s = 1; s <= subscribers; s++)); do
	start sub$s subscriber $s
	subs="${subs:-} $pid"
done
for ((s = 1; s <= subscribers; s++)); do
	wait_for_line "$TMP/sub$s.out" subscribed
done
start publisher publisher
wait_for_exit "$pid" 30
for one in $subs; do
	wait_for_exit "$one" 30
done
end_record
for ((s = 1; s <= subscribers; s++)); do
	{
		echo subscribed
		for ((i = 1; i <= messages; i++)); do echo "value-$s-$i"; done
	} | cmp - "$TMP/sub$s.out" || fail "subscriber $s did not get its messages"
done

map "$TMP/nats.gemba" "$TMP/nats.json"
items "$TMP/nats.gemba" "$TMP/nats.csv"
sound "$TMP/nats.json"
same "items answered on another socket" "$(sent_elsewhere "$TMP/nats.csv")" 0
holds "$TMP/nats.json" '.account.attributed | .thread == 0 and .guessed == 0'
same "items attributed by thread or guessed" \
	"$(columns "$TMP/nats.csv" attribution | grep -c 'thread\|guessed')" 0
holds "$TMP/nats.json" '.capture.targets[0].is_go == true'
at_least "items answered on their connection" \
	"$(columns "$TMP/nats.csv" outcome attribution | grep -c '^out	connection$')" $messages
at_least "sends to subscribers, which nothing on their connection caused" \
	"$(json "$TMP/nats.json" .account.items_originated)" $messages
echo "# $(json "$TMP/nats.json" '.account | {items_in, items_originated, items_out, items_ended,
	attributed} | tojson')"
