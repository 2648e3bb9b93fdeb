#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# uml.sh - User Mode Linux: builds it once, boots it with the host's files.
#
# Usage:  uml.sh source                        prints the directory of the kernel source
#         uml.sh build [debug]                 prints the kernel's build directory, making it if absent
#         uml.sh boot [--debug] SCRIPT [ARGS]  runs SCRIPT in it as root; exit status is SCRIPT's
#
# The guest sees the host's whole file system read-only at the same paths, with tmpfs on /tmp and
# /run. Console and kernel log come out on stdout. A kernel splat, a panic and a timeout
# (HEADWAY_BOOT_TIMEOUT seconds, default 120) are failures whatever SCRIPT returned.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/say.sh
. "$here/../lib/say.sh"
# shellcheck source=tests/lib/cache.sh
. "$here/../lib/cache.sh"
# shellcheck source=tests/lib/deb.sh
. "$here/../lib/deb.sh"

UML_SERIES=7.3
UML_SUITE=trixie-backports

fill_source() {
	local dir=$1 tarball

	deb_fetch "$UML_SUITE" "linux-source-$UML_SERIES" "$dir"
	say UNPACK "linux-source-$UML_SERIES"
	dpkg-deb -x "$dir"/linux-source-*.deb "$dir/deb" || return 1
	basename "$dir"/linux-source-*.deb .deb >"$dir/VERSION"
	tarball=$(echo "$dir"/deb/usr/src/linux-source-*.tar.xz)
	# Left out: code that neither UML nor an x86 virtual machine can use. It is most of the 1.7 GB.
	# Kconfig files stay, since the configuration needs every one of them.
	mkdir "$dir/linux"
	tar -C "$dir/linux" --strip-components=1 --use-compress-program='xz -T0' -xf "$tarball" \
		--exclude='*/Documentation/[a-jl-z]*/*.rst' --exclude='*/tools/testing/selftests' \
		--exclude='*/tools/perf' --exclude='*/drivers/gpu/*.[ch]' --exclude='*/sound/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/staging/*.[ch]' \
		--exclude='*/drivers/net/ethernet/*.[ch]' --exclude='*/drivers/net/wireless/*.[ch]' \
		--exclude='*/arch/*/boot/dts/*' || return 1
	rm -rf "$dir/deb" "$dir"/linux-source-*.deb
}

uml_source() {
	local entry

	entry=$(cache_entry "linux-source-$UML_SERIES" fill_source) || return 1
	printf '%s/linux\n' "$entry"
}

# The fragments of a flavour, in the order in which they are merged.
uml_fragments() {
	echo "$here/uml.config"
	[ "$1" = plain ] || echo "$here/uml-$1.config"
}

fill_build() {
	local flavour=$1 dir=$2 source fragment option

	source=$(uml_source) || return 1
	say CONFIG "UML $UML_SERIES, $flavour"
	make -s -C "$source" O="$dir" ARCH=um allnoconfig >"$dir/config.log" 2>&1 || {
		tail -20 "$dir/config.log"
		return 1
	}
	for fragment in $(uml_fragments "$flavour"); do
		cat "$fragment"
	done >>"$dir/.config"
	make -s -C "$dir" ARCH=um olddefconfig >>"$dir/config.log" 2>&1 || {
		tail -20 "$dir/config.log"
		return 1
	}
	# olddefconfig drops in silence what it cannot satisfy; a test kernel without its checks would
	# pass everything. Later fragments win, so only the last word on each option counts.
	for fragment in $(uml_fragments "$flavour"); do
		grep -h '^CONFIG_' "$fragment"
	done | awk -F= '{ last[$1] = $0 } END { for (o in last) print last[o] }' |
		while read -r option; do
			case $option in
			*=n) ! grep -q "^${option%=n}=" "$dir/.config" ;;
			*) grep -qxF "$option" "$dir/.config" ;;
			esac || {
				echo "the kernel did not accept $option"
				exit 1
			}
		done || return 1

	say BUILD "UML $UML_SERIES, $flavour (3 to 4 minutes with two CPUs)"
	nice make -C "$dir" ARCH=um -j"$(nproc)" all 2>&1 |
		progress BUILD "build steps" "$dir/build.log" || {
		tail -30 "$dir/build.log"
		return 1
	}
	[ -x "$dir/linux" ]
}

uml_build() {
	local flavour=$1 fragments

	mapfile -t fragments < <(uml_fragments "$flavour")
	[ -e "${fragments[-1]}" ] || die "no such flavour: $flavour (there is no ${fragments[-1]})"
	cache_entry "uml-$UML_SERIES-$flavour-$(cache_hash "${fragments[@]}")" fill_build "$flavour"
}

case ${1:-} in
source)
	uml_source
	;;
build)
	uml_build "${2:-plain}"
	;;
boot)
	shift
	flavour=plain
	[ "${1:-}" != --debug ] || {
		flavour=debug
		shift
	}
	[ $# -ge 1 ] || die "boot needs a SCRIPT"
	build=$(uml_build "$flavour") || die "no UML kernel"
	# Under KASAN and lockdep even the first /bin/sh takes its time.
	[ "$flavour" = plain ] || export HEADWAY_START_TIMEOUT="${HEADWAY_START_TIMEOUT:-240}"
	# shellcheck source=tests/vm/boot.sh
	. "$here/boot.sh"
	vm_prepare "$@"
	# SMP needs seccomp mode. Console 0 has no input: nothing in the guest may wait for a keyboard.
	vm_run "UML $UML_SERIES $flavour" \
		"$build/linux" seccomp=on ncpus=2 mem=512M rootfstype=hostfs rootflags=/ ro \
		"init=$VM_INIT" "headway_run=$VM_RUN" con0=null,fd:1 con=null panic=-1
	;;
*)
	sed -n '5,7s/^# //p' "$0" >&2
	exit 2
	;;
esac
