#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo_guest.sh - the two halves of the demo; demo.sh runs them, each where it can run.
#
# Usage:  demo_guest.sh kernel MODULES      in a VM: livelock among kernel threads, found and cured.
#                                           MODULES: the directory that has headway.ko
#         demo_guest.sh process             anywhere that `headway watch` works: three small programs
#
# It is also a test: exit status 1 if a verdict or a figure is not what the text says, and the lines
# that start with "demo: FAILED" say what.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
headway=$top/build/headway
domain=/sys/kernel/debug/headway/domains/philosophers
tracing=/sys/kernel/tracing
measure_s=4
reach_ms=100	# a round at the table; longer than this machine is likely to be held up
failures=0

step() {
	printf '\n== %s\n' "$*"
}

note() {
	printf '   %s\n' "$@"
}

# run COMMAND...: shows it as a person would type it, then its real output. pipe: the same for a line of shell.
run() {
	local shown="$*"

	printf '$ %s\n' "${shown//$top\/build\//build/}"
	"$@" </dev/null
}

pipe() {
	printf '$ %s\n' "$1"
	bash -o pipefail -c "$1" </dev/null
}

failed() {
	failures=$((failures + 1))
	printf 'demo: FAILED: %s\n' "$*"
}

# snapshot: the domain's figures and the meals, at one instant. By the shell's own means: here, to start
# a program takes long enough for everybody to eat.
declare -A figures=()
snapshot() {
	local line word

	figures=([meals]=0)
	while read -r line; do
		[[ $line == '#'* ]] || figures[${line%%=*}]=${line#*=}
	done <<<"$(<"$domain/summary")"
	while read -r line; do
		for word in $line; do
			[[ $word != meals=* ]] || figures[meals]=$((figures[meals] + ${word#meals=}))
		done
	done </sys/kernel/debug/philosophers/meals
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# await_verdict SECONDS PATTERN: until the watchdog says one of PATTERN; prints what it says last.
await_verdict() {
	local end=$(($(now_ms) + $1 * 1000)) last

	while :; do
		last=$(sed -n 's/^verdict=//p' "$domain/summary")
		# shellcheck disable=SC2254 # a pattern is meant
		case $last in
		$2)
			echo "$last"
			return 0
			;;
		esac
		if [ "$(now_ms)" -ge "$end" ]; then
			echo "$last"
			return 1
		fi
		sleep 0.2
	done
}

# measure POLICY [COMMAND...]: zeroes the counters, lets the philosophers dine for a while, runs COMMAND,
# and adds a row to rows.
rows=
measure() {
	local policy=$1 eaten started ms rate
	shift

	echo 1 >"$domain/reset" || failed "cannot reset the statistics"
	snapshot
	eaten=${figures[meals]}
	started=$(now_ms)
	sleep "$measure_s"
	snapshot
	ms=$(($(now_ms) - started))
	measured_meals=$((figures[meals] - eaten))
	[ $# -eq 0 ] || run "$@" || failed "$*"
	rate=$((measured_meals * 10000 / ms))
	rows+=$(printf '%-12s %-10s %9s %9s %10s %7d %10d.%d' "$policy" "${figures[verdict]}" \
		"${figures[attempts]}" "${figures[commits]}" "${figures[rollbacks]}" "$measured_meals" \
		$((rate / 10)) $((rate % 10)))$'\n'
}

# Every line of `headway stat --json` against the schema.
check_json() {
	local lines

	lines=$("$headway" stat philosophers --json </dev/null) || failed "headway stat --json"
	/usr/bin/python3 -c 'import json, sys, jsonschema
schema = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
lines = [json.loads(line) for line in sys.stdin]
errors = [f"{e.message}: {line}" for line in lines for e in schema.iter_errors(line)]
kinds = {line["type"] for line in lines}
sys.exit("; ".join(errors) or (0 if {"domain", "lock"} <= kinds else f"only {kinds}"))' \
		"$top/userspace/headway.schema.json" <<<"$lines" || failed "headway stat --json is not what its schema says"
}

load() {
	step "Loading headway.ko and philosophers.ko into Linux $(uname -r)"
	note "Five kernel threads sit at a round table; a fork is a Headway lock. Policy 'none': whoever" \
		"finds the second fork taken puts the first one back and tries again, all in step."
	[ ! -e $tracing/trace ] || echo 1 >$tracing/tracing_on
	run insmod "$1/headway.ko" || return
	echo 1 >$tracing/events/headway/headway_verdict/enable || failed "cannot enable the tracepoint"
	run insmod "$1/examples/philosophers.ko" policy=none reach_ms=$reach_ms || return
}

find_livelock() {
	local got

	step "Does anybody eat? The watchdog decides, within a few windows of one second"
	if ! got=$(await_verdict 30 livelock); then
		failed "the watchdog says '$got' after 30 s with policy none, not livelock"
		return
	fi
	note "Verdict: livelock. All are busy, none gets anything done. The kernel log has it:"
	pipe "dmesg | grep 'philosophers: livelock:'" || failed "no line in the kernel log"
	note "the tracepoint headway:headway_verdict:"
	pipe "grep 'headway_verdict: .* to=livelock' $tracing/trace" || failed "no tracepoint"
	note "and debugfs:"
	pipe "grep -E '^(verdict|in_flight|window_(attempts|commits|rollbacks))=' $domain/summary" ||
		failed "no verdict in debugfs"
	step "The same domain, as 'headway stat' shows it after $measure_s s"
	measure none "$headway" stat philosophers
	starved_meals=$measured_meals
	step "'headway watch -k': the finding, with who retries, where, and what to try"
	run "$headway" watch -k philosophers -d 1 --fail-on livelock
	[ $? -eq 3 ] || failed "headway watch -k does not find the livelock"
}

# cure POLICY [COMMAND...]: switches to it, and requires that the philosophers eat.
cure() {
	local policy=$1 got
	shift

	if ! run "$headway" policy philosophers "$policy"; then
		failed "cannot switch to $policy"
		return
	fi
	got=$(await_verdict 15 '[hc]*') || failed "the watchdog says '$got' after 15 s of policy $policy"
	measure "$policy" "$@"
	# A busy machine can hold one philosopher up for long enough to put them all out of step, and then
	# some eat before they fall in again. What counts is that eating is the rule now.
	if [ "$measured_meals" -lt 10 ] || [ "$measured_meals" -lt $((10 * starved_meals)) ]; then
		failed "$measured_meals meals under policy $policy, after $starved_meals under policy none"
	fi
}

cures() {
	local stat=("$headway" stat philosophers) policies policy

	step "Policy ordered"
	note "Every fork has a number; the lower one is taken first, so the ring of waiting is broken." \
		"The policy of a domain is switched while it is in use."
	cure ordered "${stat[@]}"
	step "Policy wound-wait"
	note "Whoever has waited longest asks the holder to put the fork back, and then waits for it."
	cure wound-wait "${stat[@]}"
	step "Policy polite"
	note "As with 'none', nobody waits with a fork in hand; but pauses are random and grow."
	cure polite "${stat[@]}"
	step "All that there are; the rest in short"
	run "$headway" policy philosophers
	mapfile -t policies <<<"$(sed -n 's/^policy=//p' "$domain/policy")"
	[ ${#policies[@]} -ge 4 ] || failed "no list of policies in $domain/policy"
	for policy in "${policies[@]}"; do
		[[ $rows == *"$policy "* ]] || cure "$policy"
	done
}

relapse() {
	local got

	step "Back to policy none: was it the policy?"
	check_json
	run "$headway" policy philosophers none || failed "cannot switch back to none"
	if got=$(await_verdict 30 livelock); then
		note "It was: livelock again."
	else
		failed "the watchdog says '$got' 30 s after going back to policy none"
	fi
}

kernel_half() {
	# Warnings would come between our lines, and the one that matters is shown in its place. A splat
	# is not lost: it taints the kernel, and qemu.sh looks.
	dmesg -n 4
	load "$1" || {
		failed "cannot load the modules"
		return
	}
	find_livelock
	cures
	relapse
	step "What happened, in $measure_s s of each policy"
	printf '%-12s %-10s %9s %9s %10s %7s %11s\n%s' POLICY VERDICT ATTEMPTS COMMITS ROLLBACKS MEALS \
		'MEALS per s' "$rows"
	# Policies are switched between two transactions' conflicts, never in the middle of one.
	! dmesg | grep 'asked for while holding' || failed "a lock was asked for against the order (above)"
	step "Unloading"
	run rmmod philosophers headway || failed "cannot unload the modules"
}

# watch PROGRAM VERDICT EXPLANATION...: what `headway watch` says of a program, for people, and, in a
# second run at the same time, for us.
watch() {
	local program=$top/build/corpus/$1 expected=$2 json state
	shift 2

	step "headway watch: ${program##*/}"
	note "$@"
	json=$tmp/watch.json
	"$headway" watch --json -d 8 -- "$program" >"$json" 2>"$json.err" </dev/null &
	run "$headway" watch -d 8 -- "$program" || failed "headway watch ended with status $?"
	wait $! || failed "headway watch --json: $(tail -1 "$json.err")"
	state=$(sed -n '/"type":"summary"/s/.*"state":"\([^"]*\)".*/\1/p' "$json" | tail -1)
	# contended is a number, not a finding: two threads on a busy machine do meet.
	case $expected:$state in
	healthy:healthy | healthy:contended)
		! grep -q '"type":"finding"' "$json" || failed "a finding about ${program##*/}: $(
			grep -m1 '"type":"finding"' "$json")"
		;;
	"$state:$state")
		grep -q "\"type\":\"finding\".*\"verdict\":\"$expected\"" "$json" ||
			failed "state $state, but no finding '$expected' about ${program##*/}"
		;;
	*) failed "the verdict of ${program##*/} is '${state:-none}', not $expected" ;;
	esac
}

process_half() {
	export CORPUS_SECONDS=30	# longer than we watch
	watch two_lock_grid livelock \
		"Two threads, two mutexes, opposite order: trylock, roll back, sleep to the next 50 ms tick." \
		"No futex call is ever made and the CPUs idle: nothing that other tools look at moves."
	watch two_lock_ordered healthy \
		"Its twin takes the locks in one order. Same calls, same pace, and it completes."
	watch abba_deadlock deadlock \
		"Two threads that wait for each other for good. Seen by the futex calls alone: the word after a" \
		"mutex's futex names its owner."
}

main() {
	case ${1:-} in
	kernel) kernel_half "${2:?where is headway.ko?}" ;;
	process) process_half ;;
	*)
		sed -n '5,8s/^# //p' "$0" >&2
		return 2
		;;
	esac
	[ "$failures" -eq 0 ]
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Through a pipe, as the guest's console is a terminal, and status that overwrites itself is no report.
main "$@" 2>&1 | cat
exit "${PIPESTATUS[0]}"
