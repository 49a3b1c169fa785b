#!/usr/bin/env bash
# Stages by the names of C++ and Rust, mangled both ways, with and without parameters; a Go server,
# whose threads say nothing of an item; a server without symbols. And the same load with stages and
# without gives the same items, outputs and joins.
#
# Judges: the client checks every reply and counts, the servers count their requests.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_stages.sh"
skip_without_bpf
need jq

requests=600
on_server() { "$HOST/gateway_client" --to "127.0.0.1:$port" --pause-us 300 "$@" >"$TMP/client.out" 2>&1; }

# start_server PROGRAM: $server and $port
start_server() {
	rm -f "$TMP/server.out"
	start server "$HOST/$1" --port 0 --for 60
	server=$pid
	wait_for_line "$TMP/server.out" '^ready '
	port=$(sed -n 's/^ready //p' "$TMP/server.out")
}

# serve NAME CLIENT_OPTIONS RECORD_OPTION...: a load, recorded; NAME.json and NAME.csv
serve() {
	local name=$1 load=$2
	shift 2
	record "$TMP/$name.gemba" "$server" "$@"
	on_server $load || fail "$name: the client: $(cat "$TMP/client.out")"
	grep -q ' wrong=0' "$TMP/client.out" || fail "$name: $(cat "$TMP/client.out")"
	end_record
	map "$TMP/$name.gemba" "$TMP/$name.json"
	items "$TMP/$name.gemba" "$TMP/$name.csv"
	sound "$TMP/$name.json"
	same "$name: items answered on another socket" "$(sent_elsewhere "$TMP/$name.csv")" 0
}

# all_are NAME STAGE...: each item went through all of them, in this order, and hits are as many
all_are() {
	local name=$1 stage
	shift
	same "$name: items" "$(columns "$TMP/$name.csv" id | sort -u | wc -l)" $((requests * 2))
	holds "$TMP/$name.json" '[.families[] | select(.items > 0) | .route == ["rx", "sock", "recv"] +
		($stages | split(" ")) + ["send", "txq", "tx"]] | all and length > 0' --arg stages "$*"
	for stage in "$@"; do
		same "$name: hits of $stage" "$(hits "$TMP/$name.json" "$stage")" $((requests * 2))
	done
	holds "$TMP/$name.json" '.account | .items_out == .items_in and .stage_hits_unowned == 0 and
		.attributed.connection == .items_out'
}

if [ -x "$HOST/cpp_server" ]; then
	start_server cpp_server
	refuses "$server" "gw::Engine::handle(gw::Request const&).*gw::Engine::handle(gw::Heartbeat const&)" \
		-s gw::Engine::handle
	refuses "$server" 'gw::Decoder<int>::decode.*gw::Decoder<long>::decode' -s gw::Decoder::decode
	refuses "$server" 'near it: gw::Decoder<int>::decode' -s gw::Decode::decode
	load="--clients 2 --requests $requests --pipeline 1 --heartbeat-every 0"
	serve cpp1 "$load" -s 'decode=gw::Decoder<int>::decode' \
		-s 'handle=gw::Engine::handle(gw::Request const&)' -s 'gw::Scale::weigh' -s gw::reply
	all_are cpp1 decode handle gw.Scale.weigh gw.reply
	holds "$TMP/cpp1.json" '[.capture.stages[].symbol] | .[1] == "gw::Engine::handle(gw::Request const&)" and
		.[2] == "gw::Scale::weigh(long) const"'
	serve cpp8 "--clients 2 --requests $requests --pipeline 8 --heartbeat-every 0" \
		-s 'decode=gw::Decoder<int>::decode(gateway_record const&)' -s gw::reply
	all_are cpp8 decode gw.reply
	# heartbeats and what is malformed go another way: a family each, which the client's counts tell
	serve cppways "--clients 1 --requests $requests --pipeline 1 --heartbeat-every 10 --malformed-every 7" \
		-s 'gw::Decoder<int>::decode' -s 'long=gw::Decoder<long>::decode' \
		-s 'beat=gw::Engine::handle(gw::Heartbeat const&)'
	nr_malformed=$((requests / 7)) nr_beats=$((requests / 10 - requests / 70))
	same 'records decoded' "$(hits "$TMP/cppways.json" gw.Decoder_int_.decode)" $requests
	same 'records that are not malformed' "$(hits "$TMP/cppways.json" long)" $((requests - nr_malformed))
	same 'heartbeats' "$(hits "$TMP/cppways.json" beat)" $nr_beats
	same 'items that are heartbeats' "$(columns "$TMP/cppways.csv" beat_ns | grep -c .)" $nr_beats
	same 'items without a value' \
		"$(columns "$TMP/cppways.csv" id long_ns | awk -F '\t' '!$2' | wc -l)" $nr_malformed

	# the same function named twice: the entry stage comes first, one family
	serve twice "$load" -s 'gw::Decoder<int>::decode' -s 'again=gw::Decoder<int>::decode' -s gw::reply
	all_are twice gw.Decoder_int_.decode again gw.reply

	# without stages: the same items
	serve none "$load"
	for name in cpp1 none; do
		columns "$TMP/$name.csv" protocol outcome attribution partial doubtful bytes_in bytes_out outputs |
			sort | uniq -c >"$TMP/$name.shape"
	done
	diff "$TMP/cpp1.shape" "$TMP/none.shape" || fail 'with stages < > without differ'
	text_is_whole "$server" 'cpp_server'

	# two processes, of one binary and of two
	first=$server first_port=$port
	start_server cpp_server
	second=$server second_port=$port
	record "$TMP/pair.gemba" "$first,$second" -s 'gw::Decoder<int>::decode' -s gw::reply
	port=$first_port && on_server --requests 200 || fail "first: $(cat "$TMP/client.out")"
	port=$second_port && on_server --requests 300 || fail "second: $(cat "$TMP/client.out")"
	end_record
	map "$TMP/pair.gemba" "$TMP/pair.json"
	same 'hits in two processes' "$(hits "$TMP/pair.json" gw.reply)" 500
	holds "$TMP/pair.json" '.account | .items_in + .items_warmup == 500 and .stage_hits_unowned == 0'
	stop "$second"
	server=$first port=$first_port
fi

if [ -x "$HOST/rust_server" ]; then
	for program in rust_server rust_server_v0; do
		[ -x "$HOST/cpp_server" ] && other=$server other_port=$port
		start_server $program
		handle=rust_server::gateway::Engine::handle
		[ $program = rust_server ] || handle='<rust_server::gateway::Engine>::handle' # as v0 has it
		serve $program "--clients 2 --requests $requests --pipeline 4 --heartbeat-every 0" \
			-s "handle=$handle" -s rust_server::gateway::reply
		all_are $program handle rust_server.gateway.reply
		[ $program != rust_server ] ||
			refuses "$server" 'name of 2 functions' -s rust_server::gateway::decode
		text_is_whole "$server" $program
		if [ $program = rust_server ] && [ -n "${other:-}" ]; then # two binaries: each stage in one
			record "$TMP/mixed.gemba" "$other,$server" -s gw::reply -s rust_server::gateway::reply
			on_server --requests 200 || fail "rust: $(cat "$TMP/client.out")"
			rust_port=$port port=$other_port
			on_server --requests 100 || fail "c++: $(cat "$TMP/client.out")"
			port=$rust_port
			end_record
			map "$TMP/mixed.gemba" "$TMP/mixed.json"
			same 'hits of C++' "$(hits "$TMP/mixed.json" gw.reply)" 100
			same 'hits of Rust' "$(hits "$TMP/mixed.json" rust_server.gateway.reply)" 200
			stop "$other"
			other=
		fi
		stop "$server"
		server=
	done
fi

# Go: counted, joined with nothing, and said.
if command -v nats-server >/dev/null; then
	port=$(free_port)
	start nats nats-server -a 127.0.0.1 -p "$port"
	nats=$pid
	wait_for_listen "$port"
	parse=$(grep -aom 1 'github\.com/nats-io/nats-server/\(v2/\)\?server\.(\*client)\.parse' "$(command -v nats-server)" |
		head -n 1)
	record "$TMP/nats.gemba" "$nats" -s "parse=$parse"
	exec 3<>"/dev/tcp/127.0.0.1/$port" || fail 'no connection to nats-server'
	printf 'CONNECT {"verbose":false}\r\n' >&3
	for ((i = 0; i < 100; i++)); do
		printf 'PING\r\n' >&3
		while read -r -t 10 line <&3; do
			[ "$line" = $'PONG\r' ] && break
		done
	done
	exec 3>&-
	end_record
	map "$TMP/nats.gemba" "$TMP/nats.json"
	sound "$TMP/nats.json"
	at_least 'hits of a Go function' "$(hits "$TMP/nats.json" parse)" 100
	holds "$TMP/nats.json" '.account | .stage_hits_unowned == .stage_hits and .attributed.thread == 0'
	holds "$TMP/nats.json" '[.families[].route[] | select(. == "parse")] == []'
	holds "$TMP/nats.json" '[.account.doubts[] | select(.code == "stage_hits_unowned") | .text | test("Go")] == [true]'
	text_is_whole "$nats" nats-server
	is_running "$nats" || fail "nats-server died: $(tail -n 3 "$TMP/nats.err")"
	stop "$nats"
fi

# Without symbols: which, and what would help.
if command -v memcached >/dev/null; then
	start_memcached memcached 2
	refuses "$pid" "no function 'process_command'.*stripped.*memcached" -s process_command
	refuses "$pid" "no function 'drive_machine'.*symbols would help" -s memcached:drive_machine
fi
