#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftest_lanes.sh - does run.sh run tiers side by side, and alone where they ask for it, and forget none?
# (run by the unit tier)
#
# Canned tiers, run by the real run.sh, leave in $meet when they began, and that they have ended.
# shellcheck disable=SC2016 # single-quoted dollars are the tiers'
# shellcheck disable=SC2317 # the functions below are called by check
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$here/ktap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export meet=$work/meet HEADWAY_TESTS_DIR=$work/tests HEADWAY_LOGS_DIR=$work/logs
unset HEADWAY_JOBS

# What a tier is made of. "together OTHER": it runs at the same time as that one.
shared='
ran() { [ -e "$meet/$1.began" ] && [ ! -e "$meet/$1.ended" ]; }
together() {
	for _ in $(seq "${patience:-100}"); do
		! ran "$1" || { touch "$meet/$name.saw"; break; }
		sleep 0.1
	done
	for _ in $(seq "${patience:-100}"); do
		[ ! -e "$meet/$1.saw" ] || return 0
		sleep 0.1
	done
	return 1
}
result() { if [ "$1" -eq 0 ]; then echo "ok 1 - $name"; else echo "not ok 1 - $name"; fi; }
'

# tier NAME LINE [BODY]: with this line at its top, and this to do between its beginning and its end.
tier() {
	mkdir -p "$work/tests/$1"
	{
		printf '#!/bin/bash\n# runs: %s\nname=%s\n%s\n' "$2" "$1" "$shared"
		printf 'touch "$meet/$name.began"\necho "$name" >>"$meet/order"\nprintf "KTAP version 1\\n1..1\\n"\n'
		printf '%s\n' "${3:-result 0}"
		printf 'touch "$meet/$name.ended"\n'
	} >"$work/tests/$1/run.sh"
	chmod +x "$work/tests/$1/run.sh"
}

# begin_case: no tier is there, and none has run.
begin_case() {
	rm -rf "$meet" "$work/tests"
	mkdir -p "$meet"
}

# judge STATUS LAST_LINE TIER...: run.sh's, with what it said in $work/output.
judge() {
	local expected=$1 last=$2 status
	shift 2

	"$top/tests/run.sh" "$@" >"$work/output" 2>&1
	status=$?
	if [ "$status" -ne "$expected" ] || [ "$(tail -n 1 "$work/output")" != "$last" ]; then
		echo "status $status, not $expected with '$last', from:"
		cat "$work/output"
		return 1
	fi
}

says() {
	grep -qxE -- "$1" "$work/output" || {
		echo "no line '$1' in:"
		cat "$work/output"
		return 1
	}
}

says_not() {
	! says "$1" >"$work/says"
}

order_is() {
	[ "$(xargs <"$meet/order")" = "$*" ] || {
		echo "the order was: $(xargs <"$meet/order")"
		return 1
	}
}

two_at_once() {
	begin_case
	tier a any 'together b; result $?'
	tier b any 'together a; result $?'
	export HEADWAY_JOBS=2
	check "two tiers run at once" judge 0 '2 passed, 0 failed, 0 skipped' a b
	check "both are in the summary" says 'b +1 passed, 0 failed, 0 skipped in [0-9]+ s'
	check "the one is shown" says 'ok 1 - a'
	check "the other is not" says_not 'ok 1 - b'
	begin_case
	tier a any 'patience=10 together b; result $?'
	tier b any 'patience=10 together a; result $?'
	export HEADWAY_JOBS=1
	check "HEADWAY_JOBS=1: one by one" judge 1 '0 passed, 2 failed, 0 skipped' b a
	check "HEADWAY_JOBS=1: in order" order_is b a
	check "HEADWAY_JOBS=1: both are shown" eval "says 'not ok 1 - a' && says 'not ok 1 - b'"
	export HEADWAY_JOBS=none
	check "HEADWAY_JOBS that is no number is refused" judge 2 "HEADWAY_JOBS: 'none' is no number of tiers" a
	export HEADWAY_JOBS=2
}

beside_and_alone() {
	begin_case
	tier quiet alone '! ran short && ! ran other && ! ran long; result $?'
	tier short any 'result 0'
	tier other any 'together long; result $?'
	tier long beside 'together other; sleep 1; result $?'
	check "alone: after the others, nothing beside" judge 0 '4 passed, 0 failed, 0 skipped' quiet short other long
	check "alone: it came last" eval '[ "$(tail -n 1 "$meet/order")" = quiet ]'
	check "beside: it is not shown" says_not 'ok 1 - long'
	begin_case
	tier quiet any 'sleep 1; ! ran long; result $?'
	tier long beside 'sleep 2; result 0'
	check "control: not alone, it sees another" judge 1 '1 passed, 1 failed, 0 skipped' quiet long
}

light_ones() {
	begin_case
	tier a any 'together b && together c && together d; result $?'
	tier b beside 'together a; result $?'
	tier c light 'together a; r=$?; ! ran d; result $((r | $?))'
	tier d light 'together a; r=$?; ! ran c; result $((r | $?))'
	check "light: beside as many as may run, one by one" judge 0 '4 passed, 0 failed, 0 skipped' a b c d
	begin_case
	tier c light 'patience=10 together d; result $?'
	tier d light
	export HEADWAY_JOBS=1
	check "HEADWAY_JOBS=1: a light one runs by itself" judge 1 '1 passed, 1 failed, 0 skipped' c d
	export HEADWAY_JOBS=2
	check "light: when nothing else is to run" judge 1 '1 passed, 1 failed, 0 skipped' c d
}

what_goes_wrong_beside() {
	begin_case
	tier good any
	tier bad beside 'result 1; exit 1'
	check "a failure beside counts" judge 1 '1 passed, 1 failed, 0 skipped' good bad
	check "a failure beside is shown when it ends" says '!! bad: not ok 1 - bad'
	check "a failure beside is shown at the end" says '  bad: not ok 1 - bad'
	begin_case
	tier good any
	tier bad beside 'exit 3'
	check "a crash beside counts" judge 1 '1 passed, 2 failed, 0 skipped' good bad
	begin_case
	tier good any
	tier bad beside 'sleep 60'
	export HEADWAY_TIER_TIMEOUT=3 HEADWAY_REMIND_SECONDS=1
	check "a hang beside ends by its limit" judge 1 '1 passed, 2 failed, 0 skipped' good bad
	check "a hang beside: says why" says '!! bad: ran out of time: killed after 3 s'
	check "what runs beside is told of" says '-- bad: still runs, for [0-9]+ s now'
	unset HEADWAY_TIER_TIMEOUT HEADWAY_REMIND_SECONDS
	begin_case
	tier good any
	mkdir -p "$work/tests/bad"
	check "a tier that is not there counts" judge 1 '1 passed, 1 failed, 0 skipped' bad good
}

# Every one of these processes has gone, or goes now.
all_gone() {
	local process

	for process; do
		for _ in $(seq 50); do
			kill -0 "$process" 2>/dev/null || continue 2
			sleep 0.1
		done
		echo "process $process still runs"
		return 1
	done
}

# interrupted SIGNAL: in the middle of two tiers, and of a kernel.
interrupted() {
	local runner status sleepers=() name

	begin_case
	# Each a process of its own, to be found by its id; a shell that waits for it takes no notice of signals.
	tier a any 'sleep 300 & echo $! >"$meet/a.pid"; wait'
	tier b beside 'sleep 300 & echo $! >"$meet/b.pid"; wait'
	canned_kernels 'sleep 300 & echo $! >"$meet/kernels.pid"; wait'
	sed -i '2i # kernels: uml:any' "$work/tests/b/run.sh"
	# What runs in the background of a script ignores SIGINT, and could not stop to.
	env --default-signal=INT "$top/tests/run.sh" a b >"$work/output" 2>&1 &
	runner=$!
	for name in a b kernels; do
		for _ in $(seq 100); do
			[ ! -s "$meet/$name.pid" ] || break
			sleep 0.1
		done
		[ -s "$meet/$name.pid" ] || { echo "$name has not begun" && kill "$runner" && return 1; }
		sleepers+=("$(<"$meet/$name.pid")")
	done
	kill -s "$1" "$runner"
	wait "$runner"
	status=$?
	all_gone "${sleepers[@]}" || return
	says interrupted || return
	[ "$status" -eq 130 ] || {
		echo "status $status"
		return 1
	}
}

canned_kernels() {
	mkdir -p "$work/tests/vm"
	printf '#!/bin/bash\n%s\n' "$1" >"$work/tests/vm/kernels.sh"
	chmod +x "$work/tests/vm/kernels.sh"
}

kernels_are_made() {
	begin_case
	tier a any 'for _ in $(seq 100); do [ ! -e "$meet/kernels" ] || break; sleep 0.1; done; result $?'
	tier quiet alone '[ -e "$meet/made" ]; result $?'
	sed -i '2i # kernels: uml:one qemu:two' "$work/tests/a/run.sh"
	sed -i '2i # kernels: uml:three' "$work/tests/quiet/run.sh"
	canned_kernels 'echo "$*" >"$meet/kernels"; sleep 2; touch "$meet/made"'
	check "kernels: made beside the tiers, before those that run alone" \
		judge 0 '2 passed, 0 failed, 0 skipped' a quiet
	check "kernels: all that are asked for" eval '[ "$(<"$meet/kernels")" = "uml:one qemu:two uml:three" ]'
	canned_kernels 'echo "$*" >"$meet/kernels"; touch "$meet/made"; exit 1'
	check "kernels: those that need one judge" judge 0 '2 passed, 0 failed, 0 skipped' a quiet
	check "kernels: said when one could not be made" says '-- kernels: not all could be made; see .*'
}

ktap_begin selftest.lanes
two_at_once
beside_and_alone
light_ones
what_goes_wrong_beside
kernels_are_made
for signal in INT TERM; do
	check "SIG$signal ends all that runs" interrupted "$signal"
done
ktap_end
