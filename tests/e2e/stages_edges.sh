#!/usr/bin/env bash
# Stages where they are asked for wrongly, and on targets that load, fork, execute, end, are traced or
# watched by two while gemba looks: each wrong probe is refused in one line that says why, each target
# goes on, and its code is its file's again, also when gemba is killed.
#
# Judge: the hazard program's own counts, /proc/PID/mem against the files, bpftool.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_stages.sh"
. "$(dirname "$0")/lib_traces.sh"
skip_without_bpf
need jq bpftool strace gcc

hazard_path=$(realpath "$HOST/hazard")

# --- what cannot be probed
start_hazard
many=$(for i in $(seq 65); do printf -- '-s s%d=f%d ' "$i" "$i"; done)
refuses "$hazard" "no function 'hz_nop11'.*near it: .*hz_nop1" -s hz_nop11
refuses "$hazard" "executes no file named 'nothing'" -s nothing:main
refuses "$hazard" 'is not in main' -s main+100000
refuses "$hazard" 'too large' -s main+99999999999999999999999
refuses "$hazard" 'data, not a function' -s stdout
refuses "$hazard" 'chosen at start (IFUNC): name the one in use' -s libc.so.6:memcpy
refuses "$hazard" 'chosen at start (IFUNC): name the one in use, hazard:hz_ifunc' -s hz_ifunc
"$GEMBA" stages -p "$hazard" hazard:hz_ifunc >"$TMP/ifunc.out" 2>"$TMP/ifunc.err" && fail 'an IFUNC is listed'
grep -q 'chosen at start (IFUNC): name the one in use' "$TMP/ifunc.err" || fail "$(cat "$TMP/ifunc.err")"
refuses "$hazard" "no function 'memcpy@plt'" -s memcpy@plt
refuses "$hazard" 'not in this version' -s usdt:libc.so.6:libc:setjmp
refuses "$hazard" "'rx' is a name of the map's own" -s rx=hz_nop1
refuses "$hazard" "'process' is a name of the map's own" -s process=hz_nop1
refuses "$hazard" "two stages are called 'x'" -s x=hz_nop1 -s x=hz_nop2
refuses "$hazard" 'more than 64 stages' $many
refuses "$hazard" "'hz_nop1' is a stage already" -s x=hz_nop1 -s hz_nop1
refuses "$hazard" 'names no function' -s x=
refuses "$hazard" 'no function is known at 0x1' -s hazard:0x1
# one that is refused beside one that is not: nothing is attached
refuses "$hazard" 'not the start of an instruction' -s hz_nop1 -s hz_nop5+1
text_is_whole "$hazard" 'after what was refused'
# the part of a function that is seldom run can be probed as it is
timeout 20 "$GEMBA" record -q -p "$hazard" -o "$TMP/cold.gemba" --for 50ms -s hz_split.cold 2>"$TMP/cold.err" ||
	grep -q 'hz_split.cold' "$TMP/cold.err" || fail "hz_split.cold: $(cat "$TMP/cold.err")"
go "$hazard"
stop "$hazard" INT

# --- a binary that nobody can read any more, and no symbols at all
cp "$hazard_path" "$TMP/gone"
start gone "$TMP/gone" --seconds 60
gone=$pid
wait_for_line "$TMP/gone.out" ready
rm "$TMP/gone"
rm -f "$TMP/gone.gemba"
timeout 20 "$GEMBA" record -q -p "$gone" -o "$TMP/gone.gemba" --for 200ms -s hz_nop1 2>"$TMP/gone.err" ||
	said_once "$TMP/gone.err" || fail "a deleted binary: $(cat "$TMP/gone.err")"
is_running "$gone" || fail 'the program of a deleted binary died'
stop "$gone" INT

# --- two names of one place: the entry stage is told first, whichever was attached first
start_hazard --rounds 50
record "$TMP/two.gemba" "$hazard" -s a=hz_alias -s b=hz_aliased -s hz_nop1 -s hazard:hz_nop1
go "$hazard"
hazard_is_well 'two names of one place'
wait_for_exit "$gemba"
map "$TMP/two.gemba" "$TMP/two.json"
same 'hits of two names' "$(json "$TMP/two.json" '[.capture.stages[] | [.name, .hits]] | tojson')" \
	'[["a",100],["b",100],["hz_nop1",200],["hz_nop1.2",200]]'

# --- a plugin that comes and goes: hits while it is there, nothing breaks when it is not
start plugged "$HOST/hazard" --seconds 60 --plugin "$(realpath "$HOST/plugin.so")"
plugged=$pid
within 10 grep -q plugin.so "/proc/$plugged/maps" || fail 'no plugin is loaded'
for try in $(seq 30); do # it may be away at the instant that gemba looks
	rm -f "$TMP/plug.gemba"
	start record "$GEMBA" record -p "$plugged" -o "$TMP/plug.gemba" -s plugin_work -s hz_in_alarm
	gemba=$pid
	within 20 has_begun "$TMP/plug.gemba" "$gemba"
	is_running "$gemba" && break
	said_once "$TMP/record.err" && grep -q 'plugin_work' "$TMP/record.err" ||
		fail "the plugin is away: $(cat "$TMP/record.err")"
done
[ "$try" -lt 30 ] || fail 'the plugin was never there'
sleep 1
end_record
text_is_whole "$plugged" 'the plugin'
is_running "$plugged" || fail "a plugin with a probe killed its program: $(cat "$TMP/plugged.err")"
map "$TMP/plug.gemba" "$TMP/plug.json"
at_least 'hits in the plugin' "$(hits "$TMP/plug.json" plugin_work)" 10
kill -INT "$plugged"
wait_for_exit "$plugged"
same "status with a plugin ($(cat "$TMP/plugged.err"))" "$status" 0

# --- two gembas at once, and a process under strace
start hazard "$HOST/hazard" --seconds 60 --pause-us 500
hazard=$pid
sleep 0.2
start strace strace -f -e trace=clock_nanosleep -o "$TMP/strace.log" -p "$hazard"
strace=$pid
wait_for_line "$TMP/strace.err" attached
start other "$GEMBA" record -q -p "$hazard" -o "$TMP/other.gemba" -s hz_push_rbp -s hz_call
other=$pid
record "$TMP/one.gemba" "$hazard" -s hz_push_rbp -s hz_nop1
within 20 written "$TMP/other.gemba" || fail "the other gemba: $(cat "$TMP/other.err")"
sleep 0.5
end_record
is_running "$other" || fail 'the other gemba ended too'
sleep 0.2
kill -INT "$other"
wait_for_exit "$other"
same "status of the other ($(cat "$TMP/other.err"))" "$status" 0
# never by force: a tracer that is killed may leave its target a trap to die of
kill -INT "$strace"
wait_for_exit "$strace" 20
for one in one other; do
	map "$TMP/$one.gemba" "$TMP/$one.json"
	at_least "hits of $one" "$(hits "$TMP/$one.json" hz_push_rbp)" 40
done
lives "$hazard" 'two gembas and strace'
text_is_whole "$hazard" 'two gembas and strace'

# --- killed ten times while it is hit, at any instant from its first to its last
for try in $(seq 10); do
	start victim "$GEMBA" record -q -p "$hazard" -o "$TMP/victim.gemba" --force \
		-s hz_push_rbp -s hz_call -s hz_regs_mov -s hz_nop5 -s hz_vpor
	sleep "0.$((try * 8 + 10))"
	lives "$hazard" "kill $try"
	kill -KILL "$pid" 2>/dev/null || fail "kill $try came too late: $(cat "$TMP/victim.err")"
	wait "$pid" 2>/dev/null
	is_running "$hazard" || fail "kill $try killed the target: $(cat "$TMP/hazard.err")"
done
text_is_whole "$hazard" 'killed gembas'
kill -INT "$hazard"
hazard_is_well 'killed gembas'

# --- children: they count for nothing, and no trap of their parent's stays in them
cat >"$TMP/forker.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noipa)) int work(int x) { return x * 3 + 1; }
int main(int argc, char **argv)
{
	int children = argc > 2, bad = 0, status;

	if (argc > 1 && !strcmp(argv[1], "again")) {
		for (int i = 0; i < 300; i++, usleep(2000))
			bad += work(i) != i * 3 + 1;
		printf("again bad=%d\n", bad);
		return bad;
	}
	printf("ready\n");
	fflush(stdout);
	getchar();
	for (int i = 0; i < 20; i++) {
		bad += work(i) != i * 3 + 1;
		if (!fork()) {
			for (int k = 0; k < 100; k++)
				bad += work(k) != k * 3 + 1;
			if (i == 19 && !fork()) {
				printf("orphan %d\n", getpid());
				fflush(stdout);
				sleep(60);
			}
			_exit(bad != 0);
		}
	}
	for (int i = 0; i < 20; i++, children++) {
		wait(&status);
		bad += status != 0;
	}
	printf("bad=%d calls=20\n", bad);
	fflush(stdout);
	execl(argv[0], argv[0], "again", (char *)0);
	return 1;
}
C
gcc -O1 -o "$TMP/forker" "$TMP/forker.c" || fail 'gcc'
mkfifo "$TMP/go"
"$TMP/forker" <"$TMP/go" >"$TMP/forker.out" 2>&1 &
forker=$!
started="$forker $started"
exec 9>"$TMP/go"
wait_for_line "$TMP/forker.out" ready
record "$TMP/fork.gemba" "$forker" -s work
echo >&9
wait_for_line "$TMP/forker.out" '^orphan '
orphan=$(sed -n 's/^orphan //p' "$TMP/forker.out")
at_exit "kill -KILL $orphan 2>/dev/null"
wait_for_line "$TMP/forker.out" '^bad='
same 'results of parent and children' "$(grep '^bad=' "$TMP/forker.out")" 'bad=0 calls=20'
wait_for_exit "$forker" 20
grep -q '^again bad=0$' "$TMP/forker.out" || fail "after exec: $(cat "$TMP/forker.out")"
wait_for_exit "$gemba"
same "status of gemba ($(cat "$TMP/record.err"))" "$status" 0
exec 9>&-
# while gemba is attached a child has its parent's traps (6.18 leaves them there); with it they go
text_is_whole "$orphan" 'a child that called the function, after gemba'
kill -KILL "$orphan"
map "$TMP/fork.gemba" "$TMP/fork.json"
# 20 before it executed itself again; of the 300 after that, those from when it was found again
at_least 'hits of a program that executes itself again' "$(hits "$TMP/fork.json" work)" 30
at_most 'hits, none of them of a child' "$(hits "$TMP/fork.json" work)" 320

# --- a command of gemba's own: what is refused is left alone, the others are attached all the same
for bad in hz_jrcxz hz_syscall hz_evex_vpshufd hz_vpor+1 hz_nosuch; do
	rm -f "$TMP/cmd.gemba"
	timeout -k 2 30 "$GEMBA" record -o "$TMP/cmd.gemba" -s hz_nop1 -s "bad=$bad" -- \
		"$hazard_path" --seconds 2.5 >"$TMP/cmd.out" 2>"$TMP/cmd.err"
	same "status of a command with $bad ($(cat "$TMP/cmd.err" "$TMP/cmd.out"))" $? 0
	grep -q 'rounds=.* wrong=0 ' "$TMP/cmd.out" || fail "a command with $bad: $(cat "$TMP/cmd.out")"
	grep -q 'stage bad was not attached: ..' "$TMP/cmd.err" || fail "no word of $bad: $(cat "$TMP/cmd.err")"
	map "$TMP/cmd.gemba" "$TMP/cmd.json"
	same "hits of $bad" "$(hits "$TMP/cmd.json" bad)" 0
	at_least "hits beside $bad" "$(hits "$TMP/cmd.json" hz_nop1)" 100
	holds "$TMP/cmd.json" '.capture.stages[0] | .note == null and .binary != null'
	holds "$TMP/cmd.json" '.capture.stages[1] | .note != null and .binary == null'
	[ $bad = hz_nosuch ] || continue
	has_doubt "$TMP/cmd.json" stage_not_found
done

# It is held at its entry until they are on: not a call is missed, of a library neither.
succeeds "$GEMBA" record --force -o "$TMP/cmd.gemba" -s hz_nop1 -s begin=__libc_start_main -- \
	"$hazard_path" --seconds 20 --rounds 500
grep -q '^rounds=500 wrong=0 ' "$TMP/out" || fail "a command that was held: $(cat "$TMP/out")"
map "$TMP/cmd.gemba" "$TMP/cmd.json"
same 'hits of a command, 4 a round' "$(hits "$TMP/cmd.json" hz_nop1)" 2000
same 'hits at its very beginning' "$(hits "$TMP/cmd.json" begin)" 1

# One that executes another program is not held then, and the map says for how long it was late.
succeeds "$GEMBA" record --force -o "$TMP/cmd.gemba" -s hz_nop1 -- \
	sh -c "sleep 0.2; exec '$hazard_path' --seconds 1.5"
map "$TMP/cmd.gemba" "$TMP/cmd.json"
at_least 'hits of a second program' "$(hits "$TMP/cmd.json" hz_nop1)" 100
has_doubt "$TMP/cmd.json" stage_note
holds "$TMP/cmd.json" '.capture.stages[0].note | test("^attached [0-9]+ ms after the target executed")'

# Stopped and continued while gemba prepares, it goes on; told to end then, gemba does not begin it.
for delay in 0.02 0.1 0.2 0.3 0.4; do
	rm -f "$TMP/cmd.gemba"
	start held "$GEMBA" record -q -o "$TMP/cmd.gemba" -s hz_nop1 -- "$hazard_path" --seconds 20 --rounds 100
	sleep "$delay"
	for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
		kill -STOP "$child" 2>/dev/null
		sleep 0.1
		kill -CONT "$child" 2>/dev/null
	done
	wait_for_exit "$pid" 20
	same "status of a command that was stopped after $delay s ($(cat "$TMP/held.err"))" "$status" 0
done
start held "$GEMBA" record --force -o "$TMP/cmd.gemba" -s hz_nop1 -- "$hazard_path" --seconds 20 --rounds 100
sleep 0.1
kill -TERM "$pid"
wait_for_exit "$pid" 20
same 'rounds of a command that should not begin, or did end' "$(grep -c '^rounds=' "$TMP/held.out")" 0
grep -q 'goes on as pid' "$TMP/held.err" && fail "a command was begun and left: $(cat "$TMP/held.err")"

# What a held one gets is what it would have got: its end, its status, its signals.
for command in 'exit 7' 'kill -TERM $$' 'trap "exit 3" USR1; kill -USR1 $$; exit 4'; do
	"$GEMBA" record --force -o "$TMP/cmd.gemba" -s hz_nop1 -- sh -c "$command" >"$TMP/out" 2>&1
	map "$TMP/cmd.gemba" "$TMP/cmd.json"
	sh -c "$command" 2>/dev/null
	alone=$?
	same "status of '$command'" "$(json "$TMP/cmd.json" .capture.targets[0].exit_status)" $alone
done
no_probe_left
