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
# shellcheck source=tests/vm/build.sh
. "$here/build.sh"

# The fragments of a flavour, in the order in which they are merged.
uml_fragments() {
	echo "$here/uml.config"
	[ "$1" = plain ] || echo "$here/uml-$1.config"
}

fill_uml() {
	local flavour=$1 dir=$2 fragments

	mapfile -t fragments < <(uml_fragments "$flavour")
	kernel_build um "$dir" "UML $BUILD_SERIES, $flavour (3 to 4 minutes with two CPUs)" \
		"${fragments[@]}" || return 1
	[ -x "$dir/linux" ]
}

uml_build() {
	local flavour=$1 fragments

	mapfile -t fragments < <(uml_fragments "$flavour")
	[ -e "${fragments[-1]}" ] || die "no such flavour: $flavour (there is no ${fragments[-1]})"
	cache_entry "uml-$BUILD_SERIES-$flavour-$(cache_hash "${fragments[@]}")" fill_uml "$flavour"
}

case ${1:-} in
source)
	kernel_source
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
	vm_run "UML $BUILD_SERIES $flavour" \
		"$build/linux" seccomp=on ncpus=2 "mem=${HEADWAY_UML_MEM:-512M}" rootfstype=hostfs rootflags=/ ro \
		"init=$VM_INIT" "headway_run=$VM_RUN" con0=null,fd:1 con=null panic=-1
	;;
*)
	sed -n '5,7s/^# //p' "$0" >&2
	exit 2
	;;
esac
