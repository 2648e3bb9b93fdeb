#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels.sh - makes the kernels that tests boot, one after the other, for those who will want them soon.
#
# Usage:  kernels.sh MACHINE:KERNEL...       uml:plain, uml:debug, qemu:SERIES; each once, in this order
#
# Whoever wants one that is being made waits for it (see cache.sh); with all of them there, this takes
# a moment.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
status=0
declare -A seen=()
for kernel; do
	[ -z "${seen[$kernel]:-}" ] || continue
	seen[$kernel]=1
	case $kernel in
	uml:*) "$here/uml.sh" build "${kernel#*:}" || status=1 ;;
	qemu:*) "$here/qemu.sh" kernel "${kernel#*:}" || status=1 ;;
	*) echo "$kernel: no such machine" >&2 && status=1 ;;
	esac
done
exit "$status"
