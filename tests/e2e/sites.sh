#!/usr/bin/env bash
# Sites against an independent judge, objdump: each on an instruction's start, none moved past a
# place where some jump lands. Then, where probes are allowed, trials on a forked child: all that
# gemba may probe passes, and what is emulated everywhere is emulated here.
. tests/e2e/lib.sh
need objdump redis-server

bench=${BUILD:-build}/bench/bench_site
"${MAKE:-make}" --no-print-directory "$bench" >"$TMP/make" 2>&1 || fail "$(tail -n 3 "$TMP/make")"
binary=$(readlink -f "$(command -v redis-server)")

objdump -d --no-show-raw-insn -j .text "$binary" >"$TMP/code" || fail "objdump"
"$bench" "$binary" >"$TMP/sites"
awk '
	function number(hex, i, n) {
		for (i = 1; i <= length(hex); i++)
			n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
		return n
	}
	FNR == NR && $1 ~ /^[0-9a-f]+:$/ {
		starts[number(substr($1, 1, length($1) - 1))] = 1
		for (i = 2; i < NF; i++)
			if ($i ~ /^j/ && $(i + 1) ~ /^[0-9a-f]+$/)
				lands[number($(i + 1))] = 1
	}
	FNR != NR && $2 ~ /^\+[0-9]+$/ {
		entry = number($1)
		site = entry + substr($2, 2)
		nr++
		if (!(site in starts))
			print "no instruction starts there: " $0
		for (at = entry + 1; at <= site; at++)
			if (at in lands)
				print "a jump lands before it: " $0
	}
	END { if (nr < 1000) print "only " nr " sites" }
' "$TMP/code" "$TMP/sites" >"$TMP/wrong" || fail "awk"
[ ! -s "$TMP/wrong" ] || fail "$(wc -l <"$TMP/wrong") wrong sites: $(head -n 3 "$TMP/wrong")"

[ -z "$GEMBA_NO_BPF" ] || exit 0
"$bench" --trials >"$TMP/trials"
grep -q 'push rbp .*passed' "$TMP/trials" || fail "no trials: $(head -n 3 "$TMP/trials")"
! grep -v ' never ' "$TMP/trials" | grep -E 'FAILED|untried' || fail "a site that gemba would use"
! grep -E ' (nop|push|call|jump)  .* stepped ' "$TMP/trials" || fail "a cheap site is stepped"
[ -z "$(pgrep -P $$ -x bench_site)" ] || fail "a trial's process is left"
