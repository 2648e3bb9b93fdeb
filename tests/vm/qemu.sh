#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# qemu.sh - boots Debian's kernels, and two built with checks, in qemu, with the host's files.
#
# Usage:  qemu.sh kernel SERIES                prints a directory: vmlinuz, lib/modules/, headers/, VERSION
#         qemu.sh headers SERIES               prints the kernel's header directory (KDIR for modules)
#         qemu.sh btf SERIES                   prints the path of the kernel's ELF image, which holds its BTF
#         qemu.sh boot SERIES SCRIPT [ARGS]    runs SCRIPT in it as root; exit status is SCRIPT's
#
# The guest's root is the host's / over 9p, read-only, with a tmpfs on top: it may write anywhere and
# nothing of it stays. Console and kernel log come out on stdout. A kernel splat, a panic and a
# timeout (HEADWAY_BOOT_TIMEOUT seconds, default 120) are failures whatever SCRIPT returned.
#
# Emulated (TCG): stock guests hang on the /dev/kvm of nested machines.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/say.sh
. "$here/../lib/say.sh"
# shellcheck source=tests/lib/cache.sh
. "$here/../lib/cache.sh"
# shellcheck source=tests/lib/deb.sh
. "$here/../lib/deb.sh"
# shellcheck source=tests/vm/build.sh
. "$here/build.sh"

# One row for each kernel: series, suite. "installed" means: the version whose headers are installed,
# from the machine's own package lists, so that image and headers match to the last digit. "source":
# built from the source package with x86.config and x86-FLAVOUR.config. A series may name a variant of
# Debian's: rt.
kernels='
6.1	installed
6.1-rt	bookworm
6.12	bookworm-backports
7.3-debug	source
7.3-kcsan	source
'

# Part of the cache key: raise it when fill_kernel lays its directory out differently.
KERNEL_LAYOUT=1

suite_of() {
	local suite

	suite=$(awk -v series="$1" '$1 == series { print $2 }' <<<"$kernels")
	[ -n "$suite" ] || die "no kernel '$1'; there are:$(awk '{ printf " %s", $1 }' <<<"$kernels")"
	echo "$suite"
}

# The headers that linux-headers-amd64 stands for: "6.1.0-56-amd64".
installed_release() {
	local release

	release=$(dpkg-query -W -f '${Depends}\n' linux-headers-amd64 2>/dev/null |
		grep -o 'linux-headers-[0-9][^ ,]*-amd64' | head -1)
	[ -n "$release" ] || die "linux-headers-amd64 is not installed; run 'make deps'"
	echo "${release#linux-headers-}"
}

# machine_fetch PACKAGE DIR: downloads with the machine's own lists, refreshing them once if need be.
machine_fetch() {
	say FETCH "$1"
	(cd "$2" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$1") && return 0
	say LISTS "the package lists are out of date; fetching them"
	apt-get -qq update
	(cd "$2" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$1") ||
		die "cannot download $1; if the archive has a newer kernel, upgrade linux-headers-amd64"
}

# A kernel image is its own decompressor with the ELF file inside, compressed.
extract_vmlinux() {
	local image=$1 out=$2 name magic tool offset

	while read -r name magic tool; do
		while read -r offset; do
			tail -c +$((offset + 1)) "$image" | $tool >"$out" 2>/dev/null
			readelf -h "$out" >/dev/null 2>&1 && return 0
		done < <(LC_ALL=C grep -aobP "$magic" "$image" | LC_ALL=C cut -d: -f1)
	done <<-'END'
		xz \xFD7zXZ\x00 unxz
		gzip \x1f\x8b\x08 gunzip
		zstd \x28\xb5\x2f\xfd unzstd
	END
	rm -f "$out"
	echo "cannot find a compressed ELF image in $image"
	return 1
}

# Modules that stand between the kernel and its root, in load order; a kernel may have some built in.
root_modules='virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci netfs fscache
	9pnet 9pnet_virtio 9p overlay'

# Made anew for each boot: it takes a fraction of a second, and so the cached kernel does not depend
# on our scripts.
make_initramfs() {
	local dir=$1 release=$2 out=$3 root=$VM_RUN/initramfs module file number=10

	mkdir -p "$root"/{bin,dev,proc,modules,lower,rw,root}
	cp "$(command -v busybox)" "$root/bin/busybox" || return 1
	for module in $root_modules; do
		file=$(find "$dir/lib/modules/$release/kernel" -name "$module.ko*" -print -quit)
		[ -n "$file" ] || continue
		number=$((number + 1))
		case $file in
		*.xz) unxz <"$file" ;;
		*.zst) unzstd <"$file" ;;
		*) cat "$file" ;;
		esac >"$root/modules/$number-$module.ko" || return 1
	done
	install -m 0755 "$here/initramfs-init.sh" "$root/init" || return 1
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$out" || return 1
	rm -rf "$root"
}

# fetch_headers SUITE RELEASE DIR: the headers of a kernel that is not installed.
fetch_headers() {
	local suite=$1 release=$2 dir=$3 depends package makefile

	deb_fetch "$suite" "linux-headers-$release" "$dir/debs"
	depends=$(dpkg-deb -f "$dir"/debs/linux-headers-"$release"_*.deb Depends)
	while read -r package; do
		deb_fetch "$suite" "$package" "$dir/debs"
	done < <(grep -oE 'linux-(headers|kbuild)-[^ ,]+' <<<"$depends")
	for package in "$dir"/debs/linux-{headers,kbuild}-*.deb; do
		dpkg-deb -x "$package" "$dir" || return 1
	done
	# The packages think that they live in /usr: point them at where they are.
	for makefile in "$dir"/usr/src/linux-headers-*/Makefile "$dir"/usr/src/linux-headers-*/.kernelvariables; do
		[ ! -f "$makefile" ] || sed -i "s#/usr/src/#$dir/usr/src/#g" "$makefile"
	done
	find "$dir/usr" -type l | while read -r package; do
		case $(readlink "$package") in
		/usr/*) ln -sfn "$dir$(readlink "$package")" "$package" ;;
		esac
	done
	ln -s "usr/src/linux-headers-$release" "$dir/headers"
}

fill_kernel() {
	local suite=$1 release=$2 dir=$3

	mkdir -p "$dir/debs"
	if [ "$suite" = installed ]; then
		machine_fetch "linux-image-$release" "$dir/debs"
	else
		deb_fetch "$suite" "linux-image-$release" "$dir/debs"
	fi
	say UNPACK "linux-image-$release"
	dpkg-deb -x "$dir"/debs/linux-image-*.deb "$dir" || return 1
	# From here on /lib is as good as /usr/lib: newer packages use the latter.
	[ -d "$dir/lib/modules" ] || { mkdir -p "$dir/lib" && ln -s ../usr/lib/modules "$dir/lib/modules"; }
	ln "$dir/boot/vmlinuz-$release" "$dir/vmlinuz" || return 1
	depmod -b "$dir" "$release" || return 1
	extract_vmlinux "$dir/vmlinuz" "$dir/vmlinux" || return 1
	if [ "$suite" = installed ]; then
		ln -s "/usr/src/linux-headers-$release" "$dir/headers"
	else
		fetch_headers "$suite" "$release" "$dir" || return 1
	fi
	rm -rf "$dir/debs"
	echo "$release" >"$dir/VERSION"
}

# A kernel with checks. Its own modules: none, as all that it needs is built in.
fill_built() {
	local flavour=$1 dir=$2 release

	kernel_build x86 "$dir/build" "Linux $BUILD_SERIES, $flavour (4 to 8 minutes with two CPUs)" \
		"$here/x86.config" "$here/x86-$flavour.config" || return 1
	release=$(cat "$dir/build/include/config/kernel.release") || return 1
	mkdir -p "$dir/lib/modules/$release/kernel"
	ln "$dir/build/arch/x86/boot/bzImage" "$dir/vmlinuz" || return 1
	ln "$dir/build/vmlinux" "$dir/vmlinux" || return 1
	ln -s build "$dir/headers"
	echo "$release" >"$dir/VERSION"
}

# The newest kernel of a series in a suite, without its variants unless one is named. Looked up only when the cache has none of the series,
# so that a filled cache works without a network and does not change under a running series of tests.
newest_release() {
	local series=${1%-rt} suite=$2 others='cloud|rt-|dbg|unsigned' variant=

	[ "$series" = "$1" ] || others='cloud|dbg|unsigned' variant=-rt
	(
		flock 8
		deb_update "$suite"
	) 8>"$HEADWAY_CACHE/apt/.$suite.lock" || return 1
	deb_apt "$suite" apt-cache pkgnames "linux-image-$series." |
		grep -E "^linux-image-${series//./\\.}\.[0-9].*$variant-amd64$" | grep -vE "$others" |
		sed 's/^linux-image-//' | sort -V | tail -1
}

kernel_dir() {
	local series=$1 suite release dir

	suite=$(suite_of "$series") || return 1
	if [ "$suite" = source ]; then
		dir=$(cache_hash "$here/x86.config" "$here/x86-${series#*-}.config")
		cache_entry "kernel-$series-$dir-$KERNEL_LAYOUT" fill_built "${series#*-}"
		return
	fi
	if [ "$suite" = installed ]; then
		release=$(installed_release) || return 1
	else
		for dir in "$HEADWAY_CACHE/kernel-${series%-rt}".*; do
			[ -e "$dir/$CACHE_STAMP" ] || continue
			case $series:$(cat "$dir/VERSION") in
			*-rt:*-rt-* | *[0-9]:*[0-9]-amd64) release=$(cat "$dir/VERSION") ;;
			esac
		done
		mkdir -p "$HEADWAY_CACHE/apt"
		[ -n "${release:-}" ] || release=$(newest_release "$series" "$suite")
		[ -n "$release" ] || die "the suite $suite has no kernel $series"
	fi
	cache_entry "kernel-$release-$KERNEL_LAYOUT" fill_kernel "$suite" "$release"
}

case ${1:-} in
kernel | headers | btf)
	dir=$(kernel_dir "${2:?which kernel series?}") || exit 1
	case $1 in
	kernel) echo "$dir" ;;
	headers) readlink -f "$dir/headers" ;;
	btf) echo "$dir/vmlinux" ;;
	esac
	;;
boot)
	series=${2:?which kernel series?}
	shift 2
	[ $# -ge 1 ] || die "boot needs a SCRIPT"
	dir=$(kernel_dir "$series") || die "no kernel $series"
	# shellcheck source=tests/vm/boot.sh
	. "$here/boot.sh"
	export HEADWAY_VM_MODULES=$dir/lib/modules
	vm_prepare "$@"
	make_initramfs "$dir" "$(cat "$dir/VERSION")" "$VM_RUN/initramfs.cpio" ||
		die "cannot make an initramfs for $series"
	say BOOT "Linux $(cat "$dir/VERSION") in qemu (emulated: about 10 s, and a minute with KASAN)"
	start=150 options=
	case $series in
	*-debug | *-kcsan) start=300 ;;
	# An emulated machine that is short of time spends most of what it has in interrupt threads, and
	# would report that, at any time, as "RT throttling".
	*-rt) options=sysctl.kernel.sched_rt_runtime_us=-1 ;;
	esac
	export HEADWAY_START_TIMEOUT=${HEADWAY_START_TIMEOUT:-$start}
	# After an oops or a lockup there is nothing to wait for: they end the machine.
	# shellcheck disable=SC2054 # the commas are qemu's
	machine=(qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1024M -nodefaults
		-display none -no-reboot -kernel "$dir/vmlinuz" -initrd "$VM_RUN/initramfs.cpio"
		-chardev stdio,id=console,signal=off -serial chardev:console
		-chardev "file,id=script,path=$VM_RUN/script" -serial chardev:script
		-virtfs local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap
		-append "console=ttyS0 panic=-1 oops=panic softlockup_panic=1 loglevel=7 tsc=unstable headway_run=$VM_RUN headway_init=$VM_INIT headway_tty=/dev/ttyS1 $options")
	vm_run "Linux $(cat "$dir/VERSION") in qemu" "${machine[@]}"
	status=$?
	# Once in many boots the emulated stock kernel stops before it has mounted its root. Nothing of
	# ours has run by then, so a second try hides no bug of ours; a splat is never tried again.
	if [ "$status" -eq 123 ]; then
		say BOOT "trying once more"
		vm_run "Linux $(cat "$dir/VERSION") in qemu, second try" "${machine[@]}"
		status=$?
	fi
	exit "$status"
	;;
*)
	sed -n '5,8s/^# //p' "$0" >&2
	exit 2
	;;
esac
