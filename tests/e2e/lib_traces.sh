# What the tests of bad days share (kills, bad input, full disks); sourced behind lib.sh.

# run COMMAND...: at most 20 s; its exit status in $status, output in $TMP/out and $TMP/err.
run() {
	timeout -k 2 20 "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	status=$?
}

# as_nobody COMMAND...: without any privilege.
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"; }

# what was said, for a message of fail
said() { tr '\n' '|' <"$TMP/err" | head -c 600; }

# succeeds COMMAND...: run, with exit status 0.
succeeds() {
	run "$@"
	[ "$status" = 0 ] || fail "status $status of: $*: $(said)"
}

# is_balanced MAP: what came went or is there still, and it is a whole map.
is_balanced() {
	holds "$1" '.schema == "gemba.map/1" and (.account |
		.in_flight_start + .items_in + .items_originated ==
		.items_out + .items_ended + .items_merged + .items_dropped + .items_unobserved + .in_flight_end)'
}

# has_doubt MAP CODE
has_doubt() { holds "$1" '[.account.doubts[].code] | index($code) != null' --arg code "$2"; }
has_no_doubt() { holds "$1" '[.account.doubts[].code] | index($code) == null' --arg code "$2"; }

# held KIND: ids that a running gemba holds
held() {
	local pid
	for pid in $(pgrep gemba); do
		cat /proc/"$pid"/fdinfo/* 2>/dev/null
	done | sed -n "s/^$1_id:[[:space:]]*//p" | sort -u
}

# Programs and maps of gemba in the kernel that no gemba holds. (A link holds its program.)
orphans() {
	comm -23 <(bpftool -j prog show | jq -r '.[] | select(.name // "" |
		test("^(on_[a-z_]+|find_sockets)$")) | .id' | sort) <(held prog) | sed 's/^/prog /'
	comm -23 <(bpftool -j map show | jq -r '.[] | select(.name // "" |
		test("^(gemba.*|rings|conns|flows|peers)$")) | .id' | sort) <(held map) | sed 's/^/map /'
}

# Some stay a moment after their last holder went; what was seen in every look is left for good.
still_orphans() {
	orphans | sort >"$TMP/orphans.now"
	sort -o "$TMP/orphans" <(comm -12 "$TMP/orphans" "$TMP/orphans.now")
}

no_orphans() {
	still_orphans
	[ ! -s "$TMP/orphans" ]
}

# no_probe_left: nothing of a gemba that ended stays in the kernel.
no_probe_left() {
	[ -z "$GEMBA_NO_BPF" ] || return 0
	orphans | sort >"$TMP/orphans"
	within 10 no_orphans || fail "left in the kernel: $(tr '\n' ' ' <"$TMP/orphans")"
}

# written FILE: the recorder has attached and begun.
written() { [ -s "$1" ]; }

# answers PORT: a redis says PONG.
answers() { [ "$(timeout 5 redis-cli -p "$1" ping 2>&1)" = PONG ]; }

# start_load NAME PORT [OPTION...]: redis-benchmark until it is stopped
start_load() {
	local name=$1 to=$2
	shift 2
	start "$name" redis-benchmark -p "$to" -n 100000000 -c 50 -t get -q "$@"
}
