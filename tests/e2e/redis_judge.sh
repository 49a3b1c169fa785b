#!/usr/bin/env bash
# What gemba says about every single read and write of redis, beside what strace saw at the same
# time: per connection, the bytes of each read and of the write that answers it, one by one and in
# order, with 50 clients, and with 50 clients that pipeline 16 requests.
#
# Judge: strace, which stops redis at every system call and shares nothing with gemba.
. "$(dirname "$0")/lib.sh"
skip_without_bpf
need redis-server redis-benchmark strace jq

# strace's lines -> "PORT read|write BYTES", of calls on connections that moved bytes.
calls_of() {
	sed -n 's/.*\(read\|write\)([0-9]*<TCP:\[[^]]*->[^]]*:\([0-9]*\)\]>.* = \([1-9][0-9]*\)$/\2 \1 \3/p' "$1"
}

# Per connection and in order: "PORT BYTES_IN BYTES_OUT". Fails unless reads and writes alternate,
# because then whose a write is would be a matter of opinion.
pairs() {
	awk -v OFS='\t' '
		$2 == "read" && $1 in open { bad = "two reads in a row on port " $1 }
		$2 == "write" && !($1 in open) { bad = "a write without a read on port " $1 }
		$2 == "read" { open[$1] = $3 }
		$2 == "write" { print $1, open[$1], $3; delete open[$1] }
		END {
			for (port in open)
				bad = "a read without a write on port " port
			if (bad) {
				print bad >"/dev/stderr"
				exit 1
			}
		}' | sort -s -k 1,1n
}

run() { # CLIENTS PIPELINE REQUESTS
	local name=judge-c$1-P$2 strace truth=$TMP/truth.tsv seen=$TMP/seen.tsv

	start strace strace -f -yy -s 0 -e trace=read,write,readv,writev,sendto,recvfrom,sendmsg \
		-o "$TMP/strace.log" -p "$redis"
	strace=$pid
	wait_for_line "$TMP/strace.err" attached
	record "$TMP/$name.gemba" "$redis"
	redis-benchmark -p "$port" -n "$3" -t get,set -d 7 -c "$1" -P "$2" --csv >"$TMP/bench.csv" \
		2>"$TMP/bench.err" || fail "redis-benchmark: $(cat "$TMP/bench.err")"
	end_record
	stop "$strace" INT
	same "$name: calls beside read and write" \
		"$(grep -c '\(readv\|writev\|sendto\|recvfrom\|sendmsg\)(.*<TCP' "$TMP/strace.log")" 0
	calls_of "$TMP/strace.log" | pairs >"$truth" || fail "$name: strace's log is no judge"
	items "$TMP/$name.gemba" "$TMP/$name.csv"
	map "$TMP/$name.gemba" "$TMP/$name.json"
	sound "$TMP/$name.json"
	columns "$TMP/$name.csv" recv_ns in_remote_port bytes_in bytes_out | sort -n |
		cut -f 2- | sort -s -k 1,1n >"$seen"
	at_least "$name: pairs that strace saw" "$(wc -l <"$truth")" $(($3 * 2 / $2))
	cmp -s "$truth" "$seen" || {
		diff "$truth" "$seen" | head -n 20
		fail "$name: $(diff "$truth" "$seen" | grep -c '^[<>]') of $(wc -l <"$truth") differ"
	}
	same "$name: items answered on another socket" "$(sent_elsewhere "$TMP/$name.csv")" 0

	# That the judge can tell: a join by "what the thread read last" must not pass.
	items "$TMP/$name.gemba" "$TMP/$name.wrong.csv" --own thread
	columns "$TMP/$name.wrong.csv" recv_ns in_remote_port bytes_in bytes_out | sort -n |
		cut -f 2- | sort -s -k 1,1n >"$seen"
	at_least "$name: pairs that differ when joined by thread" \
		"$(diff "$truth" "$seen" | grep -c '^<')" $(($3 / $2 / 2))
}

start_redis redis
redis=$pid
run 50 1 2000
run 50 16 16000
