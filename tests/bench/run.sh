#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench tier: the kernel benchmarks in User Mode Linux, natively, on two CPUs. "make bench" runs it.
#
# Usage:  run.sh              every benchmark
#         run.sh NAME...      these, of those that points() and bench_ops[] in bench.c know
#
# Contestants of a benchmark run in turns in one boot; from the raw lines that headway_bench.ko prints come
#   BENCH name=lock.OP threads=N policy=P metric=M value=V unit=U
# with medians over the rounds, and ratios that are medians of the ratios of each round. Measures, does
# not judge: the exit status says only whether everything ran. HEADWAY_BENCH_ROUNDS, HEADWAY_BENCH_MS and
# HEADWAY_BENCH_ONLY (contestants, separated by commas) change how much is run.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/say.sh
. "$top/tests/lib/say.sh"

# points OP: the runs that it consists of, as parameters of headway_bench.ko, one run a line.
points() {
	local threads locks only=${HEADWAY_BENCH_ONLY:+ only=$HEADWAY_BENCH_ONLY}
	local rounds=${HEADWAY_BENCH_ROUNDS:-7} ms=${HEADWAY_BENCH_MS:-400}

	case $1 in
	batch800*)
		for threads in 4 16; do
			echo "rounds=$rounds run_ms=$ms threads=$threads$only"
		done
		;;
	presorted | unsorted | incremental)
		for locks in 1 2 4 8 16; do
			echo "rounds=${HEADWAY_BENCH_ROUNDS:-15} run_ms=${HEADWAY_BENCH_MS:-8} locks=$locks$only"
		done
		;;
	*)
		echo "rounds=$rounds run_ms=$ms$only"
		;;
	esac
}

if [ "${HEADWAY_IN_VM:-}" = 1 ]; then
	build=$1
	shift
	insmod "$build/kmod/headway.ko" || exit 3
	for op in "$@"; do
		while read -r -a point; do
			insmod "$build/tests/bench/headway_bench.ko" op="$op" "${point[@]}" || exit 4
			rmmod headway_bench || exit 5
		done < <(points "$op")
	done
	rmmod headway || exit 6
	exit 0
fi

[ $# -gt 0 ] || set -- presorted unsorted incremental batch800 batch800_sorted
kernel=$("$top/tests/vm/uml.sh" build) || die "no UML kernel"
build=$top/build/kmod-uml-bench
make -s --no-print-directory -C "$top" kmod KDIR="$kernel" FLAVOUR=uml-bench ARCH=um HEADWAY_BENCH=y \
	HEADWAY_EXAMPLES=n || die "the modules did not build"
mkdir -p "$top/build/logs"
raw=$top/build/logs/bench-raw.log
HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-900} "$top/tests/vm/uml.sh" boot "$here/run.sh" "$build" "$@" |
	tee "$raw" | sed -u -n 's/.*headway-bench: \(op=.* threads=.* round=.* side=[^ ]*\).*/  \1/p'
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] || tail -5 "$raw"
reports=(-f "$here/summary.awk")
for report in "$here"/report_*.awk; do
	reports+=(-f "$report")
done
awk -v kernel=uml "${reports[@]}" -f "$here/verdicts.awk" "$raw" | tee "$top/build/logs/bench.log"
exit "$status"
