# SPDX-License-Identifier: GPL-2.0
# say.sh - progress and error lines (sourced).
#
# Everything here goes to stderr: several of our scripts print a path on stdout for their caller,
# and a human must still see what is going on.
# shellcheck shell=bash

say() {
	printf '  %-9s %s\n' "$1" "${*:2}" >&2
}

die() {
	printf '%s: error: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# progress LABEL UNIT LOGFILE: copies stdin to LOGFILE and, every few seconds, says how many lines
# (UNIT) have come by. Kernel builds print thousands of lines that nobody reads, but silence for
# minutes looks like a hang.
progress() {
	local label=$1 unit=$2 line count=0 start=$SECONDS last=$SECONDS

	# Not awk: Debian's waits until it has read a whole buffer.
	while IFS= read -r line || [ -n "$line" ]; do
		printf '%s\n' "$line"
		count=$((count + 1))
		if [ $((SECONDS - last)) -ge 5 ]; then
			last=$SECONDS
			say "$label" "$count $unit in $((SECONDS - start)) s"
		fi
	done >"$3"
}
