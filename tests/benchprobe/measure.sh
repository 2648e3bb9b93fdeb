#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# measure.sh - what it costs to be watched: "make bench-probe" runs it, as root.
#
# Usage:  measure.sh [calls|tries|servers|crowd]...     without names: all; see probe.py
#
# The peers and servers are installed where they are missing. HEADWAY_BENCH_ROUNDS and HEADWAY_BENCH_MS (of each
# measurement of calls) change how much is run.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/say.sh
. tests/lib/say.sh

peers=(bpftrace libbpf-tools linux-perf strace redis-server redis-tools postgresql)
[ "$(id -u)" = 0 ] || die "watching needs root here: run it as root"
missing=()
for package in "${peers[@]}"; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
	say DEPS "installing ${missing[*]}"
	# Without starting the servers: the measurements start their own.
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null ||
		die "cannot install ${missing[*]}: what lacks its peer is not measured without them"
fi
mkdir -p build/benchprobe build/logs
"${CC:-gcc}" -O2 -Wall -Wextra -Werror -pthread -o build/benchprobe/load tests/benchprobe/load.c || exit 1
# The peers look for tracepoints in tracefs; ours is gone with the namespace.
unshare -m sh -c 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"' sh \
	/usr/bin/python3 -B tests/benchprobe/probe.py build/benchprobe/load build/headway "$@" |
	tee build/logs/bench-probe.log
