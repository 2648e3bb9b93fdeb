#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh - the probes and `headway watch` against real programs.
#
# Builds what it needs into build/bpf-tests: the target in every way that it can be linked, and
# the C tests, which use the tool's own probe objects. Then the counts (probe_counts), who is watched
# (groups), by which kind of uprobe (uprobes), then the command (cli.py).
# runs: light
# Each prints a KTAP document; a timeout is a failure.
# shellcheck disable=SC2317	# functions are called through check()
set -u

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh

export HEADWAY_BUILD=${HEADWAY_BUILD:-build}
out=$HEADWAY_BUILD/bpf-tests
status=0
mkdir -p "$out" || exit 1

cc_target() {	# NAME SOURCE FLAGS...
	local name=$1 source=$2
	shift 2
	"${CC:-gcc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -pthread \
		"$@" -o "$out/$name" "$source"
}

# All objects of the tool but its main(), as an archive: the linker takes what the test uses.
cc_probes() {	# NAME
	local packages=(libbpf libelf libdw json-c)

	rm -f "$out/libheadway.a"
	find "$HEADWAY_BUILD/userspace" -name '*.o' ! -name main.o -exec ar rcs "$out/libheadway.a" {} + || return
	! pkg-config --exists capstone || packages+=(capstone)
	# shellcheck disable=SC2046	# pkg-config prints words
	"${CC:-gcc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -Iuserspace -Ibpf -Itests/unit \
		-o "$out/$1" "tests/bpf/$1.c" "$out/libheadway.a" \
		$(pkg-config --libs "${packages[@]}") -liberty -lpthread -lm
}

ktap_begin bpf.build
# probe_counts shares structures with these objects, so they must be as new as the headers
check 'the tool' make -s B="$HEADWAY_BUILD" userspace corpus-programs
check 'actions, position independent' cc_target actions-pie tests/bpf/actions.c -pie
check 'actions, at a fixed address' cc_target actions-no-pie tests/bpf/actions.c -no-pie
check 'actions, static' cc_target actions-static tests/bpf/actions.c -static
check 'actions, static and position independent' \
	cc_target actions-static-pie tests/bpf/actions.c -static-pie
check 'hostile' cc_target hostile tests/bpf/hostile.c
check 'compat' cc_target compat tests/bpf/compat.c
check 'jitted' cc_target jitted tests/bpf/jitted.c
check 'leaderless' cc_target leaderless tests/bpf/leaderless.c
check 'probe_counts' cc_probes probe_counts
check 'groups' cc_probes groups
check 'uprobes' cc_probes uprobes
ktap_end || exit 1	# the rest would only repeat it

HEADWAY_BPF_TESTS=$out timeout -k 10 120 "$out/probe_counts" || status=1
timeout -k 10 120 "$out/groups" || status=1
timeout -k 10 120 "$out/uprobes" || status=1
timeout -k 10 240 /usr/bin/python3 -B tests/bpf/cli.py || status=1
timeout -k 10 300 /usr/bin/python3 -B tests/bpf/markers.py || status=1
exit "$status"
