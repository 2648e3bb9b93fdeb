#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh - the tests of the modules on a kernel of Debian's, or one with all checks. run.sh boots it.
#
# Usage:  guest.sh MODULES
#
# MODULES: a directory with kmod/ and tests/kunit/, built for this kernel
#
# Prints KTAP documents: the KUnit suites, run by the kernel's KUnit or by kunit_shim.h, and the sessions
# below, which use the modules as an administrator does; on PREEMPT_RT, first, that the module refuses
# to load. "BPF pass|fail" tells run.sh whether the tool's probes work.
#
# Every wait has a limit, and running into it is a failure. Limits are generous: the machine is
# emulated. Lines of the kernel log are found behind a marker that the test itself writes.
# shellcheck disable=SC2317 # the functions below are called by check
set -u -o pipefail

modules=${1:?where are the modules?}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"
root=/sys/kernel/debug/headway
domain=$root/domains/philosophers
tracing=/sys/kernel/tracing
headway=$top/build/headway
load_args=()	# of headway.ko
reach_ms=100	# a round at the table: longer than the emulated machine is likely to be held up

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# within SECONDS COMMAND...: repeats it until it succeeds.
within() {
	local end=$(($(now_ms) + $1 * 1000))
	shift

	until "$@"; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# log_since MARKER: the kernel log after the marker, without time stamps.
log_since() {
	dmesg | sed -E 's/^\[ *[0-9.]+\] //' | awk -v marker="$1" 'found; index($0, marker) { found = 1 }'
}

mark_log() {
	echo "headway-test: $1" >/dev/kmsg
}

verdict_is() {
	grep -qx "verdict=$1" "$domain/summary"
}

# field FILE NAME: the value of a line NAME=VALUE.
field() {
	sed -n "s/^$2=//p" "$1"
}

meals() {
	local line sum=0

	while read -r line; do
		[[ $line != seat=* ]] || {
			line=${line#*meals=}
			sum=$((sum + ${line%% *}))
		}
	done </sys/kernel/debug/philosophers/meals
	echo "$sum"
}

ate_more_than() {
	[ "$(meals)" -gt "$1" ]
}

# fails_with TEXT COMMAND...: it fails, and says why.
fails_with() {
	local text=$1 output
	shift

	if output=$("$@" 2>&1); then
		echo "it succeeded, but should fail with: $text"
		return 1
	fi
	[[ $output == *"$text"* ]] || {
		echo "it failed with: $output"
		echo "and not with: $text"
		return 1
	}
}

write_to() {
	echo "$2" >"$1"
}

logged() {
	log_since 'headway-test: philosophers' | grep -q "$1"
}

# One look at the summary, so that its lines belong together: busy, and nothing comes of it.
is_livelocked() {
	local line
	local -A now=()

	# Read at once: bash seeks back after each line, and the file is made anew for each seek.
	while read -r line; do
		[[ $line == '#'* ]] || now[${line%%=*}]=${line#*=}
	done <<<"$(<"$domain/summary")"
	[ "${now[verdict]}" = livelock ] && [ "${now[window_commits]}" -eq 0 ] &&
		[ "${now[window_rollbacks]}" -ge 16 ]
}

is_not_livelocked() {
	! verdict_is livelock
}

load_headway() {
	insmod "$modules/kmod/headway.ko" ${load_args[@]+"${load_args[@]}"}
}

# ---- PREEMPT_RT -----------------------------------------------------------------------------

refused() {
	fails_with "Operation not supported" insmod "$modules/kmod/headway.ko" "$@"
}

# log_has COUNT MARKER PATTERN: that many lines after the marker match.
log_has() {
	local count

	count=$(log_since "headway-test: $2" | grep -cE "$3")
	[ "$count" -eq "$1" ] || {
		echo "$count lines, not $1, match $3"
		return 1
	}
}

nothing_is_left() {
	[ ! -e /sys/module/headway ] && [ ! -e "$root" ] && [ ! -e "$tracing/events/headway" ] &&
		! grep -q headway /proc/modules
}

refuse_rt() {
	ktap_begin "distro.$(uname -r).refusal"
	mark_log refusal
	check "refused, since there is no priority inheritance" refused
	check "refused with allow_without_pi=0" refused allow_without_pi=0
	check "the kernel log says each time in one line why, and what to do" log_has 2 refusal \
		'^headway: not loaded on PREEMPT_RT: .* no priority inheritance.* allow_without_pi=1$'
	check "nothing is left" nothing_is_left
	load_args=(allow_without_pi=1)
	mark_log allowed
	check "loads with allow_without_pi=1" load_headway
	check "the kernel log warns" log_has 1 allowed '^headway: on PREEMPT_RT without priority inheritance'
	check "unloads" rmmod headway
	ktap_end
}

# ---- the KUnit suites -----------------------------------------------------------------------

# A document of its own, from the kernel log; whether it was all there is told by the other one.
run_suites() {
	local status report verdict passed failed skipped

	mark_log suites
	insmod "$modules/tests/kunit/headway_kunit.ko"
	status=$?
	report=$(log_since 'headway-test: suites' | grep -E '^ *(KTAP version|1\.\.|ok |not ok |# )')
	printf '%s\n' "$report"
	suites_planned=$(grep -m1 -E '^1\.\.' <<<"$report")
	suites_seen=$(grep -cE '^(not )?ok ' <<<"$report")
	suites_failed=$(grep -cE '^not ok ' <<<"$report")
	verdict=$(LC_ALL=C awk -f "$top/tests/lib/tally.awk" <<<"$report")
	read -r _ passed failed skipped <<<"${verdict##*$'\n'}"
	printf 'KUNIT suites=%d cases=%d passed=%d failed=%d\n' \
		"$suites_seen" $((passed + failed + skipped)) "$passed" "$failed"
	[ "$status" -eq 0 ] && [ "$suites_planned" = "1..$suites_seen" ] && [ "$suites_seen" -gt 5 ]
}

# ---- sessions -------------------------------------------------------------------------------

first_lines_name_their_format() {
	local file line

	for file in "$root/version" "$domain"/*; do
		[ "${file##*/}" != reset ] || continue
		read -r line <"$file" || return 1
		[ "$line" = "# headway.${file##*/} v1" ] || {
			echo "$file begins with: $line"
			return 1
		}
	done
}

only_root_reads() {
	local file mode

	[ "$(stat -c %a "$root")" = 700 ] || {
		echo "mode of $root: $(stat -c %a "$root")"
		return 1
	}
	for file in "$root/version" "$domain"/*; do
		mode=$(stat -c %a "$file")
		case ${file##*/}:$mode in
		policy:600 | watchdog:600 | reset:200) ;;
		policy:* | watchdog:* | reset:*) echo "$file: $mode" && return 1 ;;
		*:400) ;;
		*) echo "$file: $mode" && return 1 ;;
		esac
	done
	! setpriv --reuid 65534 --clear-groups cat "$root/version" 2>/dev/null
}

# What the module makes of the kernel log, the tracepoint and debugfs when nobody eats.
find_livelock() {
	check "none: livelock, with rollbacks and no commits" within 60 is_livelocked
	check "none: the kernel log says so" logged 'headway: philosophers: livelock: 0 commits'
	check "none: the tracepoint says so" \
		grep -q 'headway_verdict: .*philosophers.* to=livelock' "$tracing/trace"
	check "none: the events say so" grep -q ' to=livelock ' "$domain/events"
}

# Live transactions: where they wait, and a graph that the real parser takes.
show_transactions() {
	check "transactions: stacks, without addresses" within 60 stacks_are_shown
	check "graph_dot: dot reads it" within 60 dot_has_an_edge
}

stacks_are_shown() {
	local file

	file=$(<"$domain/transactions")
	[[ $file == *' stack='*'headway_'*'+0x'* && $file != *=0x* && $file != *'<-0x'* ]]
}

dot_has_an_edge() {
	dot -Tplain "$domain/graph_dot" 2>&1 | grep -q '^edge t'
}

# The kernel's own event for contended locks, with the stack that says by whom. On a kernel that does not
# export it there is nothing of ours to see.
show_contention() {
	if ! grep -q ' __ksymtab___tracepoint_contention_begin$' /proc/kallsyms; then
		skip "contention_begin: events are ours" "$(uname -r) does not export it"
		skip "perf lock contention: shows our locks" "$(uname -r) does not export contention_begin"
		return
	fi
	# The KUnit suite of these events runs there too; with a stack at each, the guest gets no further.
	if [ -e /proc/lockdep ]; then
		skip "contention_begin: events are ours" "emulated, with lockdep: a stack takes too long"
		skip "perf lock contention: shows our locks" "emulated, with lockdep: it would take minutes"
		return
	fi
	echo 1 >"$tracing"/options/stacktrace
	echo 1 >"$tracing"/events/lock/contention_begin/enable
	check "contention_begin: events are ours" within 60 contention_is_ours
	echo 0 >"$tracing"/events/lock/contention_begin/enable
	echo 0 >"$tracing"/options/stacktrace
	if [ ! -e /proc/sys/kernel/perf_event_paranoid ]; then
		skip "perf lock contention: shows our locks" "$(uname -r) has no perf events"
	else
		check "perf lock contention: shows our locks" perf_shows_our_locks
	fi
}

# Whose locks: perf names the caller, which is the philosophers' thread or what it was inlined from.
perf_shows_our_locks() {
	timeout 150 perf record -q --no-bpf-event -B -N -e lock:contention_begin -e lock:contention_end \
		-a -g -m 64 -o /tmp/perf.data -- sleep 1 || return
	timeout 60 perf lock contention -i /tmp/perf.data 2>&1 | tee /tmp/perf.txt
	grep -qE ' mutex +(dine|__headway_|headway_)[a-z_]*\+0x' /tmp/perf.txt
}

contention_is_ours() {
	grep -A 24 'contention_begin: .*flags=SPIN|MUTEX' "$tracing/trace" | grep -q headway_acquire_slow
}

# Every policy but none: switched to under load, by file, and they eat.
cure() {
	local policy=$1 before

	before=$(meals)
	check "$policy: switched to while in use" write_to "$domain/policy" "$policy"
	check "$policy: is the current one" grep -qx "current=$policy" "$domain/policy"
	[ "$policy" != adaptive ] || check "adaptive: says which arm is on" \
		grep -qxE 'adaptive_arm=(wound-wait|wait-die)' "$domain/summary"
	check "$policy: they eat" within 60 ate_more_than $((before + 20))
	check "$policy: the alarm is over" within 30 is_not_livelocked
}

watchdog_takes_all_or_nothing() {
	fails_with "out of range" write_to "$domain/watchdog" "rollbacks_min=77 window_ns=1" || return 1
	! grep -qx rollbacks_min=77 "$domain/watchdog" || return 1
	write_to "$domain/watchdog" rollbacks_min=17 && grep -qx rollbacks_min=17 "$domain/watchdog" &&
		write_to "$domain/watchdog" rollbacks_min=16
}

reset_zeroes() {
	local before

	before=$(field "$domain/summary" begun)
	write_to "$domain/reset" 1 && [ "$(field "$domain/summary" commits)" -lt "$before" ] &&
		fails_with "Invalid argument" write_to "$domain/reset" 2
}

bad_input() {
	check "policy: an unknown one is EINVAL" \
		fails_with "Invalid argument" write_to "$domain/policy" no-such-policy
	check "policy: an empty one is EINVAL" fails_with "Invalid argument" write_to "$domain/policy" ""
	check "policy: stays as it was" grep -qx "current=$1" "$domain/policy"
	check "watchdog: garbage is EINVAL" \
		fails_with "Invalid argument" write_to "$domain/watchdog" window_ns=soon
	check "watchdog: takes all or nothing" watchdog_takes_all_or_nothing
	check "reset: 1 zeroes the counters" reset_zeroes
	check "rmmod: a module in use stays" fails_with "in use" rmmod headway
	check "philosophers: twice is refused" \
		fails_with "File exists" insmod "$modules/kmod/examples/philosophers.ko"
}

# tool STATUS TEXT ARGUMENTS...: the tool ends with the status and says the text.
tool() {
	local status=$1 text=$2 output code
	shift 2

	output=$("$headway" "$@" 2>&1 </dev/null)
	code=$?
	if [ "$code" -ne "$status" ] || [[ $output != *"$text"* ]]; then
		echo "status $code, and not $status with '$text': $output"
		return 1
	fi
}

use_the_tool() {
	if [ ! -x "$headway" ]; then
		skip "tool: stat and policy" "build/headway is not there"
		return
	fi
	check "tool: stat shows the domain" tool 0 fork0 stat philosophers
	check "tool: stat shows stacks" within 30 tool 0 'headway_' stat --stacks philosophers
	check "tool: stat prints DOT" tool 0 'digraph "philosophers" {' stat --dot
	check "tool: stat prints JSON" tool 0 '"domain":"philosophers"' stat --json
	check "tool: policy switches" tool 0 polite policy philosophers polite
	check "tool: it has switched" grep -qx current=polite "$domain/policy"
	check "tool: an unknown policy fails" tool 1 no-such-policy policy philosophers no-such-policy
	check "tool: an unknown domain fails" tool 1 no-such-domain stat no-such-domain
}

# Stopped in the middle of whatever they do; the limit is 2 s, and some for starting rmmod here. With
# lockdep and KASAN all of it takes ten times as long.
stop_quickly() {
	local start limit=4000

	[ ! -e /proc/lockdep ] || limit=40000

	start=$(now_ms)
	rmmod philosophers || return 1
	[ $(($(now_ms) - start)) -lt "$limit" ] || {
		echo "rmmod took $(($(now_ms) - start)) ms"
		return 1
	}
}

philosophers() {
	local policy policies last=none

	mark_log philosophers
	check "tracepoints are there" \
		write_to "$tracing"/events/headway/headway_verdict/enable 1
	check "philosophers.ko loads" insmod "$modules/kmod/examples/philosophers.ko" reach_ms=$reach_ms
	[ -d "$domain" ] || {
		not_ok "the domain is in debugfs"
		return
	}
	check "debugfs: first lines name the format" first_lines_name_their_format
	check "debugfs: for root only" only_root_reads
	find_livelock
	mapfile -t policies <<<"$(sed -n 's/^policy=//p' "$domain/policy")"
	check "policies are listed" [ ${#policies[@]} -ge 4 ]
	for policy in "${policies[@]}"; do
		[ "$policy" = none ] || {
			cure "$policy"
			last=$policy
		}
	done
	show_transactions
	show_contention
	bad_input "$last"
	use_the_tool
	check "none again: switched to" write_to "$domain/policy" none
	check "none again: livelock" within 60 is_livelocked
	check "rmmod in a livelock ends" stop_quickly
	check "the domain is gone" [ ! -e "$domain" ]
	for policy in "${policies[@]}"; do
		check "$policy: loads as the first policy" insmod "$modules/kmod/examples/philosophers.ko" \
			policy="$policy" seats=9 reach_ms=$reach_ms
		sleep 0.3
		check "$policy: rmmod under load ends" stop_quickly
	done
	stalled_holder
	for policy in policy=no-such seats=1 seats=65 reach_ms=0 reach_ms=100000 meal_us=2000000; do
		check "philosophers: $policy is refused" \
			fails_with "Invalid parameters" insmod "$modules/kmod/examples/philosophers.ko" "$policy"
	done
}

# Meals that take longer than the domain's user has said that a wait may.
stalled_holder() {
	mark_log "a long meal"
	check "a long meal: loads" insmod "$modules/kmod/examples/philosophers.ko" policy=ordered \
		reach_ms=$reach_ms meal_us=900000
	check "a long meal: takes limits" \
		write_to "$domain/watchdog" "window_ns=100000000 wait_max_ns=50000000"
	check "a long meal: the log names the holder" within 30 logged_since "a long meal" \
		'philosophers: stalled-holder: .*; waits: philosopher/[0-9]*\[[0-9]*\] -> fork[0-9]* -> philosopher/'
	check "a long meal: the log shows where others wait" within 30 logged_since "a long meal" \
		'philosophers: philosopher/[0-9]*\[[0-9]*\] waits; stack headway_.*<-.*\[philosophers\]'
	check "a long meal: rmmod ends" stop_quickly
}

logged_since() {
	log_since "headway-test: $1" | grep -q "$2"
}

loop_verdict_is() {
	grep -qx "verdict=$1" "$root/loops/watched_loop/summary"
}

loop_first_lines_name_their_format() {
	local file line

	for file in summary actors events watchdog; do
		read -r line <"$root/loops/watched_loop/$file" || return 1
		[ "$line" = "# headway.$file v1" ] || {
			echo "$file begins with: $line"
			return 1
		}
	done
}

# A retry loop that is no transaction: who retries, and that the cure ends it.
watched_loop() {
	local loop=$root/loops/watched_loop

	mark_log watched_loop
	check "watched_loop.ko loads" insmod "$modules/kmod/examples/watched_loop.ko" period_ms=$reach_ms
	# Rounds are long here, for the emulated machine.
	check "loop: watchdog takes settings" write_to "$loop/watchdog" "window_ns=2000000000 rollbacks_min=8"
	check "loop: has no policy to escalate" \
		fails_with "Invalid argument" write_to "$loop/watchdog" escalate=1
	check "loop: first lines name the format" loop_first_lines_name_their_format
	check "loop: livelock" within 60 loop_verdict_is livelock
	check "loop: the kernel log says so, and who" within 5 \
		eval "log_since 'headway-test: watched_loop' | grep -Eq 'headway: loop watched_loop: watched/[01]\[[0-9]+\] failed .* stack .*watched_loop\]'"
	check "loop: the events say so" grep -q ' to=livelock ' "$loop/events"
	check "loop: the actors have names and stacks" \
		grep -Eq 'comm=watched/[01] restarts=[1-9].* stack=.*\[watched_loop\]' "$loop/actors"
	[ ! -x "$headway" ] || check "tool: stat shows the loop" tool 0 watched_loop stat
	check "loop: the cure is taken" write_to /sys/module/watched_loop/parameters/cured 1
	check "loop: the alarm is over" within 60 loop_verdict_is healthy
	check "loop: reset zeroes" write_to "$loop/reset" 1
	check "watched_loop.ko unloads" rmmod watched_loop
	check "the loop is gone" [ ! -e "$loop" ]
}

# commits_exceed DOMAIN NUMBER
commits_exceed() {
	[ "$(field "$root/domains/$1/summary" commits)" -gt "$2" ]
}

flows_under() {
	local commits

	write_to "$root/domains/$1/policy" "$2" || return 1
	grep -qx "current=$2" "$root/domains/$1/policy" || return 1
	commits=$(field "$root/domains/$1/summary" commits)
	within 30 commits_exceed "$1" $((commits + 200)) || {
		echo "$1 under $2: no 200 commits within 30 s"
		cat "$root/domains/$1/summary"
		return 1
	}
}

passes_at_exit() {
	mark_log "$1 exits"
	rmmod "$1" || return
	log_since "headway-test: $1 exits"
	log_since "headway-test: $1 exits" | grep -q "$1: pass: [1-9]"
}

# worker MODULE DOMAIN: an example that works until it is told to stop, and then checks what it did.
worker() {
	local policy

	check "$1.ko loads" insmod "$modules/kmod/examples/$1.ko"
	for policy in wound-wait wait-die detect ordered polite serial; do
		check "$1: $policy: work gets done" flows_under "$2" "$policy"
	done
	# A livelock is allowed to it, not to stop from unloading.
	check "$1: none: switched to" write_to "$root/domains/$2/policy" none
	check "$1: in mid-run it unloads, and what it did is right" passes_at_exit "$1"
	check "$1: for a second" insmod "$modules/kmod/examples/$1.ko" seconds=1
	check "$1: and unloads" rmmod "$1"
	check "$1: what is wrong fails" \
		fails_with "Input/output error" insmod "$modules/kmod/examples/$1.ko" seconds=1 spoil=1
}

# The probes, on a program that livelocks without making a single futex call.
probes() {
	local program=$top/build/corpus/two_lock_grid json

	if [ ! -x "$headway" ] || [ ! -x "$program" ]; then
		skip "probes: a livelock in a process is found" "build/headway or the corpus is not built"
		return
	fi
	if [ ! -e /sys/kernel/btf/vmlinux ]; then
		skip "probes: a livelock in a process is found" "this kernel was built without BTF"
		return
	fi
	# Its tracepoints of system calls are not laid out as its BTF says: attaching fails with EACCES.
	if [ -e /sys/kernel/realtime ]; then
		skip "probes: a livelock in a process is found" "watch does not work on PREEMPT_RT yet"
		return
	fi
	export CORPUS_SECONDS=60
	json=$(timeout 60 "$headway" watch --json -d 10 -w 3 -- "$program" 2>&1 </dev/null)
	if grep -q '"verdict":"livelock"' <<<"$json"; then
		echo "BPF pass"
		ok "probes: a livelock in a process is found"
	else
		echo "BPF fail"
		not_ok "probes: a livelock in a process is found" "$json"
	fi
}

# Loaded and unloaded again and again; what is left behind would show sooner or later.
load_often() {
	local left=3

	while [ $((left--)) -gt 0 ]; do
		load_headway || return 1
		insmod "$modules/kmod/examples/philosophers.ko" reach_ms=20 || return 1
		rmmod philosophers || return 1
		rmmod headway || return 1
	done
	[ ! -e "$root" ]
}

log_is_clean() {
	dmesg >/tmp/dmesg && "$top/tests/lib/splat.sh" /tmp/dmesg
}

main() {
	# A person's console would show every line; here they come out of the log, once.
	dmesg -n 4
	[ ! -e "$tracing/trace" ] || echo 1 >"$tracing"/tracing_on
	refusal=ok
	[[ $(uname -v) != *PREEMPT_RT* ]] || refuse_rt || refusal=failed
	if ! load_headway; then
		ktap_begin "distro.$(uname -r)"
		not_ok "headway.ko loads" "$(dmesg | tail -5)"
		ktap_end
		return 1
	fi
	if run_suites; then
		suites=ok
	else
		suites="$suites_seen of ${suites_planned:-none} reported"
	fi

	ktap_begin "distro.$(uname -r)"
	ok "headway.ko loads"
	check "the suites ran to their end" [ "$suites" = ok ]
	check "the suites unload" rmmod headway_kunit
	check "caller.ko loads" insmod "$modules/kmod/examples/caller.ko"
	check "caller.ko unloads" rmmod caller
	worker bank clearing
	worker rename tree
	philosophers
	watched_loop
	check "headway.ko unloads" rmmod headway
	check "nothing is left in debugfs" [ ! -e "$root" ]
	check "loads and unloads again and again" load_often
	probes
	check "the kernel log is clean" log_is_clean
	# The others' results stand in their documents; no status of ours may hide them.
	ktap_end && [ "$suites_failed" -eq 0 ] && [ "$refusal" = ok ]
}

# Through a pipe: the guest's console is a terminal, and status that overwrites itself is no report.
main 2>&1 | cat
exit "${PIPESTATUS[0]}"
