#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# model tier: spin checks the model of the lock word, tests/model/lock.pml, over all interleavings, and
# has to find what is wrong with each broken variant of it.
#
# Usage:  run.sh
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME OPTIONS...: leaves spin's report in $work/NAME.log. Fails when it did not come to an end.
check() {
	local name=$1

	shift
	mkdir "$work/$name"
	(cd "$work/$name" && spin "$@" -a "$here/lock.pml" >spin.log 2>&1 &&
		gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c &&
		timeout -k 5 240 ./pan -m200000 -n) >"$work/$name.log" 2>&1
}

errors() {
	sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$work/$1.log"
}

complete() {
	! grep -qE 'max search depth too small|out of memory|Search not completed|exceeded' "$work/$1.log"
}

ktap_begin model
check sound
if [ "$(errors sound)" = 0 ] && complete sound; then
	sed -n 's/^ *\([0-9.e+]*\) states, stored/# \1 states/p' "$work/sound.log"
	ok "the lock word: exclusion, no sleeper left, the oldest never rolled back"
else
	not_ok "the lock word: exclusion, no sleeper left, the oldest never rolled back" \
		"$(tail -n 20 "$work/sound.log")"
fi
for broken in BREAK_RECHECK BREAK_WAKE BREAK_WOUND; do
	check "$broken" "-D$broken"
	case $(errors "$broken") in
	[1-9]*) ok "control: spin finds $broken" ;;
	*) not_ok "control: spin finds $broken" "$(tail -n 20 "$work/$broken.log")" ;;
	esac
done
ktap_end
