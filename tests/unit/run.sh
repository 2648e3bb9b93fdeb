#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unit tier: the pure sources on this host under address and undefined-behaviour sanitizers, and the
# tests of the test machinery and of the benchmarks' reports. Each program prints one KTAP document.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh
# Seconds for each program. A test that loops for ever must not take the tier with it.
limit=120
status=0

# Most of the time these wait.
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
selftests=()
for selftest in selftest selftest_lanes; do
	"tests/lib/$selftest.sh" >"$reports/$selftest" 2>&1 &
	selftests+=($!)
done
tests/bench/selftest.sh || status=1

# Built one by one (-k): a test that does not compile fails, and the others still run.
make -k -s --no-print-directory -j"$(nproc)" unit >/dev/null 2>&1
for selftest in "${selftests[@]}"; do
	wait "$selftest" || status=1
done
cat "$reports"/*
results=()
# A status of its own, apart from that of a test that failed.
export ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1:exitcode=99
export TSAN_OPTIONS=exitcode=99
for source in tests/unit/*_test.c; do
	[ -e "$source" ] || continue
	name=$(basename "$source" .c)
	# Nothing to do if it was built above, and its own errors if not.
	if ! build_log=$(make -s --no-print-directory "build/unit/$name" 2>&1); then
		results+=("$name does not build:"$'\n'"$(head -40 <<<"$build_log")")
		status=1
		continue
	fi
	timeout --kill-after=5 "$limit" "build/unit/$name"
	code=$?
	case $code in
	0 | 1) results+=("") ;;
	124 | 137) results+=("$name did not end within $limit s") ;;
	*) results+=("$name died with status $code (a sanitizer's report is above)") ;;
	esac
	[ "$code" -eq 0 ] || status=1
done

# What the programs cannot say about themselves.
ktap_begin unit.programs
for source in tests/unit/*_test.c; do
	[ -e "$source" ] || continue
	why=${results[$ktap_count]}
	name=$(basename "$source" .c)
	if [ -z "$why" ]; then
		ok "$name"
	else
		not_ok "$name" "$why"
	fi
done
if [ "$ktap_count" -eq 0 ]; then
	skip programs "there are no tests/unit/*_test.c"
fi
ktap_end || status=1
exit "$status"
