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

cpus=$(nproc)
kinds=() names=() texts=() pids=()	# of the explorations, in order
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# explore NAME MODEL OPTIONS...: leaves spin's report in $work/NAME.log.
explore() {
	local name=$1 model=$2

	shift 2
	mkdir "$work/$name"
	(cd "$work/$name" && spin "$@" -a "$here/$model.pml" >spin.log 2>&1 &&
		gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c 2>&1 &&
		timeout -k 5 400 ./pan -m200000 -n) >"$work/$name.log" 2>&1
}

errors() {
	sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$work/$1.log"
}

complete() {
	! grep -qE 'max search depth too small|out of memory|Search not completed|exceeded' "$work/$1.log"
}

# start NAME MODEL OPTIONS...: explores, beside as many others as there are CPUs.
start() {
	while [ "$(jobs -rp | wc -l)" -ge "$cpus" ]; do
		wait -n
	done
	explore "$@" &
	pids+=("$!")
}

# sound NAME DESCRIPTION MODEL OPTIONS...: all interleavings, and nothing wrong.
sound() {
	kinds+=(sound) names+=("$1") texts+=("$2")
	start "$1" "${@:3}"
}

# control NAME WRONG MODEL OPTIONS...: spin finds this, and not something else.
control() {
	kinds+=(control) names+=("$1") texts+=("$2")
	start "$1" "${@:3}"
}

judge_sound() {
	if [ "$(errors "$1")" = 0 ] && complete "$1"; then
		sed -n 's/^ *\([0-9.e+]*\) states, stored/# \1 states/p' "$work/$1.log"
		ok "$2"
	else
		not_ok "$2" "$(tail -n 20 "$work/$1.log")"
	fi
}

judge_control() {
	if grep -q "^pan:1: .*$2" "$work/$1.log"; then
		ok "control: spin finds $1"
	else
		not_ok "control: spin finds $1" "$(tail -n 20 "$work/$1.log")"
	fi
}

ktap_begin model
sound word "the lock word: exclusion, no sleeper left, the oldest never rolled back" lock
for broken in BREAK_RECHECK BREAK_WAKE BREAK_WOUND; do
	control "$broken" "" lock "-D$broken"
done

ww=-DPOLICY=1 wd=-DPOLICY=2 restarts='assertion violated.*restarts' hang='invalid end state'
two="-DTXNS=2 -DLONGEST=3" four="-DTXNS=4 -DCAST -DGIVES_UP"
detect=-DPOLICY=3 polite=-DPOLICY=4 sorted="-DSORTED -DLOCKS=4 -DSTEPS=5"
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
	sound turns "wound-wait, turns after 1 restart: restarts <= 2^k - 1" queue $ww -DBOUND=2 -DTURNS=1
	sound turns_2 "wound-wait, turns after 2 restarts: restarts <= 2^k - 1" queue $ww -DBOUND=2 -DTURNS=2
	control BREAK_TOKEN "$hang" queue $ww -DBOUND=2 -DTURNS=1 -DBREAK_TOKEN
	control BREAK_HOLDS "$hang" queue $ww -DBOUND=2 -DTURNS=1 -DBREAK_HOLDS
	sound detect "detect: all end, restarts <= 2^k - 1" queue $detect -DBOUND=2
	sound detect_long "detect, 3 locks: restarts <= 2^k - 1" queue $detect -DBOUND=2 $two
	sound detect_sorted "detect, locks in order: no restart" queue $detect $sorted
	control BREAK_NOBODY "$hang" queue $detect -DBOUND=2 -DBREAK_NOBODY
	control BREAK_VICTIM "assertion violated .me!=1" queue $detect -DBOUND=2 -DBREAK_VICTIM
	control BREAK_LATE "$restarts" queue $detect $sorted -DBREAK_LATE
	sound try_first "wound-wait, free locks in any order first: restarts <= 2^k - 1" queue $ww -DBOUND=2 -DTRY_FIRST -DTXNS=2
	sound detect_try_first "detect, free locks in any order first: restarts <= 2^k - 1" queue $detect -DBOUND=2 -DTRY_FIRST -DTXNS=2
	control "wait-die with free locks in any order first" "$restarts" queue $wd -DENDING -DBOUND=2 -DTRY_FIRST -DTXNS=2
	sound polite "polite: all end, restarts <= those before the token" queue $polite -DTURNS=1
	control BREAK_FIRM "$hang" queue $polite -DTURNS=1 -DBREAK_FIRM
}
for i in "${!names[@]}"; do
	wait "${pids[i]}"
	"judge_${kinds[i]}" "${names[i]}" "${texts[i]}"
done
ktap_end
