#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unpacked.sh - a server from Debian, unpacked in the cache and not installed: its package would start a service.
#
# Usage:  unpacked.sh PACKAGE       prints the directory that it is in, after fetching it once
set -u -o pipefail

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")/../lib" && pwd)
# shellcheck source=tests/lib/say.sh
. "$lib/say.sh"
# shellcheck source=tests/lib/cache.sh
. "$lib/cache.sh"
# shellcheck source=tests/lib/deb.sh
. "$lib/deb.sh"

fill() {	# PACKAGE DIR
	deb_fetch bookworm "$1" "$2/deb" && dpkg-deb -x "$2"/deb/*.deb "$2" && rm -r "$2/deb"
}

package=${1:?which package?}
cache_entry "$package-bookworm" fill "$package" || die "cannot fetch $package"
