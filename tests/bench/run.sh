#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench tier: the kernel benchmarks, on two CPUs; natively in User Mode Linux. "make bench" runs it.
#
# Usage:  run.sh              every benchmark
#         run.sh NAME...      these, of those that points() and bench_ops[] in bench.c know
#
# HEADWAY_BENCH_KERNEL=6.1 runs them on that stock kernel instead, emulated.
#
# Contestants of a benchmark run in turns in one boot; from the raw lines that headway_bench.ko prints come
#   BENCH name=lock.OP [KEY=VALUE...] metric=M value=V unit=U [min=V max=V] [low=V high=V target=T verdict=met|missed]
# with medians over the rounds, and ratios that are medians of the ratios of each round; then tables. low and
# high: between which the median may be, for the noise. What was not run is neither printed nor judged. The
# exit status says only whether everything ran. What is to come, and how long it takes on a quiet machine, is
# said first. HEADWAY_BENCH_ROUNDS, HEADWAY_BENCH_MS and
# HEADWAY_BENCH_ONLY (contestants, separated by commas) change how much is run; HEADWAY_BENCH_THREADS, _LOCKS,
# _POOLS and _HOLDS (ns), lists, the points of "contended".
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/say.sh
. "$top/tests/lib/say.sh"

# points OP: the runs that it consists of, as parameters of headway_bench.ko, one run a line.
points() {
	local threads locks pool hold only=${HEADWAY_BENCH_ONLY:+ only=$HEADWAY_BENCH_ONLY}
	local rounds=${HEADWAY_BENCH_ROUNDS:-7} ms=${HEADWAY_BENCH_MS:-400}

	case $1 in
	batch800*)
		# Adaptive learns for as long as its first two comparisons can take, each of 64 pairs of trials of
		# 50 ms; the third is minutes away, and what it costs is bounded (adapt.h).
		for threads in 4 16; do
			echo "rounds=${HEADWAY_BENCH_ROUNDS:-9} run_ms=${HEADWAY_BENCH_MS:-1000} learn_ms=16000" \
				"threads=$threads$only"
		done
		;;
	presorted | unsorted | incremental)
		# Emulation is slower, and stops all CPUs for each 16-byte compare and swap of the allocator,
		# which drm_exec calls for each transaction: that would be all that is measured.
		if [ "${HEADWAY_BENCH_KERNEL:-uml}" != uml ]; then
			ms=${HEADWAY_BENCH_MS:-25}
			only=${only:- only=wound-wait,mutex,ww_mutex,ordered,xfs-trylock,rt_mutex,std-lock}
		else
			ms=${HEADWAY_BENCH_MS:-8}
		fi
		for locks in 1 2 4 8 16; do
			echo "rounds=${HEADWAY_BENCH_ROUNDS:-15} run_ms=$ms locks=$locks$only"
		done
		;;
	contended)
		for threads in ${HEADWAY_BENCH_THREADS:-2 4 8 16}; do
			for pool in ${HEADWAY_BENCH_POOLS:-8 64 4096}; do
				for locks in ${HEADWAY_BENCH_LOCKS:-1 2 4 8}; do
					[ $((locks * 2)) -le "$pool" ] || continue
					for hold in ${HEADWAY_BENCH_HOLDS:-0 1000 10000}; do
						echo "rounds=${HEADWAY_BENCH_ROUNDS:-7} run_ms=${HEADWAY_BENCH_MS:-25}" \
							"threads=$threads pool=$pool locks=$locks hold_ns=$hold$only"
					done
				done
			done
		done
		;;
	stats)
		for locks in 1 8; do
			echo "rounds=${HEADWAY_BENCH_ROUNDS:-15} run_ms=${HEADWAY_BENCH_MS:-8} locks=$locks"
		done
		;;
	stats_contended)
		echo "rounds=${HEADWAY_BENCH_ROUNDS:-9} run_ms=${HEADWAY_BENCH_MS:-100}"
		;;
	scale)
		for pool in 1 10 100 1000 10000 100000 1000000; do
			echo "rounds=${HEADWAY_BENCH_ROUNDS:-7} run_ms=${HEADWAY_BENCH_MS:-20} pool=$pool$only"
		done
		;;
	philosophers*)
		# With 32 of them and the longest meals, everybody has 14.
		for hold in 1000 10000 100000; do
			echo "rounds=${HEADWAY_BENCH_ROUNDS:-7} run_ms=${HEADWAY_BENCH_MS:-250} hold_ns=$hold$only"
		done
		;;
	*)
		echo "rounds=$rounds run_ms=$ms$only"
		;;
	esac
}

# In the guest. bench OP PARAMETER...: a run; the module does it all while it is loaded.
bench() {
	local op=$1
	shift

	insmod "$build/tests/bench/headway_bench.ko" op="$op" "$@" || exit 4
	takes_ms=$(</sys/module/headway_bench/parameters/takes_ms)
	rmmod headway_bench || exit 5
}

minutes() {
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

if [ "${HEADWAY_IN_VM:-}" = 1 ]; then
	build=$1
	shift
	insmod "$build/kmod/headway.ko" || exit 3
	total_ms=0 runs=()
	for op; do
		op_ms=0 n=0
		while read -r -a point; do
			bench "$op" "${point[@]}" plan=1
			op_ms=$((op_ms + takes_ms)) n=$((n + 1))
			runs+=("$op ${point[*]}")
		done < <(points "$op")
		[ "$n" -gt 0 ] || exit 7
		total_ms=$((total_ms + op_ms))
		printf 'bench:   PLAN      %6s min  %3d runs of %s\n' "$(minutes $(((op_ms + 999) / 1000)))" "$n" "$op"
	done
	printf 'bench:   PLAN      %6s min, and what it takes to set them up\n' "$(minutes $((total_ms / 1000)))"
	SECONDS=0 n=0
	for run in "${runs[@]}"; do
		n=$((n + 1))
		printf 'bench:   RUN       %6s %d/%d %s\n' "$(minutes "$SECONDS")" "$n" ${#runs[@]} "$run"
		read -r -a point <<<"$run"
		bench "${point[@]}"
	done
	printf 'bench:   RAN       %6s min\n' "$(minutes "$SECONDS")"
	rmmod headway || exit 6
	exit 0
fi

[ $# -gt 0 ] || set -- presorted unsorted incremental contended philosophers batch800 batch800_sorted stats stats_contended scale
for op; do
	shift
	case $op in
	philosophers) set -- "$@" "${op}_round5" "${op}_round32" "${op}_cube" "${op}_dodecahedron" ;;
	*) set -- "$@" "$op" ;;
	esac
done
kernel=${HEADWAY_BENCH_KERNEL:-uml}
arch=()
if [ "$kernel" = uml ]; then
	kdir=$("$top/tests/vm/uml.sh" build) || die "no UML kernel"
	arch=(ARCH=um)
	boot=("$top/tests/vm/uml.sh" boot)
	# A million locks, twice.
	export HEADWAY_UML_MEM=2G
else
	kdir=$("$top/tests/vm/qemu.sh" headers "$kernel") || die "no kernel $kernel"
	boot=("$top/tests/vm/qemu.sh" boot "$kernel")
fi
build=$top/build/kmod-$kernel-bench
make -s --no-print-directory -C "$top" kmod KDIR="$kdir" FLAVOUR="$kernel-bench" HEADWAY_BENCH=y \
	HEADWAY_EXAMPLES=n ${arch[@]+"${arch[@]}"} || die "the modules did not build"
mkdir -p "$top/build/logs"
# All of the console: where the kernel log has a line of its own, the script may end before it.
export HEADWAY_VM_LOG=$top/build/logs/bench-$kernel-raw.log HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-2400}
"${boot[@]}" "$here/run.sh" "$build" "$@" | sed -u -n -e 's/^bench: //p' -e '/^vm: /p'
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] || tail -5 "$HEADWAY_VM_LOG"
# What the contended grid has for the plot; the grid may be a part of it, or not be measured at all.
throughput=$top/build/bench/throughput
mkdir -p "$top/build/bench"
rm -f "$throughput.txt"
"$here/report.sh" "$kernel" "$HEADWAY_VM_LOG" "$throughput.txt" | tee "$top/build/logs/bench-$kernel.log"
if [ "$kernel" = uml ] && [ -s "$throughput.txt" ] &&
	gnuplot -e "data='$throughput.txt'; output='$throughput.tmp'" "$here/throughput.gp" 2>"$throughput.err"; then
	sed 's/[[:space:]]*$//' "$throughput.tmp" >"$throughput.svg"
	say PLOT "${throughput#"$top/"}.svg"
fi
rm -f "$throughput.tmp"
exit "$status"
