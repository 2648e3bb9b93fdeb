# SPDX-License-Identifier: GPL-2.0
# boot.sh - what uml.sh and qemu.sh share: run a guest, pass its console on, judge how it ended (sourced).
#
# Usage:  vm_prepare SCRIPT [ARGS]     writes the guest's orders into the directory $VM_RUN
#         vm_run TITLE COMMAND...      runs the virtual machine; returns SCRIPT's status, or
#                                      123 SCRIPT was never started, 124 it did not end in time,
#                                      125 the machine ended without a report, 126 kernel splat
#
# The guest's init (init.sh) finds $VM_RUN through the kernel command line (headway_run=DIR) at the
# same path as here, and ends with a line that carries a nonce, so that nothing a script prints can
# be taken for its status.
#
# Only processes that we started are ever killed: the machine runs as leader of its own session.
# shellcheck shell=bash

VM_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # for the caller
VM_INIT=$VM_TOP/tests/vm/init.sh
# Kernel taints that mean a splat: 4 machine check, 5 bad page, 7 oops, 9 warning, 14 soft lockup.
VM_BAD_TAINTS=$(((1 << 4) | (1 << 5) | (1 << 7) | (1 << 9) | (1 << 14)))

vm_prepare() {
	local script

	script=$(readlink -f -- "$1")
	if [ ! -f "$script" ] || [ ! -x "$script" ]; then
		die "cannot execute the script '$1'"
	fi
	shift
	VM_RUN=$(mktemp -d "${TMPDIR:-/tmp}/headway-vm.XXXXXX") || die "cannot make a directory in ${TMPDIR:-/tmp}"
	VM_NONCE=$$-$RANDOM$RANDOM
	VM_PID=
	trap vm_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# Without it a reader that goes away would end us with no clean-up, and the machine would stay.
	trap 'exit 141' PIPE
	{
		printf 'vm_nonce=%q\nvm_tree=%q\nvm_script=%q\n' "$VM_NONCE" "$VM_TOP" "$script"
		printf 'vm_cwd=%q\n' "$PWD"
		printf 'vm_args=('
		[ $# -eq 0 ] || printf '%q ' "$@"
		printf ')\n'
		# The caller's settings of ours go along; nothing else of its environment does.
		export -p | grep '^declare -x HEADWAY_' || true
	} >"$VM_RUN/orders"
}

vm_kill() {
	[ -z "$VM_PID" ] || kill -KILL -- "-$VM_PID" 2>/dev/null
	return 0
}

vm_cleanup() {
	vm_kill
	rm -rf -- "$VM_RUN"
}

vm_now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# Plain lines: no carriage returns, no terminal control. Writes whole lines, so that two of these may
# feed one pipe.
vm_lines() {
	sed -u -e 's/\x1b\[[0-9;?]*[a-zA-Z]//g' -e 's/\x1b[()][A-Z0-9]//g' -e 's/\x1bc//g' -e 's/\r//g'
}

# Everything goes to the log. Passed on is only what comes between our two markers, since nobody
# reads how a kernel boots when it did. With HEADWAY_VERBOSE set, all of it is passed on.
vm_filter() {
	# Not awk: Debian's waits until it has read a whole buffer.
	tee "$VM_RUN/console.log" | if [ -n "${HEADWAY_VERBOSE:-}" ]; then
		sed -u '/^HEADWAY-VM-/d'
	else
		sed -u -n "/^HEADWAY-VM-START $VM_NONCE/,/^HEADWAY-VM-END $VM_NONCE/{//!p}"
	fi
}

vm_run() {
	local title=$1 limit=${HEADWAY_BOOT_TIMEOUT:-120} start_limit=${HEADWAY_START_TIMEOUT:-90}
	local timed_out='' started='' start now filter end status taint
	shift
	[ "$start_limit" -lt "$limit" ] || start_limit=$limit

	# "console" is the machine's own output. "script" is for machines that can keep the script's
	# output apart from the kernel log: on one line, either may fall into the middle of the other.
	rm -f "$VM_RUN/console" "$VM_RUN/script"
	mkfifo "$VM_RUN/console" "$VM_RUN/script"
	# Held open here, as not every machine opens it; closed when the machine has ended.
	exec 7<>"$VM_RUN/script"
	{
		vm_lines <"$VM_RUN/console" &
		vm_lines <"$VM_RUN/script"
		wait
	} 7>&- | vm_filter 7>&- &
	filter=$!
	start=$(vm_now_ms)
	setsid "$@" </dev/null >"$VM_RUN/console" 2>&1 7>&- &
	VM_PID=$!
	while kill -0 "$VM_PID" 2>/dev/null; do
		now=$((${EPOCHREALTIME/[.,]/} / 1000 - start))	# no process for it, ten times a second
		[ -n "$started" ] || started=$(grep -am1 "^HEADWAY-VM-START $VM_NONCE" "$VM_RUN/console.log" 2>/dev/null)
		if [ "$now" -gt $((limit * 1000)) ] ||
			{ [ -z "$started" ] && [ "$now" -gt $((start_limit * 1000)) ]; }; then
			timed_out=1
			break
		fi
		sleep 0.1
	done
	# Helpers of the machine (UML has one process per guest address space) must not outlive it.
	vm_kill
	wait "$VM_PID" 2>/dev/null
	VM_PID=
	exec 7>&-
	# All that wrote into the pipes is gone, so this ends at once; if a process did get away, do not
	# wait for it for ever.
	for _ in $(seq 50); do
		kill -0 "$filter" 2>/dev/null || break
		sleep 0.1
	done
	kill "$filter" 2>/dev/null
	wait "$filter" 2>/dev/null
	[ -z "${HEADWAY_VM_LOG:-}" ] || cp "$VM_RUN/console.log" "$HEADWAY_VM_LOG"

	if ! "$VM_TOP/tests/lib/splat.sh" "$VM_RUN/console.log"; then
		echo "vm: $title: FAILED, kernel splat (above)"
		return 126
	fi
	if ! grep -aq "^HEADWAY-VM-START $VM_NONCE" "$VM_RUN/console.log"; then
		echo "vm: $title: FAILED, it did not get as far as the script in $((now / 1000)) s; its last words:"
		tail -n 25 "$VM_RUN/console.log" | sed 's/^/  | /'
		return 123
	fi
	if [ -n "$timed_out" ]; then
		echo "vm: $title: FAILED, no end within $limit s (HEADWAY_BOOT_TIMEOUT)"
		return 124
	fi
	end=$(grep -a "^HEADWAY-VM-END $VM_NONCE " "$VM_RUN/console.log" | tail -1)
	read -r _ _ status taint <<<"$end"
	if [ -z "${status:-}" ]; then
		echo "vm: $title: FAILED, the guest ended without reporting a status"
		return 125
	fi
	# A second witness: a splat that never reached the console still taints the kernel.
	if [ $((taint & VM_BAD_TAINTS)) -ne 0 ] &&
		! grep -aq 'headway-expect-splat: begin' "$VM_RUN/console.log"; then
		echo "vm: $title: FAILED, the kernel is tainted ($taint): it warned, though not on the console"
		return 126
	fi
	return "$status"
}
