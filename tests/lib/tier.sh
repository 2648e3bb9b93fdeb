# SPDX-License-Identifier: GPL-2.0
# tier.sh - the head of a tier's script (sourced): the tree's top as current directory, messages, KTAP, a scratch
# directory, and an end that leaves nothing behind.
#
# Gives:  $top       the tree
#         $tmp       the scratch directory
#         started    an array of processes to kill at the end
#         same DESCRIPTION GOT WANT
#         until_true SECONDS COMMAND...    a limit, and no time that is waited in any case
# Takes:  clean_more(), if the script defines it: what it has to undo itself, when those are gone
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/say.sh
. tests/lib/say.sh
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh
tmp=$(mktemp -d "${TMPDIR:-/tmp}/headway.XXXXXX") || exit 1
started=()

clean() {
	local pid

	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	! declare -F clean_more >/dev/null || clean_more
	rm -rf --one-file-system "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

same() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got:  $2"$'\n'"want: $3"
	fi
}

until_true() {
	local end=$((SECONDS + $1))
	shift

	while ! "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}
