#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# record_guest.sh - records, in a guest, a kernel with headway.ko; record.sh boots it, and takes what it says.
#
# Usage:  record_guest.sh MODULES     a directory with headway.ko and examples/philosophers.ko
#
# philosophers: a livelock, and its cure after some seconds. kernel_and_process: a livelock in the kernel and
# one in a process at the same time. Lines "# recording NAME: BASE64" are for record.sh.
set -eu -o pipefail

modules=${1:?where is headway.ko?}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
headway=$top/build/headway
domain=/sys/kernel/debug/headway/domains/philosophers

verdict_is() {
	local end=$((SECONDS + 60))

	until grep -qxE "verdict=($1)" "$domain/summary"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

say_it() {
	printf '# recording %s: %s\n' "$1" "$(base64 -w 0 "$1.hw")"
}

cd /tmp
dmesg -n 4
insmod "$modules/headway.ko"
insmod "$modules/examples/philosophers.ko" policy=none reach_ms=100
verdict_is livelock
"$headway" record -o philosophers.hw --json -w 2 -d 14 -k philosophers >/dev/null 2>err </dev/null &
sleep 6
"$headway" policy philosophers ordered
verdict_is 'healthy|contended'
wait "$!"
say_it philosophers
"$headway" policy philosophers none
verdict_is livelock
cp "$top/build/corpus/two_lock_grid" .
"$headway" record -o kernel_and_process.hw --json -w 2 -d 10 -k -- ./two_lock_grid >/dev/null 2>err </dev/null
say_it kernel_and_process
