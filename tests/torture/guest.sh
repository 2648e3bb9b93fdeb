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

reads=/tmp/reads			# a line for each file that was read in full

# What of the domain's files was not yet read to its end; all but reset can be read.
unread() {
	local file done=

	[ ! -e "$reads" ] || done=$(<"$reads")
	for file in "$domains"/torture/*; do
		[[ $file == */reset || $'\n'$done$'\n' == *$'\n'$file$'\n'* ]] || echo "$file"
	done
}

# Reads all that there is to read, over and over, and now and then resets the figures. Other domains
# come and go meanwhile, and allocations may fail. What was not reached in an earlier run is first.
read_debugfs() {
	local file

	while :; do
		for file in $(unread) "$domains"/torture/*; do
			cat "$file" >/dev/null && echo "$file" >>"$reads"
		done
		cat "$domains"/*/summary "$domains"/*/transactions >/dev/null
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
	local word usual=(control=none policy=wound-wait sorted=N workers=0 pool=0 locks=100000 load=all must=none
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

debugfs_was_read() {
	unread | sed 's/^/never read: /' | { ! grep .; }
}

branches_were_taken() {
	local missed

	read -r missed <"$module/missed"
	[ -z "$missed" ] || echo "never taken: $missed"
	[ -z "$missed" ]
}

# More of what is looked at for races than the kernel would by itself, and one that must be found.
find_races() {
	echo 400 >/sys/module/kcsan/parameters/skip_watch
	echo "headway-expect-splat: begin" >/dev/kmsg
	run races.noop-lock caught control=noop-lock seconds=20
	echo "headway-expect-splat: end" >/dev/kmsg
	check "races.found" eval 'dmesg | grep "BUG: KCSAN: .*torture_"'
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
# Over all runs: on a slow machine, starting a reader takes as long as a run.
check "debugfs is read meanwhile" debugfs_was_read
[ -z "${HEADWAY_TORTURE_BRANCHES:-}" ] || check "branches" branches_were_taken
unload
kill "$noise"
check unload_headway rmmod headway
ktap_end
