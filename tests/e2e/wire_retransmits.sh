#!/usr/bin/env bash
# A router on the way whose queue is too short for the server's replies drops some; TCP sends those
# again. Each retransmit is a defect, none is an output, and no item is lost or gets two replies.
#
# Judge: the namespace's own TCP counter (RetransSegs in /proc/net/snmp), the router's count of
# drops, and redis-benchmark, which wants every reply. A 6.18 seen in a sandbox runs no BPF program
# in an interrupt that came upon a thread of pid 1, though its tracepoint is called: where the
# kernel's own trace buffer tells of such a retransmit, that one need not be on the map.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns_lib.sh"
skip_without_bpf
need jq redis-server redis-benchmark redis-cli

requests=2000
make_router
start_remote_redis redis
redis=$pid

retransmits() {
	in_server awk '$1 == "Tcp:" && $13 ~ /^[0-9]+$/ { print $13 }' /proc/net/snmp
}

# The instance of the trace buffer that only this test writes to, or none.
traced=/sys/kernel/tracing/instances/gemba-$$
trace_retransmits() {
	mkdir "$traced" 2>/dev/null || return 0
	at_exit "rmdir $traced"
	echo 1 >"$traced/events/tcp/tcp_retransmit_skb/enable"
}

upon_init() {
	[ -d "$traced" ] || { echo 0; return; }
	grep "sport=$port " "$traced/trace" | sed 's/^.*-\([0-9]*\) *\[[0-9]*\] .*/\1/' |
		grep -cxFf <(ls /proc/1/task)
}

in_client redis-benchmark -h $ip_server -p $port -n 1000 -t set -d 400 --csv >/dev/null 2>&1
slow "$ns_router" 4mbit 3000 out
record "$TMP/r.gemba" "$redis"
trace_retransmits
before=$(retransmits)
in_client redis-benchmark -h $ip_server -p $port -n $requests -t get -d 400 -c 16 --csv \
	>"$TMP/bench.csv" 2>"$TMP/bench.err" || fail "redis-benchmark: $(cat "$TMP/bench.err")"
end_record
sent_again=$(($(retransmits) - before))
dropped=$(tc -n "$ns_router" -s qdisc show dev out | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p')
map "$TMP/r.gemba" "$TMP/r.json"
items "$TMP/r.gemba" "$TMP/r.csv"
sound "$TMP/r.json"

at_least "packets dropped by the queue, or the test is none" "$dropped" 10
at_least "segments that the kernel sent again" "$sent_again" 10
unseen=$(upon_init)
at_least "retransmits, beside the kernel's count without $unseen upon pid 1" \
	"$(json "$TMP/r.json" .account.retransmits)" $((sent_again - unseen))
at_most "retransmits, beside the kernel's count" "$(json "$TMP/r.json" .account.retransmits)" "$sent_again"
same "items" "$(columns "$TMP/r.csv" id | wc -l)" $((requests + 1))
same "items with an output" "$(columns "$TMP/r.csv" outcome | grep -c '^out$')" $((requests + 1))
same "items with more than one output" "$(columns "$TMP/r.csv" outputs | grep -vc '^1$')" 0
holds "$TMP/r.json" '[.families[] | select(.outcome == "out") | .steps[] | select(.id == "txq>tx") |
	.complete_and_accurate_ratio == 1] | any | not' # null, where it cannot be told
echo "# $dropped dropped, $sent_again sent again, $unseen of that upon pid 1; $(json "$TMP/r.json" \
	'[.families[] | [.outcome, .items, .rolled_complete_and_accurate_ratio]] | tojson')"
