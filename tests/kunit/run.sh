#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kunit tier: the KUnit suites (tests/kunit/*_kunit.c) in User Mode Linux, natively, on two CPUs.
#
# Usage:  run.sh              both of these
#         run.sh plain        the plain kernel: timing and contention are real
#         run.sh debug        the kernel with lockdep, KASAN and sleep checks
#
# kernels: uml:plain uml:debug
#
# Then the debugfs files: read, held against their document, fuzzed (tests/fuzz/debugfs.sh).
#
# Each ends with "KUNIT suites=N cases=N passed=N failed=N" and "KERNEL version=V flavour=uml
# insmod=pass|fail bpf=none build=plain|debug". On x86-64 the distro tier runs the suites. A kernel splat is a failure, also when all
# cases passed, and so are a suite that did not run to its end and a module that does not load or unload.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

if [ "${HEADWAY_IN_VM:-}" = 1 ]; then
	# In the guest. KUnit prints its report to the kernel log, which is the console.
	build=$1
	insmod "$build/kmod/headway.ko" || exit 3
	# For the suites that let memory run out: only the allocations that they choose fail, in silence.
	if [ -d /sys/kernel/debug/failslab ]; then
		echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
		echo 0 >/sys/kernel/debug/failslab/verbose
	fi
	echo "headway-kunit: begin"
	insmod "$build/tests/kunit/headway_kunit.ko"
	status=$?
	echo "headway-kunit: end insmod=$status"
	[ "$status" -eq 0 ] || exit 4
	# Nothing is unloaded before everything has been loaded: KASAN on User Mode Linux takes a module
	# in the memory of one that has gone for an overflow.
	"$top/tests/fuzz/debugfs.sh" "$build" "$top/build/fuzz/debugfs"
	rmmod headway_kunit || exit 5
	rmmod headway || exit 6
	exit 0
fi

if [ $# -eq 0 ]; then
	status=0
	"$here/run.sh" plain || status=1
	"$here/run.sh" debug || status=1
	exit "$status"
fi

flavour=$1
name=kunit
[ "$flavour" = plain ] || name=kunit-$flavour
trouble() {
	# A report of one result: what came before it cannot be trusted.
	printf '# %s\nKTAP version 1\n1..1\nnot ok 1 - %s.%s\n' "$2" "$name" "$1"
	exit 1
}

kernel=$("$top/tests/vm/uml.sh" build "$flavour") || trouble kernel "User Mode Linux did not build"
build=build/kmod-uml-$flavour
make -s --no-print-directory -C "$top" kmod KDIR="$kernel" FLAVOUR="uml-$flavour" ARCH=um HEADWAY_KUNIT=y ||
	trouble modules "the modules did not build for User Mode Linux"
[ -e "$top/$build/tests/kunit/headway_kunit.ko" ] || trouble modules "there is no headway_kunit.ko"
make -s --no-print-directory -C "$top" build/fuzz/debugfs || trouble fuzz "the fuzzer of debugfs did not build"

mkdir -p "$top/build/logs"
console=$top/build/logs/$name-console.log
debug=()
[ "$flavour" = plain ] || debug=("--$flavour")
export HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-1200}
# Without the prefixes that printk and the console may add, so that it is KTAP again.
plain() {
	sed -u -E -e 's/^<[0-9]+>//' -e 's/^\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? //'
}
HEADWAY_VM_LOG=$console "$top/tests/vm/uml.sh" boot ${debug[@]+"${debug[@]}"} \
	"$here/run.sh" "$top/$build" | plain
status=${PIPESTATUS[0]}

# Judged from the log of the console, which is there whole even after a crash.
report=$(plain <"$console" | sed -n '/^headway-kunit: begin/,/^headway-kunit: end/p')
suites=$(grep -cE '^(not )?ok [0-9]+' <<<"$report")
verdict=$(LC_ALL=C awk -f "$top/tests/lib/tally.awk" <<<"$report")
read -r _ passed failed skipped <<<"${verdict##*$'\n'}"
why=
grep -q '^headway-kunit: end insmod=0' <<<"$report" || why="the suites did not run to their end"
[ "$suites" -gt 0 ] || why="no suite ran"
case $status in
0) ;;
3) why="headway.ko does not load" ;;
4) why="headway_kunit.ko does not load" ;;
5) why="headway_kunit.ko does not unload" ;;
6) why="headway.ko does not unload: something still holds it" ;;
123) why="the guest did not start" ;;
124) why="no end within $HEADWAY_BOOT_TIMEOUT s" ;;
126) why="kernel splat" ;;
*) why="the guest ended with status $status" ;;
esac

# One more result: what KUnit cannot say about itself.
printf 'KTAP version 1\n# suite: %s\n1..1\n' "$name"
if [ -n "$why" ]; then
	printf '# %s; the whole console is in %s\nnot ok 1 - %s.session\n' "$why" "$console" "$name"
else
	printf 'ok 1 - %s.session: loads, runs, unloads, no splat\n' "$name"
fi
# The session counts as a failure in the total, so that this line cannot look well after a splat.
[ -z "$why" ] || failed=$((failed + 1))
printf 'KUNIT suites=%d cases=%d passed=%d failed=%d\n' \
	"$suites" $((passed + failed + skipped)) "$passed" "$failed"
insmod=pass
[ "$failed" -eq 0 ] || insmod=fail
printf 'KERNEL version=%s flavour=uml insmod=%s bpf=none build=%s\n' \
	"$(cat "$kernel/include/config/kernel.release")" "$insmod" "$flavour"
[ "$failed" -eq 0 ]
