#!/usr/bin/env bash
# Every function of a program made of functions that are dangerous to probe: gemba refuses it and
# says why, or probes it, and then the program computes what it must, sandboxed too, gemba counts each
# call, and afterwards the code in memory is the file's, however gemba ended.
#
# Judge: the program knows all its results and counts its rounds; /proc/PID/mem against the file.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_stages.sh"
skip_without_bpf
need jq objdump

rounds=100
"$HOST/hazard" --list | grep -v '^#' >"$TMP/list"
calls_of() { awk -F '\t' -v f="$1" '$1 == f { print $2 }' "$TMP/list"; }

# The hits that must be counted in so many rounds.
expected() {
	case $1 in
	hz_loop_entry) echo $((4 * $(calls_of "$1") * rounds)) ;; # as --list has it: 4 hits a call
	hz_in_alarm) of_hazard alarms ;;
	*+*) echo $(($(calls_of "${1%+*}") * rounds)) ;;
	*) echo $(($(calls_of "$1") * rounds)) ;;
	esac
}

# stage_options PROBE...: -s of each, FUNCTION.OFFSET=FUNCTION+OFFSET
stage_options() {
	local probe
	for probe in "$@"; do
		printf -- '-s %s=%s ' "${probe/+/.}" "$probe"
	done
}

refused=
# probe_all OPTIONS PROBE...: in one run, without those that gemba refuses, which are added to $refused.
probe_all() {
	local options=$1 probe one rest
	shift
	start_hazard --rounds $rounds $options
	while :; do
		rm -f "$TMP/hz.gemba"
		start record "$GEMBA" record -p "$hazard" -o "$TMP/hz.gemba" $(stage_options "$@")
		gemba=$pid
		within 20 has_begun "$TMP/hz.gemba" "$gemba" || fail "gemba does not attach: $(cat "$TMP/record.err")"
		is_running "$gemba" && break
		# refused: one line that names it; the program stays as it is, for the others
		wait_for_exit "$gemba"
		same "status when refused ($(cat "$TMP/record.err"))" "$status" 1
		said_once "$TMP/record.err" || fail "refused in more than a line: $(cat "$TMP/record.err")"
		one=$(sed -n 's/^gemba: stage \([^:]*\): ..*/\1/p' "$TMP/record.err")
		rest=
		for probe in "$@"; do
			[ "${probe/+/.}" = "$one" ] || rest="$rest $probe"
		done
		[ "$(wc -w <<<"$rest")" -lt $# ] || fail "who is refused? $(cat "$TMP/record.err")"
		refused="$refused $one"
		echo "# $(cat "$TMP/record.err")"
		text_is_whole "$hazard" "$one refused"
		set -- $rest
		[ $# -gt 0 ] || return 0
	done
	go "$hazard"
	hazard_is_well "$options $*"
	wait_for_exit "$gemba" 30
	same "status of gemba ($(cat "$TMP/record.err"))" "$status" 0
	map "$TMP/hz.gemba" "$TMP/hz.json"
	for probe in "$@"; do
		same "hits of $probe $options" "$(hits "$TMP/hz.json" "${probe/+/.}")" "$(expected "$probe")"
	done
	holds "$TMP/hz.json" '.account.events_lost == 0'
	# what is no copy of a function is not called one: hz_split.cold is a part of hz_split
	holds "$TMP/hz.json" '[.capture.stages[].note] | all(. == null)'
}

probe_in_batches() { # SIZE OPTIONS
	local batch
	sed -n 's/^\(hz_[a-z0-9_]*\)\t.*/\1/p' "$TMP/list" | xargs -n "$1" >"$TMP/batches"
	while read -r batch; do
		probe_all "$2" $batch
	done <"$TMP/batches"
}

probe_in_batches 30 ''
for one in hz_nop1 hz_nop5 hz_push_rbp hz_call hz_jmp8 hz_regs_mov hz_vpor; do
	[[ " $refused " != *" $one "* ]] || fail "$one is refused, which can be probed"
done
at_most "functions refused ($refused)" "$(wc -w <<<"$refused")" 6

# Those that a sandboxed process would not survive, were a system call made in its name.
functions=$(sed -n 's/^\(hz_[a-z0-9_]*\)\t.*/\1/p' "$TMP/list")
for one in $refused; do
	functions=$(grep -vx "$one" <<<"$functions")
done
probe_all --seccomp $(awk 'NR % 2' <<<"$functions")

# At offsets that the user gives: at an instruction's start each call is counted, or the place is
# refused (that of a string instruction and the like); between two of them it is refused always.
boundaries_of() { # FUNCTION: its offsets, by objdump
	objdump -d --no-show-raw-insn --disassemble="$1" "$HOST/hazard" |
		awk -v f="$1" '
			function number(hex, i, n) {
				for (i = 1; i <= length(hex); i++)
					n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
				return n
			}
			$2 == "<" f ">:" { sub(/^0*/, "", $1); begin = number($1) }
			begin && $1 ~ /^[0-9a-f]+:$/ { print number(substr($1, 1, length($1) - 1)) - begin }'
}
refused=
probes=
for one in hz_regs_push hz_flags_nop1 hz_lock hz_vpor; do
	offsets=$(boundaries_of $one | grep -vx 0)
	at_least "instructions of $one" "$(wc -w <<<"$offsets")" 1
	probes="$probes $(printf "$one+%d " $offsets)"
done
probe_all '' $(tr ' ' '\n' <<<"$probes" | grep . | head -n 24)
at_most "offsets refused ($refused)" "$(wc -w <<<"$refused")" 4

start_hazard
for probe in hz_nop5+1 hz_push_r12+1 hz_call+2 hz_vpor+1 hz_vpor+3 hz_cross_nop5+2 hz_cross_call+4; do
	refuses "$hazard" 'not the start of an instruction' -s "$probe"
done
refuses "$hazard" 'is not in hz_ret' -s hz_ret+100
go "$hazard"

# However gemba ends, the program goes on and its code is the file's.
some="$(stage_options hz_nop1 hz_nop5 hz_push_r12 hz_call hz_jz8 hz_sub_rsp hz_cross_nop5 hz_vpor)"
for way in end INT KILL; do
	rm -f "$TMP/way.gemba"
	start record "$GEMBA" record -p "$hazard" -o "$TMP/way.gemba" --force $some \
		$([ $way != end ] || echo --for 500ms)
	gemba=$pid
	within 20 has_begun "$TMP/way.gemba" "$gemba" && is_running "$gemba" ||
		fail "gemba does not attach: $(cat "$TMP/record.err")"
	[ -n "$(changed_text "$hazard")" ] || [ $way = end ] || fail 'no probe is seen in the code: no judge'
	sleep 0.3
	[ $way = end ] || kill -$way "$gemba"
	within 10 is_gone "$gemba" || fail "gemba does not end ($way)"
	text_is_whole "$hazard" "$way"
	is_running "$hazard" || fail "hazard died ($way): $(cat "$TMP/hazard.out" "$TMP/hazard.err")"
done
kill -INT "$hazard"
hazard_is_well 'with probes off and on'
at_least 'rounds' "$(of_hazard rounds)" 100
