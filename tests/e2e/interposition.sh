#!/usr/bin/env bash
# Of a name that several binaries export, the stage is on the one that the process calls. Judge:
# what the dynamic linker says itself (LD_DEBUG=bindings).
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh
skip_without_bpf
need gcc

cd_tmp() { (cd "$TMP" && "$@") >"$TMP/cc" 2>&1 || fail "$(cat "$TMP/cc")"; }

# lib NAME [LIBRARY...]: exports work and NAME_only; needs these libraries.
lib() {
	local name=$1 needed=
	shift
	printf 'int work(int a) { __asm__ volatile(""); return a + %d; }\nint %s_only(int a) { return work(a); }\n' \
		${#name} "$name" >"$TMP/$name.c"
	for one in "$@"; do needed="$needed -l$one"; done
	cd_tmp gcc -O1 -shared -fPIC -o "lib$name.so" -Wl,-soname,"lib$name.so" "$name.c" -L. \
		-Wl,--no-as-needed $needed -Wl,-rpath,"$TMP"
}

lib deep
lib late
lib local_
lib near deep
lib preload
cat >"$TMP/main.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int work(int a);
int main(int argc, char **argv)
{
	if (argc > 1 && !dlopen(argv[1], RTLD_NOW | RTLD_LOCAL))
		return 1;
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 3000; i++) {
		work(i);
		usleep(10000);
	}
	return 0;
}
C
cd_tmp gcc -O1 -o main main.c -L. -Wl,--no-as-needed -lnear -llate -Wl,-rpath,"$TMP"

# resolves TO COMMAND...: what is started calls, and the stage is on, the work of lib TO.
resolves() {
	local to=$1 name
	shift
	start main "$@"
	wait_for_line "$TMP/main.out" ready
	within 5 grep -q "binding file .*main \[0\] to .*symbol \`work'" "$TMP/main.err" || fail "no binding is told"
	name=$(sed -n "s/.*binding file [^ ]*main \[0\] to \([^ ]*\) .*symbol \`work'.*/\1/p" "$TMP/main.err" | head -n 1)
	same 'what the linker says' "$(basename "$name")" "lib$to.so"
	run "$GEMBA" record -p "$pid" -s work --for 300ms --force -o "$TMP/trace.gemba"
	grep -q "stage work: work in .*/lib$to.so, " "$TMP/err" || fail "not lib$to.so: $(said)"
	grep -q 'the process calls this one, not that of lib' "$TMP/err" || fail "does not say so: $(said)"
	stop "$pid"
}

resolves near env LD_DEBUG=bindings LD_BIND_NOW=1 "$TMP/main"
resolves near env LD_DEBUG=bindings LD_BIND_NOW=1 "$TMP/main" "$TMP/liblocal_.so"
resolves preload env LD_DEBUG=bindings LD_BIND_NOW=1 LD_PRELOAD="$TMP/libpreload.so" "$TMP/main"
resolves late env LD_DEBUG=bindings LD_BIND_NOW=1 LD_PRELOAD="$TMP/liblate.so" "$TMP/main"

# Two that dlopen() added: nobody is called by that name.
start main env LD_PRELOAD= "$TMP/main" "$TMP/liblocal_.so"
wait_for_line "$TMP/main.out" ready
run "$GEMBA" record -p "$pid" -s local__only --for 200ms --force -o "$TMP/trace.gemba"
grep -q 'stage local__only: local__only in .*/liblocal_.so' "$TMP/err" || fail "$(said)"
stop "$pid"
no_probe_left
