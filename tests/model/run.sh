#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# model tier: spin checks the models of the lock word (lock.pml) and of the queue (queue.pml) over all
# interleavings, and has to find what is wrong with each broken variant of them.
#
# Usage:  run.sh
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# explore NAME MODEL OPTIONS...: leaves spin's report in $work/NAME.log. Fails when it did not come to
# an end.
explore() {
	local name=$1 model=$2

	shift 2
	mkdir "$work/$name"
	(cd "$work/$name" && spin "$@" -a "$here/$model.pml" >spin.log 2>&1 &&
		gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c 2>&1 &&
		timeout -k 5 240 ./pan -m200000 -n) >"$work/$name.log" 2>&1
}

errors() {
	sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$work/$1.log"
}

complete() {
	! grep -qE 'max search depth too small|out of memory|Search not completed|exceeded' "$work/$1.log"
}

# sound NAME DESCRIPTION MODEL OPTIONS...: all interleavings, and nothing wrong.
sound() {
	local name=$1 description=$2

	shift 2
	explore "$name" "$@"
	if [ "$(errors "$name")" = 0 ] && complete "$name"; then
		sed -n 's/^ *\([0-9.e+]*\) states, stored/# \1 states/p' "$work/$name.log"
		ok "$description"
	else
		not_ok "$description" "$(tail -n 20 "$work/$name.log")"
	fi
}

# control NAME WRONG MODEL OPTIONS...: spin finds this, and not something else.
control() {
	local name=$1 wrong=$2

	shift 2
	explore "$name" "$@"
	if grep -q "^pan:1: .*$wrong" "$work/$name.log"; then
		ok "control: spin finds $name"
	else
		not_ok "control: spin finds $name" "$(tail -n 20 "$work/$name.log")"
	fi
}

ktap_begin model
sound word "the lock word: exclusion, no sleeper left, the oldest never rolled back" lock
for broken in BREAK_RECHECK BREAK_WAKE BREAK_WOUND; do
	control "$broken" "" lock "-D$broken"
done

ww=-DPOLICY=1 wd=-DPOLICY=2 restarts='assertion violated.*restarts' hang='invalid end state'
two="-DTXNS=2 -DLONGEST=3" four="-DTXNS=4 -DCAST -DGIVES_UP"
# shellcheck disable=SC2086 # the options are several words
{
	sound wound_wait "wound-wait: all end, restarts <= 2^k - 1" queue $ww -DBOUND=2
	sound wound_wait_long "wound-wait, 3 locks: restarts <= 2^k - 1" queue $ww -DBOUND=2 $two
	sound wait_die "wait-die: all end, restarts <= 2^k - 1" queue $wd -DBOUND=2 -DENDING
	sound wait_die_long "wait-die, 3 locks: restarts <= 2^k - 1" queue $wd -DBOUND=2 -DENDING $two
	sound four_wound_wait "wound-wait, 4 transactions: all end" queue $ww $four
	sound four_wait_die "wait-die, 4 transactions: all end" queue $wd -DENDING $four
	control RELOCK_OWN "$restarts" queue $ww -DBOUND=2 -DRELOCK_OWN
	control RELOCK_STEALS "$restarts" queue $ww -DBOUND=2 -DRELOCK_STEALS
	control SETTLE "$restarts" queue $ww -DBOUND=2 $two -DSETTLE
	control "dying of one that ends" "$restarts" queue $wd -DBOUND=2 $two
	control BREAK_FREE "$hang" queue $wd -DENDING -DBREAK_FREE
	control BREAK_ENQUEUE "$hang" queue $wd -DENDING -DBREAK_ENQUEUE
	control BREAK_PASS_ON "$hang" queue $ww $four -DBREAK_PASS_ON
}
ktap_end
