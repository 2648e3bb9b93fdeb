# SPDX-License-Identifier: GPL-2.0
# ktap.sh - KTAP version 1 from shell (sourced).
#
# Usage:	ktap_begin NAME
#		ok DESCRIPTION | not_ok DESCRIPTION [DETAIL] | skip DESCRIPTION REASON
#		check DESCRIPTION COMMAND...      ok when the command succeeds; its output shown when not
#		COMMAND | finds PATTERN           grep, for pipes: see below
#		ktap_end                          prints the plan; returns 1 if anything failed or nothing ran
#
# Invariant: the plan comes last, printed from the count, so a script that dies before ktap_end leaves
# a report without a plan, which run.sh counts as a failure.
# shellcheck shell=bash

ktap_begin() {
	ktap_name=$1
	ktap_count=0
	ktap_failed=0
	printf 'KTAP version 1\n# suite: %s\n' "$ktap_name"
}

ok() {
	ktap_count=$((ktap_count + 1))
	printf 'ok %d - %s.%s\n' "$ktap_count" "$ktap_name" "$1"
}

not_ok() {
	ktap_count=$((ktap_count + 1))
	ktap_failed=$((ktap_failed + 1))
	# The detail comes before the result, as KTAP wants its diagnostics.
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
	printf 'not ok %d - %s.%s\n' "$ktap_count" "$ktap_name" "$1"
}

skip() {
	ktap_count=$((ktap_count + 1))
	printf 'ok %d - %s.%s # SKIP %s\n' "$ktap_count" "$ktap_name" "$1" "${2:-no reason given}"
}

check() {
	local description=$1 output
	shift

	if output=$("$@" 2>&1); then
		ok "$description"
	else
		not_ok "$description" "exit status $? of: $*"$'\n'"$output"
	fi
}

# "grep -q" ends at the first match, and with pipefail what kills the command that has more to write then
# is a failure: how often depends on how much that is, and on who runs when.
finds() {
	[ "$(grep -c "$@")" -gt 0 ]
}

ktap_end() {
	printf '1..%d\n' "$ktap_count"
	[ "$ktap_failed" -eq 0 ] && [ "$ktap_count" -gt 0 ]
}
