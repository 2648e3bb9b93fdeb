#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh - shows what Headway does, on the real thing, and explains it. `make demo` builds, then runs it.
#
# Part 1 boots the stock Debian 6.1 kernel in qemu and finds and cures a livelock among kernel threads.
# Part 2 watches three small programs: on this machine, or in the same VM where this machine cannot.
#
# It is also a test: the exit status is 0 only if every verdict was the right one.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/lib/say.sh
. "$top/tests/lib/say.sh"
cd "$top" || exit 1
modules=build/kmod-stock-6.1/kmod
guest=$top/tests/demo_guest.sh
limit_s=240
failures=()

# What runs at that time cleans up after itself; nothing more is started.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\033[1m' red=$'\033[1;31m' green=$'\033[32m' dim=$'\033[2m' off=$'\033[0m'
else
	bold='' red='' green='' dim='' off=''
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$off"
}

# The guest's lines come without colour. Not awk: Debian's waits for 4 KiB before it does anything.
# Ctrl-C is for those who write: who has nobody to write to any more dies before it has cleaned up.
paint() {
	trap '' INT TERM HUP
	sed -u -e "s/^== .*/$bold&$off/" -e "s/^\$ .*/$dim&$off/" -e "s/^demo: FAILED.*/$red&$off/" \
		-e "s/^vm: .*FAILED.*/$red&$off/"
}

# half NAME COMMAND...: one half of the demo; notes its failure under NAME.
half() {
	local name=$1 status
	shift

	"$@" 2>&1 | paint
	status=${PIPESTATUS[0]}
	[ "$status" -eq 0 ] || failures+=("$name (status $status)")
}

in_vm() {
	HEADWAY_BOOT_TIMEOUT=$limit_s tests/vm/qemu.sh boot 6.1 "$guest" "$@"
}

for needed in build/headway "$modules/headway.ko" "$modules/examples/philosophers.ko" \
	build/corpus/two_lock_grid; do
	[ -e "$needed" ] || die "$needed is not built; run 'make demo', which builds it first"
done

started=$SECONDS
title "Headway demo, part 1: a livelock in the kernel"
echo "headway.ko is built for the stock Debian kernel: $(modinfo -F vermagic "$modules/headway.ko")"
echo "That kernel now boots in an emulated machine, so yours stays as it is."
half "part 1, kernel" in_vm kernel "$top/$modules"

title "Headway demo, part 2: a livelock in a process"
if reason=$(build/headway doctor 2>&1 </dev/null); then
	half "part 2, processes" timeout --foreground 120 "$guest" process
else
	echo "This machine cannot watch processes, so the VM does. headway doctor:"
	grep -A1 '^missing' <<<"$reason"
	half "part 2, processes" in_vm process
fi

title "Summary, after $((SECONDS - started)) s"
if [ ${#failures[@]} -gt 0 ]; then
	printf '%sFAILED: %s%s\n' "$red" "$(IFS=';' && echo "${failures[*]}")" "$off"
	exit 1
fi
cat <<END
${green}Shown, and checked:${off}
  - a livelock of kernel threads, called by the watchdog in the kernel log, a tracepoint and debugfs;
  - the same threads eating under every other policy, switched while they run;
  - a livelock in a process that makes no futex call, its healthy twin, and a deadlock.
Next: README.md; build/headway --help; make check.
END
