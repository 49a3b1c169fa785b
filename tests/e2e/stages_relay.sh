#!/usr/bin/env bash
# One map of three processes that hand messages on by rings in shared memory, all of them spinning:
# each journey goes through all, joined by the message's number.
#
# Judge: the lengths of what came and what left, which tell the number from outside.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need jq

nr=1500
from=127.0.0.1:$(free_port) to=127.0.0.1:$(free_port)
start relay "$HOST/relay" --from "$from" --to "$to" --for 60
relay=$pid
wait_for_line "$TMP/relay.out" '^ready'
pids=$(sed -n 's/^pids //p' "$TMP/relay.out")
start record "$GEMBA" record -q -p "$pids" -o "$TMP/relay.gemba" --for 4s \
	-s decode=relay_decode -s price=relay_price -s send_on=relay_send \
	-k 'decode=u64(arg1)' -k 'price=message->seq' -k 'send_on=message->seq'
record=$pid
within 20 written "$TMP/relay.gemba" || fail "not attached: $(cat "$TMP/record.err")"
sleep 0.2 # the warm-up
succeeds "$HOST/relay" --to "$from" --feed $nr --rate 800
wait_for_exit "$record" 20
same 'status of record' "$status" 0
succeeds "$GEMBA" map "$TMP/relay.gemba" -f json -o "$TMP/relay.json"
is_balanced "$TMP/relay.json"
holds "$TMP/relay.json" '.families[0].route == ["rx", "sock", "recv", "decode", "decode.handoff", "price",
	"price.handoff", "send_on", "txq", "tx"]'
holds "$TMP/relay.json" '.families[0].items == $nr and .account.attributed.key == $nr' --argjson nr $nr
holds "$TMP/relay.json" '.capture.targets | length == 3'
holds "$TMP/relay.json" '[.families[0].steps[] | select(.kind == "handoff") | .name] ==
	["decode>handoff", "price>handoff"]'
holds "$TMP/relay.json" '[.families[0].steps[] | select(.kind == "stage") | .on_cpu.p50_ns] |
	.[0] > 2500 and .[1] > 5500 and .[2] > 800'
succeeds "$GEMBA" items "$TMP/relay.gemba" -f csv
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$at["key"] != "" {
		n++
		wrong += $at["bytes_in"] != 28 + $at["key"] % 30 || $at["bytes_out"] != 16 + $at["key"] % 40 ||
			$at["recv_tid"] == $at["send_tid"]
	}
	END { print n, "items,", wrong + 0, "wrong" }' "$TMP/out" >"$TMP/judged"
same 'what left is what came' "$(cat "$TMP/judged")" "$nr items, 0 wrong"
stop "$relay"
no_probe_left
