#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# coverage tier: how much of headway.ko do its tests run? Counted by gcov, in User Mode Linux.
#
# Usage:  run.sh
#
# kernels: uml:plain
#
# The module is built once more, with counters (HEADWAY_GCOV=y), and the tests of the kunit tier run with
# it, and a short torture. What matters of their results here is that they ran to their end: they are
# judged in their own tiers, without counters. summary.py judges the coverage; LIMIT is its bound.
# Ends with "COVERAGE scope=kmod lines=PERCENT covered=N of=N".
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
LIMIT=90

if [ "${HEADWAY_IN_VM:-}" = 1 ]; then
	modules=$1 out=$2
	gcov=/sys/kernel/debug/gcov
	# The guest's root is read-only; this one directory of the host's is not.
	mount -n -t hostfs -o "$out" none /mnt || exit 10
	"$top/tests/kunit/run.sh" "$modules"
	echo "kunit $?" >/mnt/status
	HEADWAY_TORTURE_SECONDS=5 "$top/tests/torture/guest.sh" "$modules" coverage "mixed policy=mixed" unload
	# 1: it has said "not ok" itself.
	[ $? -le 1 ] && echo "torture" >>/mnt/status
	# The counters outlive the module: its unloading is counted too.
	find "$gcov" -path '*/kmod/*.gcda' | while read -r file; do
		cat "$file" >"/mnt/kmod/${file##*/}" || exit 11
	done
	exit $?
fi

trouble() {
	printf '# %s\nKTAP version 1\n1..1\nnot ok 1 - coverage.%s\n' "$2" "$1"
	exit 1
}

kernel=$("$top/tests/vm/uml.sh" build plain) || trouble kernel "User Mode Linux did not build"
build=$top/build/kmod-uml-gcov
out=$top/build/coverage
log=$top/build/logs/coverage-console.log
make -s --no-print-directory -C "$top" kmod KDIR="$kernel" FLAVOUR=uml-gcov ARCH=um HEADWAY_KUNIT=y \
	HEADWAY_TORTURE=y HEADWAY_GCOV=y || trouble modules "the modules did not build with counters"
make -s --no-print-directory -C "$top" build/fuzz/debugfs || trouble fuzz "the fuzzer of debugfs did not build"
rm -rf "$out"
mkdir -p "$out/kmod" "$top/build/logs" || exit 1
: >"$out/status"
HEADWAY_VM_LOG=$log HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-800} \
	"$top/tests/vm/uml.sh" boot "$here/run.sh" "$build" "$out" >"$out/console" 2>&1
status=$?
if [ "$status" -ne 0 ] || [ "$(xargs <"$out/status")" != "kunit 0 torture" ]; then
	tail -20 "$out/console" | sed 's/^/# /'
	trouble session "the tests did not run to their end: status $status, $(xargs <"$out/status"); see $log"
fi
exec /usr/bin/python3 -B "$here/summary.py" "$build" "$out" "$LIMIT"
