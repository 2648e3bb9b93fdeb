#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# distro tier: insmod in qemu, on kernels as a user's machine runs them: stock Debian's, its PREEMPT_RT
# variant, and one of our own with lockdep, KASAN and sleep checks that sees what those do not tell.
#
# Usage:  run.sh [SERIES...]       default: 6.1 6.1-rt 6.12 7.3-debug
#
# runs: beside
# kernels: qemu:6.1 qemu:6.1-rt qemu:6.12 qemu:7.3-debug
#
# The KUnit suites are built too: on a kernel without KUnit their own small runner (kunit_shim.h)
# runs them. guest.sh runs in the guest, with the directory of the modules as its argument, and prints
# KTAP; its line "BPF pass|fail" says whether the tool's probes worked there. Screens that it saw go to
# build/captures. Ends, for each kernel,
# with "KERNEL version=V flavour=stock|rt|debug insmod=pass|fail bpf=pass|fail|none".
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || set -- 6.1 6.1-rt 6.12 7.3-debug
status=0

# session SERIES RESULT [WHY]: one document of one result: what the guest cannot say about itself.
session() {
	printf 'KTAP version 1\n# suite: distro.%s\n1..1\n' "$1"
	[ -z "${3:-}" ] || printf '# %s\n' "$3"
	printf '%s 1 - distro.%s.session\n' "$2" "$1"
}

# take_captures CONSOLE: what the guest kept for people to look at.
take_captures() {
	[ ! -s "$1" ] || LC_ALL=C awk -v dir="$top/build/captures" '/^# capture [a-z-]+\.txt: / {
		file = substr($3, 1, length($3) - 1)
		sub(/^# capture [^ ]+ /, "")
		sub(/\r$/, "")
		print >(dir "/" file)
	}' "$1"
}

mkdir -p "$top/build/logs" "$top/build/captures"
for series; do
	limit=1800
	case $series in
	*-rt) flavour=rt ;;
	*-debug) flavour=debug limit=2400 ;;
	*) flavour=stock ;;
	esac
	build=distro-$series	# not stock-6.1, which other tiers build meanwhile, without the suites
	console=$top/build/logs/distro-$series-console.log
	version=unknown
	insmod=fail bpf=none why=
	rm -f "$console"
	echo "# kernel: $series"

	if ! kernel=$("$top/tests/vm/qemu.sh" kernel "$series"); then
		why="there is no kernel $series to boot"
	elif ! make -s --no-print-directory -C "$top" kmod KDIR="$(readlink -f "$kernel/headers")" FLAVOUR="$build" HEADWAY_KUNIT=y; then
		why="the modules did not build for $series"
	else
		version=$(cat "$kernel/VERSION")
		# Emulated, and slower still beside other work: the limit is for hangs only.
		HEADWAY_VM_LOG=$console HEADWAY_BOOT_TIMEOUT=${HEADWAY_BOOT_TIMEOUT:-$limit} \
			"$top/tests/vm/qemu.sh" boot "$series" "$here/guest.sh" "$top/build/kmod-$build"
		code=$?
		case $code in
		0 | 1) ;; # guest.sh has said "not ok" itself, which run.sh counts
		123) why="the guest did not start" ;;
		124) why="no end within the time limit" ;;
		126) why="kernel splat" ;;
		*) why="the guest ended with status $code" ;;
		esac
		[ "$code" -eq 0 ] || status=1
		take_captures "$console"
		[ -s "$console" ] || why="no guest was started"
		# The module was in, under load and out again, and the kernel had nothing to say about it.
		[ "$code" -ne 0 ] || insmod=pass
		case $(grep -aoE '^BPF (pass|fail)' "$console" 2>/dev/null | tail -1) in
		*pass) bpf=pass ;;
		*fail) bpf=fail ;;
		esac
	fi
	if [ -n "$why" ]; then
		status=1
		session "$series" "not ok" "$why; the whole console is in $console"
	else
		session "$series" ok
	fi
	printf 'KERNEL version=%s flavour=%s insmod=%s bpf=%s\n' "$version" "$flavour" "$insmod" "$bpf"
done
exit "$status"
