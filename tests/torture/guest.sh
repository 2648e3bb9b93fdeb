#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh - torture, inside of the guest: starts the runs of headway_torture.ko, and does what only
# user space can do meanwhile: read and reset debugfs, try to unload headway, fail allocations, and
# make noise.
#
# Usage:  guest.sh BUILD SUITE RUN...      RUN: "NAME PARAMETER=VALUE..."; NAME is the policy, or
#                                          control:NAME, or any other word
#
# KTAP, between what the module says. HEADWAY_TORTURE_SECONDS: length of a run.
# HEADWAY_TORTURE_BRANCHES: if set, all runs together must have taken every branch of headway's slow
# paths.
set -u -o pipefail

build=$1 suite=$2
shift 2
# shellcheck source=tests/lib/ktap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/ktap.sh"

seconds=${HEADWAY_TORTURE_SECONDS:-10}
module=/sys/module/headway_torture/parameters
domains=/sys/kernel/debug/headway/domains
failslab=/sys/kernel/debug/failslab

# Every file of the domain in full, but reset, which can only be written. By the shell itself: where
# all is slow and busy, to start a program for each file takes longer than a run.
read_domain() {
	local file lines

	for file in "$domains"/torture/*; do
		[[ $file != */reset ]] || continue
		mapfile -t lines <"$file"
		[ ${#lines[@]} -gt 0 ] || return
	done
}

# Reads all that there is to read, over and over, and now and then resets the figures. Other domains
# come and go meanwhile, and allocations may fail. The module is told: it goes on until all was read.
read_debugfs() {
	local file lines

	while :; do
		! read_domain || echo 1 >"$module/readings"
		for file in "$domains"/*/{summary,transactions}; do
			mapfile -t lines <"$file"
		done
		echo 1 >"$domains/torture/reset"
		sleep 0.2
	done 2>/dev/null
}

# Programs come and go, and write to each other through pipes.
make_noise() {
	while :; do
		head -c 1M /dev/zero | cat >/dev/null
		sleep 0.1
	done
}

# One allocation in ten fails, in tasks that asked for it.
fail_allocations() {
	echo Y >"$failslab/task-filter"
	echo 10 >"$failslab/probability"
	echo -1 >"$failslab/times"
	echo 0 >"$failslab/verbose"
	# Also those that could wait for memory, which are most.
	echo N >"$failslab/ignore-gfp-wait"
}

# begin PARAMETER=VALUE...: the others are as usual.
begin() {
	local word usual=(control=none policy=wound-wait sorted=N workers=0 pool=0 locks=10000 load=all must=none
		"seconds=$seconds" "patience_ms=${HEADWAY_TORTURE_PATIENCE_MS:-30000}")

	for word in "${usual[@]}" "$@" start=1; do
		# Without a newline: the kernel would take it for a part of the word.
		printf %s "${word#*=}" >"$module/${word%%=*}" || return
	done
}

await() {
	local verdict=

	while read -r verdict <"$module/verdict" && [ "$verdict" = running ]; do
		sleep 0.1
	done
	echo "$verdict"
}

# What a run is called, what it must come to, and with which parameters.
run() {
	local name=$1 expected=$2 verdict reader refused
	shift 2

	if ! begin "$@"; then
		not_ok "$name" "the run does not begin: $*"
		return
	fi
	read_debugfs &
	reader=$!
	if [ "$expected" = pass ]; then
		refused=$(rmmod headway 2>&1)
		[[ $refused == *"in use"* ]] ||
			not_ok "$name.in_use" "unloading headway while it was in use: ${refused:-done}"
	fi
	verdict=$(await)
	kill "$reader"
	wait "$reader" 2>/dev/null
	if [ "$verdict" = "$expected" ]; then
		ok "$name"
	else
		not_ok "$name" "the verdict is $verdict, expected $expected: $*"
	fi
}

# What all runs together have not come by: a last one goes on until it has.
take_missed() {
	local missed

	read -r -a missed <"$module/missed"
	[ ${#missed[@]} -eq 0 ] || run missed pass policy=mixed "must=$(IFS=, && echo "${missed[*]}")"
}

branches_were_taken() {
	local missed

	read -r missed <"$module/missed"
	[ -z "$missed" ] || echo "never taken: $missed"
	[ -z "$missed" ]
}

race_was_found() {
	dmesg | finds "BUG: KCSAN: .*torture_"
}

# More of what is looked at for races than the kernel would by itself, and one that must be found. It is
# where two meet while the kernel looks, and a run ends when it has been caught: more runs, until then.
find_races() {
	local run

	echo 400 >/sys/module/kcsan/parameters/skip_watch
	echo "headway-expect-splat: begin" >/dev/kmsg
	run races.noop-lock caught control=noop-lock seconds=20
	for ((run = 0; run < 50; run++)); do
		! race_was_found || break
		begin control=noop-lock seconds=20 && await >/dev/null
	done
	echo "headway-expect-splat: end" >/dev/kmsg
	check "races.found" race_was_found
}

# The module goes in the middle of its run, with everything in flight.
unload() {
	begin seconds=600 && sleep 1
	check unload rmmod headway_torture
}

ktap_begin "$suite"
insmod "$build/kmod/headway.ko" || exit 3
insmod "$build/tests/torture/headway_torture.ko" || exit 4
if [ -d "$failslab" ]; then
	fail_allocations
	echo Y >"$module/enomem"
else
	skip enomem "this kernel has no failslab; the debug kernel has"
fi
[ ! -d /sys/module/kcsan ] || find_races
make_noise &
noise=$!
for arguments; do
	read -r -a words <<<"$arguments"
	case $arguments in
	control:*) run "${words[0]/:/.}" caught "control=${words[0]#control:}" "${words[@]:1}" ;;
	*) run "${words[0]}" pass "${words[@]:1}" ;;
	esac
done
if [ -n "${HEADWAY_TORTURE_BRANCHES:-}" ]; then
	take_missed
	check "branches" branches_were_taken
fi
unload
kill "$noise"
check unload_headway rmmod headway
ktap_end
