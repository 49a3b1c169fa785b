#!/usr/bin/env bash
# Two servers with the same address and port, each in a network namespace of its own, both busy:
# the map of one holds its own packets and none of the other's.
#
# Judge: the clients' counts; the two get different numbers of requests, of different sizes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns_lib.sh"
skip_without_bpf
need jq

make_namespaces
port=17003

# echo_in NAMESPACE: a server on the loopback address of that namespace; $pid.
echo_in() {
	start "echo-$1" ip netns exec "$1" "$HOST/echo" --listen 127.0.0.1:$port --for 60
	wait_for_line "$TMP/echo-$1.out" '^ready '
}

load_in() { # NAMESPACE CLIENTS REQUESTS
	start "load-$1" ip netns exec "$1" "$HOST/echo" --client 127.0.0.1:$port --clients "$2" --requests "$3"
}

echo_in "$ns_server"
watched=$pid
echo_in "$ns_client"
record "$TMP/n.gemba" "$watched"
load_in "$ns_server" 2 1500
load=$pid
load_in "$ns_client" 5 700
other=$pid
wait_for_exit "$load" 30
same "status of the watched server's load" "$status" 0
wait_for_exit "$other" 30
same "status of the other server's load" "$status" 0
end_record
map "$TMP/n.gemba" "$TMP/n.json"
items "$TMP/n.gemba" "$TMP/n.csv"
sound "$TMP/n.json"
same items "$(columns "$TMP/n.csv" id | wc -l)" 3000
same "items by size" "$(columns "$TMP/n.csv" bytes_in bytes_out outcome partial | sort | uniq -c |
	awk '{ print $1, $2, $3, $4, $5 }' | paste -s -d ,)" "1500 32 32 out 0,1500 36 36 out 0"
same "packets that came in" "$(json "$TMP/n.json" .account.packets_in)" 3000
