#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fuzz tier: our parsers and the verdict engine under libFuzzer with address and undefined-behaviour
# sanitizers, seeded with the recordings of tests/replay.
#
# Usage:  run.sh [MINUTES]      default: 20 seconds for each fuzzer; else they share MINUTES
#
# What a fuzzer finds is kept in build/fuzz/found/NAME; what it learns in build/fuzz/corpus/NAME.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh
build=build/fuzz
fuzzers=()
for source in tests/fuzz/*_fuzz.c; do
	fuzzers+=("$(basename "$source" .c)")
done
seconds=20
[ $# -eq 0 ] || seconds=$(($1 * 60 / ${#fuzzers[@]}))
[ "$seconds" -gt 0 ] || { echo "run.sh: '$1' is no number of minutes" >&2; exit 2; }

# plant NAME: seeds, for a corpus that may have grown in earlier runs.
plant() {
	local seeds=$build/seeds/$1 recording i=0

	rm -rf "$seeds"
	mkdir -p "$seeds" "$build/corpus/$1" "$build/found/$1"
	case $1 in
	recording_fuzz)
		# A few records of each: what is long is mutated in vain.
		for recording in tests/replay/recordings/*.hw; do
			zcat "$recording" | awk '{ print } /"type":"check"/ && ++n == 7 { exit }' \
				>"$seeds/$(basename "$recording")"
		done
		cat "$seeds"/* | grep -o '"[a-z0-9_]*[]\[0-9]*"' | sort -u | sed 's/"/\\"/g; s/.*/"&"/' \
			>"$build/recording.dict"
		;;
	engine_fuzz)
		# The two ends of a livelock, ten intervals of it.
		{ printf '\0'; for ((i = 0; i < 10; i++)); do printf '\14\2\11\x11\15\3\11\x10\0'; done; } >"$seeds/abba"
		{ printf '\0'; for ((i = 0; i < 10; i++)); do printf '\x18\0\x15\1\x19\1\x15\0\0'; done; } >"$seeds/blocked"
		;;
	text_fuzz)
		printf '\1headway stats format=1 commits=5\nlock=a wait=7\n' >"$seeds/debugfs"
		printf '\2uprobe:/bin/true:main+12' >"$seeds/uprobe"
		printf '\2syscall:read' >"$seeds/syscall"
		printf '\3thread 1 of @L1000@ in @S0@' >"$seeds/sentence"
		{ printf '\4'; head -5 /proc/self/mountinfo; } >"$seeds/mountinfo"
		printf '\0\\x1b\\\\ \377' >"$seeds/escape"
		;;
	elf_fuzz)
		# Small ones, with symbols and with a note.
		printf '%s\n' 'int main(void) { __asm__(".pushsection .note.stapsdt,\"\",\"note\"\n' \
			'.balign 4\n.4byte 8,44,3\n.asciz \"stapsdt\"\n.8byte 16,0,0\n.asciz \"headway\"\n' \
			'.asciz \"progress\"\n.asciz \"\"\n.balign 4\n.popsection"); return 0; }' |
			tr -d '\n' | ${CC:-gcc} -x c -nostdlib -nostartfiles -Wl,-e,main -Wl,-z,noseparate-code \
			-o "$seeds/note" - || return 1
		cp "$seeds/note" "$seeds/cut" && truncate -s 700 "$seeds/cut"
		;;
	esac
}

# fuzz NAME: no crash, no leak, no hang, and it did run.
fuzz() {
	local log=$build/$1.log options=() execs
	[ "$1" != recording_fuzz ] || options+=(-dict="$build/recording.dict")
	nice -n 19 timeout -k 10 $((seconds + 120)) "$build/$1" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 \
		-max_len=16384 -print_final_stats=1 -artifact_prefix="$build/found/$1/" "${options[@]}" \
		"$build/corpus/$1" "$build/seeds/$1" >"$log" 2>&1 || { tail -40 "$log"; return 1; }
	execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	[ "${execs:-0}" -gt 50 ] || { echo "only ${execs:-0} runs"; tail -5 "$log"; return 1; }
	echo "# $1: $execs runs in $seconds s, $(sed -n 's/.*cov: \([0-9]*\) .*/\1/p' "$log" | tail -1) edges" >&3
}

exec 3>&1
ktap_begin fuzz
for name in "${fuzzers[@]}"; do
	if ! made=$(make -s --no-print-directory "$build/$name" 2>&1) || ! made=$(plant "$name" 2>&1); then
		not_ok "$name" "$made"
		continue
	fi
	check "$name" fuzz "$name"
done
ktap_end
