# SPDX-License-Identifier: GPL-2.0
# cache.sh - keeps what is slow to make (kernels, sources, images) outside the tree (sourced).
#
# Usage:  cache_entry NAME FILL_FUNCTION [ARGS...]   prints the entry's directory, filling it if absent
#         cache_hash FILE...                         a short hash of the contents, for use in NAME
#
# Invariants:
#  - The directory of an entry is made by FILL_FUNCTION ARGS... DIR and is complete exactly when it
#    holds the stamp file, which is written last. A fill that died leaves no stamp, and the next
#    fill starts from an empty directory.
#  - An entry is filled in its final place, not renamed into it: a kernel build directory has its
#    own absolute path inside and would break when moved. The stamp gives the same atomicity.
#  - One lock file per entry, held while filling, so that parallel runs fill once and wait.
#  - Entries are never changed after the stamp: NAME carries everything that decides the content.
#
# HEADWAY_CACHE may be deleted at any time when nothing runs; it costs only time.
# shellcheck shell=bash

HEADWAY_CACHE=${HEADWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/headway}
CACHE_STAMP=.headway-complete

cache_hash() {
	cat -- "$@" | sha256sum | cut -c1-12
}

cache_entry() {
	local name=$1 dir=$HEADWAY_CACHE/$1
	shift

	if [ -e "$dir/$CACHE_STAMP" ]; then
		printf '%s\n' "$dir"
		return 0
	fi
	mkdir -p "$HEADWAY_CACHE" || return 1
	(
		# Say so when somebody else is filling it: a silent wait of minutes looks like a hang.
		flock -n 9 || {
			say WAIT "another run is making $name"
			flock 9
		}
		[ -e "$dir/$CACHE_STAMP" ] && exit 0
		rm -rf -- "$dir"
		mkdir -p "$dir" || exit 1
		# Not inherited by the fill's children: a stray daemon must not keep the lock.
		"$@" "$dir" 9>&- >&2 || {
			echo "cache: making $name failed; what is left is in $dir" >&2
			exit 1
		}
		date -u +%FT%TZ >"$dir/$CACHE_STAMP"
	) 9>"$HEADWAY_CACHE/.$name.lock" || return 1
	printf '%s\n' "$dir"
}
