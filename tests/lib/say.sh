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
	awk -v label="$1" -v unit="$2" -v log_file="$3" '
		BEGIN { start = last = systime() }
		{
			print > log_file
			n++
			now = systime()
			if (now - last >= 5) {
				printf "  %-9s %d %s in %d s\n", label, n, unit, now - start > "/dev/stderr"
				fflush("/dev/stderr")
				last = now
			}
		}'
}
