#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# initramfs-init.sh - brings up the guest's root (the host's / over 9p, a tmpfs on top) and starts init.sh.
b=/bin/busybox
# From the kernel command line.
: "${headway_init:=/sbin/init}"

fail() {
	$b echo "initramfs: $*"
	$b poweroff -f
}

$b mount -t devtmpfs devtmpfs /dev
$b mount -t proc proc /proc
for module in /modules/*.ko; do
	# A kernel that has all built in comes without any.
	[ -e "$module" ] || continue
	$b insmod "$module" || fail "cannot load $module"
done
$b echo "initramfs: mounting root"
# Nobody writes below, so the guest may cache what it has read.
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose hostroot /lower ||
	fail "cannot mount the host's files"
$b mount -t tmpfs -o size=60% tmpfs /rw
$b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /root ||
	fail "cannot put a writable layer over the host's files"
$b mount --move /dev /root/dev
$b umount /proc
$b echo "initramfs: starting $headway_init"
# When this fails the kernel panics, which ends the machine as well.
exec $b switch_root /root "$headway_init"
