#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh - runs the test tiers and says how they did.
#
# Usage:  run.sh [TIER...]        without names: every tier that there is, in the order below
#
# A tier is tests/TIER/run.sh; it prints KTAP, which is kept in build/logs/TIER.log. Leaf results are
# counted. A tier adds one failure for each of: running out of time, exit status not 0 without any
# "not ok", no result at all, a plan that was not kept.
# Last line: "N passed, N failed, N skipped". Exit status 0 only if something ran and nothing failed.
#
# HEADWAY_JOBS tiers run at once; without it, 2 where there are two CPUs, as most of them often wait.
# One is shown as it runs; of the others, that they began, still run, and how they ended. With 1, all
# run in the order below. What a tier needs is said by lines in its script:
#   # runs: alone            it measures time: after the others, with nothing beside it
#   # runs: beside           it takes long: begins first, and is not the one that is shown
#   # runs: light            it hardly needs a CPU, but at once: one such is not counted as one of the jobs,
#                            and goes before them
#   # kernels: MACHINE:KERNEL...     it boots these: made beforehand (vm/kernels.sh), beside the first tiers
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
tests=${HEADWAY_TESTS_DIR:-$top/tests}	# the self-test runs canned tiers
logs=${HEADWAY_LOGS_DIR:-$top/build/logs}

# What is quick and basic, and what needs no kernel of its own, comes first. Tiers that are not named here
# run after these; bench measures and does not judge.
order=(unit docs model package kunit torture benchsmoke coverage distro bpf tool top export corpus)
# Seconds. Generous: they catch hangs. Others run beside it, and a cold run makes kernels, for which
# several of the tiers wait.
declare -A limits=([kunit]=3600 [torture]=3600 [coverage]=2400 [distro]=6000 [package]=1200 [corpus]=1200)
default_limit=900 kernels_limit=4800 remind_s=${HEADWAY_REMIND_SECONDS:-30}

if [ $# -eq 0 ]; then
	for tier in "${order[@]}" "$tests"/*/run.sh; do
		[ "$tier" = "${tier%/run.sh}" ] || tier=$(basename "$(dirname "$tier")")
		case " bench $* " in
		*" $tier "*) continue ;;
		esac
		[ ! -e "$tests/$tier/run.sh" ] || set -- "$@" "$tier"
	done
fi
jobs=${HEADWAY_JOBS:-$(($(nproc) > 1 ? 2 : 1))}
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { echo "HEADWAY_JOBS: '$jobs' is no number of tiers" >&2; exit 2; }

# By a tier's place in the arguments.
tiers=("$@") how=() limit_s=() began=() pid=() summary=() failures=()
declare -A shown=() hidden=() queued=()	# the places of tiers that run, and of those that have not begun
light=''	# the place of the light one that runs, or ran last
passed=0 failed=0 skipped=0
tail_pid='' kernels_pid=''

# said KEY TIER: what the line "# KEY: ..." in the tier's script says.
said() {
	[ ! -r "$tests/$2/run.sh" ] || sed -n "1,40s/^# $1: //p" "$tests/$2/run.sh"
}

# Not through a shell's job table: it is asked again and again, and must not block.
runs() {
	kill -0 "$1" 2>/dev/null
}

stop() {
	local i

	trap '' INT TERM HUP
	# timeout(1) leads the tier's process group and passes the signal on to all of it.
	for i in "${!shown[@]}" "${!hidden[@]}"; do
		kill -TERM "${pid[i]}" 2>/dev/null
	done
	[ -z "$kernels_pid" ] || kill -TERM "$kernels_pid" 2>/dev/null
	wait
	echo "interrupted"
	exit 130
}
trap stop INT TERM HUP

log_of() {
	echo "$logs/${tiers[$1]//\//-}.log"
}

# begin PLACE shown|hidden
begin() {
	local i=$1 tier=${tiers[$1]} script=$tests/${tiers[$1]}/run.sh log command

	command=("$script")
	unset "queued[$i]"
	log=$(log_of "$i")
	limit_s[i]=${HEADWAY_TIER_TIMEOUT:-${limits[$tier]:-$default_limit}}
	began[i]=$SECONDS
	if [ "$2" = shown ]; then
		printf '\n== %s (at most %d s)\n' "$tier" "${limit_s[i]}"
	else
		printf -- '-- %s: begins beside the others (at most %d s); see %s\n' \
			"$tier" "${limit_s[i]}" "${log#"$top"/}"
	fi
	if [ ! -x "$script" ]; then
		failures[i]="$tier: $script is missing or not executable"$'\n'
		failed=$((failed + 1))
		summary[i]="$tier: no such tier"
		return
	fi
	# To a file, followed from outside: a process that the tier left behind could hold a pipe
	# open for ever.
	: >"$log"
	[ "$jobs" -eq 1 ] || [ "${how[i]}" != light ] || command=(nice -n -10 "$script")
	timeout --kill-after=20 "${limit_s[i]}" "${command[@]}" >>"$log" 2>&1 </dev/null &
	pid[i]=$!
	if [ "$2" = shown ]; then
		shown[$i]=1
		tail -n +1 -s 0.2 -f --pid="${pid[i]}" "$log" 2>/dev/null &
		tail_pid=$!
	else
		hidden[$i]=$SECONDS
	fi
}

# end PLACE: counts its results. The tier is gone.
end() {
	local i=$1 tier=${tiers[$1]} status what why line p=0 f=0 s=0
	local problems=() wrong=()

	wait "${pid[i]}"
	status=$?
	[ -z "${shown[$i]:-}" ] || wait "$tail_pid"
	while read -r what p f s; do
		case $what in
		problem:) problems+=("$p $f $s") ;;
		failed:) wrong+=("$tier: $p $f $s") ;;
		note:) wrong+=("    $p $f $s") ;;
		tally) break ;;
		esac
	done < <(LC_ALL=C awk -f "$top/tests/lib/tally.awk" "$(log_of "$i")")
	[ "${what:-}" = tally ] || p=0 f=0 s=0

	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		problems+=("ran out of time: killed after ${limit_s[i]} s")
	elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		problems+=("exit status $status although no result says 'not ok'")
	elif [ "$((p + f + s))" -eq 0 ]; then
		problems+=("no results at all")
	fi
	for why in ${problems[@]+"${problems[@]}"}; do
		[ -z "${shown[$i]:-}" ] || printf '!! %s: %s\n' "$tier" "$why"
		wrong+=("$tier: $why")
		f=$((f + 1))
	done
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf -v line '%-8s %4d passed, %d failed, %d skipped in %d s' \
		"$tier" "$p" "$f" "$s" $((SECONDS - began[i]))
	summary[i]=$line
	[ ${#wrong[@]} -eq 0 ] || printf -v 'failures[i]' '%s\n' "${wrong[@]}"
	if [ -n "${hidden[$i]:-}" ]; then
		printf -- '-- %s\n' "$line"
		printf '%s' "${failures[i]:-}" | sed 's/^/!! /'
	fi
	unset "shown[$i]" "hidden[$i]"
}

# pick HOW...: sets $next to the first in the queue that runs in one of these ways.
pick() {
	for next in "${!tiers[@]}"; do
		[ -z "${queued[$next]:-}" ] || [[ " $* " != *" ${how[next]} "* ]] || return 0
	done
	return 1
}

# The light one that began last still runs.
has_light() {
	[ -n "${hidden[${light:-none}]:-}${shown[${light:-none}]:-}" ]
}

# Fewer are hidden than may be.
has_room() {
	local counted=${#hidden[@]}

	[ -z "${hidden[${light:-none}]:-}" ] || counted=$((counted - 1))
	[ "$counted" -lt $((jobs - 1)) ]
}

# The next to be shown: what is not for it only when there is nothing else, nor soon will be.
pick_shown() {
	[ ${#shown[@]} -eq 0 ] || return
	if [ "$jobs" -eq 1 ]; then
		pick any beside light alone
		return
	fi
	pick any && return
	[ ${#hidden[@]} -eq 0 ] || return
	pick beside || pick light || { [ -z "$kernels_pid" ] && pick alone; }
}

# Begins what may begin now. Returns 1 when nothing runs and nothing is left.
fill() {
	local next

	while pick_shown; do
		[ "${how[next]}" != light ] || light=$next
		begin "$next" shown
	done
	while [ "$jobs" -gt 1 ] && has_room && { pick beside || pick any; }; do
		begin "$next" hidden
	done
	if [ "$jobs" -gt 1 ] && ! has_light && pick light; then
		light=$next
		begin "$next" hidden
	fi
	[ $((${#shown[@]} + ${#hidden[@]} + ${#queued[@]})) -gt 0 ]
}

# Looks who has ended, and reminds of who has not.
look() {
	local i

	for i in "${!shown[@]}" "${!hidden[@]}"; do
		if ! runs "${pid[i]}"; then
			end "$i"
		elif [ -n "${hidden[$i]:-}" ] && [ $((SECONDS - hidden[$i])) -ge "$remind_s" ]; then
			hidden[$i]=$SECONDS
			printf -- '-- %s: still runs, for %d s now\n' "${tiers[i]}" $((SECONDS - began[i]))
		fi
	done
	if [ -n "$kernels_pid" ] && ! runs "$kernels_pid"; then
		# Whoever needs the kernel that is missing will try to make it, and say why it cannot.
		wait "$kernels_pid" || echo "-- kernels: not all could be made; see ${logs#"$top"/}/kernels.log"
		kernels_pid=
	fi
}

mkdir -p "$logs" || exit 1
kernels=()
for i in "${!tiers[@]}"; do
	queued[$i]=1
	how[i]=$(said runs "${tiers[i]}")
	[[ ${how[i]} =~ ^(alone|beside|light)$ ]] || how[i]=any
	read -r -a words <<<"$(said kernels "${tiers[i]}")"
	kernels+=(${words[@]+"${words[@]}"})
done
if [ "$jobs" -gt 1 ] && [ ${#kernels[@]} -gt 0 ]; then
	timeout --kill-after=20 "$kernels_limit" "$tests/vm/kernels.sh" "${kernels[@]}" \
		>"$logs/kernels.log" 2>&1 </dev/null &
	kernels_pid=$!
fi
while fill; do
	# A fifth of a second, but a signal is heard at once.
	sleep 0.2 &
	wait $!
	look
done

printf '\n'
[ ${#summary[@]} -eq 0 ] || printf '%s\n' "${summary[@]}"
if [ ${#failures[@]} -gt 0 ]; then
	printf 'failed (whole output in %s):\n' "${logs#"$top"/}"
	printf '%s' "${failures[@]}" | sed 's/^/  /'
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
