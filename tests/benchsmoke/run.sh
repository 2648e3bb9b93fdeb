#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# benchsmoke tier: every operation of headway_bench.ko runs, for a moment, in User Mode Linux, and each of
# its contestants commits, so that benchmarks which nobody has run for a while still do. What they measure
# is of no interest here: tests/bench/run.sh shows that.
#
# Usage:  run.sh
#
# runs: alone
# kernels: uml:plain
# shellcheck disable=SC2317 # run is called by check
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/say.sh
. "$top/tests/lib/say.sh"
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"

# run OP: one short run of each contestant.
run() {
	local idle

	dmesg --syslog --clear
	insmod "$build/tests/bench/headway_bench.ko" op="$1" rounds=0 run_ms=60 || return
	rmmod headway_bench || return
	if ! dmesg --syslog | finds 'headway-bench: op=.* commits='; then
		echo "no contestant has run"
		return 1
	fi
	idle=$(dmesg --syslog | sed -n 's/.*headway-bench: \(op=.* commits=0 .*\)/\1/p')
	[ -z "$idle" ] || echo "without a commit: $idle"
	[ -z "$idle" ]
}

if [ "${HEADWAY_IN_VM:-}" = 1 ]; then
	build=$1
	ktap_begin benchsmoke
	insmod "$build/kmod/headway.ko" || exit 3
	# Refused, and says which ones there are.
	insmod "$build/tests/bench/headway_bench.ko" op=none 2>/dev/null && exit 4
	mapfile -t ops < <(dmesg --syslog | sed -n 's/.*headway-bench: there is op=//p')
	[ ${#ops[@]} -gt 0 ] || exit 5
	for op in "${ops[@]}"; do
		check "$op" run "$op"
	done
	check unload rmmod headway
	ktap_end
	exit
fi

trouble() {
	printf '# %s\nKTAP version 1\n1..1\nnot ok 1 - benchsmoke.%s\n' "$2" "$1"
	exit 1
}

kernel=$("$top/tests/vm/uml.sh" build) || trouble kernel "User Mode Linux did not build"
make -s --no-print-directory -C "$top" kmod KDIR="$kernel" FLAVOUR=uml-bench ARCH=um HEADWAY_BENCH=y \
	HEADWAY_EXAMPLES=n || trouble modules "the modules did not build"
mkdir -p "$top/build/logs"
console=$top/build/logs/benchsmoke-console.log
HEADWAY_VM_LOG=$console "$top/tests/vm/uml.sh" boot "$here/run.sh" "$top/build/kmod-uml-bench" |
	grep -v 'headway-bench: '
status=${PIPESTATUS[0]}
[ "$status" -le 1 ] || trouble session "status $status of the guest; its console is in $console"
exit "$status"
