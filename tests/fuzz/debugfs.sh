#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# debugfs.sh - the module's files, parameters and tracepoints, in a guest in which headway.ko is loaded. Its callers
# boot the guest: tests/kunit/run.sh (plain, and under KASAN and lockdep) and tests/coverage.
#
# Usage:  debugfs.sh MODULES FUZZER
#
# MODULES: the build directory, with kmod/examples/; FUZZER: the program made of debugfs.c.
# HEADWAY_SEED decides what is written (default: another one every day); HEADWAY_FUZZ_SECONDS how long.
# KTAP. That the kernel reports nothing meanwhile is for the caller to check, in the kernel log.
# shellcheck disable=SC2016,SC2317 # single-quoted backquotes are Markdown; check calls the functions below
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$here/../lib/ktap.sh"
modules=$1 fuzzer=$2
root=/sys/kernel/debug/headway
domain=$root/domains/philosophers
document=$here/../../kmod/debugfs.md
parameters=/sys/module/headway/parameters
seed=${HEADWAY_SEED:-$((${EPOCHREALTIME%[.,]*} / 86400))}
seconds=${HEADWAY_FUZZ_SECONDS:-6}

# within SECONDS COMMAND...: repeats it until it succeeds.
within() {
	local end=$((SECONDS + $1))
	shift

	until "$@"; do
		[ "$SECONDS" -le "$end" ] || return 1
		sleep 0.05
	done
}

write_to() {
	printf '%s' "$2" >"$1"
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
		echo "it failed with '$output', not with '$text'"
		return 1
	}
}

has() {
	grep -q "$2" "$1"
}

every_file_can_be_read() {
	local file line count=0

	while read -r file; do
		[ "$(stat -c %a "$file")" != 200 ] || continue
		IFS= read -r line <"$file" || return 1
		[[ $line =~ ^(# headway\.|digraph|//) ]] || {
			echo "$file begins with: $line"
			return 1
		}
		cat "$file" >/dev/null || return 1
		count=$((count + 1))
	done < <(find "$root" -type f)
	[ "$count" -ge 9 ]
}

only_root() {
	local mode

	# Directories 700; files for their owner only. Names stay readable when it fails.
	find "$root" \( -type d ! -perm 0700 -o -type f -perm /0077 -o ! -uid 0 \) -printf '%m %p\n' |
		while read -r mode; do
			echo "$mode"
			exit 1
		done
}

no_address() {
	local file

	while read -r file; do
		[ "$(stat -c %a "$file")" != 200 ] || continue
		! grep -E '(0x)?[0-9a-f]{16}|\(ptrval\)' "$file" || return 1
	done < <(find "$root" -type f)
}

# A wait for a fork, in the file that shows it: waits are short, so look often.
shows_a_wait() {
	within 20 has "$domain/graph" '^waiter=.* holder=.* wait_ns='
}

shows_transactions() {
	within 20 has "$domain/transactions" '^pid=.* ticket=[1-9]'
}

# Counted and timed things are there; written "1", they start again.
reset_restarts() {
	local before after

	before=$(sed -n 's/^begun=//p' "$domain/summary")
	[ "$before" -gt 0 ] && write_to "$domain/reset" 1 || return 1
	after=$(sed -n 's/^begun=//p' "$domain/summary")
	[ "$after" -lt "$before" ]
}

histograms_fill() {
	within 20 has "$domain/histograms" '^lock=.* kind=wait count=[1-9]' &&
		within 20 has "$domain/histograms" '^lock=.* kind=hold count=[1-9]'
}

# One is refused, so none is taken; a number beyond a setting's type is not cut to fit.
all_or_nothing() {
	local before

	before=$(cat "$domain/watchdog")
	fails_with "out of range" write_to "$domain/watchdog" "rollbacks_min=77 window_ns=1" &&
		fails_with "out of range" write_to "$domain/watchdog" restarts_max=4294967312 &&
		fails_with "out of range" write_to "$domain/watchdog" wait_max_ns=18446744073709551616 &&
		fails_with "Invalid argument" write_to "$domain/watchdog" "rollbacks_min=77 window" &&
		fails_with "Invalid argument" write_to "$domain/watchdog" "rollbacks_min=77 no_such=1" &&
		fails_with "Invalid argument" write_to "$domain/watchdog" "   " || return 1
	[ "$(cat "$domain/watchdog")" = "$before" ] || return 1
	write_to "$domain/watchdog" "rollbacks_min=17 contended_ratio_pct=300" &&
		has "$domain/watchdog" '^rollbacks_min=17$' &&
		has "$domain/watchdog" '^contended_ratio_pct=300$' &&
		write_to "$domain/watchdog" "rollbacks_min=16 contended_ratio_pct=200"
}

# They are there, and say that they are off; switched on again, they count on.
statistics_off() {
	local count

	write_to "$parameters/stats" 0 && [ "$(cat "$parameters/stats")" = N ] &&
		has "$domain/locks" '^# statistics are off' || return 1
	count=$(grep -o ' waittime-count=[0-9]*' "$domain/locks")
	sleep 0.3
	[ "$(grep -o ' waittime-count=[0-9]*' "$domain/locks")" = "$count" ] &&
		write_to "$parameters/stats" 1 && [ "$(cat "$parameters/stats")" = Y ] &&
		! has "$domain/locks" '^# statistics are off' &&
		fails_with "Invalid argument" write_to "$parameters/stats" perhaps
}

hold_sample() {
	write_to "$parameters/hold_sample" 4 && has "$domain/locks" '1 hold in 4 is timed' || return 1
	for bad in 0 3 -1 4294967296 x; do
		! write_to "$parameters/hold_sample" "$bad" 2>/dev/null || return 1
	done
	[ "$(cat "$parameters/hold_sample")" = 4 ] && write_to "$parameters/hold_sample" 1
}

livelock_is_shown() {
	write_to "$domain/policy" none && within 30 has "$domain/summary" '^verdict=livelock$' &&
		has "$domain/events" ' to=livelock ' && has "$domain/transactions" '^pid=.* restarts=[1-9]'
}

# A loop that the module only watches: its verdict, who is in it, and that its counts start again.
loop_is_shown() {
	local loop=$root/loops/watched_loop

	if ! within 20 has "$loop/summary" '^verdict=livelock$' || ! has "$loop/actors" '='; then
		cat "$loop/summary" "$loop/actors"
		return 1
	fi
	fails_with "Invalid argument" write_to "$loop/reset" 2 && write_to "$loop/reset" 1
}

livelock_ends() {
	write_to "$domain/policy" wound-wait && within 30 has "$domain/events" ' from=livelock to='
}

fuzzed() {
	"$fuzzer" "$seed" "$seconds" "$root" "$parameters"
}

# Two at a time, with other seeds: writers of one file meet.
fuzzed_by_two() {
	local first

	"$fuzzer" $((seed + 1)) 2 "$root" | grep -vE ': (changed by a write to|read in pieces of) ' >/tmp/first &
	first=$!
	"$fuzzer" $((seed + 2)) 2 "$root" | grep -vE ': (changed by a write to|read in pieces of) ' >/tmp/second
	wait "$first"
	# Each sees what the other changes; all else must hold.
	! grep -hE '^/' /tmp/first /tmp/second
}

out_of_memory() {
	"$fuzzer" -m 0 0 "$root"
}

# It ends when it is caught. Few writes are taken and change something, and KASAN with lockdep makes them slow.
control_is_caught() {
	local output

	output=$("$fuzzer" -c "$seed" 60 "$root")
	if [ $? -ne 1 ] || [[ $output != *"changed by a write to"* ]]; then
		echo "$output"
		return 1
	fi
}

# What takes time has an event at both ends; a philosopher is between the two of a pair once at most.
tracepoints_pair() {
	local tracing=/sys/kernel/tracing pair begun ended
	local pairs="txn_begin:txn_end lock_wait_begin:lock_wait_end rollback:rollback_end"

	# On and off at one stroke: the switch of the events takes them one after the other.
	echo 0 >"$tracing/tracing_on" && echo >"$tracing/trace" &&
		echo 1 >"$tracing/events/headway/enable" && echo 1 >"$tracing/tracing_on" || return 1
	for pair in $pairs; do
		within 20 has "$tracing/trace" " headway_${pair#*:}: .*ret=" || echo "no ${pair#*:}"
	done
	echo 0 >"$tracing/tracing_on"
	echo 0 >"$tracing/events/headway/enable"
	for pair in $pairs; do
		begun=$(grep -c " headway_${pair%:*}: " "$tracing/trace")
		ended=$(grep -c " headway_${pair#*:}: " "$tracing/trace")
		echo "$pair $begun $ended"
		[ "$ended" -gt 0 ] && [ $((begun - ended)) -le 4 ] && [ $((ended - begun)) -le 4 ] || return 1
	done
}

# All kinds of lines: also those of an escalation, of the policy adaptive, and of an arbiter in use.
labels_are_seen() {
	local collector

	write_to "$domain/watchdog" escalate=1 && write_to "$domain/policy" none &&
		within 30 has "$domain/events" ' event=escalate ' || return 1
	write_to "$domain/watchdog" escalate=0 && write_to "$domain/policy" adaptive || return 1
	"$here/labels.py" collect "$document" /tmp/shapes "$root" 60 &
	collector=$!
	within 30 [ -e /tmp/shapes ] && insmod "$modules/kmod/examples/device_claim.ko" seconds=4 &&
		rmmod device_claim && wait "$collector" || return 1
	[ -s /tmp/shapes ]
}

document_is_true() {
	"$here/labels.py" judge "$document" /tmp/shapes
}

# wrong_document SED-PROGRAM TEXT: a copy with that edit is found out.
wrong_document() {
	sed "$1" "$document" >/tmp/document.md
	! cmp -s "$document" /tmp/document.md && fails_with "$2" "$here/labels.py" judge /tmp/document.md /tmp/shapes
}

wrong_documents() {
	wrong_document '/^| `holder_state` |/d' 'domains/NAME/graph: holder_state is not documented' &&
		wrong_document 's/^| `waiters` |/| `waitors` |/' 'never seen: domains/NAME/locks: waitors' &&
		wrong_document 's/ event `verdict` / always /' 'domains/NAME/events: from is not always there' &&
		wrong_document 's/^Mode 0600/Mode 0400/' 'domains/NAME/policy: mode 0600, documented 0400' &&
		wrong_document 's,^### .*`loops/NAME/reset`,### `domains/NAME/reset`,' 'loops/NAME/reset is not documented'
}

# Files that are open when their domain goes away: they end, and nothing is touched that is gone.
open_files_outlive() {
	local fds=() fd file

	for file in summary locks histograms transactions graph events policy watchdog; do
		exec {fd}<"$domain/$file" || return 1
		read -r -n 10 -u "$fd" _ || return 1
		fds+=("$fd")
	done
	exec {fd}>"$domain/policy" || return 1
	rmmod philosophers || return 1
	! printf ordered >&"$fd" || return 1
	exec {fd}>&-
	for fd in "${fds[@]}"; do
		# What was read before may still be handed out; no more than that.
		head -c 100000 <&"$fd" >/dev/null 2>&1
		exec {fd}<&-
	done
	[ ! -e "$domain" ]
}

ktap_begin debugfs
check "philosophers.ko loads" insmod "$modules/kmod/examples/philosophers.ko" reach_ms=8 seats=4 policy=wound-wait
check "watched_loop.ko loads" insmod "$modules/kmod/examples/watched_loop.ko"
# Under lockdep and KASAN a process takes most of a second to start: there only the fuzzer's part.
if [ ! -e /proc/lockdep ]; then
	check "every file can be read, and says what it is" every_file_can_be_read
	check "root's alone" only_root
	check "hold_sample takes powers of two" hold_sample
	check "who waits for whom is shown" shows_a_wait
	check "transactions are shown" shows_transactions
	check "waits and holds are timed" histograms_fill
	check "no kernel address" no_address
	check "reset starts again" reset_restarts
	check "watchdog takes all or nothing" all_or_nothing
	check "statistics can be off" statistics_off
	check "a livelock is shown" livelock_is_shown
	check "its end is shown" livelock_ends
	check "a loop's livelock is shown" loop_is_shown
	check "tracepoints come in pairs" tracepoints_pair
	check "all sorts of lines are seen" labels_are_seen
	check "kmod/debugfs.md says what they say" document_is_true
	check "control: wrong documents are found out" wrong_documents
	check "an unknown policy is refused" fails_with "Invalid argument" write_to "$domain/policy" no-such
fi
printf '# fuzz: seed %s\n' "$seed"
check "fuzzed writes" fuzzed
check "fuzzed by two at a time" fuzzed_by_two
check "control: a changed setting is noticed" control_is_caught
if [ -e /proc/self/fail-nth ]; then
	check "out of memory at every place in turn" out_of_memory
else
	skip "out of memory at every place in turn" "this kernel does not let allocations fail"
fi
check "watched_loop.ko unloads" rmmod watched_loop
write_to "$domain/policy" ordered
check "open files outlive their domain" open_files_outlive
write_to "$parameters/hold_sample" 512
write_to "$parameters/stats" 1
ktap_end
