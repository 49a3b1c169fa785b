#!/usr/bin/env bash
# What is wrong is refused: the right exit status, one line that says what to do, nothing made.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
need jq

gemba=$(realpath "$GEMBA")
data=$PWD/tests/data
cd "$TMP" || exit 1
mkdir work && cd work || exit 1

nr_failed=0
wrong() { # MESSAGE: goes on, so that one run shows all
	nr_failed=$((nr_failed + 1))
	echo "FAIL: $1"
}

# refuses STATUS REGEX ARGUMENT...: of gemba, or of a command that begins with env, sh or as_nobody.
# The regex is of the whole line behind "gemba: "; `...` in it stands for anything.
refuses() {
	local wanted=$1 regex="^gemba: ${2//.../.*}\$" made
	shift 2
	case $1 in
	env | sh | as_nobody) ;;
	*) set -- "$gemba" "$@" ;;
	esac
	ls -A >"$TMP/before"
	if [ "$1" = as_nobody ]; then
		shift
		run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
	else
		run "$@"
	fi
	made=$(ls -A | comm -13 "$TMP/before" - | tr '\n' ' ')
	shift
	[ "$status" = "$wanted" ] || wrong "status $status, not $wanted: $*: $(said)"
	[ "$(wc -l <"$TMP/err")" = 1 ] || wrong "not one line: $*: $(said)"
	grep -Eq "$regex" "$TMP/err" || wrong "not '$regex': $*: $(said)"
	[ -z "$made" ] || wrong "made $made: $*"
	[ ! -s "$TMP/out" ] || [ -n "${with_output:-}" ] || wrong "on standard output: $*: $(head -c 100 "$TMP/out")"
}

# Usage: refused before anything is opened.
record="record -p $$ -o x.gemba"
refuses 2 "a command is missing; 'gemba help' lists them" env "$gemba"
refuses 2 "unknown command 'recrod'; did you mean 'record'\?" recrod
refuses 2 "unknown command 'xyzzy'; 'gemba help' lists them" xyzzy
refuses 2 "unknown command ''; ..." ''
refuses 2 "unknown command 'maps'; did you mean 'map'\?" help maps
refuses 2 "'watch' is not in this version" watch -p 1
refuses 2 "'-p' stands before the command; write 'gemba COMMAND -p'" -p 1
refuses 2 "--formt: unknown option; did you mean --format\?" map --formt json
refuses 2 "--frobnicate: unknown option; 'gemba map -h' lists them" map --frobnicate
refuses 2 "-Z: unknown option; 'gemba record -h' lists them" record -Z
refuses 2 "--key: keys of the payload, on rx, are not in this version" record -p 1 --key rx=arg0
refuses 2 "-k: there is no stage 'g'; name it with -s" record -p 1 -s f -k g=arg0
refuses 2 "-k: 'u64\(arg0', at 9: here a \) or an offset is missing, ..." map -p 1 -s f -k "f=u64(arg0"
refuses 2 "-c: missing.yaml: No such file or directory" map -p 1 -c missing.yaml
refuses 2 "--key: 'x' is no key, as 4711 or 0x7f00c0de is" items x.gemba --key x
refuses 2 "--strict: not an option of 'record', but of 'map'" $record --strict
refuses 2 "--quiet takes no value" $record --quiet=yes
refuses 2 "--for is given twice" $record --for 1s --for 2s
refuses 2 "-q and -v exclude each other|...-q and -v exclude each other" $record -q -v
refuses 2 "record needs a target: -p PID, -n NAME or -- COMMAND" record -o x.gemba
refuses 2 "'redis': a target is -p PID or -n NAME, or -- COMMAND" record redis
refuses 2 "'1': a target is -p PID or -n NAME" check 1
refuses 2 "a command is missing behind --" record --
refuses 2 "'check' starts nothing; its target is -p or -n" check -- true
refuses 2 "'items' takes no target behind --" items -- true
refuses 2 "-p and -n exclude each other: there is one target" record -p 1 -n init
refuses 2 "-p and a command behind -- exclude each other: there is one target" record -p 1 -- true
refuses 2 "'x.gemba' and -p: read a file or attach, not both" map -p 1 x.gemba
refuses 2 "--all goes with -n NAME" record -p 1 --all
refuses 2 "--for goes with a live target: ..." map x.gemba --for 1s
refuses 2 "'a' and 'b': 'map' takes one of them" map a b
refuses 2 "the name of a file is empty" map ''
refuses 2 "-o: the FILE is empty" record -p 1 -o ''
refuses 2 "-o: a trace is written to a file only" record -p 1 -o -
refuses 2 "--slowest and --where exclude each other" items --slowest 1 --where 'lead_time > 1us'

# Values
for pid in 0 -1x 1x 4194305 99999999999999999999999 0x10 ' 1' 1e3 +1; do
	refuses 2 "-p: '$(printf '%s' "$pid" | sed 's/+/\\+/')' is no(t a)? process id...|-p needs ..." record -p "$pid"
done
refuses 2 "-p: a process id is missing" record -p ''
refuses 2 "-p: a process id is missing before a comma" record -p ,1
refuses 2 "-p: a process id is missing" record -p 1,
refuses 2 "-p: 1 is given twice" record -p 1,1
refuses 2 "-p: more than 64 processes; attach in several runs" record -p "$(seq -s , 65)"
refuses 2 "-p needs PID\[,PID...\]" record -p
refuses 2 "-n: the NAME is empty" record -n ''
for time in 0s 0.5ms 8785h 99999999999999999999h 1e9s nan inf; do
	refuses 2 "--for: '$time' is not (within 1ms and 8784h|a time; write it as 500ms, 10s, 5m or 1h)" $record --for $time
done
refuses 2 "--for: '10' has no unit: write 10ms, 10s or 10m" $record --for 10
refuses 2 "--for needs TIME; if '-1s' is meant, write --for=-1s" $record --for -1s
refuses 2 "--for: '-1s' is not ..." $record --for=-1s
refuses 2 "--ring: '255K' is too little; at least 256K" $record --ring 255K
refuses 2 "--ring: '9G' is too much; at most 8G" $record --ring 9G
refuses 2 "--ring: '1X' is not a size; write it as 64K, 16M or 2G" $record --ring 1X
refuses 2 "--max-size: '1' is too little; at least 64K" $record --max-size 1
refuses 2 "--max-size: '99999999999999999999T' is too much; ..." $record --max-size 99999999999999999999T
refuses 2 "--tag: 'venue' is not K=V, as venue=XETR" $record --tag venue
refuses 2 "--tag: '=x' is not K=V, as venue=XETR" $record --tag =x
refuses 2 "--tag: 'a' is given twice" $record --tag a=1 --tag a=2
refuses 2 "--tag: control characters are not allowed" $record --tag "$(printf 'a=1\033[2J')"
refuses 2 "--tag: more than 32 tags" $record $(for i in $(seq 33); do echo "--tag t$i=v"; done)
refuses 2 "--tag: the name before = is longer than ..." $record --tag "$(head -c 300 /dev/zero | tr '\0' a)=b"
refuses 2 "--color: 'maybe' is unknown; there is auto\|always\|never" $record --color maybe
refuses 2 "-f: 'xml' is unknown; there is text\|json" map -f xml x.gemba
refuses 2 "-f: 'svg' is not in this version; there is text\|json" map -f svg x.gemba
refuses 2 "-o x.svg: the format 'svg' is not in this version; there is text\|json" map -o x.svg x.gemba
refuses 2 "-f: 'perfetto' is not in this version; there is text\|csv\|json" items -f perfetto x.gemba
refuses 2 "--own: 'key' is not in this version; there is connection\|thread" map --own key x.gemba
refuses 2 "--item-timeout: '2h' is not within 1ms and 1h" map --item-timeout 2h x.gemba
refuses 2 "--slowest: '0' is not a number from 1 to 100000" items --slowest 0 x.gemba
refuses 2 "--slowest: '-5' is not ...|--slowest needs N..." items --slowest -5 x.gemba
refuses 2 "--fail-if: ..." map --fail-if 'nonsense' x.gemba
refuses 2 "--fail-if: ..." map --fail-if 'lead_time.p99 > 80' x.gemba
refuses 2 "--fail-if: ..." map --fail-if 'lead_time.p98 > 80us' x.gemba
refuses 2 "--where: ..." items --where 'lead_time' x.gemba
long=$(head -c 100000 /dev/zero | tr '\0' x)
refuses 2 "-p: 'x+' is not a process id...|-p: 'x+..." record -p "$long"
refuses 2 "--fail-if: ..." map --fail-if "$long > 1us" x.gemba
refuses 2 "unknown command 'x+..." "$long"
refuses 1 "x+...: File name too long; give a trace \(\*.gemba\) or a map \(\*.json\)|x+..." map "$long"

# Files
give='; give a trace \(\*.gemba\) or a map \(\*.json\)'
made='; give a file that gemba record or gemba map made'
refuses 2 "no FILE and no TARGET given, and no trace \(\*.gemba\) in this directory; record one first, or give -p PID" map
refuses 2 "no FILE and no TARGET given, ..." items
refuses 1 "missing.gemba: No such file or directory$give" map missing.gemba
refuses 1 "missing.gemba: No such file or directory$give" items missing.gemba
refuses 1 "/: Is a directory$give" map /
refuses 1 "missing/x.gemba: No such file or directory$give" map missing/x.gemba
: >empty.gemba
echo 'hello world' >foreign.gemba
echo '{"schema": "other/1"}' >foreign.json
echo '{"schema": "gemba.map/2"}' >newer.json
echo '{"schema": "gemba.map/1", "families": [' >cut.json
head -c 100000 /dev/zero >zero.gemba
head -c 100000 /dev/urandom >random.gemba
head -c 100000 /dev/zero | tr '\0' '[' >deep.json
refuses 1 "empty.gemba is neither a trace nor a map of gemba \(...\)$made" map empty.gemba
refuses 1 "foreign.gemba is neither a trace nor a map of gemba \(...\)$made" map foreign.gemba
refuses 1 "zero.gemba is neither a trace nor a map of gemba \(...\)$made" map zero.gemba
refuses 1 "random.gemba is neither a trace nor a map of gemba \(...\)$made" map random.gemba
refuses 1 "/dev/null is neither a trace nor a map of gemba \(...\)$made" map /dev/null
refuses 1 "foreign.json is neither a trace nor a map of gemba \(...\)$made" map foreign.json
refuses 1 "newer.json ..." map newer.json
refuses 1 "cut.json is neither a trace nor a map of gemba \(...\)$made" map cut.json
refuses 1 "deep.json is neither a trace nor a map of gemba \(...\)$made" map deep.json
refuses 2 "foreign.json is not a trace; this command needs one, made by gemba record" items foreign.json
refuses 2 "empty.gemba is not a trace; this command needs one, made by gemba record" items empty.gemba

# Traces that were good once
good=$TMP/good.gemba
cp "$data/redis.gemba" "$good"
chmod 644 "$good"
size=$(stat -c %s "$good")
chmod 755 "$TMP" "$TMP/work"
ln -s "$good" link.gemba
succeeds "$gemba" map link.gemba -f json -o "$TMP/good.json"

overwrite() { # FILE OFFSET BYTES(hex): a copy of the good trace with these bytes there
	cp "$good" "$1"
	printf "$(printf '%s' "$3" | sed 's/../\\x&/g')" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
head -c 100 "$good" >head_cut.gemba
head -c 8 "$good" >magic_only.gemba
overwrite head_bad.gemba 60 ffffffffffffffff
overwrite version.gemba 8 ff
refuses 1 "head_cut.gemba: the head of the trace is cut short; nothing can be read, record again" map head_cut.gemba
refuses 1 "magic_only.gemba: the head of the trace is cut short; ..." map magic_only.gemba
refuses 1 "head_bad.gemba: the head of the trace is damaged; nothing can be read, record again" map head_bad.gemba
refuses 1 "head_bad.gemba: the head of the trace is damaged; ..." items head_bad.gemba
refuses 1 "version.gemba was written by a newer gemba; use that one" map version.gemba
refuses 1 "version.gemba was written by a newer gemba; use that one" items version.gemba

# ... of which a part can be read: that is mapped, and said.
overwrite middle.gemba $((size * 2 / 3)) ffffffffffffffff
head -c $((size * 2 / 3)) "$good" >cut.gemba
for name in middle cut; do
	run "$gemba" map $name.gemba -f json -o "$TMP/$name.json"
	same "status of $name" "$status" 0
	[ "$(wc -l <"$TMP/err")" = 1 ] || wrong "$name: not one line: $(said)"
	is_balanced "$TMP/$name.json"
	holds "$TMP/$name.json" '.account.items_in > 0 and .account.items_in < $all' \
		--argjson all "$(json "$TMP/good.json" .account.items_in)"
	run "$gemba" items $name.gemba --slowest 1
	same "status of items $name" "$status" 0
	run "$gemba" map $name.gemba --strict
	same "status of $name --strict" "$status" 4
done
has_doubt "$TMP/middle.json" trace_damaged
has_doubt "$TMP/cut.json" trace_cut
run "$gemba" map middle.gemba
grep -Eq '^gemba: middle.gemba: a block is damaged; [0-9]+ bytes from there on are left out$' "$TMP/err" ||
	wrong "middle.gemba: $(said)"

refuses 2 "...good.json is not a trace; this command needs one, made by gemba record" items "$TMP/good.json"
head -c $(($(stat -c %s "$TMP/good.json") / 2)) "$TMP/good.json" >half.json
refuses 1 "half.json is neither a trace nor a map of gemba \(...\)$made" map half.json
refuses 1 "/dev/stdin is neither ..., a trace by its name and not through a pipe" \
	sh -c "cat '$good' | '$gemba' map /dev/stdin"

# Output
echo precious >there.json
ln -s there.json link.json
mkdir dir
refuses 1 "there.json exists; give another name, or --force to overwrite it" map "$good" -o there.json
refuses 1 "there.json exists; ..." items "$good" -o there.json
refuses 1 "dir exists; ..." map "$good" -o dir
refuses 1 "link.json exists; ...|link.json is a symbolic link; give the file itself" map "$good" -o link.json
refuses 1 "link.json is a symbolic link; give the file itself" map "$good" -o link.json --force
refuses 1 "toolarge.json: cannot be written: File too large" sh -c 'ulimit -f 1; exec "$@"' - "$gemba" map "$good" -f json -o toolarge.json
refuses 2 "no item has what --where asks for; ..." items "$good" --where 'bogus.time > 1us'
refuses 1 "missing/x.json: cannot be written: No such file or directory" map "$good" -o missing/x.json
refuses 1 "dir: cannot be written: Is a directory" map "$good" -o dir --force
refuses 1 "missing.gemba: ..." items missing.gemba -o there.json --force
refuses 2 "foreign.gemba is not a trace; ..." items foreign.gemba -o there.json --force
refuses 1 "foreign.gemba is neither ..." map foreign.gemba -o there.json --force
refuses 2 "-o: '$good' is the file that is read" map "$good" -o "$good" --force
same 'content of the file that exists' "$(cat there.json)" precious
refuses 1 "cannot write to standard output: No space left on device" sh -c "'$gemba' map '$good' >/dev/full"
refuses 1 "cannot write to standard output: No space left on device" sh -c "'$gemba' map '$good' -f json >/dev/full"
refuses 1 "cannot write to standard output: No space left on device" sh -c "'$gemba' items '$good' >/dev/full"
refuses 1 "cannot write to standard output: No space left on device" sh -c "'$gemba' help >/dev/full"
refuses 1 "cannot write to standard output: Bad file descriptor" sh -c "'$gemba' map '$good' >&-"
refuses 1 "cannot write to standard output: Bad file descriptor" sh -c "'$gemba' version >&-"
refuses 1 "/dev/full: cannot be written: No space left on device" map "$good" -o /dev/full --force
[ -c /dev/full ] || fail '/dev/full is gone'
succeeds "$gemba" map "$good" -f text -o text.json # -f says more than the suffix
grep -q '^items ' text.json || wrong '-f text into a file named .json'
printf 'kept\n' >log
succeeds sh -c "'$gemba' map '$good' >>log && '$gemba' items '$good' >>log"
same 'the first line of a log that is added to' "$(head -n 1 log)" kept

# As one without privileges
if [ "$(id -u)" = 0 ]; then
	cp "$gemba" "$TMP/gemba" && chmod 755 "$TMP/gemba"
	needs='to attach needs root, or CAP_BPF with CAP_PERFMON; run it with sudo'
	refuses 1 "$needs" as_nobody "$TMP/gemba" record -p $$ --for 1s
	refuses 1 "$needs" as_nobody "$TMP/gemba" map -p $$ --for 1s
	refuses 1 "$needs" as_nobody "$TMP/gemba" record --for 1s -- sleep 60
	echo secret >secret.gemba && chmod 600 secret.gemba
	refuses 1 "secret.gemba: Permission denied: it belongs to uid 0 alone; read it with sudo, or let that user chown it to you" as_nobody "$TMP/gemba" map secret.gemba
	refuses 1 "y.json: cannot be written: Permission denied" as_nobody "$TMP/gemba" map "$good" -o y.json
fi

# Targets
if [ -z "$GEMBA_NO_BPF" ]; then
	start sleeper env -i sleep 100
	start sleeper2 env -i sleep 100
	(sleep 0.1 & echo $! >"$TMP/zombie"; exec sleep 100) &
	started="$started $!"
	within 5 test -s "$TMP/zombie"
	sleep 0.3
	zombie=$(cat "$TMP/zombie")
	bash -c 'exit 0' &
	gone=$!
	wait $gone
	kernel=$(pgrep -o -x kthreadd) || kernel=2
	start threads memcached -U 0 -p "$(free_port)" -l 127.0.0.1 -u nobody -t 4
	sleep 0.3
	thread=$(ls /proc/$pid/task | tail -n 1)
	for command in 'record -o x.gemba' map check; do
		refuses 1 "no process has pid $gone; look with: pgrep -a NAME" $command -p $gone
		refuses 1 "process $zombie \(...\) has exited; give one that runs" $command -p $zombie
		refuses 2 "pid $kernel \(kthreadd\) is a kernel thread; ...give a user process" $command -p "$kernel"
		refuses 2 "$thread is a thread of process $pid; use -p $pid" $command -p "$thread"
		refuses 1 "no process is named 'no such'...; look with: pgrep ..." $command -n 'no such'
		refuses 2 "[0-9]+ processes are named sleep:...; give one with -p, or --all" $command -n sleep
	done
	refuses 2 "pid [0-9]+ is gemba itself; give the process to observe" sh -c "exec '$gemba' record -p \$\$ -o x.gemba"
	echo precious >there.gemba
	refuses 1 "there.gemba exists; ..." record -p $$ -q -o there.gemba
	refuses 1 "missing/x.gemba: cannot be written: No such file or directory" record -p $$ -o missing/x.gemba
	refuses 1 "/proc/x.gemba: cannot be written: ..." record -p $$ -o /proc/x.gemba
	refuses 1 "cannot run /no/such: No such file or directory; check its path, and of a script what its #! line names" record -q --for 1s -o x.gemba -- /no/such
	refuses 1 "cannot run ./dir: Permission denied; check its path" record -q --for 1s -o there.gemba --force -- ./dir
	refuses 1 "gemba runs in a PID namespace, ...; run it on the host, ..." env \
		unshare --pid --fork --mount-proc "$gemba" record -p 1 --for 100ms -o x.gemba
	refuses 1 "/dev/full: cannot write: No space left on device..." record -q -p $$ --for 100ms -o /dev/full --force
	[ -c /dev/full ] || fail '/dev/full is gone'
	same 'content of the file that exists' "$(cat there.gemba)" precious
	# no message gets into a file that took the number of a closed standard descriptor
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		run sh -c "exec '$gemba' record -p $pid --for 100ms -o '$TMP/closed.gemba' --force $closed"
		same "status of record $closed" "$status" 0
		succeeds "$gemba" map "$TMP/closed.gemba"
	done
	no_probe_left
fi
[ "$nr_failed" = 0 ] || fail "$nr_failed of the above"
