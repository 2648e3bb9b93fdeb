#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# init.sh - process 1 of every guest. The root is the host's file system, read-only (or with a tmpfs on top).
#
# Its orders (see boot.sh) are in the directory that the kernel command line names: headway_run=DIR
# arrives here as an environment variable.
#
# Must never exit: the kernel panics when process 1 does. It ends by powering off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LC_ALL=C.UTF-8

vm_status=125
# shellcheck disable=SC2317 # called by the trap
vm_finish() {
	local taint

	read -r taint </proc/sys/kernel/tainted
	# Reports that are on their way (RCU stalls, the watchdog's last words) get a moment.
	sleep 0.1
	# On a line of its own, whatever the script left unfinished before it.
	printf '\nHEADWAY-VM-END %s %s %s\n' "${vm_nonce:-none}" "$vm_status" "${taint:-0}"
	busybox poweroff -f
	while :; do sleep 1; done
}
trap vm_finish EXIT

# Where the machine has a second serial line, all but the kernel log goes there.
if [ -n "${headway_tty:-}" ] && [ -c "$headway_tty" ]; then
	# Raw: the terminal must not translate what it passes on.
	stty -F "$headway_tty" raw -echo
	exec </dev/null >"$headway_tty" 2>&1
fi

mount -n -t proc proc /proc
mount -n -t sysfs sysfs /sys
mount -n -t debugfs debugfs /sys/kernel/debug
# A devtmpfs is without it, and the shell's <(...) needs it.
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
# Each of these depends on the kernel's configuration; a script that needs one will say so itself.
mount -n -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
mount -n -t bpf bpf /sys/fs/bpf 2>/dev/null
mount -n -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null

vm_cwd=/ vm_args=()
# shellcheck source=/dev/null
. "${headway_run:?no headway_run= on the kernel command line}/orders"

# The tree and the script may lie below /tmp or /run, where fresh tmpfs is about to be mounted:
# hold on to them and put them back at the same path.
keep=("$vm_tree" "$(dirname "$vm_script")" "$headway_run")
mount -n -t tmpfs -o mode=0755 tmpfs /mnt
for i in "${!keep[@]}"; do
	mkdir -p "/mnt/$i"
	mount -n --bind "${keep[i]}" "/mnt/$i"
done
for dir in /tmp /run /var/tmp /dev/shm; do
	[ -d "$dir" ] && mount -n -t tmpfs -o mode=1777 tmpfs "$dir"
done
for i in "${!keep[@]}"; do
	if [ ! -d "${keep[i]}" ]; then
		mkdir -p "${keep[i]}"
		mount -n --bind "/mnt/$i" "${keep[i]}"
	fi
done
umount -n -l /mnt

# A stock kernel's own modules, where modprobe looks for them.
if [ -d "${HEADWAY_VM_MODULES:-}" ]; then
	mkdir -p /lib/modules && mount -n --bind "$HEADWAY_VM_MODULES" /lib/modules
fi

# Loopback, for tests between processes; absent in kernels without networking.
ip link set lo up 2>/dev/null
hostname headway-guest 2>/dev/null

export HOME=/tmp
export HEADWAY_IN_VM=1
cd "$vm_cwd" 2>/dev/null || cd "$vm_tree" || exit
printf '\nHEADWAY-VM-START %s\n' "$vm_nonce"
# In a session of its own, so that a script's "kill 0" cannot reach process 1.
setsid --wait "$vm_script" "${vm_args[@]}" </dev/null
vm_status=$?
exit
