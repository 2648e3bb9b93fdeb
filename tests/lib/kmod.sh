#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kmod.sh - builds the kernel modules for one kernel, in a copy of the sources.
#
# Usage:  kmod.sh DIR KDIR [MAKE ARGS...]      (make kmod calls it)
#
# Kbuild writes its products beside the sources, so each kernel gets a copy: several can be built for at once,
# and the tree stays clean. Only what changed is copied, with its time stamp, so a rebuild is incremental.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/lib/say.sh
. "$top/tests/lib/say.sh"
cd "$top" || exit 1
dir=$1 kdir=$2
shift 2

[ -e "$kdir/Makefile" ] || die "'$kdir' is no kernel build directory; give one with KDIR=, or run 'make deps'"
mkdir -p "$dir" || exit 1

# Two builds in one directory would trip over each other.
exec 9>"$dir.lock"
flock -n 9 || {
	say WAIT "another build is running in $dir"
	flock 9
}

sources=(./Kbuild ./kmod)
for extra in ./tests/kunit ./tests/torture ./tests/bench; do
	[ ! -d "$extra" ] || sources+=("$extra")
done
# The products are not in the source and must survive --delete.
rsync -aR --delete --exclude='*.o' --exclude='*.ko' --exclude='*.a' --exclude='*.mod' --exclude='*.mod.c' \
	--exclude='.*.cmd' --exclude='*.order' --exclude='Module.symvers' --exclude='.module-common.*' \
	--exclude='.tmp_*' --exclude='*.gcno' "${sources[@]}" "$dir/" || exit 1

# The lock is not inherited: a daemon that a build might start must not keep it.
nice make -C "$kdir" M="$(readlink -f "$dir")" -j"$(nproc)" --no-print-directory "$@" 9>&-
