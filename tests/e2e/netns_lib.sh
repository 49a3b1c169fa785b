# Two network namespaces joined by a wire (a veth pair), for the tests that need one; sourced.
# They are named after the test's PID and removed when it ends.

ns_server=gemba-$$-s ns_client=gemba-$$-c ns_router=
ip_server=10.77.0.1 ip_client=10.77.0.2

remove_namespaces() {
	ip netns del "$ns_server" 2>/dev/null
	ip netns del "$ns_client" 2>/dev/null
	[ -z "$ns_router" ] || ip netns del "$ns_router" 2>/dev/null
}

# make_namespaces: each end's interface is `wire`; no IPv6, so that nothing but the test is on it.
make_namespaces() {
	local ns
	need ip tc
	at_exit remove_namespaces
	{ ip netns add "$ns_server" && ip netns add "$ns_client"; } 2>"$TMP/ns.err" ||
		skip "network namespaces cannot be made: $(cat "$TMP/ns.err")"
	ip link add wire netns "$ns_server" type veth peer name wire netns "$ns_client" \
		2>"$TMP/ns.err" || skip "no veth here: $(cat "$TMP/ns.err")"
	for ns in "$ns_server" "$ns_client"; do
		in_netns "$ns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null
		ip -n "$ns" link set lo up
		ip -n "$ns" link set wire up
	done
	ip -n "$ns_server" addr add $ip_server/24 dev wire
	ip -n "$ns_client" addr add $ip_client/24 dev wire
	within 5 answers || fail "the two namespaces do not reach each other"
}

# Nothing listens on the discard port: a refusal comes at once, and from the other side.
answers() { in_client timeout 1 bash -c "echo >/dev/tcp/$ip_server/9" 2>&1 | grep -q refused; }

# in_netns NAMESPACE COMMAND...: `ip` becomes the command, so that its PID is the command's.
in_netns() { ip netns exec "$@"; }
in_server() { in_netns "$ns_server" "$@"; }
in_client() { in_netns "$ns_client" "$@"; }

# slow NAMESPACE RATE [LIMIT [DEVICE]]: a token bucket on its end of the wire that lets RATE through,
# 1600 bytes at once, and holds at most LIMIT bytes. Skips the test where there is none.
slow() {
	tc -n "$1" qdisc replace dev "${4:-wire}" root tbf rate "$2" burst 1600 limit "${3:-1000000}" \
		2>"$TMP/tc.err" || skip "no tbf here: $(cat "$TMP/tc.err")"
}

fast() { tc -n "$1" qdisc del dev wire root; }

# start_server NAME COMMAND...: in the server's namespace.
start_server() { start "$1" ip netns exec "$ns_server" "${@:2}"; }

# start_remote_redis NAME: $pid and $port.
start_remote_redis() {
	port=6379 # nobody else is in the namespace
	start_server "$1" redis-server --port $port --bind $ip_server --save '' --appendonly no \
		--daemonize no --protected-mode no --dir "$TMP"
	within 10 in_client redis-cli -h $ip_server -p $port ping >"$TMP/ping" 2>&1 ||
		fail "redis does not answer across the wire"
}

# make_router: between the two, so that what it drops is lost on the way and not refused to the
# sender. Its interfaces are `in` (to the server) and `out` (to the client).
make_router() {
	local ns
	need ip tc
	ns_router=gemba-$$-r
	at_exit remove_namespaces
	for ns in "$ns_server" "$ns_router" "$ns_client"; do
		ip netns add "$ns" 2>"$TMP/ns.err" ||
			skip "network namespaces cannot be made: $(cat "$TMP/ns.err")"
		in_netns "$ns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null
		ip -n "$ns" link set lo up
	done
	{
		ip link add wire netns "$ns_server" type veth peer name in netns "$ns_router" &&
			ip link add wire netns "$ns_client" type veth peer name out netns "$ns_router"
	} 2>"$TMP/ns.err" || skip "no veth here: $(cat "$TMP/ns.err")"
	ip_server=10.77.1.2 ip_client=10.77.2.2
	ip -n "$ns_server" addr add $ip_server/24 dev wire
	ip -n "$ns_client" addr add $ip_client/24 dev wire
	ip -n "$ns_router" addr add 10.77.1.1/24 dev in
	ip -n "$ns_router" addr add 10.77.2.1/24 dev out
	ip -n "$ns_server" link set wire up
	ip -n "$ns_client" link set wire up
	ip -n "$ns_router" link set in up
	ip -n "$ns_router" link set out up
	ip -n "$ns_server" route add default via 10.77.1.1
	ip -n "$ns_client" route add default via 10.77.2.1
	in_netns "$ns_router" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	within 5 answers || fail "the two namespaces do not reach each other"
}
