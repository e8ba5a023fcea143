#!/bin/sh
# SPDX-License-Identifier: MIT
# install - `meson install` into a folder and run from there; prints ok/FAIL lines.
#   install.sh BUILD_DIR
set -u
build=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

result()
{
	# result STATUS NAME
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "FAIL $2"
	fi
}

have()
{
	find "$dest" -path "*/$1" | grep -q .
	result $? "installs $1"
}

DESTDIR=$dest meson install -C "$build" --no-rebuild >"$dest/log" 2>&1
result $? "meson install"
for path in bin/mtatop man1/mtatop.1 man5/mtatop.conf.5 completions/mtatop site-functions/_mtatop \
	vendor_completions.d/mtatop.fish mtatop/mtatop.conf.sample systemd/system/mtatop.service sysusers.d/mtatop.conf; do
	have "$path"
done
bin=$(find "$dest" -path '*/bin/mtatop')
"$bin" --version | grep -q '^mtatop [0-9]'
result $? "the installed program tells its version"
HOME=$dest XDG_CACHE_HOME=$dest/cache "$bin" --demo --once </dev/null >"$dest/once" 2>"$dest/err"
result $? "the installed program prints the demo board once"
grep -q DEMO "$dest/once"
result $? "the demo board is labelled"
for page in man1/mtatop.1 man5/mtatop.conf.5; do
	file=$(find "$dest" -path "*/$page")
	man --warnings -l "$file" >"$dest/page" 2>"$dest/err"
	[ ! -s "$dest/err" ] && [ -s "$dest/page" ]
	result $? "$page renders without a warning"
done
# Every long option and command of --help is in the man page and in each completion.
missing=0
page=$(find "$dest" -path '*/man1/mtatop.1')
for word in $("$bin" --help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
	plain=${word#--}
	for file in "$page" $(find "$dest" -path '*/completions/mtatop' -o -name _mtatop -o -name mtatop.fish); do
		sed 's/\\-/-/g' "$file" | grep -q -- "$plain" || {
			echo "$word is not in ${file#"$dest"}"
			missing=1
		}
	done
done
result $missing "options agree between --help, man page and completions"

missing=0
for what in $("$dest/usr/local/bin/mtatop" check 2>/dev/null | sed 's/.*There are://'); do
	for file in "$page" $(find "$dest" -path '*/completions/mtatop' -o -name _mtatop -o -name mtatop.fish); do
		sed 's/\\-/-/g' "$file" | grep -q -e "\b$what\b" || { echo "no check $what in $file"; missing=1; }
	done
done
result $missing "checks agree between the program, man page and completions"
if command -v systemd-analyze >/dev/null 2>&1; then
	unit=$(find "$dest" -name mtatop.service)
	sed "s,^ExecStart=.*,ExecStart=$bin collect," "$unit" >"$dest/mtatop.service"
	systemd-analyze verify "$dest/mtatop.service" 2>"$dest/err"
	! grep -q "$dest/mtatop.service" "$dest/err"
	result $? "systemd-analyze finds nothing wrong with the unit"
else
	echo "skip systemd-analyze (not here)"
fi
# The README's first command, as it stands there, without a terminal: prints a board and exits 0.
grep -q '^ *sh assets/run' "$top/README.md" && grep -q '^ *sh tests/run' "$top/README.md"
result $? "the README's first screen has the two commands"
out=$dest/run
HOME=$dest XDG_CACHE_HOME=$dest/cache MTATOP_BUILD=$dest/build sh "$top/assets/run" --demo </dev/null >"$out" 2>"$dest/err"
code=$?
[ $code -eq 0 ] || cat "$dest/err"
result $code "sh assets/run builds and prints the board once"
