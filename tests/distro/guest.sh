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
tracing=/sys/kernel/tracing
headway=$top/build/headway
load_args=()	# of headway.ko
reach_ms=100	# a round at a table or in a loop: longer than the emulated machine is likely to be held up
# shellcheck source=tests/distro/philosophers.sh
. "$top/tests/distro/philosophers.sh"
# shellcheck source=tests/distro/terminal.sh
. "$top/tests/distro/terminal.sh"
# shellcheck source=tests/distro/targets.sh
. "$top/tests/distro/targets.sh"

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

# field FILE NAME: the value of a line NAME=VALUE.
field() {
	sed -n "s/^$2=//p" "$1"
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
	local loop=$root/loops/watched_loop period_ms=400 window_ns=4000000000

	mark_log watched_loop
	[ ! -x "$headway" ] || watch_kernel unloaded -k --fail-on deadlock
	# One that is held up for a quarter of the period lets the other through, and there is no livelock then:
	# so the period is long, for an emulated machine with others beside it, and a window has ten or so.
	[ ! -e /proc/lockdep ] || period_ms=1000 window_ns=10000000000
	check "watched_loop.ko loads" insmod "$modules/kmod/examples/watched_loop.ko" period_ms=$period_ms
	check "loop: watchdog takes settings" write_to "$loop/watchdog" "window_ns=$window_ns rollbacks_min=6"
	check "loop: has no policy to escalate" \
		fails_with "Invalid argument" write_to "$loop/watchdog" escalate=1
	check "loop: first lines name the format" loop_first_lines_name_their_format
	check "loop: livelock" within 180 loop_verdict_is livelock
	check "loop: the kernel log says so, and who" within 5 \
		eval "log_since 'headway-test: watched_loop' | finds -E 'headway: loop watched_loop: watched/[01]\[[0-9]+\] failed .* stack .*watched_loop\]'"
	check "loop: the events say so" grep -q ' to=livelock ' "$loop/events"
	check "loop: the actors have names and stacks" \
		grep -Eq 'comm=watched/[01] restarts=[1-9].* stack=.*\[watched_loop\]' "$loop/actors"
	[ ! -x "$headway" ] || check "tool: stat shows the loop" tool 0 watched_loop stat
	[ ! -x "$headway" ] || check "watch -k: finds the loop, with stacks" within 60 \
		watch_said unloaded json '"source":"kernel".*"domain":"watched_loop".*\[watched_loop\]'
	check "loop: the cure is taken" write_to /sys/module/watched_loop/parameters/cured 1
	check "loop: the alarm is over" within 180 loop_verdict_is healthy
	check "loop: reset zeroes" write_to "$loop/reset" 1
	check "watched_loop.ko unloads" rmmod watched_loop
	check "the loop is gone" [ ! -e "$loop" ]
}

# readme_works NAME: each command that README's section for modules has about it, as it stands there.
readme_works() {
	local line count=0

	while read -r line; do
		count=$((count + 1))
		# It would go on until somebody ends it.
		[[ $line != *" -i "* ]] || line+=" -n 2"
		PATH=${headway%/*}:$PATH bash -c "$line" </dev/null || { echo "fails: $line"; return 1; }
	done < <(sed -n "/^## Use it in your module/,/^## How/{s/ *#.*//; /^headway .*\b$1\b/p}" "$top/README.md")
	[ "$count" -gt 0 ]
}

# look_at_office FILE: one look at it; right when somebody waited.
look_at_office() {
	"$headway" stat --json --arbiter office >"$1" </dev/null && grep -q '"type":"request_edge"' "$1"
}

# Jobs that claim devices through an arbiter, and what the tool says of it meanwhile.
device_claim() {
	local example

	# At work until we have seen it: a look takes seconds on an emulated debug kernel.
	insmod "$modules/kmod/examples/device_claim.ko" seconds=300 &
	example=$!
	if [ -x "$headway" ]; then
		check "tool: stat shows the arbiter" within 20 tool 0 office stat
		check "tool: stat shows who waits for resources" within 10 look_at_office /tmp/office
		check "README's command for an arbiter works" readme_works office
		check "tool: stat draws the arbiter" tool 0 'digraph "office" {' stat --dot
		look_at_arbiter
	fi
	within 20 write_to /sys/module/device_claim/parameters/seconds 0
	wait "$example"
	example=$?
	check "device_claim.ko: all jobs were done, no device had two users" [ "$example" -eq 0 ]
	check "device_claim.ko unloads" rmmod device_claim
	[ ! -s /tmp/office ] || check "tool: stat --json of an arbiter fits the schema" \
		"$top/tests/tool/schema.py" "$top/userspace/headway.schema.json" /tmp/office
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
	log_since "headway-test: $1 exits" | finds "$1: pass: [1-9]"
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

# found VERDICT PROGRAM: the tool's probes find it in a program of the corpus.
found() {
	local json

	json=$(CORPUS_SECONDS=60 timeout 60 "$headway" watch --json -d 10 -w 3 -- "$top/build/corpus/$2" 2>&1 </dev/null)
	grep -q "\"verdict\":\"$1\"" <<<"$json" || {
		echo "$json"
		return 1
	}
}

# The one livelocks without making a single futex call, the other is all in the arguments of two.
probes() {
	local failed=$ktap_failed

	if [ ! -x "$headway" ] || [ ! -x "$top/build/corpus/two_lock_grid" ]; then
		skip "probes: a livelock in a process is found" "build/headway or the corpus is not built"
		return
	fi
	if [ ! -e /sys/kernel/btf/vmlinux ]; then
		skip "probes: a livelock in a process is found" "this kernel was built without BTF"
		return
	fi
	check "probes: a livelock in a process is found" found livelock two_lock_grid
	check "probes: a deadlock in a process is found" found deadlock abba_deadlock
	# A kernel with all checks takes minutes for it, and is here for the modules.
	[ -e /proc/lockdep ] || targets
	if [ "$ktap_failed" -eq "$failed" ]; then
		echo "BPF pass"
	else
		echo "BPF fail"
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

# Under the watch that watched_loop() began, which then cannot answer any more. It reads a file now and
# then, and while it does the module is in use.
unload_headway() {
	check "headway.ko unloads" within 20 rmmod headway
	[ -x "$headway" ] || return 0
	watch_ends 4 unloaded
	check "watch -k: says that the module was unloaded" watch_said unloaded err 'the module headway was unloaded$'
	check "watch -k: its JSON fits the schema" "$top/tests/tool/schema.py" \
		"$top/userspace/headway.schema.json" /tmp/cured.json /tmp/relapse.json /tmp/unloaded.json
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
	[ ! -x "$headway" ] || check "README's commands for a domain work" readme_works bank
	check "caller.ko unloads" rmmod caller
	worker bank clearing
	worker rename tree
	philosophers
	watched_loop
	device_claim
	unload_headway
	check "nothing is left in debugfs" [ ! -e "$root" ]
	check "loads and unloads again and again" load_often
	probes
	check "the kernel log is clean" log_is_clean
	send_captures
	# The others' results stand in their documents; no status of ours may hide them.
	ktap_end && [ "$suites_failed" -eq 0 ] && [ "$refusal" = ok ]
}

# Through a pipe: the guest's console is a terminal, and status that overwrites itself is no report.
main 2>&1 | cat
exit "${PIPESTATUS[0]}"
