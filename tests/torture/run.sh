#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# torture tier: every policy under load and disturbance in User Mode Linux, natively, on two CPUs;
# and the negative controls, which must be caught.
#
# Usage:  run.sh                  all of these
#         run.sh plain            each policy on the plain kernel
#         run.sh controls         runs that are wrong on purpose, on the plain kernel
#         run.sh debug            each policy, for a shorter time, with lockdep, KASAN and failing allocations
#         run.sh soak MINUTES     as plain and debug, for longer
#
# HEADWAY_TORTURE_SECONDS: length of one run. Each prints a line
#   TORTURE kernel=V build=B policy=P commits=N rollbacks=N max_restarts=N fairness=X verdict=V
# A run is invalid, which is a failure, if it did not come by all that the policy can do.
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
	echo "mixed policy=mixed"
	# So crowded that some come near the number of restarts after which they take the token.
	echo "polite.crowd policy=polite workers=24 pool=16"
	# Whoever asks in order never has to roll back, whatever the policy.
	echo "detect.sorted policy=detect sorted=Y"
}

controls() {
	sed -n 's/^\t{ "\([a-z-]*\)", TORTURE_.*/control:\1 seconds=60 patience_ms=3000/p' \
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

# torture FLAVOUR BUILD RUN...
torture() {
	local flavour=$1 variant=$2 kernel build debug=() status
	shift 2

	kernel=$("$top/tests/vm/uml.sh" build "$flavour") || trouble kernel "User Mode Linux did not build"
	build=build/kmod-uml-$flavour$variant
	make -s --no-print-directory -C "$top" kmod KDIR="$kernel" FLAVOUR="uml-$flavour$variant" ARCH=um \
		HEADWAY_TORTURE=y HEADWAY_BROKEN="${variant:+y}" || trouble modules "the modules did not build"
	mkdir -p "$top/build/logs"
	[ "$flavour" = plain ] || debug=("--$flavour")
	HEADWAY_VM_LOG=$top/build/logs/$name-console.log "$top/tests/vm/uml.sh" boot ${debug[@]+"${debug[@]}"} \
		"$here/guest.sh" "$top/$build" "$name" "$@" | plain
	status=${PIPESTATUS[0]}
	[ "$status" -le 1 ] || trouble session "status $status of the guest; its console is in build/logs/$name-console.log"
	return "$status"
}

part=${1:-all}
name=torture-$part
case $part in
all)
	status=0
	for part in plain controls debug; do
		"$here/run.sh" "$part" || status=1
	done
	exit "$status"
	;;
plain)
	export HEADWAY_TORTURE_SECONDS=${HEADWAY_TORTURE_SECONDS:-11} HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-600}
	mapfile -t runs < <(runs)
	torture plain "" "${runs[@]}"
	;;
controls)
	export HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-600}
	mapfile -t runs < <(controls)
	torture plain -broken "${runs[@]}"
	;;
debug)
	export HEADWAY_TORTURE_SECONDS=${HEADWAY_TORTURE_SECONDS:-5} HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-600}
	export HEADWAY_TORTURE_PATIENCE_MS=120000
	mapfile -t runs < <(runs | sed 's/$/ locks=10000/')
	torture debug "" "${runs[@]}"
	;;
soak)
	minutes=${2:?run.sh soak MINUTES}
	mapfile -t runs < <(runs)
	export HEADWAY_TORTURE_SECONDS=$((minutes * 60 / 2 / ${#runs[@]}))
	export HEADWAY_BOOT_TIMEOUT=$((minutes * 60 + 600))
	status=0
	for part in plain debug; do
		"$here/run.sh" "$part" || status=1
	done
	exit "$status"
	;;
*)
	sed -n '6,10s/^# //p' "$0" >&2
	exit 2
	;;
esac
