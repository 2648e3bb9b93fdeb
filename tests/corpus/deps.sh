#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh - installs the servers and load tools of the whole corpus ("make deps" has the rest).
#
# Usage:  deps.sh         installs what is missing; does nothing, quickly, when all is there
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/say.sh
. "$here/../lib/say.sh"

packages=(
	redis-server redis-tools memcached nginx-light apache2-utils postgresql
	sysbench stress-ng rt-tests libtbb-dev libsqlite3-dev
	rustc openjdk-17-jdk-headless
)

missing=()
for package in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || die "missing packages: ${missing[*]}; run this as root"

say DEPS "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# RUNLEVEL: no service is started, the corpus runs its own on ports and in directories of its own
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "${missing[@]}" 2>&1 |
	progress DEPS "lines from apt" "$log" || {
	tail -20 "$log" >&2
	die "cannot install ${missing[*]}"
}
