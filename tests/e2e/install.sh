#!/usr/bin/env bash
# make install puts a binary, a manual and completions that work below DESTDIR; uninstall takes
# them away again. And what help and version say.
. tests/e2e/lib.sh
. tests/e2e/lib_traces.sh

install=$TMP/install
make_() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory "$@" >"$TMP/make.log" 2>&1 ||
		fail "make $*: $(tail -n 5 "$TMP/make.log")"
}
make_ install DESTDIR="$install" PREFIX=/usr
same 'files installed' "$(cd "$install" && find . -type f | sort | tr '\n' ' ')" \
	"./usr/bin/gemba ./usr/share/bash-completion/completions/gemba ./usr/share/man/man1/gemba.1 ./usr/share/zsh/site-functions/_gemba "
same 'modes' "$(cd "$install/usr" && stat -c %a bin/gemba share/man/man1/gemba.1 | tr '\n' ' ')" '755 644 '
gemba=$install/usr/bin/gemba

# Nothing else is needed at run time: from an empty environment, in another directory.
version=$(cd / && env -i "$gemba" version) || fail version
[[ $version =~ ^gemba\ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "version: $version"
same '--version' "$("$gemba" --version)" "$version"
same 'help, -h, --help' "$("$gemba" help | md5sum) $("$gemba" -h | md5sum)" \
	"$("$gemba" --help | md5sum) $("$gemba" help | md5sum)"

# Every command that the overview lists explains itself within 80 columns, and options are its own.
commands=$("$gemba" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -v '^gemba$')
at_least 'commands' "$(wc -w <<<"$commands")" 6
for command in $commands; do
	"$gemba" "$command" -h >"$TMP/help" || fail "$command -h"
	"$gemba" help "$command" >"$TMP/help2"
	[ "$command" = help ] || cmp "$TMP/help" "$TMP/help2" || fail "help $command is not $command -h"
	[ "$command" = help ] || grep -q "^usage: gemba $command" "$TMP/help" || fail "$command -h: $(head -n 3 "$TMP/help")"
	at_most "columns of $command -h" "$(wc -L <"$TMP/help")" 80
	for option in $(grep -o '^ \{2,6\}\(-[a-z], \)\?--[a-z-]*' "$TMP/help" | grep -o -- '--[a-z-]*'); do
		grep -q -- "Fl ${option#-}\( \|\$\)" "$install/usr/share/man/man1/gemba.1" ||
			fail "$option of $command is not in the manual"
	done
done

# The manual
man=$install/usr/share/man/man1/gemba.1
grep -q '^\.TH \|^\.Dt ' "$man" || fail 'no title in the manual'
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$man" >"$TMP/lint" || fail "the manual: $(head -n 5 "$TMP/lint")"
	mandoc -T ascii "$man" | col -b >"$TMP/man.txt"
	for word in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' 'gemba record' '\-\-fail-if'; do
		grep -q -- "$word" "$TMP/man.txt" || fail "no $word in the manual"
	done
fi

# The completions, as an interactive bash asks for them
completion=$install/usr/share/bash-completion/completions/gemba
bash -n "$completion" || fail 'bash completion does not parse'
completes() { # WANTED WORD...: the last word is the one to complete
	local wanted=$1 got
	shift
	got=$(cd "$TMP" && PATH=$install/usr/bin:$PATH bash --norc -i -c '
		source "$1"
		shift
		function=$(complete -p gemba | sed "s/.*-F \([^ ]*\) .*/\1/")
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		"$function" gemba "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}" | sed "s/ *$//" | sort | tr "\n" " "' - "$completion" "$@" 2>"$TMP/err") ||
		fail "completion of '$*': $(said)"
	# shellcheck disable=SC2053 # a pattern
	[[ $got == $wanted ]] || fail "'$*' is completed with '$got', not '$wanted'"
}
completes 'record ' gemba re
completes 'map ' gemba m
completes 'check help items map record stages version ' gemba ''
completes '--for --force ' gemba record -p 1 --fo
completes '--fail-if *--format ' gemba map --f
completes 'json text ' gemba map -f ''
completes 'json ' gemba map -f j
completes 'auto ' gemba map --color au
completes 'record ' gemba help rec
: >"$TMP/one.gemba"
: >"$TMP/other.txt"
: >"$TMP/with blank.gemba"
completes '*one.gemba *' gemba map o
completes '*redis-server*' gemba record -- redis-s
completes 'with blank.gemba ' gemba map w
completes "$(cat /proc/$$/comm) " gemba map -n "$(cat /proc/$$/comm)"
if command -v zsh >/dev/null; then
	zsh -n "$install/usr/share/zsh/site-functions/_gemba" || fail 'zsh completion does not parse'
fi

make_ uninstall DESTDIR="$install" PREFIX=/usr
same 'files left by uninstall' "$(find "$install" ! -type d)" ''
