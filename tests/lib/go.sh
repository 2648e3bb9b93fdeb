#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# go.sh - a Go compiler from Debian, for the test programs that are written in Go.
#
# Usage:  go.sh [1.19|1.24]       prints the path of its go command, after fetching it once
#
# The packages (100 MB) are unpacked in the cache and not installed, so that only who runs those
# tests pays for them. 1.19 is what Debian 12 has; in 1.24 the mutex has moved to internal/sync.
set -u -o pipefail

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/lib/say.sh
. "$here/say.sh"
# shellcheck source=tests/lib/cache.sh
. "$here/cache.sh"
# shellcheck source=tests/lib/deb.sh
. "$here/deb.sh"

version=${1:-1.19}
case $version in
1.19) suite=bookworm ;;
1.24) suite=trixie ;;
*) die "Go $version is not known here: 1.19 or 1.24" ;;
esac

unpack() {
	local tmp
	tmp=$(mktemp -d "$HEADWAY_CACHE/go-$version.XXXXXX") || return 1
	for package in "golang-$version-go" "golang-$version-src"; do
		deb_fetch "$suite" "$package" "$tmp/deb" || return 1
	done
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb -x "$deb" "$tmp" || return 1
	done
	rm -rf "$tmp/deb"
	mv "$tmp" "$root"
}

root=$HEADWAY_CACHE/go-$version
go=$root/usr/lib/go-$version/bin/go
if [ ! -x "$go" ]; then
	mkdir -p "$HEADWAY_CACHE"
	(
		flock 7
		[ -x "$go" ] || unpack >&2
	) 7>"$HEADWAY_CACHE/.go-$version.lock" || die "cannot fetch Go $version"
fi
printf '%s\n' "$go"
