#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs: light
# replay tier: the engine on recordings of the corpus, without root; recordings that are cut off or
# damaged; and, with root, live watches whose recordings must say the same to the byte.
#
# record.sh makes the recordings anew.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh
headway=$top/build/headway
schema=$top/userspace/headway.schema.json
tmp=$(mktemp -d)
kept=$tmp/recordings
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

[ -x "$headway" ] || make -s userspace >&2 || exit 1
# Where anybody may look.
install -m 755 "$headway" "$tmp/headway"
install -D -m 644 -t "$kept" "$here"/recordings/*

# As somebody who may do nothing, where we are somebody who may do everything.
unprivileged() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs "$@"
	else
		"$@"
	fi
}

# replay NAME ARGS...: output in $tmp/NAME.out and .err; sets $status.
replay() {
	local name=$1
	shift
	unprivileged timeout -k 5 20 "$tmp/headway" replay "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
	status=$?
}

get() {	# EXPRESSION NAME
	tests/tool/schema.py --get "$1" "$tmp/$2.out" 2>&1
}

# judged NAME STATES FINDINGS: the replay said so.
judged() {
	local state findings
	state=$(get 'S["state"]' "$1")
	findings=$(get '",".join(sorted({f["verdict"] for f in F})) or "none"' "$1")
	[[ "|$2|" = *"|$state|"* ]] || { echo "state $state, want $2"; return 1; }
	[ "$findings" = "$3" ] || { echo "findings $findings, want $3"; return 1; }
}

test_engine() {
	local name states findings
	while IFS=$'\t' read -r name states findings; do
		[[ "$name" != \#* ]] || continue
		replay "$name" --json --threshold default "$kept/$name.hw"
		check "$name: status 0" test "$status" -eq 0
		check "$name: verdicts" judged "$name" "$states" "$findings"
		check "$name: fits the schema" tests/tool/schema.py "$schema" "$tmp/$name.out"
	done <"$kept/expected.tsv"
	check "control: a wrong verdict is noticed" fails judged two_lock_grid healthy livelock
	check "control: a missing finding is noticed" fails judged abba_ordered "healthy|contended" deadlock
	replay fail-on --fail-on livelock "$kept/two_lock_grid.hw"
	check "--fail-on of what is found: status 3" test "$status" -eq 3
	check "text: names as recorded" grep -q 'at transfer_with_rollback+0x' "$tmp/fail-on.out"
	replay not-found --fail-on deadlock "$kept/two_lock_grid.hw"
	check "--fail-on of another: status 0" test "$status" -eq 0
	replay other --json --threshold retries_per_s=1e6 "$kept/two_lock_grid.hw"
	check "--threshold: another verdict" judged other "healthy|contended|undetermined|idle" none
	replay longer --json -w 20 "$kept/two_lock_grid.hw"
	check "-w: a window that never was full" judged longer undetermined none
	replay too-long --json -w 3600 "$kept/two_lock_grid.hw"
	check "-w: one that does not suit the interval: status 2" test "$status" -eq 2
	replay usage
	check "no file: status 2" test "$status" -eq 2
	replay nowhere "/nowhere/$(printf 'a\033b')"
	check "no such file: status 1" test "$status" -eq 1
	check "its name is escaped" grep -qF 'a\x1bb: No such file' "$tmp/nowhere.err"
}

fails() {
	! "$@" >/dev/null
}

# refused NAME: status 1 and a place; nothing worse.
refused() {
	[ "$status" -eq 1 ] || { echo "status $status"; cat "$tmp/$1.err"; return 1; }
	grep -Eq "^headway replay: [^ ]*$1\.hw: .*byte [0-9]+.*expected" "$tmp/$1.err" || { cat "$tmp/$1.err"; return 1; }
}

# The file as it is on the disk, cut at many places: what comes is a beginning of the whole.
cut_off() {
	local size at lines
	size=$(stat -c %s "$kept/two_lock_grid.hw")
	for ((at = 1; at < size - 9; at += 97)); do
		head -c "$at" "$kept/two_lock_grid.hw" >"$tmp/cut.hw"
		replay cut --json "$tmp/cut.hw"
		refused cut || { echo "cut at $at"; return 1; }
		lines=$(grep -c '"type":"finding"' "$tmp/cut.out")
		[ "$lines" -eq 0 ] || cmp <(head -1 "$tmp/cut.out") <(head -1 "$tmp/two_lock_grid.out") || return 1
	done
	# All but the end of gzip itself is there.
	[ "$lines" -eq 1 ]
}

# One byte is another: refused, but for the eight of gzip's header that say nothing (time, flags, system).
damaged() {
	local size at byte
	size=$(stat -c %s "$kept/abba_deadlock.hw")
	for ((at = 0; at < size; at += at < 12 ? 1 : 23)); do
		[ "$at" -lt 3 ] || [ "$at" -gt 9 ] || continue
		cp "$kept/abba_deadlock.hw" "$tmp/bad.hw"
		byte=$(od -An -tu1 -j "$at" -N1 "$tmp/bad.hw")
		printf '%b' "\\x$(printf %02x $((byte ^ 0x5a)))" |
			dd of="$tmp/bad.hw" bs=1 seek="$at" conv=notrunc status=none
		replay bad --json "$tmp/bad.hw"
		refused bad || { echo "byte $at"; return 1; }
	done
}

test_damage() {
	check "cut off anywhere: judged as far as it goes, status 1" cut_off
	check "damaged anywhere: refused with the place" damaged
	zcat "$kept/abba_deadlock.hw" >"$tmp/plain.hw"
	replay plain --json "$tmp/plain.hw"
	check "uncompressed: the same" cmp "$tmp/plain.out" "$tmp/abba_deadlock.out"
	# A zero more: right JSON, and not what was written.
	sed -i '0,/"yields":\|"cpu_ns":/s//&1/' "$tmp/plain.hw"
	replay plain "$tmp/plain.hw"
	check "changed by hand: refused" refused plain
	head -c 100000 /dev/urandom >"$tmp/noise.hw"
	replay noise "$tmp/noise.hw"
	check "noise: refused" refused noise
	head -c 300000000 /dev/zero | gzip -1 >"$tmp/bomb.hw"
	replay bomb "$tmp/bomb.hw"
	check "a line without an end: refused" refused bomb
}

record() {	# NAME LIMIT ARGS...
	local name=$1 limit=$2
	shift 2
	timeout -k 5 "$limit" "$headway" record -o "$tmp/$name.hw" "$@" >"$tmp/$name.live" 2>"$tmp/$name.record" </dev/null
	mode=$(stat -c %a "$tmp/$name.hw")
	chmod 644 "$tmp/$name.hw"
}

same_again() {	# NAME JSON-OPTION
	[ -s "$tmp/$1.live" ] || { cat "$tmp/$1.record"; return 1; }
	replay "$1" ${2:+"$2"} "$tmp/$1.hw"
	[ "$status" -eq 0 ] || { cat "$tmp/$1.err"; return 1; }
	diff "$tmp/$1.live" "$tmp/$1.out"
}

has_threshold() {	# FILE
	zcat "$1" | finds '"retries_per_s":1000000'
}

test_live() {
	local name program
	for name in two_lock_grid abba_deadlock hot_mutex; do
		record "$name" 20 --json -d 2.5 -w 1 -- "build/corpus/$name"
		check "$name: a live recording says the same" same_again "$name" --json
	done
	record strict 20 --json --threshold retries_per_s=1e6 -d 2 -w 1 -- build/corpus/two_lock_grid
	check "--threshold: nothing is found" test "$(grep -c '"type":"finding"' "$tmp/strict.live")" -eq 0
	check "--threshold: the recording has it" has_threshold "$tmp/strict.hw"
	check "--threshold: a replay says the same" same_again strict --json
	record all 30 --json -d 2.5 -w 1 -a -- build/corpus/two_lock_grid
	check "-a: the same" same_again all --json
	record text 20 -d 2 -w 1 -- build/corpus/stalled_holder
	check "stalled_holder: the same text" same_again text ''
	check "a recording is its owner's alone" test "$mode" = 600
	record ended 20 --json -- sh -c 'exit 7'
	check "a command that ends" same_again ended --json
	record blind 20 --json --no-uprobes -d 2 -w 1 -- build/corpus/two_lock_grid
	check "a missing probe and why" same_again blind --json
	program="$tmp/"$'e\033[31m\n"\\'
	cp build/corpus/abba_deadlock "$program"
	record hostile 20 -d 2 -w 1 -- "$program"
	check "hostile names: the same" same_again hostile ''
	check "hostile names: none gets through" fails env LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/hostile.out"
	check "hostile names: the recording is JSON of printable characters" \
		fails env LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]' <(zcat "$tmp/hostile.hw")
}

grew() {	# FILE SIZE
	[ "$(stat -c %s "$1")" -gt "$2" ]
}

until_s() {	# SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "not within the time: $*"; return 1; }
		sleep 0.1
	done
}

# Ends by itself at a signal; and what was recorded is there when it cannot.
test_ends() {
	local signal pid size
	for signal in TERM INT KILL; do
		# job control: SIGINT is then not ignored
		( set -m; exec "$headway" record -o "$tmp/$signal.hw" --json -w 1 -- build/corpus/two_lock_grid ) \
			>"$tmp/$signal.live" 2>/dev/null </dev/null &
		pid=$!
		# A finding was made, and a look after it is in the file.
		until_s 60 grep -q '"type":"finding"' "$tmp/$signal.live"
		size=$(stat -c %s "$tmp/$signal.hw")
		until_s 60 grew "$tmp/$signal.hw" "$size"
		kill -s "$signal" "$pid"
		wait "$pid" 2>/dev/null
		[ ! -e "$tmp/$signal.hw" ] || chmod 644 "$tmp/$signal.hw"
		[ "$signal" = KILL ] || check "SIG$signal: a whole recording" same_again "$signal" --json
	done
	replay KILL --json "$tmp/KILL.hw"
	check "SIGKILL: cut off" refused KILL
	check "SIGKILL: the finding is there" cmp <(head -1 "$tmp/KILL.live") <(head -1 "$tmp/KILL.out")
	check "SIGKILL: and a summary" test "$(get 'S["state"]' KILL)" = livelock
	timeout -k 5 20 "$headway" record -o /dev/full -d 1 -w 0.5 -- sleep 5 >/dev/null 2>"$tmp/full.err" </dev/null
	check "a full disk: status 1" test $? -eq 1
	check "a full disk: said" grep -q 'cannot record into /dev/full: No space left' "$tmp/full.err"
	timeout -k 5 20 "$headway" record -d 1 -- sleep 5 >/dev/null 2>&1 </dev/null
	check "no -o: status 2" test $? -eq 2
}

ktap_begin replay
test_engine
test_damage
if [ "$(id -u)" -ne 0 ]; then
	skip live "needs root"
else
	[ -x build/corpus/two_lock_grid ] || make -s corpus-programs >&2 || exit 1
	test_live
	test_ends
fi
ktap_end
