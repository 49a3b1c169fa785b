#!/usr/bin/env bash
# Nobody can work longer than they ran: per thread, the process time of all items together is at
# most the CPU time that the kernel charged to the thread while gemba looked; and it is not next
# to nothing either, when all that a thread does is to serve. With one thread (redis) and with
# four (memcached).
#
# Judge: the scheduler's own account, /proc/PID/task/TID/schedstat (ns), or utime + stime of
# /proc/PID/task/TID/stat (ticks) where the kernel has none.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need redis-server redis-benchmark memcached jq

# "TID NS" of each thread.
cpu_times() {
	local task tick_ns=$((1000000000 / $(getconf CLK_TCK)))
	for task in /proc/"$1"/task/*; do
		if [ -r "$task/schedstat" ]; then
			echo "${task##*/} $(cut -d ' ' -f 1 "$task/schedstat")"
		else
			echo "${task##*/} $(sed 's/.*) //' "$task/stat" |
				awk -v tick=$tick_ns '{ print ($12 + $13) * tick }')"
		fi
	done
}

# Per thread, on-CPU time of the step that ends with its send. JSON items have one line each.
process_times() {
	jq -r '.[] | .stations[] | select(.name == "send" and .on_cpu_ns != null) |
		[.tid, .on_cpu_ns] | @tsv' "$1" |
		awk '{ ns[$1] += $2 } END { for (tid in ns) print tid, ns[tid] }'
}

# At most all of the CPU time (2 ticks are forgiven to a judge that counts ticks), at least LEAST
# of it: the rest is reading, polling, and the kernel's network stack.
judge() { # NAME BEFORE AFTER ITEMS.json LEAST THREADS
	local slack=0
	[ -r /proc/self/schedstat ] || slack=$((2 * 1000000000 / $(getconf CLK_TCK)))
	process_times "$4" >"$TMP/process"
	awk -v name="$1" -v slack=$slack -v least="$5" -v threads="$6" '
		FILENAME == ARGV[1] { before[$1] = $2; next }
		FILENAME == ARGV[2] { cpu[$1] = $2 - before[$1]; next }
		{
			n++
			printf "# %s: thread %s: %.3f s of process in %.3f s of CPU\n", name, $1,
				$2 / 1e9, cpu[$1] / 1e9
			if ($2 > cpu[$1] + slack) { print "more than it ran"; bad = 1 }
			if ($2 < least * cpu[$1]) { print "next to nothing"; bad = 1 }
		}
		END {
			if (n != threads) { print n " threads, not " threads; bad = 1 }
			exit bad
		}' "$2" "$3" "$TMP/process" || fail "$1: process time beside CPU time"
}

# The window is wider than the capture by what the target does before and after the load: nothing.
look() { # NAME PID LEAST THREADS COMMAND...
	local name=$1 target=$2 least=$3 threads=$4
	shift 4
	record "$TMP/$name.gemba" "$target"
	cpu_times "$target" >"$TMP/before"
	"$@" >"$TMP/load.out" 2>&1 || fail "$name: $(tail -n 1 "$TMP/load.out")"
	cpu_times "$target" >"$TMP/after"
	end_record
	map "$TMP/$name.gemba" "$TMP/$name.map.json"
	sound "$TMP/$name.map.json"
	items "$TMP/$name.gemba" "$TMP/$name.items.json"
	judge "$name" "$TMP/before" "$TMP/after" "$TMP/$name.items.json" "$least" "$threads"
}

start_redis redis
redis=$pid
look redis-c50-P1 "$redis" 0.05 1 redis-benchmark -p "$port" -n 30000 -t get -c 50 --csv
look redis-c50-P16 "$redis" 0.05 1 redis-benchmark -p "$port" -n 100000 -t get -c 50 -P 16 --csv
stop "$redis"
start_memcached memcached 4
memcached=$pid
memcached_fill "$port" 8
look memcached "$memcached" 0.02 4 memcached_load "$port" 8 300
