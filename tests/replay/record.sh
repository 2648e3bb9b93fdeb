#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# record.sh - records the corpus anew, for the replay tier. Needs root and a quiet machine.
#
# Usage:  record.sh [CASE...]       default: each program of tests/corpus/cases.tsv (servers are not)
#         record.sh kernel          what record_guest.sh records, in a guest with headway.ko
#
# A recording is kept only if the live watch said what the label asks for, and its replay says the same
# to the byte; recordings/expected.tsv then has its accepted states and the findings that must be made.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
headway=$top/build/headway
kept=$here/recordings
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

get() {
	"$top/tests/tool/schema.py" --get "$1" "$tmp/live"
}

# accept NAME STATES: the recording $tmp/NAME.hw, if what was said of it, $tmp/live, is right.
accept() {
	local state findings

	state=$(get 'S["state"]')
	findings=$(get '",".join(sorted({f["verdict"] for f in F})) or "none"')
	[[ "|$2|" = *"|$state|"* ]] || { echo "state $state, want $2"; return 1; }
	chmod 644 "$tmp/$1.hw" && mv "$tmp/$1.hw" "$kept/$1.hw" || return 1
	sed -i "/^$1\t/d" "$kept/expected.tsv"
	printf '%s\t%s\t%s\n' "$1" "$2" "$findings" >>"$kept/expected.tsv"
	echo "$1: $state, findings: $findings, $(stat -c %s "$kept/$1.hw") bytes"
}

# keep NAME STATES ARGUMENTS: one recording.
keep() {
	local program=./$1 arguments=()
	[ "$3" = - ] || read -ra arguments <<<"${3//PROGRAM/$program}"
	# The names of places on this machine are nobody's business.
	cp "$top/build/corpus/$1" "$tmp/$1"
	(cd "$tmp" && timeout -k 5 30 nice -n -10 "$headway" record -o "$tmp/$1.hw" --json -d 5 -w 2 \
		"${arguments[@]}" -- "$program" \
		>live 2>err </dev/null) || { cat "$tmp/err"; return 1; }
	timeout 10 "$headway" replay --json "$tmp/$1.hw" >"$tmp/again" && cmp "$tmp/live" "$tmp/again" || return 1
	accept "$1" "$2"
}

# keep_kernel NAME STATES: one of those that the guest said.
keep_kernel() {
	sed -n "s/^# recording $1: //p" "$tmp/console" | tr -d '\r' | base64 -d >"$tmp/$1.hw" &&
		timeout 10 "$headway" replay --json "$tmp/$1.hw" >"$tmp/live" && accept "$1" "$2"
}

if [ "${1:-}" = kernel ]; then
	make -s -C "$top" kmod corpus-programs userspace || exit 1
	"$top/tests/vm/qemu.sh" boot 6.1 "$here/record_guest.sh" "$top/build/kmod-stock-6.1/kmod" >"$tmp/console" ||
		{ tail -n 20 "$tmp/console"; exit 1; }
	keep_kernel philosophers 'healthy|contended' || bad=1
	keep_kernel kernel_and_process livelock || bad=1
	exit "$bad"
fi

[ -e "$kept/expected.tsv" ] || printf '# case\taccepted states\tfindings that are made\n' >"$kept/expected.tsv"
while IFS=$'\t' read -r name _ _ states arguments _; do
	[[ "$name" != \#* && -x $top/build/corpus/$name ]] || continue
	[ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
	keep "$name" "$states" "$arguments" || { echo "$name: not kept"; bad=1; }
done <"$top/tests/corpus/cases.tsv"
exit "$bad"
