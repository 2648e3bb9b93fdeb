#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# torture tier: every policy under load and disturbance in User Mode Linux, natively, on two CPUs;
# and the negative controls, which must be caught.
#
# Usage:  run.sh                  all but soak
#         run.sh plain            each policy on the plain kernel
#         run.sh controls         runs that are wrong on purpose, on the plain kernel
#         run.sh debug            each policy, for a shorter time, with lockdep, KASAN and failing allocations
#         run.sh kcsan            some, in qemu, with a kernel that finds data races (KCSAN); those that
#                                 our code is part of are failures
#         run.sh soak MINUTES     as plain, debug and kcsan, a third of the time each; a run is never shorter
#                                 than there, or it would not come by everything
#
# kernels: uml:plain uml:debug qemu:7.3-kcsan
#
# HEADWAY_TORTURE_SECONDS: length of one run. Each prints a line
#   TORTURE kernel=V build=B policy=P operations=N commits=N rollbacks=N max_restarts=N fairness=X verdict=V
# A run is invalid, which is a failure, if it did not come by all that the policy can do. Controls print
#   CONTROL name=N caught=yes|no by=CHECKS also=CHECKS
# and are caught if all of the checks failed that are there for them, and none before those.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

# The policies are those of the module, but for the one that livelocks by design.
policies() {
	sed -n '/define HEADWAY_POLICIES/,/^$/s/^\tX([A-Z_]*, "\([a-z-]*\)",.*/\1/p' \
		"$top/kmod/include/headway_types.h" | grep -vx none
}

runs() {
	local policy

	for policy in $(policies); do
		echo "$policy policy=$policy"
	done
	# To read what debugfs says of so many takes too long on a busy machine: that is for the others.
	echo "mixed policy=mixed locks=100000"
	# Some come to the number of restarts after which they take the token.
	echo "polite.crowd policy=polite workers=3 load=crowd must=turns"
	# What the others only come by when they are lucky: see torture_drive.c.
	echo "detect.gone policy=detect workers=2 load=gone must=detect.gone"
	echo "mixed.gate policy=mixed workers=5 load=gate must=gate.wait,gate.turned-away,gate.ebusy,gate.eintr,gate.etimedout"
	# Whoever asks in order never has to roll back, whatever the policy.
	echo "detect.sorted policy=detect sorted=Y"
}

# Emulated, and with every access looked at, a policy takes its time.
kcsan_runs() {
	local policy

	for policy in mixed wound-wait adaptive detect; do
		echo "$policy policy=$policy locks=1000"
	done
}

controls() {
	sed -nE 's/^\t(WRONG_LOAD|BROKEN)\("([a-z-]*)", CATCH.*/control:\2 seconds=60 patience_ms=3000/p' \
		"$here/torture_controls.c"
}

trouble() {
	# A report of one result: what came before it cannot be trusted.
	printf '# %s\nKTAP version 1\n1..1\nnot ok 1 - %s.%s\n' "$2" "$name" "$1"
	exit 1
}

# Without the prefixes that printk and the console may add.
plain() {
	sed -u -E -e 's/^<[0-9]+>//' -e 's/^\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? //'
}

# modules KERNEL FLAVOUR [MAKE ARGUMENT...]: prints where they are.
modules() {
	local kernel=$1 flavour=$2
	shift 2

	make -s --no-print-directory -C "$top" kmod KDIR="$kernel" FLAVOUR="$flavour" HEADWAY_TORTURE=y \
		HEADWAY_EXAMPLES= "$@" >&2 ||
		return 1
	mkdir -p "$top/build/logs"
	echo "$top/build/kmod-$flavour"
}

# In User Mode Linux: torture FLAVOUR VARIANT RUN...
torture() {
	local flavour=$1 variant=$2 kernel build debug=() status
	shift 2

	kernel=$("$top/tests/vm/uml.sh" build "$flavour") || trouble kernel "User Mode Linux did not build"
	build=$(modules "$kernel" "uml-torture-$flavour$variant" ARCH=um HEADWAY_BROKEN="${variant:+y}") ||
		trouble modules "the modules did not build"
	[ "$flavour" = plain ] || debug=("--$flavour")
	HEADWAY_VM_LOG=$top/build/logs/$name-console.log "$top/tests/vm/uml.sh" boot ${debug[@]+"${debug[@]}"} \
		"$here/guest.sh" "$build" "$name" "$@" | plain
	status=${PIPESTATUS[0]}
	[ "$status" -le 1 ] || trouble session "status $status of the guest; its console is in build/logs/$name-console.log"
	return "$status"
}

# In qemu. The rest of the kernel has its own races, which are none of ours: a report counts if a
# function of our modules is in it, and only then.
torture_kcsan() {
	local log=$top/build/logs/$name-console.log kernel build status

	kernel=$("$top/tests/vm/qemu.sh" headers 7.3-kcsan) || trouble kernel "the KCSAN kernel did not build"
	build=$(modules "$kernel" x86-kcsan) || trouble modules "the modules did not build"
	HEADWAY_VM_LOG=$log HEADWAY_FOREIGN_RACES=1 "$top/tests/vm/qemu.sh" boot 7.3-kcsan \
		"$here/guest.sh" "$build" "$name" "$@" | plain
	status=${PIPESTATUS[0]}
	[ "$status" -le 1 ] || trouble session "status $status of the guest; its console is in ${log#"$top"/}"
	return "$status"
}

# Of one run, at least.
plain_seconds=11 debug_seconds=5 kcsan_seconds=8

debug_runs() {
	runs | sed -e '/^polite.crowd/d' -e '/^detect.gone/d' -e '/^mixed.gate/d' -e 's/$/ locks=2000/'
}

part=${1:-all}
name=torture-$part
case $part in
all)
	status=0
	for part in plain controls debug kcsan; do
		"$here/run.sh" "$part" || status=1
	done
	exit "$status"
	;;
plain)
	export HEADWAY_TORTURE_SECONDS=${HEADWAY_TORTURE_SECONDS:-$plain_seconds} HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-1200}
	mapfile -t runs < <(runs)
	export HEADWAY_TORTURE_BRANCHES=1
	torture plain "" "${runs[@]}"
	;;
controls)
	export HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-1200}
	mapfile -t runs < <(controls)
	torture plain -broken "${runs[@]}"
	;;
debug)
	export HEADWAY_TORTURE_SECONDS=${HEADWAY_TORTURE_SECONDS:-$debug_seconds} HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-1200}
	export HEADWAY_TORTURE_PATIENCE_MS=120000
	mapfile -t runs < <(debug_runs)
	torture debug "" "${runs[@]}"
	;;
kcsan)
	export HEADWAY_TORTURE_SECONDS=${HEADWAY_TORTURE_SECONDS:-$kcsan_seconds} HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-1200}
	export HEADWAY_TORTURE_PATIENCE_MS=120000
	mapfile -t runs < <(kcsan_runs)
	torture_kcsan "${runs[@]}"
	;;
soak)
	minutes=${2:?run.sh soak MINUTES}
	export HEADWAY_BOOT_TIMEOUT=$((minutes * 60 + 1200))
	status=0
	for part in plain debug kcsan; do
		case $part in
		plain) mapfile -t runs < <(runs) && least=$plain_seconds ;;
		debug) mapfile -t runs < <(debug_runs) && least=$debug_seconds ;;
		kcsan) mapfile -t runs < <(kcsan_runs) && least=$kcsan_seconds ;;
		esac
		seconds=$((minutes * 60 / 3 / ${#runs[@]}))
		[ "$seconds" -ge "$least" ] || seconds=$least
		printf '# soak: %s, %d runs of %d s\n' "$part" ${#runs[@]} "$seconds"
		HEADWAY_TORTURE_SECONDS=$seconds "$here/run.sh" "$part" || status=1
	done
	exit "$status"
	;;
*)
	sed -n '6,13s/^# //p' "$0" >&2
	exit 2
	;;
esac
