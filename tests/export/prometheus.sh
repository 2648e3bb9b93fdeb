#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# prometheus.sh - Prometheus and promtool from Debian, unpacked in the cache and not installed: its
# package would start a service.
#
# Usage:  prometheus.sh       prints the directory that has both, after fetching them once
set -u -o pipefail

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")/../lib" && pwd)
# shellcheck source=tests/lib/say.sh
. "$lib/say.sh"
# shellcheck source=tests/lib/cache.sh
. "$lib/cache.sh"
# shellcheck source=tests/lib/deb.sh
. "$lib/deb.sh"

fill() {
	deb_fetch bookworm prometheus "$1/deb" && dpkg-deb -x "$1"/deb/*.deb "$1" && rm -r "$1/deb"
}

dir=$(cache_entry prometheus-bookworm fill) || die "cannot fetch prometheus"
printf '%s\n' "$dir/usr/bin"
