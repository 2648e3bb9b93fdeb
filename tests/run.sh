#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh - runs the test tiers and says how they did.
#
# Usage:  run.sh [TIER...]        without names: every tier that there is, in the order below
#
# A tier is tests/TIER/run.sh; it prints KTAP. It is shown as it runs and kept in build/logs/TIER.log.
# Leaf results are counted. A tier adds one failure for each of: running out of time, exit status
# not 0 without any "not ok", no result at all, a plan that was not kept.
# Last line: "N passed, N failed, N skipped". Exit status 0 only if something ran and nothing failed.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
tests=${HEADWAY_TESTS_DIR:-$top/tests}	# the self-test runs canned tiers
logs=${HEADWAY_LOGS_DIR:-$top/build/logs}

# What is quick and basic comes first. Tiers that are not named here run after these; bench measures
# and does not judge.
order=(unit docs kunit torture benchsmoke coverage distro package bpf tool corpus)
# Seconds. Generous: they catch hangs, and a cold run builds kernels inside of kunit and distro.
declare -A limits=([unit]=600 [kunit]=2400 [torture]=2400 [coverage]=900 [distro]=4800 [package]=900 [bpf]=600 [tool]=600 [corpus]=1200)
default_limit=600

if [ $# -eq 0 ]; then
	for tier in "${order[@]}" "$tests"/*/run.sh; do
		[ "$tier" = "${tier%/run.sh}" ] || tier=$(basename "$(dirname "$tier")")
		case " bench $* " in
		*" $tier "*) continue ;;
		esac
		[ ! -e "$tests/$tier/run.sh" ] || set -- "$@" "$tier"
	done
fi

passed=0 failed=0 skipped=0
summary=()
failures=()
child=

stop() {
	# timeout(1) leads the tier's process group and passes the signal on to all of it.
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null
	wait
	echo "interrupted"
	exit 130
}
trap stop INT TERM HUP

run_tier() {
	local tier=$1 script=$tests/$1/run.sh log=$logs/${1//\//-}.log
	local limit=${HEADWAY_TIER_TIMEOUT:-${limits[$1]:-$default_limit}}
	local status what why p=0 f=0 s=0 started=$SECONDS
	local problems=()

	printf '\n== %s (at most %d s)\n' "$tier" "$limit"
	if [ ! -x "$script" ]; then
		failures+=("$tier: $script is missing or not executable")
		failed=$((failed + 1))
		summary+=("$tier: no such tier")
		return
	fi
	# To a file, followed from outside: a process that the tier left behind could hold a pipe
	# open for ever.
	: >"$log"
	timeout --kill-after=20 "$limit" "$script" >>"$log" 2>&1 </dev/null &
	child=$!
	tail -n +1 -s 0.2 -f --pid="$child" "$log" 2>/dev/null &
	wait "$child"
	status=$?
	child=
	wait

	while read -r what p f s; do
		case $what in
		problem:) problems+=("$p $f $s") ;;
		failed:) failures+=("$tier: $p $f $s") ;;
		tally) break ;;
		esac
	done < <(LC_ALL=C awk -f "$top/tests/lib/tally.awk" "$log")
	[ "${what:-}" = tally ] || p=0 f=0 s=0

	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		problems+=("ran out of time: killed after $limit s")
	elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		problems+=("exit status $status although no result says 'not ok'")
	elif [ "$((p + f + s))" -eq 0 ]; then
		problems+=("no results at all")
	fi
	for why in ${problems[@]+"${problems[@]}"}; do
		printf '!! %s: %s\n' "$tier" "$why"
		failures+=("$tier: $why")
		f=$((f + 1))
	done
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	summary+=("$(printf '%-8s %4d passed, %d failed, %d skipped in %d s' \
		"$tier" "$p" "$f" "$s" $((SECONDS - started)))")
}

mkdir -p "$logs" || exit 1
for tier; do
	run_tier "$tier"
done

printf '\n'
[ ${#summary[@]} -eq 0 ] || printf '%s\n' "${summary[@]}"
if [ ${#failures[@]} -gt 0 ]; then
	printf 'failed (whole output in %s):\n' "${logs#"$top"/}"
	printf '  %s\n' "${failures[@]}"
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
